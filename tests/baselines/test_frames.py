import pytest
import torch

from baselines.frames import check_clip, to_uint8, torch_dtype


def test_rounding_takes_halves_away_from_zero_and_saturates():
    values = torch.tensor([-3.0, -0.2, 0.49, 0.5, 1.5, 2.5, 254.4, 254.5, 255.4, 256.0, 1e6])
    assert to_uint8(values).tolist() == [0, 0, 0, 1, 2, 3, 254, 255, 255, 255, 255]


@pytest.mark.parametrize(
    "clip",
    [
        torch.zeros(1, 3, 4, 4),
        torch.zeros(3, 4, 4, dtype=torch.uint8),
        torch.zeros(1, 4, 4, 3, dtype=torch.uint8),
        torch.zeros(0, 3, 4, 4, dtype=torch.uint8),
        torch.zeros(1, 3, 0, 4, dtype=torch.uint8),
    ],
    ids=["float", "no time axis", "channels last", "no frames", "no pixels"],
)
def test_a_wrong_clip_is_refused_in_one_line(clip):
    with pytest.raises(ValueError, match=r"give a uint8 \(T, 3, H, W\) RGB tensor") as error:
        check_clip(clip, torch.device("cpu"))
    assert "\n" not in str(error.value)


def test_a_clip_on_another_device_is_refused():
    with pytest.raises(ValueError, match="move the clip"):
        check_clip(torch.zeros(1, 3, 4, 4, dtype=torch.uint8), torch.device("cuda"))


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="float32, bfloat16"):
        torch_dtype("float16")
