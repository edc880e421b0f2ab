"""Agreement of viewers: Spearman as scipy's, groups, the command on a made-up data set, the published table."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from bench.metrics.agreement import METRICS, agreements, read, spearman

PUBLISHED = Path(__file__).parents[3] / "results" / "published" / "agreement.csv"


def clip(source, lr, method, mos, **metrics):
    return {"name": f"{lr}.{method}", "source": source, "source_encoding": lr, "method": method, "mos": mos} | metrics


@pytest.fixture
def rows():
    """Two inputs of one source: within each the distance follows viewers exactly, between them it does not."""
    found = []
    for lr, easy in (("a", 0.0), ("b", 2.0)):
        for step, method in enumerate(("one", "two", "three")):
            found.append(clip("film", lr, method, 1 + step + easy, dists=0.5 - 0.1 * step + easy, flat=1.0))
    return found


@pytest.fixture
def file(tmp_path, rows):
    path = tmp_path / "dataset.json"
    path.write_text(json.dumps([*rows, clip("film", "film", "source", 4.9, dists=0.0)]))
    return path


def test_ranks_correlate_as_in_scipy():
    rng = np.random.default_rng(0)
    for _ in range(20):
        one, other = rng.integers(0, 5, 12).tolist(), rng.normal(size=12).tolist()
        assert spearman(one, other) == pytest.approx(spearmanr(one, other).statistic)
    assert spearman([1, 1, 1], [1, 2, 3]) is None


def test_a_number_too_large_for_a_figure_is_none(file, rows):
    file.write_text(json.dumps([*rows, clip("film", "a", "four", 10**400, dists=0.1)]))
    assert len(read(file)) == len(rows)


def test_correlations_are_taken_within_groups_and_meaned(rows):
    dists, flat = agreements(rows, ["dists", "flat"])
    assert dists.within["one LR input"] == pytest.approx(-1) and dists.clips == 6
    expected = spearmanr([row["dists"] for row in rows], [row["mos"] for row in rows]).statistic
    assert dists.within["one source"] == pytest.approx(expected) and expected > 0
    assert flat.within == {"one LR input": None, "one source": None}


def test_the_command_leaves_the_sources_out_and_writes_a_table(bench, file, tmp_path):
    answer = bench("agreement", file, "--metrics", "dists", "--csv", tmp_path / "out" / "table.csv")
    assert answer.code == 0 and "6 clips" in answer.out and "-1.00" in answer.out
    assert (tmp_path / "out" / "table.csv").read_text().splitlines()[1].startswith("dists,-1.000,")


@pytest.mark.parametrize(
    "text, words",
    [
        ("{", "not readable as JSON"),
        ("{}", "not a list of clips"),
        ("[]", "no upscaled clip"),
        ('[{"mos": 1}]', "not a list of clips"),
        ("\udcff", "dataset.json"),
    ],
)
def test_another_file_is_one_line(bench, tmp_path, text, words):
    file = tmp_path / "dataset.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    answer = bench("agreement", file)
    assert answer.code == 3 and words in answer.err and answer.err.count("\n") == 1


def test_wrong_arguments_are_one_line(bench, file, tmp_path):
    answer = bench("agreement", file, "--metrics", "dits")
    assert answer.code == 3 and "no clip has 'dits'; did you mean 'dists'" in answer.err
    assert bench("agreement", tmp_path / "nowhere.json").code == 3


def test_a_metric_is_listed_once_and_spaces_do_not_matter(bench, file):
    answer = bench("agreement", file, "--metrics", "dists, dists,")
    assert answer.code == 0 and answer.out.count("dists") == 1, answer.err


def test_the_published_table_has_every_metric_with_its_source_and_date():
    with open(PUBLISHED, encoding="utf-8", newline="") as stream:
        found = {row["metric"]: row for row in csv.DictReader(stream)}
    assert tuple(found) == METRICS
    assert (found["lpips-alex"]["within_lr_input"], found["vmaf"]["within_lr_input"]) == ("-0.479", "-0.113")
    assert all("arXiv 2605.25940" in row["source"] and row["computed"] for row in found.values())


def test_a_table_says_it_in_one_line_on_request(bench):
    golden = Path(__file__).parents[3] / "results" / "golden" / "sample"
    answer = bench("table", golden, "--agreement", "--published", PUBLISHED.parent)
    lines = [line for line in answer.out.splitlines() if line.startswith("agreement of viewers")]
    assert answer.code == 0 and len(lines) == 1 and "lpips-alex -0.48" in lines[0] and "ssim -0.13" in lines[0]
