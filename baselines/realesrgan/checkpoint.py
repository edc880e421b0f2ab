"""Real-ESRGAN's networks with weights read from ncnn files."""

from __future__ import annotations

from pathlib import Path

from baselines import ncnn
from baselines.realesrgan.networks import RRDBNet, SRVGGNet

NETWORKS: dict[str, type[RRDBNet] | type[SRVGGNet]] = {"x4plus": RRDBNet, "animevideov3": SRVGGNet}
RELEASES = {  # sha256 of the .bin files that the authors released
    "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf",  # x4plus
    "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d",  # animevideov3
}


def load(model: str, param: str | Path, weights: str | Path) -> RRDBNet | SRVGGNet:
    """Build network `model` and fill it from an ncnn `.param` / `.bin` pair.

    Raises:
        FileNotFoundError: one of the files is absent.
        ValueError: unknown model; unreadable files; layers that are not those of the network.
    """
    if model not in NETWORKS:
        raise ValueError(f"model {model!r} is unknown; choose one of {', '.join(NETWORKS)}")
    param, weights = Path(param), Path(weights)
    network = NETWORKS[model]()
    ncnn.fill(network, model, param, ncnn.read_weights(ncnn.read_param(param), weights))
    return network.eval().requires_grad_(False)
