import weakref
from itertools import repeat

import pytest
import torch

from turbovsr import tiling
from turbovsr.rearrange import each_frame


def test_auto_takes_whole_frames_as_long_as_they_fit():
    assert tiling.tile_edge("auto", 272, 480, 33, tiling.DECODED_AT_ONCE) == 0  # 1080p, a whole chunk
    assert tiling.tile_edge("auto", 544, 960, 1, tiling.DECODED_AT_ONCE) == 0  # a 4K image
    edge = tiling.tile_edge("auto", 1080, 1920, 33, tiling.DECODED_AT_ONCE)
    assert edge % 8 == 0 < edge and 33 * (edge + 2 * tiling.HALO) ** 2 <= tiling.DECODED_AT_ONCE


def test_given_tiles_overrule_auto():
    assert tiling.tile_edge(0, 5000, 5000, 33, 1) == 0
    assert tiling.tile_edge(64, 128, 16, 1, 10**9) == 64
    assert tiling.tile_edge(64, 64, 16, 1, 10**9) == 0


def test_tiles_cover_a_side_evenly():
    cut = tiling.spans(200, 64)
    assert [span.stop for span in cut[:-1]] == [span.start for span in cut[1:]]
    assert cut[0].start == cut[0].outer_start == 0 and cut[-1].stop == cut[-1].outer_stop == 200
    assert all(span.start % 8 == 0 and 40 <= span.stop - span.start <= 64 for span in cut)
    assert cut[1].outer_start == cut[1].start - tiling.HALO
    assert [(span.start, span.stop) for span in tiling.spans(200 - 6, 64)] == [
        (span.start, min(span.stop, 194)) for span in cut
    ]


def test_tiles_that_agree_join_exactly():
    # A network that sees single pixels: whatever tile a pixel is in, it gets the same value.
    lr = torch.rand(1, 3, 2, 90, 133) * 2 - 1

    def network(lr, latent):
        return (frame.repeat_interleave(4, 1).repeat_interleave(4, 2) for frame in lr[0].transpose(0, 1))

    whole = torch.stack(list(tiling.decode(network, lr, None, 0, 2)))
    tiled = torch.stack(list(tiling.decode(network, lr, None, 16, 2)))
    assert (tiled.float() - whole).abs().max() <= 0.501


def test_tiles_that_disagree_pass_into_each_other_without_an_edge():
    levels = iter([-0.5, 0.5, 0.0, 1.0])

    def network(lr, latent):
        yield torch.full((3, 4 * lr.shape[-2], 4 * lr.shape[-1]), next(levels))

    lr = torch.zeros(1, 3, 1, 80, 80)
    (frame,) = tiling.decode(network, lr, None, 40, 1)
    frame = frame[0].float()
    assert frame[0, 0] == 64 and frame[-1, -1] == 255
    for difference in (frame[1:] - frame[:-1], frame[:, 1:] - frame[:, :-1]):
        assert difference.abs().max() < 5  # of 128 between tiles, over 64 pixels


def test_tiles_decode_almost_as_the_whole(model):
    lr, latent = torch.rand(1, 3, 9, 96, 200) * 2 - 1, torch.randn(1, 32, 2, 12, 25)
    with torch.inference_mode():
        whole, tiled = (list(tiling.decode(model.decode_frames, lr, latent, tile, 9))[4:5] for tile in (0, 56))
    error = (whole[0].clamp(0, 255) - tiled[0]).square().mean()
    assert 10 * torch.log10(255**2 / error) > 45


def test_encoding_by_tiles_equals_encoding_at_once(model):
    hr = torch.rand(1, 3, 1, 64, 640) * 2 - 1
    with torch.inference_mode():
        assert torch.allclose(tiling.encode(model.encode, hr, 56), model.encode(hr), atol=1e-5)


def test_no_more_frames_are_decoded_than_wanted():
    made = []

    def network(lr, latent):
        for frame in range(9):
            made.append(frame)
            yield torch.zeros(3, 32, 32)

    for tile in (0, 16):
        made.clear()
        assert len(list(tiling.decode(network, torch.zeros(1, 3, 9, 8, 8), None, tile, 2))) == 2
        assert made == [0, 1]


def test_every_tile_decodes_a_frame_before_any_decodes_the_next():
    made = []

    def network(lr, latent):
        tile = object()
        for frame in range(9):
            made.append((tile, frame))
            yield torch.zeros(3, 4 * lr.shape[-2], 4 * lr.shape[-1])

    for at_once in (1, 4, 9):
        made.clear()
        for done, _ in enumerate(tiling.decode(network, torch.zeros(1, 3, 9, 24, 40), None, 16, 9, at_once)):
            tiles = {tile for tile, _ in made}
            assert len(tiles) == 6
            assert len(made) == 6 * min(at_once * (done // at_once + 1), 9)


def test_tiles_keep_no_frame_between_their_turns():
    alive = weakref.WeakSet()

    def decoded(lr):
        frame = torch.zeros(3, 4 * lr.shape[-2], 4 * lr.shape[-1])
        alive.add(frame)
        return frame

    def network(lr, latent):
        for _ in range(9):
            yield decoded(lr)

    for _ in tiling.decode(network, torch.zeros(1, 3, 9, 24, 40), None, 16, 9):
        assert len(alive) == 0


def test_tiles_keep_no_frames_that_a_gpu_has_finished_together():
    """All tiles kept theirs, in float32: the smaller the tiles, the more memory all of them took with their halos."""
    alive = weakref.WeakSet()

    def finished(lr, count):
        part = torch.zeros(count, 3, 4 * lr.shape[-2], 4 * lr.shape[-1])
        alive.add(part)
        return part

    def network(lr, latent):
        return each_frame(map(finished, repeat(lr), (4, 4, 1)))

    frames = tiling.decode(network, torch.zeros(1, 3, 9, 24, 40), None, 16, 9, at_once=4)
    assert [len(alive) for _ in frames] == 9 * [0]


def test_tiles_that_take_turns_decode_what_they_decode_at_once(model):
    lr, latent = torch.rand(1, 3, 9, 32, 40) * 2 - 1, torch.randn(1, 32, 2, 4, 5)
    with torch.inference_mode():
        whole, *others = (
            torch.stack(list(tiling.decode(model.decode_frames, lr, latent, 16, 7, at_once))) for at_once in (7, 1, 3)
        )
    assert len(whole) == 7 and all(torch.equal(whole, other) for other in others)


def test_chunks_of_large_frames_are_shorter():
    sizes = {(720, 1280): 5, (1080, 1920): 2, (4320, 7680): 2}
    for size, latents in sizes.items():
        assert tiling.chunk_latents(5, "auto", *size) == latents
        assert tiling.chunk_latents(5, 0, *size) == tiling.chunk_latents(5, 64, *size) == 5
    assert tiling.chunk_latents(2, "auto", 8, 8) == 2


@pytest.mark.parametrize("tile", [0, 16])
def test_values_that_are_not_finite_are_an_error(tile):
    def network(lr, latent):
        frame = torch.zeros(3, 4 * lr.shape[-2], 4 * lr.shape[-1])
        frame[1, 2, 3] = torch.nan
        yield frame

    with pytest.raises(ValueError, match="not finite"):
        list(tiling.decode(network, torch.zeros(1, 3, 1, 8, 24), None, tile, 1))
