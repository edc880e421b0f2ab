"""Names from outside in everything that is written: no markup, no formula, no control sign, and none ends a command."""

import csv
import io
import json
import re
from dataclasses import replace

import markdown as renderer
import matplotlib.pyplot as plt
import pytest

from bench.report import latex, plot, sheet, tables
from bench.report import text as plain
from bench.report.grid import figure
from bench.report.latex import escaped
from tests.bench.made_up import with_score

NASTY = {
    "mathtext": r"$\frac{$",
    "html": "<script>alert(1)</script>",
    "svg": '"/><image href="x"/>',
    "latex": r"\input{/etc/passwd}%_&#^~{}",
    "markdown": "[x](http://x) `code` **b** _e_ <b>",
    "reference": "[a]: http://x",
    "newline": "a\nb\r\n| c |",
    "control": "a\x1b[31mb\x00\x07\u202ec",
    "surrogate": "a\udcffb",
    "rich": "[bold red]x[/bold red][/nope]",
    "formula": '=HYPERLINK("http://x")',
    "at": "@SUM(A1)",
    "infinity": "Infinity",
    "long": "x" * 300,
    "invisible": "\u200b",
}


def named(records, text):
    """The records of one method, one clip and the data set renamed."""
    clip, method = records[0].clip, records[0].method
    return [
        replace(r, data=text, clip=text if r.clip == clip else r.clip, method=text if r.method == method else r.method)
        for r in records
    ]


GROUPS = [list(NASTY)[k : k + 4] for k in range(0, len(NASTY), 4)]


@pytest.fixture(params=GROUPS, ids="-".join)
def nasty(request, tmp_path, crowd):
    """A run in which up to four methods and clips have such names, and the data set has them all as one."""
    texts = [NASTY[name] for name in request.param]
    old = [sorted({r.method for r in crowd}), sorted({r.clip for r in crowd})]
    methods, clips = (dict(zip(each, texts)) for each in old)
    records = [
        replace(r, data="".join(texts), clip=clips.get(r.clip, r.clip), method=methods.get(r.method, r.method))
        for r in crowd
    ]
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "records.jsonl").write_text("".join(json.dumps(r.to_json()) + "\n" for r in records))
    return tmp_path / "run"


def test_no_name_ends_a_command(bench, nasty, tmp_path):
    answer = bench("report", nasty, "--all")
    assert answer.code == 0, answer.err
    page = (nasty / "page.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page and '"/><image' not in page and "\x1b" not in page and "\x00" not in page
    for file in (nasty / "table.md", nasty / "table.csv", nasty / "table.tex"):
        text = file.read_text(encoding="utf-8")
        assert not {"\x1b", "\x00", "\x07", "\r", "\u202e"} & set(text), file
    for command in (("table", nasty), ("runs", tmp_path), ("export", nasty, "--out", tmp_path / "x.csv")):
        answer = bench(*command)
        assert answer.code == 0, answer.err
        assert not {"\x1b", "\x00", "\x07"} & set(answer.out), command
    assert bench("export", nasty, "--out", tmp_path / "x.parquet").code == 0


@pytest.mark.parametrize("name", NASTY)
def test_markdown_stays_one_table_without_links_or_markup(crowd, name):
    (table,) = tables.tables(named(crowd, NASTY[name]))
    html = renderer.markdown(plain.markdown(table.grid()), extensions=["tables"])
    assert html.count("<table>") == 1 and html.count("<td") == len(table.header) * len(table.methods)
    for tag in ("<a ", "<script", "<em>", "<code>", "<b>", "<h1"):
        assert tag not in html, html


def test_a_note_is_a_paragraph_of_its_own(crowd):
    for start in ("# x", "1. x", "- x", "> x", "    x", "+ x"):
        records = [replace(crowd[0], clip=start, status="failed", reason="r", scores={}, timing={}), *crowd[1:]]
        html = renderer.markdown(plain.markdown(tables.tables(records)[0].grid()), extensions=["tables"])
        for tag in ("<h1", "<ol", "<ul", "<blockquote", "<pre"):
            assert tag not in html, start


def test_csv_cells_are_no_formulas_and_numbers_stay_numbers(crowd):
    for name in ("=1+1", "+x", "-x", "@x", " =1", "\t=1"):
        (table,) = tables.tables(named(crowd, name))
        lines = list(csv.reader(io.StringIO(plain.comma_separated(table.grid()))))
        assert all(not cell.lstrip().startswith(("=", "+", "-", "@")) for line in lines[1:] for cell in line[:2])
    assert [sheet.cell(text) for text in ("-1.5", "+3", "-inf", "=1", "-x", "a-b")] == [
        "-1.5",
        "+3",
        "-inf",
        "'=1",
        "'-x",
        "a-b",
    ]


def test_latex_has_no_control_signs_and_no_paragraph_breaks():
    assert escaped("a\n\nb\x1b") == r"a\textbackslash{}n\textbackslash{}nb\textbackslash{}x1b"


@pytest.mark.parametrize("name", ["[group] walk", "*walk"])
def test_latex_takes_the_beginning_of_no_row_and_no_note_for_an_option(crowd, name):
    """Behind a line's end or a rule a bracket holds a length: the file did not compile, or lost the star."""
    records = [replace(r, method=name) if r.method == crowd[0].method else r for r in crowd]
    records[0] = replace(records[0], clip=name, status="failed", reason="r", scores={}, timing={})
    (table,) = tables.tables(records)
    text = re.sub(r"\s+", "", latex.latex(table.grid()))
    assert name.replace(" ", "") in text and not re.search(r"(\\\\|rule|scriptsize)[\[*]", text)


@pytest.mark.parametrize("values", [[float("inf")], [float("nan")], [float("-inf")], [float("inf"), float("-inf")]])
def test_figures_that_are_not_finite_are_printed_and_end_nothing(crowd, bench, tmp_path, values):
    records = [with_score(crowd[0], "psnr", values=values, indices=list(range(len(values)))), *crowd[1:]]
    for each in (records, [with_score(r, "psnr", values=values, indices=list(range(len(values)))) for r in crowd]):
        (table,) = tables.tables(each)
        for render in (plain.markdown, plain.comma_separated, latex.latex):
            assert render(table.grid(True))
        for kind in plot.KINDS:
            plot.draw(kind, each)
            plt.close("all")
        (tmp_path / "records.jsonl").write_text("".join(json.dumps(r.to_json()) + "\n" for r in each))
        assert bench("report", tmp_path).code == 0


def test_zero_has_no_sign():
    assert [figure(-1e-9, 4), figure(-0.0, 2), figure(-0.0, None), figure(-0.5, 1)] == ["0.0000", "0.00", "0", "-0.5"]
    assert [figure(x, 2) for x in (float("inf"), float("-inf"), float("nan"))] == ["∞", "-∞", "NaN"]
