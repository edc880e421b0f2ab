"""Installation and tests of every optional extra in an environment of its own, and the message where it is absent.

python -m studies.extras               # all extras of pyproject.toml but dev and docs; uv on PATH or beside Python
python -m studies.extras spandrel onnx

An environment first has only requirements.txt and pytest, which shows the message for an absent extra; then the extra
is installed and its tests are run. The environment of this command is not changed. Exit code 1 if anything fails.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from frames.command_line import Parser, guarded, process
from frames.errors import UserError

ROOT = Path(__file__).parents[1]
NOT_ASKED = ("dev", "docs")
RUN = ["run", "data=sample", "data.clips=[city]", "data.frames=1", "timing=once", "store=null"]


@dataclass(frozen=True)
class Extra:
    """Check of an extra: its tests, a command that needs it, and the words of the message without it."""

    tests: tuple[str, ...]
    command: tuple[str, ...] = ()
    says: str = ""


EXTRAS = {
    "diffusers": Extra(
        ("tests/baselines/test_diffusers.py",),
        ("method=diffusers", "method.model=tests", "metrics=[psnr]"),
        "pip install diffusers transformers",
    ),
    "gpu": Extra(("tests/bench/timing/test_telemetry.py",)),  # absent: telemetry says so in the record, not in a line
    "onnx": Extra(
        ("tests/baselines/test_onnx.py", "tests/turbovsr/test_export.py"),
        ("method=onnx", "method.weights=LICENSE", "metrics=[psnr]"),
        "pip install onnxruntime",
    ),
    "pyiqa": Extra(
        ("tests/bench/metrics/test_external_metrics.py",),
        ("method=bicubic", "metrics=[pyiqa/musiq]"),
        "pyiqa is not installed; pip install pyiqa",
    ),
    "slurm": Extra(
        ("tests/bench/launch",), ("method=bicubic", "workers=slurm:1", "metrics=[psnr]"), "pip install submitit"
    ),
    "spandrel": Extra(
        ("tests/baselines/test_spandrel.py", "tests/baselines/test_span.py"),
        ("method=spandrel", "method.weights=LICENSE", "metrics=[psnr]"),
        "pip install spandrel",
    ),
    "vmaf": Extra(
        ("tests/bench/metrics/test_external_metrics.py",),
        ("method=bicubic", "metrics=[vmaf]"),
        "there is no ffmpeg here",
    ),
}


def main() -> int:
    parser = Parser("python -m studies.extras", (__doc__ or "").strip())
    parser.add_argument("names", nargs="*", metavar="EXTRA", help=f"extras among {', '.join(EXTRAS)} (default: all)")
    arguments = parser.parse_args()
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    unknown = {*arguments.names} - EXTRAS.keys() | (declared.keys() ^ EXTRAS.keys()) - {*NOT_ASKED}
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: not an extra of pyproject.toml that is checked here")
    good = [check(name, declared[name]) for name in arguments.names or EXTRAS]
    return 0 if all(good) else 1


def check(name: str, packages: list[str]) -> bool:
    """Make an environment, check the message without the extra, install it and run its tests; prints a line each."""
    extra = EXTRAS[name]
    with tempfile.TemporaryDirectory(prefix=f"extra-{name}-") as folder:
        python = environment(Path(folder))
        absent = not extra.command or missing(python, extra, Path(folder))
        print(f"{name}: absent, {'one line says what to install' if absent else 'NOT as it should be'}", flush=True)
        _uv("pip", "install", "--quiet", "--python", str(python), "-c", "requirements.txt", *packages)
        command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *extra.tests]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        last = (done.stdout.strip().splitlines() or ["nothing was printed"])[-1]
        print(
            f"{name}: {', '.join(packages)}: {'tests pass' if done.returncode == 0 else 'TESTS FAIL'}: {last}",
            flush=True,
        )
        return absent and done.returncode == 0


def environment(folder: Path) -> Path:
    """Make an environment with requirements.txt and pytest; returns its Python."""
    _uv("venv", "--quiet", "--python", sys.executable, str(folder / "venv"))
    python = folder / "venv" / "bin" / "python"
    _uv("pip", "install", "--quiet", "--python", str(python), "--require-hashes", "-r", "requirements.txt")
    _uv("pip", "install", "--quiet", "--python", str(python), "pytest")
    return python


def missing(python: Path, extra: Extra, folder: Path) -> bool:
    """Whether a command that needs the extra fails with one line that says what to install."""
    command = [str(python), "-m", "bench", *RUN, *extra.command, f"out={folder / 'run'}"]
    path = {"PATH": str(python.parent), "HOME": str(folder)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=path)
    lines = [line for line in done.stderr.splitlines() if extra.says in line]
    return done.returncode not in (0, 1) and len(lines) == 1 and "Traceback" not in done.stderr


def _uv(*words: str) -> None:
    """Run uv in the checkout.

    Raises:
        UserError: it failed; what it said is on stderr.
    """
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    if subprocess.run([uv, *words], cwd=ROOT).returncode:
        raise UserError(f"uv {words[0]} failed; the line above says why")


if __name__ == "__main__":
    process(lambda _: guarded("studies.extras", main))
