"""An installed package has what a checkout has: its configurations, its weights, its command."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOT_SOURCES = shutil.ignore_patterns(
    ".git", ".venv", ".assets", "build", "results", "tests", "*.egg-info", "__pycache__"
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The folder into which the package, built from a copy of the checkout, is installed without its dependencies."""
    root = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, root / "source", ignore=NOT_SOURCES)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*command, "--target", root / "packages", root / "source"], check=True, capture_output=True)
    return root / "packages"


def bench(installed: Path, *words: str) -> subprocess.CompletedProcess:
    """The installed command, in a folder that is no checkout."""
    environment = os.environ | {"PYTHONPATH": str(installed), "BENCH_ASSETS": str(ROOT / ".assets")}
    command = [sys.executable, installed / "bin" / "bench", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=installed.parent, env=environment)


def test_the_command_lists_the_packaged_configurations(installed):
    here = subprocess.run([sys.executable, "-m", "bench", "list"], capture_output=True, text=True, cwd=ROOT, check=True)
    there = bench(installed, "list")
    assert there.returncode == 0 and there.stdout == here.stdout
    assert bench(installed, "--help").stdout.startswith("usage: python -m bench")


def test_every_configuration_of_the_checkout_is_packaged(installed):
    files = [file.relative_to(ROOT / "conf") for file in (ROOT / "conf").rglob("*.yaml")]
    assert files and all((installed / "bench" / "conf" / file).is_file() for file in files)
    files = [
        file.relative_to(ROOT) for file in (ROOT / "turbovsr").rglob("*") if file.suffix in (".yaml", ".safetensors")
    ]
    assert files and all((installed / file).is_file() for file in files)


def test_a_run_works_outside_a_checkout(installed):
    done = bench(
        installed, "run", "method=bicubic", "data.clips=[city]", "data.frames=1", "metrics=[psnr]", "timing=once"
    )
    assert done.returncode == 0, done.stderr
    assert list((installed.parent / "results" / "runs").glob("*/records.jsonl"))


def test_the_command_finds_a_class_in_the_current_folder(installed):
    method = installed.parent / "mine" / "method" / "mine.yaml"
    method.parent.mkdir(parents=True)
    method.write_text("_target_: of_mine.Mine\nname: mine\nkernel: nearest\nscale: ${scale}\ndevice: ${device}\n")
    (installed.parent / "of_mine.py").write_text("from baselines.interpolation import Interpolation as Mine\n")
    options = ("data.clips=[city]", "data.frames=1", "metrics=[psnr]", "timing=once")
    done = bench(installed, "run", "--config-dir", "mine", "method=mine", *options)
    assert done.returncode == 0, done.stderr
