"""How a method looks everywhere in the page: its colour in both themes, and the shape of its mark."""

from __future__ import annotations

# After Okabe and Ito, told apart by all common kinds of colour vision; (light theme, dark theme), each at least 3:1
# against its background.
COLORS = (
    ("#0072b2", "#5ab4f2"),
    ("#d55e00", "#ff9457"),
    ("#00875f", "#3ccfa4"),
    ("#b4568b", "#e59ac5"),
    ("#4a7a96", "#a3d4ee"),
    ("#a06a00", "#f0c05a"),
    ("#3b4048", "#dfe3e8"),
    ("#73787f", "#9aa1a9"),
)
_SHAPES = (
    '<circle cx="{x}" cy="{y}" r="5"/>',
    '<rect x="{l}" y="{t}" width="9" height="9"/>',
    '<path d="M{x} {u}l5.6 9.6h-11.2z"/>',
    '<path d="M{x} {u}l6 6-6 6-6-6z"/>',
    '<path d="M{x} {d}l5.6-9.6h-11.2z"/>',
    '<path d="M{l} {t}l9 9m0-9l-9 9" class="stroke"/>',
    '<path d="M{x} {t}v9m-4.5-4.5h9" class="stroke"/>',
)


def css_class(index: int) -> str:
    """The class that sets `--mark` to the method's colour."""
    return f"m{index}"


def style(methods: int) -> str:
    """One rule a method."""
    rules = []
    for index in range(methods):
        light, dark = COLORS[index % len(COLORS)]
        rules.append(f".{css_class(index)}{{--mark:light-dark({light},{dark})}}")
    return "\n".join(rules) + "\n"


def shape(index: int, x: float, y: float) -> str:
    """The method's mark as SVG, centred at (x, y)."""
    places = {"x": x, "y": y, "l": x - 4.5, "t": y - 4.5, "u": y - 6, "d": y + 6}
    return _SHAPES[index % len(_SHAPES)].format(**{name: f"{value:.1f}" for name, value in places.items()})


def key(index: int) -> str:
    """The mark as a small picture beside a name."""
    return f'<svg class="key {css_class(index)}" viewBox="0 0 14 14" aria-hidden="true">{shape(index, 7, 7)}</svg>'
