"""`python -m bench list`: what it says of configurations of the user's own."""

import sys
from contextlib import contextmanager

from bench.__main__ import main
from bench.commands import costs
from bench.groups import members
from bench.timing.results import Contention


def test_a_config_that_is_not_utf_8_is_one_line_with_its_name(tmp_path, capsys):
    (tmp_path / "method").mkdir()
    (tmp_path / "method" / "mine.yaml").write_bytes(b"# m\xe4nner\n_target_: baselines.interpolation.Interpolation\n")
    assert main(["list", "--config-dir", str(tmp_path)]) == 3
    said = capsys.readouterr().err
    assert "mine.yaml: line 1 is not UTF-8 text" in said and "unexpected" not in said


def test_a_config_of_the_users_own_is_listed_by_its_summary(tmp_path, capsys):
    (tmp_path / "method").mkdir()
    (tmp_path / "method" / "mine.yaml").write_text("_target_: mine.Mine\nsummary: sharper than yours\n")
    assert main(["list", "--config-dir", str(tmp_path)]) == 0
    assert "sharper than yours" in capsys.readouterr().out


def listed(monkeypatch, tmp_path, capsys, measured):
    """The lines of `list --cost` on four metrics whose costs are given, and what it says on stderr."""
    names = ("psnr", "pyiqa", "no-reference", "tof")
    monkeypatch.setattr(costs, "members", lambda group, folders: {name: members(group)[name] for name in names})
    busy = []

    def measure(metric):
        seconds, is_busy = measured.pop(0)
        busy.append(is_busy)
        return seconds

    @contextmanager
    def watch():
        found = Contention()
        yield found
        found.waiting = float(busy[-1])

    monkeypatch.setattr(costs.cost, "seconds_per_frame", measure)
    monkeypatch.setattr(costs, "contended", watch)
    monkeypatch.setenv("BENCH_STORE", str(tmp_path / "store"))
    assert main(["list", "--cost"]) == 0
    said = capsys.readouterr()
    return said.out.splitlines(), said.err.splitlines()


def test_costs_are_measured_once_and_those_of_a_busy_machine_again(monkeypatch, tmp_path, capsys):
    measured = [(0.0123, False), (2.5, True), (2.0, False)]
    lines, told = listed(monkeypatch, tmp_path, capsys, measured)
    assert [line.split()[:3] for line in lines[:4]] == [
        ["metrics=[psnr]", "12.3", "ms"],
        ["metrics=[pyiqa/NAME]", "–", "any"],
        ["metrics=[no-reference]", "–", "niqe,"],
        ["metrics=[tof]", "2.5", "s"],
    ]
    assert "2.5 s ~ " in lines[3] and "a frame of 640x360" in lines[-1] and "~ the machine was busy" in lines[-1]
    assert told == ["bench: measuring psnr", "bench: measuring tof"]
    lines, told = listed(monkeypatch, tmp_path, capsys, measured)
    assert "12.3 ms" in lines[0] and "2 s" in lines[3] and "busy" not in lines[-1]
    assert told == ["bench: measuring tof"] and not measured


def test_without_costs_nothing_heavy_is_imported(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "bench.commands.costs", None)
    assert main(["list"]) == 0
    assert "metrics=[psnr]" in capsys.readouterr().out


def test_a_metric_that_cannot_be_measured_has_a_reason(monkeypatch, tmp_path, capsys):
    def fail(metric):
        raise ValueError("no still area")

    monkeypatch.setattr(costs, "members", lambda group, folders: {"psnr": members(group)["psnr"]})
    monkeypatch.setattr(costs.cost, "seconds_per_frame", fail)
    monkeypatch.setenv("BENCH_STORE", str(tmp_path / "store"))
    assert main(["list", "--cost"]) == 0
    said = capsys.readouterr()
    assert said.out.split()[1] == "–" and said.err.splitlines()[-1] == "bench: psnr: no still area"


def test_a_name_is_refused(bench):
    answer = bench("list", "bicubic")
    assert answer.code == 3 and answer.out == "" and "list takes no names: 'bicubic'" in answer.err
