"""The gate's decision table (docs/gate.md), one row each: what is compared, the verdict, and the exit code."""

import json
import math
from dataclasses import dataclass, field, replace

import pytest

from bench.store.record import GIVEN, NOT_TIMED
from tests.bench.gate.made_up import also_timed, altered, record, run_of, timed, with_psnr, without
from tests.bench.made_up import failed, with_times

INF, NAN = math.inf, math.nan


def absent(each):
    return with_psnr(values=None, indices=None, reason="too small")(each)


def both_scopes(files=1.0, seconds=1.0):
    """Two methods timed as tensors and as files."""
    return altered(altered(run_of(seconds=seconds), also_timed(files)), also_timed(0.1), "base")


@dataclass
class Case:
    """A row: the runs, the flags, and what must come of it."""

    golden: list
    run: list
    code: int
    verdict: str | None = None  # of `metric` of ours
    says: str = ""
    flags: list = field(default_factory=list)
    metric: str = "psnr"
    strict: int | None = None  # the exit code with --strict, where it differs


SPEED = ["--reference", "base"]
FRAMES = {"psnr": (30.0, 31.0, 32.0)}
ROWS = {
    "equal values": Case(run_of(), run_of(), 0, "same"),
    "equal values of one clip": Case([record("a")], [record("a")], 0, "same"),
    "interval above 0": Case(run_of(), run_of(psnr=[28.5, 29.6, 30.4, 31.5, 32.6]), 0, "better"),
    "interval above the margin": Case(run_of(), run_of(psnr=[27.99, 28.98, 29.99, 30.98, 31.99]), 0, "same"),
    "interval from the margin on": Case(
        run_of(), run_of(psnr=[27.5, 28.5, 29.5, 30.5, 31.5]), 0, "same", flags=["--margin", "psnr=0.5"], strict=0
    ),
    "clearly worse": Case(run_of(), run_of(psnr=[27.5, 28.6, 29.4, 30.5, 31.6]), 1, "worse"),
    "worse in a distance": Case(run_of(), run_of(lpips=0.3), 1, "worse", metric="lpips-alex"),
    "worse with a wide interval": Case(run_of(), run_of(psnr=[28.0, 29, 30, 31, 12]), 1, "worse"),
    "one clip lost 20 dB": Case([record("a")], [record("a", 10.0)], 1, "worse", "one clip cannot carry an interval"),
    "one clip lost within the margin": Case([record("a")], [record("a", 29.98)], 0, "inconclusive", strict=1),
    "one clip gained": Case([record("a")], [record("a", 33.0)], 0, "inconclusive", strict=1),
    "noise around no change": Case(run_of(), run_of(psnr=[28.5, 28.4, 30.6, 30.5, 31.9]), 0, "inconclusive", strict=1),
    "lossless in both": Case(run_of(psnr=INF), run_of(psnr=INF), 0, "same", "infinite in both"),
    "one frame lossless in both, the others worse": Case(
        [record("a", (INF, 30.0)), record("b", (INF, 30.0))],
        [record("a", (INF, 22.0)), record("b", (INF, 22.0))],
        1,
        "worse",
    ),
    "lossless golden": Case(run_of(psnr=INF), run_of(psnr=22.0), 1, "not finite"),
    "lossless run": Case(run_of(), run_of(psnr=INF), 1, "not finite"),
    "infinite in unlike directions": Case(run_of(psnr=INF), run_of(psnr=-INF), 1, "not finite"),
    "minus infinity in one clip": Case(run_of(), run_of(psnr=[28.0, 29, 30, 31, -INF]), 1, "not finite"),
    "a clip is not there": Case(run_of(), run_of()[:-2], 1, "missing", "1 of 5 clips have no psnr"),
    "a clip failed": Case(run_of(), altered(run_of(), failed, only=2), 1, "missing"),
    "a method is not there": Case(run_of(), [each for each in run_of() if each.method != "ours"], 1, "missing"),
    "a metric is not there": Case(run_of(), altered(run_of(), without("psnr")), 1, "missing"),
    "the only method is not there": Case([record("a")], [record("a", method="other")], 1, "missing"),
    "the only metric is not there": Case(
        altered([record("a")], without("lpips-alex")), altered([record("a")], without("psnr")), 1, "missing"
    ),
    "every clip failed": Case([record("a")], altered([record("a")], failed), 1, "missing"),
    "a metric has no values": Case(run_of(), altered(run_of(), absent), 1, "missing", "too small"),
    "a metric has no values in the golden run": Case(altered(run_of(), absent), run_of(), 1, "missing", "too small"),
    "a metric without a direction fell": Case(
        altered(run_of(), with_psnr(better="none")),
        altered(run_of(psnr=1.0), with_psnr(better="none")),
        0,
        "same",
        metric="lpips-alex",
    ),
    "GT's own value is lacking": Case(
        altered(run_of(), with_psnr(better="nearer")),
        altered(run_of(), with_psnr(better="nearer")),
        1,
        "missing",
        "psnr-gt",
    ),
    "nearer to GT's own value": Case(
        altered(run_of(), with_psnr(better="nearer", best=32.0)),
        altered(run_of(psnr=[28.5, 29.6, 30.4, 31.5, 32.1]), with_psnr(better="nearer", best=32.0)),
        0,
        "better",
    ),
    "slower": Case(run_of(), run_of(seconds=1.5), 1, "worse", flags=SPEED, metric="speed / base"),
    "slower, but speed is not gated": Case(run_of(), run_of(seconds=1.5), 0, "same"),
    "one clip ten times slower": Case(
        [record("a"), record("a", method="base", seconds=0.1)],
        [record("a", seconds=10.0), record("a", method="base", seconds=0.1)],
        1,
        "worse",
        flags=SPEED,
        metric="speed / base",
    ),
    "one of five clips ten times slower": Case(
        run_of(), run_of(seconds=[1.0, 1, 1, 1, 10]), 1, "worse", flags=SPEED, metric="speed / base"
    ),
    "slower in the second scope": Case(
        both_scopes(), both_scopes(files=1.5), 1, "worse", flags=SPEED, metric="speed (files) / base"
    ),
    "slower in the first scope of two": Case(
        both_scopes(), both_scopes(seconds=1.5), 1, "worse", flags=SPEED, metric="speed / base"
    ),
    "the first scope is not there": Case(
        both_scopes(),
        altered(both_scopes(), timed(1.0, scope="files")),
        1,
        "missing",
        flags=SPEED,
        metric="speed / base",
    ),
    "the second scope is not there": Case(
        both_scopes(), run_of(), 1, "missing", flags=SPEED, metric="speed (files) / base"
    ),
    "no times in the golden run": Case(
        altered(run_of(), timed()), run_of(), 1, "missing", flags=SPEED, metric="speed / base"
    ),
    "frames of the golden run made without a clock": Case(
        altered(run_of(), timed(timing_reason=NOT_TIMED)),
        altered(run_of(), timed(timing_reason=NOT_TIMED)),
        1,
        "missing",
        flags=SPEED,
        metric="speed / base",
    ),
    "no times in the run": Case(run_of(), altered(run_of(), timed()), 1, "missing", flags=SPEED, metric="speed / base"),
    "no times of the reference": Case(
        run_of(), altered(run_of(), timed(), "base"), 1, "missing", flags=SPEED, metric="speed / base"
    ),
    "times in another scope": Case(
        run_of(), altered(run_of(), timed(1.0, scope="files")), 1, "missing", flags=SPEED, metric="speed / base"
    ),
    "times of a cache": Case(
        run_of(),
        altered(run_of(), lambda each: with_times(each, cached=True)),
        1,
        "missing",
        "5 of 5 clips lack a time",
        flags=SPEED,
        metric="speed / base",
    ),
    "times that look like a cache's on one clip of five": Case(
        run_of(),
        altered(run_of(), lambda each: with_times(each, cached=True), only=1),
        0,
        "same",
        "left out: 1 of 5 clips",
        flags=SPEED,
        metric="speed / base",
    ),
    "times of a cache, of the reference in the golden run": Case(
        altered(run_of(), lambda each: with_times(each, cached=True), "base"),
        run_of(),
        1,
        "missing",
        "something is cached",
        flags=SPEED,
        metric="speed / base",
    ),
    "repetitions that gave different frames": Case(
        run_of(),
        altered(run_of(), lambda each: with_times(each, same_output=False)),
        1,
        "missing",
        "the method is not deterministic",
        flags=SPEED,
        metric="speed / base",
    ),
    "frames made elsewhere have no speed": Case(
        altered(run_of(), timed(timing_reason=GIVEN)),
        altered(run_of(), timed(timing_reason=GIVEN)),
        0,
        "same",
        flags=SPEED,
    ),
    "more in the run than in the golden run": Case(run_of(), [*run_of(), record("other", 1.0)], 0, "same"),
    "no clip in common": Case(run_of(), [record("other")], 2, "missing", "nothing was compared"),
    "unlike scale": Case(run_of(), run_of(scale=2), 3, says="scale is 4 in golden run"),
    "unlike number of frames": Case(run_of(psnr=(30.0, 31.0)), run_of(psnr=30.0), 3, says="frames is 2"),
    "unlike LR size": Case(run_of(), run_of(size=(16, 16)), 3, says="lr size"),
    "unlike GT size": Case(run_of(), run_of(gt_size=(64, 64)), 3, says="gt size"),
    "unlike LR origin": Case(run_of(), run_of(lr_origin="bi-x4 from GT"), 3, says="lr origin is given"),
    "unlike degradation": Case(
        run_of(), run_of(data_config={"degradation": "bd"}), 3, says="degradation is bi in golden run"
    ),
    "unlike options of the degradation": Case(
        run_of(data_config={"degradation": "compressed", "degradation_options": {"crf": 28}}),
        run_of(data_config={"degradation": "compressed", "degradation_options": {"crf": 18}}),
        3,
        says="degradation options is {'crf': 28} in golden run",
    ),
    "unlike LR frames": Case(
        run_of(lr_sha256="1" * 64), run_of(lr_sha256="2" * 64), 3, says="the digest of the LR frames is 1111"
    ),
    "unlike GT frames": Case(
        run_of(gt_sha256="1" * 64), run_of(gt_sha256="2" * 64), 3, says="the digest of the GT frames is 1111"
    ),
    "LR frames that were made here are rounded otherwise on another machine": Case(
        run_of(lr_sha256="1" * 64, lr_origin="bi-x4 from GT"),
        run_of(lr_sha256="2" * 64, lr_origin="bi-x4 from GT"),
        0,
        "same",
    ),
    "a golden run without digests of LR and GT frames": Case(
        run_of(), run_of(lr_sha256="2" * 64, gt_sha256="2" * 64), 0, "same"
    ),
    "unlike protocol": Case(run_of(), run_of(protocol="rgb"), 3, says="protocol is vid4"),
    "unlike signature": Case(
        run_of(), altered(run_of(), with_psnr(signature="psnr|rgb")), 3, says="psnr's signature is psnr|y-bt601"
    ),
    "the direction flipped in the golden run": Case(
        altered(run_of(), with_psnr(better="lower")), run_of(), 3, says="psnr's better direction is lower"
    ),
    "only the best frame scored": Case(
        run_of(**FRAMES),
        altered(run_of(**FRAMES), with_psnr(values=[32.0], indices=[2])),
        3,
        says="the choice of frames of psnr is [0, 1, 2]",
    ),
    "a golden method failed everywhere": Case(
        altered(run_of(), failed), run_of(), 3, says="ours failed on every clip of set (out of memory)"
    ),
    "a margin of NaN": Case(run_of(), run_of(), 3, says="a finite number", flags=["--margin", "psnr=nan"]),
    "a margin without end": Case(run_of(), run_of(), 3, says="a finite number", flags=["--margin", "psnr=inf"]),
    "a margin below 0": Case(run_of(), run_of(), 3, says="0 or more", flags=["--margin", "psnr=-1"]),
    "a margin that is no number": Case(run_of(), run_of(), 3, says="is no number", flags=["--margin", "psnr=x"]),
    "a margin of an unknown metric": Case(
        run_of(), run_of(), 3, says="did you mean 'psnr'", flags=["--margin", "pnsr=1"]
    ),
    "an unknown reference": Case(run_of(), run_of(), 3, says="did you mean 'base'", flags=["--reference", "bas"]),
}


