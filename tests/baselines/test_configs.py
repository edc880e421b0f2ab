"""The method configs of the baselines build them, with the weights that fit the data."""

import pytest
from hydra.utils import get_class

from bench import config


def build(*overrides: str):
    """The upscaler of a method config: every key but the labels and lookup tables is a constructor argument."""
    method = config.compose(["device=cpu", *overrides]).method
    arguments = {k: method[k] for k in method if k not in ("name", "summary") and not k.startswith("_")}
    return get_class(method["_target_"])(**arguments)


@pytest.mark.parametrize("name", ["nearest", "bilinear", "bicubic", "lanczos"])
def test_interpolation_configs_name_their_kernel_and_take_the_scale(name):
    descriptor = build(f"method={name}", "data=vid4", "scale=3").descriptor
    assert (descriptor.name, descriptor.scale) == (name, 3)


@pytest.mark.parametrize(
    "data, degradation, variant",
    [("reds4", "bi", "reds4"), ("reds4", "bd", "vimeo_bd"), ("vid4", "bi", "vimeo_bi"), ("vid4", "bd", "vimeo_bd")],
)
def test_basicvsr_takes_the_weights_that_fit_the_data(data, degradation, variant):
    upscaler = build("method=basicvsr", f"data={data}", f"degradation={degradation}")
    assert upscaler.descriptor.weights.startswith(f"{variant}: {variant}.pth")


def test_basicvsr_weights_can_be_chosen_by_hand():
    upscaler = build("method=basicvsr", "data=reds4", "method.variant=vimeo_bi")
    assert upscaler.descriptor.weights.startswith("vimeo_bi: vimeo_bi.pth")


@pytest.mark.parametrize("model", ["x4plus", "animevideov3"])
def test_realesrgan_model_can_be_chosen(model):
    descriptor = build("method=realesrgan", "data=vid4", f"method.model={model}", "method.tile=64").descriptor
    assert descriptor.name == f"realesrgan-{model}" and "tiles of 64" in descriptor.notes
