"""The site's table of contents, completed: pages that mkdocs.yml does not name, and every decision by its title."""

from __future__ import annotations

from pathlib import Path

DECISIONS = "decisions/"


def on_config(config):
    """Add the pages about training under TurboVSR where they are, and all of docs/decisions at the end."""
    docs = Path(config["docs_dir"])
    for section in config["nav"]:
        if "TurboVSR" in section:
            pages = ("training.md", "training-ltx.md", "claims.md")
            section["TurboVSR"] += [page for page in pages if (docs / page).is_file()]
    decisions = sorted(file.relative_to(docs).as_posix() for file in docs.glob(f"{DECISIONS}*.md"))
    config["nav"].append(
        {"Decisions": [f"{DECISIONS}index.md", *(d for d in decisions if not d.endswith("/index.md"))]}
    )
    return config


def on_page_content(html, page, config, files):
    """Point pictures of the model card, which lies outside docs/, to where the site has them."""
    return html.replace('src="../docs/images/', 'src="images/') if page.file.src_uri == "turbovsr.md" else html