@pytest.mark.parametrize("name", ROWS)
def test_row(bench, folder_of, tmp_path, name):
    case = ROWS[name]
    folders = folder_of("golden", case.golden), folder_of("run", case.run)
    _expect(bench, folders, tmp_path, case)


@pytest.mark.parametrize("name", [name for name, case in ROWS.items() if case.strict is not None])
def test_row_with_strict(bench, folder_of, tmp_path, name):
    case = ROWS[name]
    folders = folder_of("golden", case.golden), folder_of("run", case.run)
    _expect(bench, folders, tmp_path, replace(case, code=case.strict, flags=[*case.flags, "--strict"]))


def _expect(bench, folders, tmp_path, case):
    golden, run = folders
    answer = bench("check", run, "--against", golden, *case.flags, "--junit", tmp_path / "verdicts.xml")
    assert answer.code == case.code, answer.out + answer.err
    assert "Traceback" not in answer.err and "Warning" not in answer.err
    if case.code == 3:
        assert answer.err.count("\n") == 1 and case.says in answer.err
        return
    assert case.says in " ".join(answer.out.split()) + (tmp_path / "verdicts.xml").read_text()
    rows = [line for line in answer.out.splitlines() if " ours " in line and f" {case.metric} " in line]
    assert len(rows) == 1 and f" {case.verdict} " in rows[0]


