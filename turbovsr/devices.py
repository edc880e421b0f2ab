"""The device of a command."""

from __future__ import annotations

import torch

from frames.errors import EnvironmentInvalid, UserError


def chosen(name: str | None) -> str:
    """Check the name of a torch device and return it; None chooses "cuda" where there is one, else "cpu".

    Raises:
        UserError: no device has such a name.
        EnvironmentInvalid: this machine has no such device.
    """
    if name is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    unknown = UserError(f"--device {name}: no such device; choose cpu, cuda or cuda:N")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise unknown from None
    if device.type not in ("cpu", "cuda"):
        raise unknown
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        seen = f"{torch.cuda.device_count()} CUDA devices" if torch.cuda.is_available() else "no CUDA device"
        raise EnvironmentInvalid(f"--device {name}: torch {torch.__version__} sees {seen} here; use --device cpu")
    return name
