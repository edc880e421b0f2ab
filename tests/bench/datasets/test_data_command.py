"""`python -m bench data`: what it shows, what it finds, its exit codes."""

import itertools

import pytest

from bench.__main__ import main
from bench.commands import data
from bench.config import compose
from bench.groups import members
from frames.errors import ERROR, OK, REGRESSED


def test_table_tells_present_from_absent(capsys, asset, tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    assert main(["data"]) == OK
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: line.split()[1] for line in lines[1:] if line and ":" not in line.split()[0]}
    assert rows == dict.fromkeys(members("data"), "no") | {"sample": "yes", "sample_real": "yes"}
    assert {"folder", "images4k", "reds4", "vid4"} < rows.keys()
    assert any(line.startswith("reds4: REDS4 is not at") for line in lines)


def test_one_set_with_its_clips_and_attribution(capsys, asset):
    assert main(["data", "sample", "scale=2"]) == OK
    shown = capsys.readouterr().out
    assert "bunny" in shown and "Blender Foundation" in shown and "bi-x2 from GT" in shown


def test_verify_says_good_bad_or_not_there(capsys, tmp_path, frames_of, write_clip):
    write_clip(tmp_path / "GT" / "city", frames_of(34))
    words = ["data", "verify", "vid4", f"data.root={tmp_path}", "data.clips=[city]"]
    assert main(words) == OK
    assert capsys.readouterr().out == "vid4: no problems\n"
    broken = tmp_path / "GT" / "city" / "00000009.png"
    broken.write_bytes(broken.read_bytes()[:-5])
    assert main(words) == REGRESSED
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith(f"{broken}: the file is truncated") and out[-1] == "vid4: 1 problem"
    assert main(["data", "verify", "vid4", f"data.root={tmp_path}/nowhere"]) == ERROR
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "looked for GT/<clip>" in error


def test_names_that_would_move_the_cursor_are_shown_escaped(capsys, tmp_path, frames_of, write_clip):
    root, name = tmp_path / "root\x1b[1m", "a\x1b[2Jb"
    write_clip(root / name, frames_of(2))
    write_clip(root / "c", frames_of(2))
    words = ["folder", f"data.root='{root}'"]
    assert main(["data", *words]) == OK
    told = capsys.readouterr()
    assert "a\\x1b[2Jb  2 " in told.out and "root\\x1b[1m: 2 of 2" in told.out
    broken = next((root / name).iterdir())
    broken.write_bytes(broken.read_bytes()[:-5])
    assert main(["data", "verify", *words]) == REGRESSED
    told = told.out + capsys.readouterr().out
    broken.with_suffix(".txt").write_text("no frame")
    for file in (root / name).glob("*.png"):
        file.write_bytes(b"")
    main(["data", *words])
    told += capsys.readouterr().out
    assert "a\\x1b[2Jb/" in told and "clip a\\x1b[2Jb cannot be used" in told and "\x1b" not in told


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["vid5"], "unknown data set 'vid5'; did you mean 'vid4'"),
        (["data.root=x"], "for which data set"),
        (["vid4", "data.rot=x"], "unknown option 'data.rot'"),
        (["--verify"], "unknown flag"),
    ],
)
def test_mistakes_are_one_line(capsys, words, message):
    assert main(["data", *words]) == ERROR
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_failed_fetch_is_one_line(capsys, monkeypatch):
    def no_network(groups):
        raise RuntimeError("package x could not be downloaded: no route")

    monkeypatch.setattr(data.assets, "fetch", no_network)
    assert main(["data", "fetch"]) == ERROR
    assert "could not be downloaded" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "protocol", "domain"),
    [
        *(("reds4", "reds4", "reds"), ("vid4", "vid4", "vimeo"), ("sample", "rgb", "vimeo")),
        *(("images4k", "rgb", "vimeo"), ("udm10", "dove", "vimeo"), ("reds30", "dove", "reds")),
    ],
)
def test_a_set_brings_its_protocol_and_the_command_line_wins(name, protocol, domain):
    config = compose([f"data={name}"])
    assert (config.protocol.name, config.data.domain) == (protocol, domain)
    assert compose([f"data={name}", "protocol=vid4"]).protocol.name == "vid4"


def test_every_config_builds_and_says_where_to_get_the_set():
    names, degradations = list(members("data")), list(members("degradation"))
    for name, degradation in zip(names, itertools.cycle(degradations)):  # each of both at least once: sets are more
        built = data._build(name, [f"degradation={degradation}", "scale=3"], ())
        assert built.name == name
        assert built.describe().how_to_get and built.describe().licence
