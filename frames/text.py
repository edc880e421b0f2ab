"""Escaping of text from outside (names of clips, methods, files) to one line that is safe to print."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with line breaks and control, formatting and unpaired surrogate characters escaped: `\\n`, `\\x1b`.

    Spaces of every kind but the ordinary one are escaped as well; letters of all scripts stay as they are.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
