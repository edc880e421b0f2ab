"""`python -m bench` answers at once where nothing is computed, and in one line whatever goes wrong."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench import __main__, commands
from bench.commands import COMMANDS

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "results" / "golden" / "sample"
HEAVY = {"torch", "torchvision", "cv2", "matplotlib", "hydra", "pandas", "scipy"}


def python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run code in a new interpreter, in the checkout."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | environment,
    )


@pytest.mark.parametrize(
    "words, code",
    [
        ("--help", 0),
        ("tabel", 3),
        ("list", 0),
        ("runs results/golden", 0),
        (f"table {GOLDEN}", 0),
        (f"history {GOLDEN}", 0),
        *((f"{command} --help", 0) for command in COMMANDS),
        ("table --colums psnr", 3),
    ],
)
def test_what_computes_nothing_imports_nothing_heavy(words, code):
    program = "import sys; from bench.__main__ import main; code = main(sys.argv[1:]);"
    program += f"print(code, *sorted({HEAVY} & set(sys.modules)))"
    done = python(program, *words.split())
    assert done.stdout.splitlines()[-1] == str(code), done.stderr


def test_an_export_to_csv_imports_nothing_heavy(tmp_path):
    test_what_computes_nothing_imports_nothing_heavy(f"export {GOLDEN} --out {tmp_path / 'all.csv'}", 0)


def test_every_command_has_a_module_and_every_module_a_summary():
    modules = {file.stem for file in Path(commands.__file__).parent.glob("*.py") if "def main(" in file.read_text()}
    assert {command.replace("-", "_") for command in COMMANDS} == modules


def test_a_missing_package_names_the_remedy():
    done = python("import sys; sys.modules['torch'] = None; from bench.__main__ import main; sys.exit(main(['run']))")
    assert done.returncode == 4
    assert (
        "'torch'" in done.stderr and "source .venv/bin/activate" in done.stderr and len(done.stderr.splitlines()) == 1
    )


def bench(*words: str, **streams) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", "bench", *words], cwd=ROOT, **streams)


@pytest.mark.parametrize("words, code", [(["table", str(GOLDEN)], 0), (["table", "/nowhere"], 3), (["list"], 0)])
def test_a_reader_that_left_does_not_change_the_exit_code(words, code):
    reading, writing = os.pipe()
    os.close(reading)
    process = bench(*words, stdout=writing, stderr=writing)
    os.close(writing)
    assert process.wait() == code


def test_a_full_disk_behind_standard_output_is_an_error():
    with open("/dev/full", "w") as full:
        process = bench("list", stdout=full, stderr=subprocess.PIPE, text=True)
        _, said = process.communicate()
    assert process.returncode == 3 and "No space left" in said and len(said.splitlines()) == 1


def test_a_terminal_of_another_encoding_shows_what_it_can(tmp_path):
    folder = tmp_path / "日本"
    folder.mkdir()
    for file in GOLDEN.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    program = "from bench.__main__ import cli; cli()"
    done = python(program, "runs", str(tmp_path), PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and "\\u65e5\\u672c" in done.stdout


def test_an_interrupt_during_imports_is_one_line(tmp_path, default_signals):
    (tmp_path / "torch.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from bench.__main__ import cli; cli()"
    done = python(program, "run", "method=bicubic")
    assert done.returncode == 130 and done.stderr == "interrupted\n"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_unforeseen_names_the_file_and_writes_a_log(monkeypatch, capsys, tmp_path):
    def main(argv: list[str]) -> int:
        raise KeyError("data")

    monkeypatch.setattr("bench.commands.runs.main", main)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert __main__.main(["runs"]) == 3
    said = capsys.readouterr().err
    log = next(tmp_path.glob("bench-*.log"))
    assert len(said.splitlines()) == 1 and str(log) in said and "KeyError" in said
    assert "Traceback" in log.read_text() and "Traceback" not in said
