"""The documentation as a site: it builds strictly, asks nobody for anything, and its links lead somewhere."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from documented import ROOT, documents

PICTURES = {"docs/images/plot.png", "docs/images/viewer.png"}
"""Made by `make demo` and `python -m bench report`, and put there by hand."""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    pytest.importorskip("material", reason="mkdocs-material is a package for the documentation alone")
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", out]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


class Loaded(HTMLParser):
    """The files that a browser fetches by itself when it opens a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list) -> None:
        values = dict(attributes)
        if tag in ("script", "img", "iframe", "source", "video"):
            self.found.append(values.get("src") or "")
        elif tag == "link" and values.get("rel") not in ("canonical", "prev", "next"):
            self.found.append(values.get("href") or "")


def test_the_site_is_built_strictly_and_no_page_asks_another_server(site):
    pages = sorted(site.rglob("*.html"))
    assert {"index.html", "methods.html", "turbovsr.html"} <= {page.name for page in pages}
    for page in pages:
        loaded = Loaded()
        loaded.feed(page.read_text(encoding="utf-8"))
        assert not [url for url in loaded.found if re.match(r"(https?:)?//", url)], page
    for style in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import\s+)[\"']?(https?:)?//", style.read_text(encoding="utf-8")), style


def test_the_reference_is_made_of_the_docstrings(site):
    page = (site / "reference" / "contract.html").read_text(encoding="utf-8")
    assert "LR frames in, SR frames out" in page and "bench.methods.contract.Descriptor" in page


def test_every_page_and_every_decision_is_in_the_table_of_contents(site):
    front = (site / "index.html").read_text(encoding="utf-8")
    for file in (ROOT / "docs").rglob("*.md"):
        assert f'href="{file.relative_to(ROOT / "docs").with_suffix(".html").as_posix()}"' in front, file


def test_tables_and_lists_are_rendered_as_such(site):
    """The site's Markdown wants an empty line before a table and before a list, GitHub's does not."""
    for page in site.rglob("*.html"):
        paragraphs = re.findall(r"<p>(.*?)</p>", page.read_text(encoding="utf-8"), re.DOTALL)
        lost = [text[:80] for text in paragraphs if re.search(r"^\|[-:| ]+\|$|\n- ", text, re.MULTILINE)]
        assert not lost, page


def test_links_between_files_lead_to_files():
    broken = []
    for document in documents():
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8")):
            if re.match(r"[a-z]+:", target):
                continue
            file = (document.parent / unquote(target)).resolve()
            if not file.exists() and str(file.relative_to(ROOT)) not in PICTURES:
                broken.append(f"{document.relative_to(ROOT)}: {target}")
    assert not broken


def test_the_citation_file_names_the_paper_and_the_licence():
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert found["cff-version"] == "1.2.0" and found["authors"] and found["license"] == "Apache-2.0"
    assert found["references"][0]["url"] == "https://arxiv.org/abs/2506.23618"
