"""Sharded training: any number of processes gives the losses and weights of one, also after all of them are killed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.turbovsr.train.ltx.conftest import OPTIONS, stage_words, write_random_latents
from tests.turbovsr.train.ltx.several_processes import KILLED_IN
from turbovsr import checkpoints
from turbovsr.ltx import presets

ROOT = Path(__file__).parents[4]
BOOTSTRAP = 0.4  # of 4 samples a step: one or two are shortcut examples, so some of four processes have none
TERMS = ("loss", "task 1", "task 1 shortcut", "task 2", "task 2 shortcut")
TOLERANCE = 2e-6  # of weights after 4 steps of 1e-3: sums over the processes are rounded in another order
LOSS_TOLERANCE = 2e-5  # the log has five digits after the point

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("found")
    model, _ = presets.build("2b-tiny", "paper")  # no zeros among its weights: the EMA network has something to say
    checkpoints.save(model, folder / "start.safetensors", torch.float32)
    data = write_random_latents(folder / "latents", model.config, model.autoencoder)
    words = ["recipe=ltx", f"data={data}", f"weights={folder / 'start.safetensors'}", *OPTIONS, "stage=shortcut"]
    words += [*stage_words("shortcut"), "stages.shortcut.start=null", "keep_last=1"]
    words += [f"stages.shortcut.bootstrap={BOOTSTRAP}"]
    command = [sys.executable, "-m", "tests.turbovsr.train.ltx.several_processes", str(folder), *words]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    with open(folder / "log.txt", "w") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file, start_new_session=True)
        try:
            code = process.wait(timeout=3600)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert code == 0, (folder / "log.txt").read_text()[-3000:]
    return folder


def losses(folder: Path) -> list[dict[str, float]]:
    """The step of each line of the log and its losses."""
    lines = (json.loads(line) for line in (folder / "shortcut" / "log.jsonl").read_text().splitlines())
    return [{name: line[name] for name in ("step", *TERMS) if name in line} for line in lines]


@pytest.mark.parametrize("run", ["2", "killed"])
def test_losses_and_weights_are_those_of_one_process(run, found):
    one, other = (load_file(found / name / "shortcut.safetensors") for name in ("1", run))
    assert one.keys() == other.keys()
    assert max((one[name] - other[name]).abs().max().item() for name in one) < TOLERANCE
    steps = losses(found / run)
    if run == "killed":  # step 3 is there once, after the kill
        assert [line["step"] for line in steps] == [1, 2, KILLED_IN, 4]
    assert steps == [pytest.approx(alone, abs=LOSS_TOLERANCE) for alone in losses(found / "1")]


def test_every_step_had_shortcut_examples_whose_targets_are_the_ema_networks(found):
    for index, line in enumerate(losses(found / "1")):
        flow, shortcut = (line[f"task {1 + index % 2}{kind}"] for kind in ("", " shortcut"))
        assert 0 < shortcut < flow
    before, after = (load_file(found / name) for name in ("start.safetensors", "1/shortcut.safetensors"))
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {name for name in before if name.startswith("transformer.")}


def test_what_is_resumed_is_said_and_old_checkpoints_are_removed(found):
    assert "resumed with 4 processes instead of 2: the batches stay the same" in (found / "log.txt").read_text()
    assert [path.name for path in (found / "killed" / "shortcut" / "checkpoints").iterdir()] == ["0000004"]
