"""The site of results: golden runs and made-up submissions, the same bytes, hostile names, a real browser."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bench.__main__ import main
from tests.bench.browser import Opened
from tests.bench.made_up import ENVIRONMENT, make, refused, run_folder

GOLDEN = Path(__file__).parents[3] / "results" / "golden"
HOSTILE = "</script><img src=x onerror=alert(1)>\n\"'&"


def cells(method="plain", **more):
    return [make(method, clip, [30.0, 31.0], [0.1, 0.1, 0.11], **more) for clip in "ab"]


def contents(folder):
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Three golden runs and two submissions: one that lacks a clip, one whose every name is hostile."""
    root = tmp_path_factory.mktemp("publish")
    trained = [
        replace(
            r,
            descriptor=replace(r.descriptor, trained_on=["lpips-alex"]),
            data_config=r.data_config | {"root": r.method},
        )
        for r in cells("sharp")
    ]
    run_folder(root / "submissions" / "one", [*cells(), trained[0]])
    named = [replace(r, method=HOSTILE, data=r.data, protocol=HOSTILE) for r in cells(data="set")]
    other = [replace(r, data=HOSTILE) for r in cells()]
    changed = ENVIRONMENT | {"command": HOSTILE, "cpu": HOSTILE, "dirty": True}
    run_folder(root / "submissions" / "a <b>'\"&", [*named, *other], changed)
    golden = [str(GOLDEN / name) for name in ("ablation", "sample", "vid4")]
    assert main(["publish", *golden, str(root / "submissions"), "--to", str(root / "site")]) == 0
    return root


def test_the_index_has_every_run_with_its_counts_intervals_and_marks(site):
    text = (site / "site" / "index.html").read_text()
    assert text.count("<table") == 4  # sample, vid4, set, and the hostile set
    for said in (">1/2<", ">2/4<", "0.2500 ¶", "Pareto front", "code modified locally"):
        assert said in text, said
    assert re.search(r">[\d.]+ \[[\d.]+, [\d.]+\]<", text)
    for name in ("sample", "vid4", "ablation", "one"):
        assert f'href="runs/{name}/index.html"' in text and (site / "site" / "runs" / name / "index.html").is_file()


def test_places_of_data_on_a_disk_do_not_part_a_table(site):
    """`sharp` was read from another folder than `plain`."""
    assert "set ×4 (2)" not in (site / "site" / "index.html").read_text()


def test_a_clip_that_could_not_be_opened_counts_in_the_table_of_its_set(tmp_path):
    good, bad = cells()
    run_folder(tmp_path / "run", [good, refused(bad)])
    assert main(["publish", str(tmp_path / "run"), "--to", str(tmp_path / "site")]) == 0
    text = (tmp_path / "site" / "index.html").read_text()
    assert ">1/2<" in text and "set ×4 (2)" not in text


def test_the_same_records_give_the_same_bytes_and_a_second_run_replaces_the_first(site, tmp_path):
    words = ["publish", str(GOLDEN / "vid4"), str(site / "submissions")]
    assert main([*words, "--to", str(tmp_path / "a")]) == main([*words, "--to", str(tmp_path / "b")]) == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert main(["publish", str(site / "submissions" / "one"), "--to", str(tmp_path / "a")]) == 0
    assert set(contents(tmp_path / "a")) == {"index.html", "runs/one/index.html", "runs/one/records.jsonl"}


def test_hostile_names_are_text_on_every_page(site):
    pages = [file.read_text() for file in (site / "site").rglob("*.html")]
    assert len(pages) == 6
    assert not any("<img" in page or "</script><" in page for page in pages)
    assert (site / "site" / "runs" / "a-b" / "index.html").is_file()


def test_a_run_page_names_record_signature_and_environment(site):
    text = (site / "site" / "runs" / "one" / "index.html").read_text()
    record = cells()[0]
    assert record.sr_sha256 in text and record.scores["psnr"].signature in text and ENVIRONMENT["commit"] in text


def test_clips_of_one_name_and_unlike_size_are_in_tables_of_their_own(tmp_path):
    run_folder(tmp_path / "one", cells())
    run_folder(tmp_path / "two", cells(size=(20, 20)))
    assert main(["publish", str(tmp_path), "--to", str(tmp_path / "site")]) == 0
    text = (tmp_path / "site" / "index.html").read_text()
    assert text.count("<table") == 2 and text.count("set ×4 (2)<") == 2, "over the table and over its plots"


def test_what_cannot_be_published_is_one_line(tmp_path, capsys):
    run_folder(tmp_path / "x" / "one", cells())
    shutil.copytree(tmp_path / "x", tmp_path / "y")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    (tmp_path / "empty").mkdir()
    x, y = str(tmp_path / "x"), str(tmp_path / "y")
    for words, said in (
        ([x, y, "--to", str(tmp_path / "site")], "two runs of one name"),
        ([x, "--to", str(tmp_path / "mine")], "holds thesis.tex"),
        ([x, "--to", str(tmp_path / "mine" / "thesis.tex")], "it is a file"),
        ([str(tmp_path / "empty"), "--to", str(tmp_path / "site")], "no run here"),
    ):
        assert main(["publish", *words]) == 3
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1
    assert not (tmp_path / "site").exists() and (tmp_path / "mine" / "thesis.tex").is_file()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["index.html", "runs/one/index.html", "runs/a-b/index.html"])
def test_it_opens_from_a_file_and_the_body_does_not_scroll_sideways(site, chromium, width, name):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    shown = Opened(chromium, site / "site" / name, viewport={"width": width, "height": 800})
    page = shown.page
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    found = axe.Axe().run(page).response["violations"]
    assert [(f["id"], f["nodes"][0]["html"][:200]) for f in found if f["impact"] in ("serious", "critical")] == []
    assert shown.errors == [] and shown.requests == []
    shown.context.close()


def test_a_click_sorts_a_table(site, chromium):
    shown = Opened(chromium, site / "site" / "index.html")
    table = shown.page.locator("table.sortable").first
    head = table.locator("th", has_text="PSNR").first
    head.get_by_role("button").click()
    column = head.evaluate("each => each.cellIndex")
    values = table.locator(f"tbody tr td:nth-child({column + 1})").evaluate_all("all => all.map(e => +e.dataset.value)")
    assert values == sorted(values, reverse=True) and len(values) > 5
    shown.context.close()


def test_the_copies_in_an_earlier_site_are_no_runs(bench, tmp_path):
    run_folder(tmp_path / "one", cells())
    words = ("publish", tmp_path, "--to", tmp_path / "site")
    assert bench(*words).code == 0
    first = contents(tmp_path / "site")
    again = bench(*words)
    assert again.code == 0, again.err
    assert contents(tmp_path / "site") == first
    alone = bench("publish", tmp_path / "site", "--to", tmp_path / "site")
    assert alone.code == 3 and "lie in the site itself" in alone.err and contents(tmp_path / "site") == first
