import gc
import weakref
from itertools import count

import pytest
import torch

from turbovsr import TurboVSR
from turbovsr.stream import Resume, chunks, downscale, upscale_frames


def clip(frames, height=8, width=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (frames, 3, height, width), dtype=torch.uint8, generator=generator)


@pytest.fixture(scope="module")
def upscaler(weights):
    return TurboVSR(weights, chunk=2)


@pytest.mark.parametrize("scale", [2, 4])
def test_stream_gives_what_upscale_gives(weights, scale):
    upscaler = TurboVSR(weights, chunk=2, scale=scale)
    for frames in (1, 9, 10, 16):
        lr = clip(frames, 9, 12)
        streamed = list(upscaler.stream(iter(lr)))
        assert len(streamed) == frames
        assert torch.equal(torch.stack(streamed), upscaler.upscale(lr))


def test_stream_reads_one_chunk_ahead_and_no_more(upscaler):
    read = []
    frames = (read.append(index) or frame for index, frame in enumerate(clip(40)))
    for done, _ in enumerate(upscaler.stream(frames)):
        assert len(read) <= done + 9


@pytest.mark.parametrize("tile, held", [("auto", 9), (0, 33)])
def test_stream_holds_fewer_of_large_frames(weights, monkeypatch, tile, held):
    monkeypatch.setattr("turbovsr.tiling.CHUNK_AT_MOST", 8 * 8 * 16)  # one too few for 17 frames
    read = []
    frames = (read.append(index) or frame for index, frame in enumerate(clip(40)))
    next(TurboVSR(weights, tile=tile).stream(frames))
    assert len(read) == held


def live_bytes():
    """Bytes of all tensors there are; views of one storage count once."""
    gc.collect()
    storages = {
        thing.untyped_storage().data_ptr(): thing.untyped_storage().nbytes()
        for thing in gc.get_objects()
        if issubclass(type(thing), torch.Tensor)  # isinstance would ask lazy modules, which warn
    }
    return sum(storages.values())


def test_memory_does_not_grow_with_the_clip(upscaler):
    alive = weakref.WeakSet()

    def frames():
        for _ in range(70):
            frame = torch.zeros(3, 8, 8, dtype=torch.uint8)
            alive.add(frame)
            yield frame

    held = {}
    for index, _ in enumerate(upscaler.stream(frames())):
        assert len(alive) <= 9 + 1  # a chunk, and the frame that `frames` has at hand
        if index in (18, 60):  # the same place in a chunk: six frames are new in each
            held[index] = live_bytes()
    assert held[60] == held[18]


def frames_held(size):
    """Frames of pixels of `size` bytes that there are."""
    found = (thing for thing in gc.get_objects() if type(thing) is torch.Tensor and thing.dtype == torch.uint8)
    storages = (thing.untyped_storage() for thing in found)
    return len({storage.data_ptr() for storage in storages if storage.nbytes() == size})


@pytest.mark.parametrize("resumed", [False, True])
def test_few_sr_frames_are_held_at_a_time(weights, monkeypatch, resumed):
    size, calls, in_a_tile, given = 3 * 64 * 96, count(), [], []
    upscaler = TurboVSR(weights, chunk=2, tile=16)
    decode_frames = upscaler.model.decode_frames

    def decoded(lr, latent):
        for frame in decode_frames(lr, latent):
            if next(calls) in (
                0,
                16,
                17,
                18,
            ):  # two tiles a frame: the first frame, the last one, the next chunk's first
                in_a_tile.append(frames_held(size))
            yield frame

    monkeypatch.setattr(upscaler.model, "decode_frames", decoded)
    resume = Resume([torch.zeros(3, 64, 96, dtype=torch.uint8) for _ in range(3)]) if resumed else None
    stream = upscaler.stream(iter(clip(15, 16, 24)), resume)
    del resume
    while (frame := next(stream, None)) is not None:
        if len(given) in (0, 5, 6):
            given.append(frames_held(size))
        else:
            given.append(0)
        del frame
    assert len(given) == 15
    assert max(in_a_tile) <= 4  # the frame that tiles go into, their row of it, two that the next chunk overlaps
    assert max(given) <= 3  # the one given, two that the next chunk overlaps


def test_chunks_share_frames():
    assert list(chunks(range(1), 9, 3)) == [[0]]
    assert list(chunks(range(9), 9, 3)) == [list(range(9))]
    assert list(chunks(range(10), 9, 3)) == [list(range(9)), [6, 7, 8, 9]]
    assert list(chunks(range(17), 9, 1)) == [list(range(9)), list(range(8, 17))]
    assert list(chunks([], 9, 3)) == []


