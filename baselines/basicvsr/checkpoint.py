"""Loading of BasicVSR weights of BasicSR or MMagic into our network."""

from __future__ import annotations

from pathlib import Path

from baselines.basicvsr import names
from baselines.basicvsr.network import BLOCKS, Network
from baselines.checkpoints import read_state

RELEASES = {  # sha256 of the checkpoints that the authors released
    "543c826113a9efdc971572320a9e259833fc230f843d94f7ef7270c92b5ea4dc",  # reds4
    "2a29695a2607a10db193234cae388a2b486862aacf636e0b6f8bc218a9cba401",  # vimeo_bi
    "e9bf46ebb478abfc3002572ae67194f6b99fed5070262d75ec537f9b9df4477e",  # vimeo_bd
}


def load(path: str | Path) -> Network:
    """Build the network with the weights of a checkpoint of BasicVSR by BasicSR or MMagic (a `.pth`; see `read_state`).

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no checkpoint, or its keys or shapes are not those of BasicVSR with 30 blocks.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no BasicVSR weights here; fetch them again or set method.weights")
    network = Network()
    sources = [names.tensors(names.basicvsr(BLOCKS, source), "flow", "spynet") for source in names.SOURCES]
    names.fill(network, path, read_state(path), sources, f"BasicVSR checkpoint with {BLOCKS} blocks")
    return network.eval().requires_grad_(False)
