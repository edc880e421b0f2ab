"""The sizes that every part of TurboVSR shares: the scale, the compressions, the latent cell, the 8k+1 frame rule."""

from __future__ import annotations

SCALE = 4  # SR pixels along the edge of an LR pixel, in the networks
SCALES = (1, 2, 3, 4)  # that users may ask for; 1 restores without enlarging
SPATIAL_COMPRESSION = 32  # HR pixels along the edge of a latent cell (arXiv 2506.23618, LTX-Video)
TEMPORAL_COMPRESSION = 8  # frames in a latent frame after the first, which holds one frame alone
CELL = SPATIAL_COMPRESSION // SCALE  # LR pixels along the edge of a latent cell
VALUES_PER_LR_PIXEL = 3 * SCALE**2  # RGB values of the HR pixels in one LR pixel


def latent_frames(frames: int) -> int:
    """Latent frames of a clip of `frames` = 8k+1 frames: 1+k.

    Raises:
        ValueError: the number of frames is not of the form 8k+1.
    """
    if frames < 1 or (frames - 1) % TEMPORAL_COMPRESSION:
        raise ValueError(f"a clip needs 8k+1 frames, got {frames}: repeat the last frame up to such a count")
    return 1 + (frames - 1) // TEMPORAL_COMPRESSION


def clip_frames(latent_frames: int) -> int:
    """Frames of a clip of 1+k latent frames: 8k+1."""
    return 1 + TEMPORAL_COMPRESSION * (latent_frames - 1)


def missing_frames(frames: int) -> int:
    """Frames to append to a clip of `frames` frames so that it has 8k+1."""
    return -(frames - 1) % TEMPORAL_COMPRESSION


def pad_to(side: int, multiple: int) -> int:
    """The smallest multiple of `multiple` that is not below `side`."""
    return side + -side % multiple
