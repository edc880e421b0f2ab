import torch

from turbovsr.pixels import crossfade, store, to_unit, unit_of, unit_to_levels


def test_levels_survive_the_round_trip():
    frame = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(1, 3, -1, -1)
    out = torch.empty(3, 16, 16, dtype=torch.uint8)
    store(unit_to_levels(to_unit(frame, torch.device("cpu"), 8)[0]), out)
    assert torch.equal(out, frame[0])


def test_16_bits_survive_the_round_trip():
    frame = torch.arange(65536, dtype=torch.int32).to(torch.uint16).view(1, 1, 256, 256)
    out = torch.empty(1, 256, 256, dtype=torch.uint16)
    store(unit_to_levels(to_unit(frame, torch.device("cpu"), 8)[0]), out)
    assert torch.equal(out, frame[0])


def test_rounding_takes_halves_up_and_saturates():
    out = torch.empty(5, dtype=torch.uint8)
    store(torch.tensor([-3.0, 0.5, 1.49, 254.5, 300.0]), out)
    assert out.tolist() == [0, 1, 1, 255, 255]


def test_padding_repeats_the_edge():
    unit = to_unit(torch.tensor([[[[0, 255]]]], dtype=torch.uint8), torch.device("cpu"), 8)
    assert unit.shape == (1, 1, 8, 8)
    assert (unit[..., 0] == -1).all() and (unit[..., 1:] == 1).all()


def test_crossfade_goes_from_old_to_new():
    old, new, out = (torch.full((2,), level, dtype=torch.uint8) for level in (10, 20, 0))
    for weight, level in ((0, 10), (0.25, 13), (1, 20)):
        crossfade(old, new, weight, out)
        assert out.tolist() == [level, level]


def test_crossfade_by_colour_is_the_crossfade_of_whole_frames():
    old, new = torch.randint(0, 256, (2, 3, 5, 4), dtype=torch.uint8)
    expected = torch.empty_like(old)
    store(torch.lerp(old.float(), new.float(), 0.5), expected)
    crossfade(old, new, 0.5, new)
    assert torch.equal(new, expected)


def test_values_of_pixels_are_made_in_the_type_asked_for():
    pixels = torch.tensor([0, 255, 51], dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 3, 2, 2)
    for dtype in (torch.float32, torch.bfloat16):
        unit = unit_of(pixels, dtype)
        assert unit.dtype == dtype and torch.equal(unit, to_unit(pixels, pixels.device).to(dtype))
        assert torch.equal(unit_of(unit, dtype), unit)
