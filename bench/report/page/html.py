"""Templates of the page: every value is escaped, and control characters in it are spelled out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from bench.report.page import marks
from frames.text import printable


def page(template: str, scripts: Iterable[str], methods: int, **values: object) -> str:
    """Render a template of `templates/` with these values, the colours of so many methods, and these scripts."""
    style = file("page.css") + Markup(marks.style(methods))
    script = Markup("\n").join(file(f"js/{name}.js") for name in scripts)
    return _environment().get_template(template).render(marks=marks, style=style, script=script, **values)


def json_data(data: object) -> Markup:
    """Data as JSON for the inside of a script element, which nothing in it can close."""
    return Markup(json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"))


def file(name: str) -> Markup:
    """The content of a file of this package, unescaped: its own style and scripts."""
    return Markup(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(lambda name: str(file(f"templates/{name}"))),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )


def _printable(value: object) -> object:
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
