"""An upscaler in its own environment: one YAML file, PNG files in, PNG files out, a clear line when it fails."""

import json
import os
import select
import shutil
import venv
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from baselines.external import External
from bench.datasets.folder import Folder
from bench.methods.contract import no_stages
from bench.methods.programs import on_program
from bench.timing import measure
from bench.timing.memory import Peak
from frames.degradations import Bicubic
from frames.errors import one_line
from frames.images import read_image

THEIRS = Path(__file__).parents[2] / "elsewhere" / "upscale.py"
QUICK = ("metrics=[psnr]", "timing=once")


@pytest.fixture(scope="module")
def their_python(tmp_path_factory) -> Path:
    """The interpreter of an environment without any package."""
    root = tmp_path_factory.mktemp("theirs") / "venv"
    venv.create(root, symlinks=True)
    return root / "bin" / "python"


@pytest.fixture
def method(tmp_path):
    """`method(command=..., ...)` writes mine/method/theirs.yaml and returns the flags that find it."""

    def write(command: str, *lines: str) -> tuple[str, ...]:
        file = tmp_path / "mine" / "method" / "theirs.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        text = ["_target_: baselines.external.External", "name: theirs", "scale: ${scale}", f"command: {command}"]
        file.write_text("\n".join([*text, *lines]) + "\n")
        return "--config-dir", str(tmp_path / "mine"), "method=theirs"

    return write


@pytest.fixture
def run(bench, clips, tmp_path):
    """`run("run" options) -> (answer, records)`; its folder is tmp_path/run."""

    def call(*arguments: str):
        out = tmp_path / "run"
        answer = bench("run", "data=folder", f"data.gt={clips}", "data.clips=[pan]", f"out={out}", *arguments)
        lines = (out / "records.jsonl").read_text().splitlines() if (out / "records.jsonl").exists() else []
        return answer, [json.loads(line) for line in lines]

    return call


def frames(folder: Path) -> np.ndarray:
    return np.stack([read_image(file) for file in sorted(folder.glob("*.png"))]).astype(int)


def theirs(python: Path) -> str:
    return f'"{python} {THEIRS} --input {{input}} --output {{output}} --scale {{scale}}"'


def test_ffmpeg_s_lanczos_is_run_as_a_program_and_agrees_with_ours(run, tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "peak_of_started", lambda: nullcontext(Peak(123.4, "started processes")))
    answer, records = run("method=lanczos,ffmpeg_lanczos", "save=frames", "metrics=[psnr]", "timing.repeats=2")
    assert answer.code == 0, answer.err
    saved = tmp_path / "run" / "frames"
    ours, external = (frames(saved / record["method"] / "folder" / "pan") for record in records)
    difference = np.abs(ours - external)
    assert difference[:, 12:-12, 12:-12].max() <= 1  # it treats the border otherwise: three LR pixels
    assert difference.mean() < 0.25
    record = records[1]
    assert record["descriptor"]["notes"].startswith("ffmpeg version")
    assert set(record["timing"]) == {"files"} and record["timing"]["files"]["clock"] == "perf_counter"
    assert len(record["timing"]["files"]["repetitions"]) == 2 and record["timing"]["files"]["same_output"]
    assert record["timing"]["files"]["peak_memory_mb"] == 123.4  # of what was started, not of this process
    assert "FPS (files)" in answer.out


def test_a_script_in_an_environment_of_its_own_needs_one_yaml_file(run, method, their_python, tmp_path):
    flags = method(theirs(their_python), f'version_command: "{their_python} {THEIRS} --version"')
    answer, records = run(*flags, "save=frames", *QUICK)
    assert answer.code == 0, answer.err
    assert records[0]["descriptor"]["notes"] == "repeat 1.0"
    answer, _ = run("method=nearest", "save=frames", *QUICK)
    saved = tmp_path / "run" / "frames"
    assert np.array_equal(frames(saved / "theirs/folder/pan"), frames(saved / "nearest/folder/pan"))


def test_a_program_may_read_and_write_a_video(run, method):
    flags = method(
        '"{ffmpeg} -v error -i {input} -vf scale=iw*{scale}:ih*{scale}:flags=neighbor -c:v libx264rgb -qp 0 {output}"',
        "input: clip.mkv",
        "output: clip.mp4",
    )
    answer, records = run(*flags, "save=frames", *QUICK)
    assert answer.code == 0, answer.err
    stages = records[0]["timing"]["files"]["repetitions"][0]["stages_s"]
    assert list(stages) == ["pack", "program", "unpack", "other"] and min(stages.values()) >= 0
    _, records = run("method=nearest", *QUICK)
    assert records[0]["sr_sha256"] == records[1]["sr_sha256"], "lossless in and out: the frames of our own nearest"


def test_a_second_run_asks_the_store_and_a_changed_program_runs_again(run, method, their_python, tmp_path):
    script = shutil.copy(THEIRS, tmp_path / "upscale.py")
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "net.bin").write_bytes(b"1")
    command = theirs(their_python).replace(str(THEIRS), str(script))
    flags = method(command, f'version_command: "{their_python} {script} --version"', f"depends: [{weights}]")
    assert "1 upscaled" in run(*flags, *QUICK)[0].err
    assert "nothing to compute" in run(*flags, *QUICK)[0].err
    Path(script).write_text(Path(script).read_text().replace("repeat 1.0", "repeat 1.1"))
    answer, records = run(*flags, *QUICK)
    assert "1 upscaled" in answer.err and records[-1]["descriptor"]["notes"] == "repeat 1.1"
    (weights / "net.bin").write_bytes(b"2")
    assert "1 upscaled" in run(*flags, *QUICK)[0].err


