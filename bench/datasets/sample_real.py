"""The sample set as real-world video: LR frames degraded on this machine and compared with the reference's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from bench.datasets.clip import Clip
from bench.datasets.sample import Piece, Sample
from bench.datasets.sources import Wrapped
from bench.store.keys import FramesDigest
from frames.images import Size

log = logging.getLogger(__name__)

REFERENCE = "libx264 core 165, libavcodec 62.28.102, PyAV 18.1.0, OpenCV 4.14.0, NumPy 2.4.6"
"""The versions with which the frames of `DIGESTS` were made."""
ORIGIN = "once-x4-blur1.2-noise6-jpeg60-crf28-25fps-seed0 from GT"
DIGESTS = {
    "city": "f6f1666a3e22e16a7996a10cecfdfbf63a83f5f2f3939f1683089e385ceb61ea",
    "street": "89be972e572c320160cf4fb0ee27246a59e7e60e95aeb2c52804f1282e395147",
    "bunny": "e2960546cdd69a35078778f3897a23e734816c3435525aaab8a801b071c2eef2",
    "astronaut": "49fc0188fe557b2e17ba9f90ca69c06267eaa2c624ef3b68c7d3ad9055540d23",
    "coffee": "1536d367d8ba51ec45e329a539b92814ce66cde6fb338c41c81a7204f1aef847",
    "chelsea": "5412fa00baf6f48e1ec8cab1b03f44e2ea0d144a096b60c588ba64b93cd40720",
    "rocket": "b20962815b8164d09311e6865161ed616c2ca135410703ae1c211b388b070d50",
}
"""Digests of the LR frames of each clip; see `bench.store.keys.FramesDigest`."""


@dataclass(frozen=True)
class Compared(Wrapped):
    """LR frames of a clip, compared with the reference's when they have been read to the end."""

    clip: str
    warn: Callable[[], None]  # called where they differ

    @property
    def size(self) -> Size:
        return self.source.size

    def __iter__(self) -> Iterator[np.ndarray]:
        digest = FramesDigest()
        for frame in self.source:
            digest.add(frame)
            yield frame
        if digest.hexdigest() != DIGESTS[self.clip]:
            self.warn()


def unlike(clip: str, made_with: str) -> str:
    """A message that LR frames differ from the reference's, with both versions, in one line."""
    here = "with the same versions" if made_with == REFERENCE else f"with {made_with}"
    return (
        f"sample_real: the LR frames of clip {clip}, made here {here}, are not those of the reference ({REFERENCE}): "
        "figures of this set do not compare with figures from there"
    )


class SampleReal(Sample):
    """The clips of `Sample`, blurred, reduced, noisy and compressed by `degradation=once`; see there for arguments."""

    _warned = False

    def problems(self) -> Iterator[str]:
        """The problems of `Sample`, and clips whose LR frames differ from the reference's."""
        yield from super().problems()
        for clip in self.clips():
            if isinstance(clip._lr, Compared):
                digest = FramesDigest()
                for frame in clip._lr.source:
                    digest.add(frame)
                if digest.hexdigest() != DIGESTS[clip.name]:
                    yield unlike(clip.name, clip.lr_made_with)

    def _clip(self, name: str, piece: Piece) -> Clip:
        clip = super()._clip(name, piece)
        if clip.lr_origin != ORIGIN or clip.frames != piece.frames:
            return clip  # another degradation, seed or scale, or a part of the clip: there is no reference
        return replace(clip, _lr=Compared(clip._lr, name, partial(self._warn, name, clip.lr_made_with)))

    def _warn(self, clip: str, made_with: str) -> None:
        """Warn that LR frames differ, once for the set: the cause is the encoder, which changes all clips."""
        if not self._warned:
            self._warned = True
            log.warning("%s", unlike(clip, made_with))
