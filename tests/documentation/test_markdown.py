"""The Markdown of tables and documents is rendered as meant by a CommonMark renderer with GitHub's tables."""

import re
from pathlib import Path

import pytest
from documented import ROOT, documents
from markdown_it import MarkdownIt

from bench.__main__ import main

GOLDEN = ROOT / "results" / "golden" / "sample"


def rendered(text: str) -> str:
    return MarkdownIt("commonmark").enable("table").render(text)


def test_a_run_s_table_is_rendered_with_all_its_cells(capfd):
    assert main(["table", str(GOLDEN), "--format", "md"]) == 0
    html = rendered(capfd.readouterr().out)
    methods = {"bicubic", "realesrgan", "turbovsr"}
    rows = re.findall(r"<tr>\n(.*?)</tr>", html, re.DOTALL)
    assert len(rows) == 1 + len(methods)
    columns = len(re.findall("<th", rows[0]))
    assert columns > 5 and all(len(re.findall("<td", row)) == columns for row in rows[1:])
    assert methods == {re.search(r"<td[^>]*>(.*?)</td>", row).group(1) for row in rows[1:]}
    assert "<strong>" in html and "**" not in html and "|---" not in html


@pytest.mark.parametrize("document", documents(), ids=lambda file: file.relative_to(ROOT).as_posix())
def test_tables_of_documents_are_rendered_as_tables(document: Path):
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    meant = len(re.findall(r"^\|[-:| ]+\|$", text, re.MULTILINE))
    assert rendered(text).count("<table>") == meant