def test_a_failure_costs_its_cells_and_is_said_in_one_line(run, method):
    flags = method("[sh, -c, 'echo one; echo CUDA out of memory >&2; exit 7', '{input}', '{output}']")
    answer, records = run(*flags[:2], "method=theirs,nearest", *QUICK)
    assert answer.code == 3 and "1 clips good, 1 failed" in answer.err
    failed = [line for line in answer.err.splitlines() if "FAILED" in line]
    assert len(failed) == 1 and "sh ended with exit code 7; its last words: CUDA out of memory" in failed[0]
    assert [record["status"] for record in records] == ["failed", "ok"]


def shell(script: str, **options) -> dict:
    return {"command": ["sh", "-c", script, "{input}", "{output}"], **options}


COLOURED = "printf '\\033[31m10%%\\r20%%\\033[0m\\n\\n' >&2; echo out of memory >&2; exit 7"


def test_a_line_of_megabytes_is_not_in_the_message():
    script = "head -c 3000000 /dev/zero | tr '\\0' .; echo ' out of memory'; exit 7"
    with pytest.raises(RuntimeError, match=r"last words: \.+ \.\.\. \.+ out of memory$") as caught:
        External(**shell(script), scale=4).upscale_files(Path("in"), Path("out"))
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "options, says",
    [
        (shell(COLOURED), "sh ended with exit code 7; its last words: 20% / out of memory"),
        (shell("echo only this; exit 1"), "exit code 1; its last words: only this"),
        (shell("kill -9 $$"), "was ended by signal 9, without a word"),
        (shell("sleep 30", timeout_s=0.2), "took longer than method.timeout_s=0.2"),
        (shell("", cwd="not/there"), "method.cwd=not/there: no such folder"),
        (shell("", depends=["not/there"]), "no such file or folder"),
        (shell("", depends="net/a.bin"), "method.depends=net/a.bin: write a list, method.depends=[net/a.bin]"),
        (shell("", version_command="sh -c 'exit 2'"), "ended with exit code 2, without a word"),
        (shell("", version_command="no-such-program"), "method.version_command: no program 'no-such-program'"),
        (shell("", version_command="sh {x}"), "method.version_command: unknown {x}"),
        ({"command": "no-such-upscaler {input} {output}"}, "no program 'no-such-upscaler' on PATH; install it"),
        ({"command": "their/bin/python {input} {output}"}, "not there or not executable; correct the path"),
        ({"command": "sh {input}"}, "{output} is missing"),
        ({"command": "sh {inptu} {output}"}, "unknown {inptu}; known: {input}, {output}, {scale}, {ffmpeg}"),
        ({"command": "sh {input} {output} {"}, "a brace meant literally is doubled"),
        ({"command": ""}, "method.command is empty"),
        ({"command": "touch {output}/out.jpg {input}/x"}, "wrote nothing that is method.output=*.png; it left out.jpg"),
        ({"command": "test {input} != {output}", "output": "clip.mp4"}, "it left no file"),
        ({"command": "cp {input}/00000000.png {output}"}, "wrote 1 frames of 24x16, but clip pan needs 3 of 96x64"),
    ],
)
def test_what_goes_wrong_is_said_with_its_remedy(tmp_path, clips, options, says):
    clip = Folder(name="f", domain="", root=None, gt=str(clips), scale=4, degradation=Bicubic(4)).clips()[0]
    with pytest.raises((ValueError, OSError, RuntimeError)) as caught:
        on_program(External(scale=4, **options), list(clip.lr()), clip, tmp_path)(no_stages, False)()
    assert says in one_line(caught.value)


@pytest.mark.parametrize("change", ["cp {input}/00000001.png {input}/00000000.png", "mv {input}/00000000.png {output}"])
def test_a_program_that_changes_its_lr_frames_is_refused(tmp_path, clips, change):
    clip = Folder(name="f", domain="", root=None, gt=str(clips), scale=4, degradation=Bicubic(4)).clips()[0]
    with pytest.raises(ValueError, match="sh changed the LR frames .*; let the command work on a copy"):
        on_program(External(scale=4, **shell(change)), list(clip.lr()), clip, tmp_path)(no_stages, False)()


def test_files_in_the_words_of_a_command_count_by_content(tmp_path):
    seen = []
    for content in ("a", "b", "c"):
        (tmp_path / "net.bin").write_text(content)
        words = ["net.bin"] if content == "a" else ["--model=net.bin"]
        seen.append(External(["true", "{input}", "{output}", *words], scale=2, cwd=str(tmp_path)).identity["words"])
    assert [len(words) for words in seen] == [1, 1, 1] and len({words[0] for words in seen}) == 3


def test_what_a_program_left_running_is_ended_with_it(tmp_path):
    """Whoever has a pipe open for writing is alive: when all of them have ended, its reader is at the end."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        program = External(scale=4, **shell(f"exec 3> {pipe}; echo begun >&3; sleep 3600 & exit 1"))
        with pytest.raises(RuntimeError):
            program.upscale_files(tmp_path, tmp_path)
        os.set_blocking(reading, True)
        assert os.read(reading, 100) == b"begun\n"
        assert select.select([reading], [], [], 600)[0] and os.read(reading, 100) == b""
    finally:
        os.close(reading)


def test_the_environment_of_a_program_is_the_user_s_to_set(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", "ours")
    options = shell("echo $MODE $PYTHONPATH $(pwd) > seen", env={"MODE": "fast", "PYTHONPATH": None}, cwd=str(tmp_path))
    External(scale=4, **options).upscale_files(tmp_path, tmp_path)
    assert (tmp_path / "seen").read_text().split() == ["fast", str(tmp_path)]
