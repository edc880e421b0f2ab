"""Templates of the page: every value is escaped, and control characters in it are spelled out."""

from __future__ import annotations

from functools import cache
from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from frames.text import printable


def rendered(template: str, **values: object) -> str:
    """Render a template of `templates/` with these values."""
    return _environment().get_template(template).render(**values)


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
