"""Building of a network from a weights file of unknown architecture by spandrel.

Source: https://github.com/chaiNNer-org/spandrel
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from baselines.checkpoints import read_stored, unwrapped
from frames.errors import EnvironmentInvalid, one_line, short_line

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor

HOW_TO_INSTALL = "pip install spandrel==0.4.2 (the extra `spandrel` of this project)"


def load(path: str | Path) -> ImageModelDescriptor[torch.nn.Module]:
    """Load the network of a weights file; its architecture is detected from the names and shapes of the tensors.

    Raises:
        EnvironmentInvalid: spandrel is not installed.
        FileNotFoundError, ValueError: no readable weights, an architecture that spandrel does not know, tensors that do
            not fit it, values that are not finite, or a network that is not from RGB to RGB; one line.
    """
    try:
        import spandrel
    except ImportError as error:
        raise EnvironmentInvalid(
            f"method=spandrel: the package cannot be imported ({one_line(error)}); {HOW_TO_INSTALL}"
        ) from None
    path = Path(path)
    state = spandrel.canonicalize_state_dict(unwrapped(path, read_stored(path)))
    bad = next((name for name, value in state.items() if _is_broken(value)), None)
    if bad is not None:
        raise ValueError(f"{path}: {bad} has values that are not finite; fetch it again")
    supports = spandrel.MAIN_REGISTRY.architectures("detection")
    found = next((each.architecture for each in supports if each.detect(state)), None)
    if found is None:
        known = ", ".join(sorted(each.architecture.name for each in supports))
        raise ValueError(f"{path}: of no architecture that spandrel {version()} knows; it knows {known}")
    try:
        model = found.load(state)
    except Exception as error:  # each architecture reads shapes in its own way, and fails in its own way
        raise ValueError(
            f"{path}: taken for {found.name}, whose tensors it does not hold ({short_line(error)}); give another file"
        ) from None
    if not isinstance(model, spandrel.ImageModelDescriptor):
        raise ValueError(f"{path}: {found.name} is for {model.purpose.lower()}, which needs more than frames")
    if (model.input_channels, model.output_channels) != (3, 3):
        raise ValueError(
            f"{path}: {found.name} from {model.input_channels} to {model.output_channels} channels; give one for RGB"
        )
    model.model.eval().requires_grad_(False)
    return model


def version() -> str:
    """The version of spandrel that is installed."""
    return importlib.metadata.version("spandrel")


def _is_broken(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point() and not bool(value.isfinite().all())
