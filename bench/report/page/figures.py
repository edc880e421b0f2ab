"""Formatting of figures without a fixed number of decimals."""

from __future__ import annotations


def three(value: float) -> str:
    """Three significant digits, never an exponent: 0.0562, 23.1, 1439."""
    return f"{value:.0f}" if abs(value) >= 999.5 else f"{value:.3g}"
