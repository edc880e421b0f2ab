"""Colours and shapes of methods on the page, in both themes; those of the plots (`bench.report.look`)."""

from __future__ import annotations

from bench.report.look import MARKERS, THEMES, color, marker

SHAPES = dict(zip(MARKERS, ("circle", "square", "diamond", "up", "down", "plus", "star", "cross"), strict=True))
"""Names of the shapes in `templates/marks.html`, by matplotlib's."""


def css_class(index: int) -> str:
    """The class that sets `--mark` to the method's colour."""
    return f"m{index}"


def shape(index: int) -> str:
    """The name of the method's shape."""
    return SHAPES[marker(index)]


def style(methods: int) -> str:
    """The CSS rule of each method's colour, in both themes."""
    rules = []
    for index in range(methods):
        light, dark = (color(THEMES[name], index) for name in ("light", "dark"))
        rules.append(f".{css_class(index)}{{--mark:light-dark({light},{dark})}}")
    return "\n".join(rules) + "\n"
