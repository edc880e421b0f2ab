"""Labels: the names of methods and data sets in tables and files.

A label is a name, and in brackets the options that tell it from others of that name: `turbovsr[steps=2,seed=1]`. Where
several runs measured one method, the run follows in parentheses: `turbovsr[steps=2] (before)`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

_LONGEST = 180  # bytes of a file name made of a label; file systems take 255 with what is added


def label(name: str, options: Mapping[str, object]) -> str:
    """The label of a name with these options."""
    return f"{name}[{','.join(f'{key}={value}' for key, value in options.items())}]" if options else name


def parts(text: str) -> tuple[str, dict[str, str]]:
    """`turbovsr[steps=2,seed=1]` -> ("turbovsr", {"steps": "2", "seed": "1"})."""
    name, _, rest = text.partition("[")
    pairs = [option.partition("=") for option in _split(rest.rpartition("]")[0]) if option]
    return name, {key: value for key, _, value in pairs}


def without(text: str, option: str) -> str:
    """The label without this option; the run stays."""
    name, options = parts(text)
    run = text.rpartition("]")[2] if options else ""
    return label(name, {key: value for key, value in options.items() if key != option}) + run


def of_run(text: str, run: str) -> str:
    """The label of a method that several runs measured."""
    return f"{text} ({run})"


def listed(text: str) -> list[str]:
    """The labels of a comma-separated list; commas inside brackets belong to a label."""
    return [each.strip() for each in _split(text) if each.strip()]


def file_name(text: str) -> str:
    """A label as one harmless part of a path: `turbovsr[weights=a/b]` must not leave its folder.

    Unlike labels have unlike names: what a path cannot hold is written as its bytes, %2F for a slash; a very long label
    ends in its hash.
    """
    coded = re.sub(r"[^\w.,=\[\]+-]", lambda found: _bytes(found[0]), text)
    if coded.startswith(".") or not coded:
        coded = "%2E" + coded[1:] if coded else "%"
    if len(coded.encode()) > _LONGEST:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        coded = coded.encode()[: _LONGEST - 20].decode("utf-8", "ignore") + "%-" + digest
    return coded


def _split(text: str) -> list[str]:
    """The parts between commas outside brackets."""
    found, depth = [""], 0
    for sign in text:
        depth += (sign in "[{") - (sign in "]}")
        if sign == "," and depth <= 0:
            found.append("")
        else:
            found[-1] += sign
    return found


def _bytes(sign: str) -> str:
    return "".join(f"%{byte:02X}" for byte in sign.encode("utf-8", "surrogatepass"))
