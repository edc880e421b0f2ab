"""Sharded training: any number of processes gives the losses and weights of one, also after all of them are killed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.turbovsr.train.ltx.conftest import OPTIONS, stage_words, write_random_latents
from tests.turbovsr.train.ltx.several_processes import KILLED_IN
from turbovsr.train.ltx.options import LTXModelOptions

ROOT = Path(__file__).parents[4]
TOLERANCE = 2e-6  # of weights after 4 steps of 1e-3: sums over the processes are rounded in another order

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("found")
    data = write_random_latents(folder / "latents", LTXModelOptions(size="2b-tiny").config())
    words = ["recipe=ltx", f"data={data}", *OPTIONS, "stage=shortcut", "keep_last=1"]
    words += [*stage_words("shortcut"), "stages.shortcut.start=null", "stages.shortcut.bootstrap=0.4"]
    command = [sys.executable, "-m", "tests.turbovsr.train.ltx.several_processes", str(folder), *words]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    with open(folder / "log.txt", "w") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file, start_new_session=True)
        try:
            code = process.wait(timeout=900)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert code == 0, (folder / "log.txt").read_text()[-3000:]
    return folder


def losses(folder: Path) -> list[tuple[int, float, float | None]]:
    lines = (json.loads(line) for line in (folder / "shortcut" / "log.jsonl").read_text().splitlines())
    return [(line["step"], line["loss"], line.get("task 2 shortcut")) for line in lines]


@pytest.mark.parametrize("run", ["2", "4", "killed"])
def test_losses_and_weights_are_those_of_one_process(run, found):
    one, other = (load_file(found / name / "shortcut.safetensors") for name in ("1", run))
    assert one.keys() == other.keys()
    assert max((one[name] - other[name]).abs().max().item() for name in one) < TOLERANCE
    steps = losses(found / run)
    if run == "killed":  # step 3 is there once, after the kill
        assert [step for step, *_ in steps] == [1, 2, KILLED_IN, 4]
    for (step, loss, shortcut), (same, alone, shortcut_alone) in zip(steps, losses(found / "1"), strict=True):
        assert step == same and loss == pytest.approx(alone, abs=2e-5)
        assert shortcut == (None if shortcut_alone is None else pytest.approx(shortcut_alone, abs=2e-5))


def test_weights_have_moved(found):
    trained = load_file(found / "1" / "shortcut.safetensors")
    assert trained["transformer.head.weight"].abs().max() > 1e-4  # zero at the start


def test_what_is_resumed_is_said_and_old_checkpoints_are_removed(found):
    assert "resumed with 4 processes instead of 2: the batches stay the same" in (found / "log.txt").read_text()
    assert [path.name for path in (found / "killed" / "shortcut" / "checkpoints").iterdir()] == ["0000004"]
