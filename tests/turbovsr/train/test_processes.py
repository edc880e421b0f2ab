"""Two processes, started by `accelerate launch` as a user would."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.ports import free_block

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def found(words, tmp_path_factory) -> Path:
    """What the two processes wrote (see two_processes.py)."""
    folder = tmp_path_factory.mktemp("found")
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    launch += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
    launch += ["--main_process_port", str(free_block()), "-m", "tests.turbovsr.train.two_processes"]
    command = [*launch, str(folder), *words, "stage=regression", f"out={folder / 'out'}"]
    command += ["stages.regression.loop.steps=3", "++stages.regression.gan.width=4", "workers=0"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    log = folder / "log.txt"
    with open(log, "w") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file, start_new_session=True)
        try:
            code = process.wait(timeout=3600)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert code == 0, log.read_text()[-3000:]
    return folder


def test_averaged_gradients_are_those_of_the_joint_batch(found):
    for rank in (0, 1):
        result = torch.load(found / f"gradients-{rank}.pt", weights_only=True)
        assert any(g.abs().max() > 0 for g in result["joint"])
        for ours, joint in zip(result["ours"], result["joint"]):
            assert torch.allclose(ours, joint, rtol=1e-4, atol=1e-7)


def test_a_parameter_that_no_batch_reached_has_no_gradient(found):
    for rank in (0, 1):
        both, one, none = torch.load(found / f"gradients-{rank}.pt", weights_only=True)["partly reached"]
        assert both.tolist() == [1, 3] and one.tolist() == [0.5, 1.5] and none is None


def test_both_processes_end_with_the_same_weights(found):
    first, second = (torch.load(found / f"weights-{rank}.pt", weights_only=True) for rank in (0, 1))
    for part in ("model", "ema"):
        assert all(torch.equal(first[part][key], second[part][key]) for key in first[part])


def test_only_the_first_process_writes(found):
    steps = (found / "out" / "regression" / "log.jsonl").read_text().splitlines()
    assert len(steps) == 3  # one line a step, not two
    assert torch.load(found / "out" / "regression" / "checkpoint.pt", weights_only=True)["processes"] == 2