@pytest.mark.parametrize("overlap, shared", [(1, [0]), (2, [0, 60]), (3, [0, 30, 60]), (4, [0, 20, 40, 60])])
def test_one_chunk_passes_into_the_next(overlap, shared):
    given = []

    def upscale_chunk(frames, first):
        level = 60 * len(given)
        given.append(None if first is None else first.unique().tolist())
        return [lambda out: out.fill_(level) for _ in frames]

    def allocate(index, lr):
        return torch.empty(3, 4, 4, dtype=torch.uint8)

    frames = torch.zeros(9 + 9 - overlap, 3, 1, 1, dtype=torch.uint8)
    levels = [int(sr[0, 0, 0]) for sr in upscale_frames(frames, upscale_chunk, 9, overlap, allocate)]
    assert levels == [0] * (9 - overlap) + shared + [60] * (9 - overlap)
    assert given == [None, [0]]


def test_still_clip_has_no_step_where_chunks_meet(weights):
    frame = clip(1, 16, 16)
    sr = TurboVSR(weights, chunk=2).upscale(frame.expand(33, -1, -1, -1)).float()
    steps = (sr[1:] - sr[:-1]).abs().mean(dim=(1, 2, 3))
    across = [step for t, step in enumerate(steps) if any(start <= t <= start + 2 for start in range(5, 33, 6))]
    inside = [step for t, step in enumerate(steps) if all(abs(start + 1 - t) > 1 for start in range(5, 33, 6))]
    assert len(across) + len(inside) == len(steps)
    assert max(across) <= 1.5 * max(inside)


@pytest.mark.parametrize(
    "frames, complaint",
    [
        ([], "no frames"),
        ([torch.zeros(3, 8, 8)], "uint8"),
        ([torch.zeros(1, 3, 8, 8, dtype=torch.uint8)], "uint8"),
        ([torch.zeros(3, 0, 8, dtype=torch.uint8)], "nothing to upscale"),
        ([torch.zeros(3, 8, 8, dtype=torch.uint8), torch.zeros(3, 8, 9, dtype=torch.uint8)], "one size, frame 1"),
    ],
)
def test_wrong_frames_are_one_clear_error(upscaler, frames, complaint):
    with pytest.raises(ValueError, match=complaint):
        list(upscaler.stream(frames))


def test_smaller_scales_lie_where_bicubic_lies():
    # A linear ramp: at x4 and at x2 or x3 the same plane, sampled at pixel centres, so any shift shows as an offset.
    for scale in (2, 3):
        x4 = ((torch.arange(64) + 0.5) / 4 * 8).round().to(torch.uint8).expand(3, 48, 64).contiguous()
        out = torch.empty(3, 12 * scale, 16 * scale, dtype=torch.uint8)
        downscale(x4, out)
        expected = (torch.arange(16 * scale) + 0.5) / scale * 8
        assert (out[:, :, scale:-scale].float() - expected[scale:-scale]).abs().max() <= 1
        assert (out[:, :, scale:-scale].float() - expected[scale:-scale]).mean().abs() < 0.1


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("frames", [9, 15, 22])
def test_a_stream_continues_from_the_end_of_any_chunk(weights, scale, frames):
    lr, upscaler = clip(frames, 9, 12), TurboVSR(weights, chunk=2, scale=scale)
    done, places = [], []
    for frame in upscaler.stream(iter(lr), Resume(chunk_done=lambda tail: places.append((len(done), list(tail))))):
        done.append(frame)
    assert [place for place, _ in places] == list(range(6, frames - 2, 6))
    for place, tail in places:
        later = list(TurboVSR(weights, chunk=2, scale=scale).stream(iter(lr[place:]), Resume(tail)))
        assert torch.equal(torch.stack(later), torch.stack(done[place:]))


@pytest.mark.parametrize("tile", [0, 16])
@pytest.mark.parametrize("fix", ["none", "wavelet"])
def test_frames_of_16_bits_give_what_those_of_8_bits_give_but_finer(weights, tile, fix):
    lr = clip(11, 24, 24)
    upscaler = TurboVSR(weights, chunk=2, scale=2, tile=tile, color_fix=fix)
    coarse = torch.stack(list(upscaler.stream(iter(lr)))).float()
    fine = torch.stack(list(upscaler.stream((frame.int() * 257).to(torch.uint16) for frame in lr)))
    assert fine.dtype == torch.uint16 and fine.float().remainder(257).count_nonzero() > fine.numel() / 2
    assert (fine.float() / 257 - coarse).abs().max() <= 3  # SR frames in between, rounded, go into the next chunk
    assert (fine.float() / 257 - coarse).abs().mean() < 0.4


def test_frames_of_two_types_are_one_clear_error(upscaler):
    frames = [torch.zeros(3, 8, 8, dtype=kind) for kind in (torch.uint8, torch.uint16)]
    with pytest.raises(ValueError, match="one type, frame 1 is torch.uint16"):
        list(upscaler.stream(frames))
