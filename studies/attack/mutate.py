"""Random damage to bytes, JSON and text, from a seeded generator."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

ODD_VALUES: list[Any] = [
    None,
    True,
    -1,
    0,
    1e308,
    10**30,
    float("nan"),
    float("inf"),
    "",
    "../../escape",
    "Infinity",
    "a\nb\x1b[31m",
    "=1+1",
    "²",
    "über",
    "$\\frac{$",
    "<script>alert(1)</script>",
    [],
    {},
    [[[[]]]],
    {"_target_": "os.system", "command": "touch CANARY"},
    {"_target_": "pathlib.Path.touch", "self": "CANARY"},
]
ODD_TEXT = [
    "\t",
    "\x00",
    "{{",
    "}",
    "- [",
    "!!python/object/apply:os.system ['touch CANARY']\n",
    "&a [*a]\n",
    "é\ud800",
    "\n\n",
]


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Damage bytes in one way: a flipped bit, a hole, a missing end, zeros, noise, or a part twice."""
    if not content:
        return bytes([rng.randrange(256)])
    at = rng.randrange(len(content))
    length = rng.randrange(1, max(2, len(content) // 4))
    head, part, tail = content[:at], content[at : at + length], content[at + length :]
    return rng.choice(
        [
            lambda: head + bytes([content[at] ^ (1 << rng.randrange(8))]) + content[at + 1 :],
            lambda: head + tail,
            lambda: head,
            lambda: b"",
            lambda: head + bytes(len(part)) + tail,
            lambda: head + rng.randbytes(len(part)) + tail,
            lambda: head + part + part + tail,
            lambda: tail + head,
            lambda: rng.randbytes(200),
            lambda: content[:16] + rng.randbytes(16) + content[32:],
        ]
    )()


def altered(value: Any, rng: random.Random) -> Any:
    """Copy parsed JSON and change one place: another value, another name, or nothing there."""
    made = copy.deepcopy(value)
    places = list(_places(made))
    if not places:
        return rng.choice(ODD_VALUES)
    holder, key = rng.choice(places)
    action = rng.randrange(4)
    if action == 0 and isinstance(holder, dict):
        del holder[key]
    elif action == 1 and isinstance(holder, dict):
        holder[f"{key}x"] = holder.pop(key)
    else:
        holder[key] = rng.choice(ODD_VALUES)
    return made


def altered_json(text: str, rng: random.Random) -> str:
    """Change one place of a JSON document; the result may be invalid JSON."""
    if rng.random() < 0.1:
        return "[" * 100_000
    return json.dumps(altered(json.loads(text), rng))


def altered_text(text: str, rng: random.Random) -> str:
    """Change a text: something odd inserted, a line twice, a line left out, or another text."""
    lines = text.splitlines(keepends=True) or [""]
    at = rng.randrange(len(lines))
    action = rng.randrange(5)
    if action == 0:
        return "".join(lines[:at] + lines[at + 1 :])
    if action == 1:
        return "".join(lines[: at + 1] + lines[at:])
    if action == 2:
        return rng.choice(["", "[]", "null", "1", "{" * 5000, "a: " * 2000, aliases()])
    where = rng.randrange(len(text) + 1)
    return text[:where] + rng.choice(ODD_TEXT) + text[where:]


def _places(value: Any):
    """Yield every (container, key) inside parsed JSON."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _places(inner)


def aliases() -> str:
    """Make YAML of a few hundred bytes whose aliases stand for a billion values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    return "\n".join(lines) + "\n"