@pytest.mark.parametrize("damaged", ["golden", "run"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-40],  # torn by a crash
        lambda text: text.replace('{"schema"', '{schema"', 1),
        lambda text: text.replace('"psnr"', "\x00psnr", 1),
        lambda text: text.replace('"scale": 4', '"scale": "4"', 1),
        lambda text: "[]\n" + text,
    ],
    ids=["torn", "no JSON", "a control character", "a wrong type", "no record"],
)
def test_unreadable_lines_are_refused(bench, folder_of, damaged, damage):
    folders = {name: folder_of(name, run_of()) for name in ("golden", "run")}
    file = folders[damaged] / "records.jsonl"
    file.write_text(damage(file.read_text()))
    answer = bench("check", folders["run"], "--against", folders["golden"])
    assert answer.code == 3 and "records.jsonl, line" in answer.err and answer.err.count("\n") == 1


@pytest.mark.parametrize("where", ["golden", "run", "both"])
@pytest.mark.parametrize("what", ["score", "time"])
def test_nan_fails_wherever_it_stands(bench, folder_of, where, what):
    """NaN in a file of records: refused as unreadable or not finite, but never passed."""
    folders = {name: folder_of(name, run_of()) for name in ("golden", "run")}
    for name, folder in folders.items():
        if where in (name, "both"):
            lines = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
            for line in lines:
                if line["method"] == "ours" and what == "score":
                    line["scores"]["psnr"]["values"] = [NAN]
                elif line["method"] == "ours":
                    line["timing"]["tensors"]["repetitions"][0]["total_s"] = NAN
            (folder / "records.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    answer = bench("check", folders["run"], "--against", folders["golden"], *SPEED)
    assert answer.code in (1, 3) and "Traceback" not in answer.err


def test_every_row_of_the_documented_table_has_a_test():
    """The verdicts and exit codes of the document are those of the rows here."""
    from pathlib import Path

    text = (Path(__file__).parents[3] / "docs" / "gate.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| golden")]
    verdicts = {case.verdict for case in ROWS.values()} - {None} | {"refused", "unchanged in that frame"}
    verdicts |= {"speed is not gated", "not compared", "nothing was compared"}
    assert len(rows) >= 20 and all(row.split(" | ")[1].strip() in verdicts for row in rows)
