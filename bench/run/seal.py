"""The seal of a plan: a worker runs a plan only if it was written with the user's key.

A run's folder may come from anywhere (docs/threat-model.md), and the words of a command can name programs. So a plan
carries an HMAC-SHA256 under a key of the user's own: $BENCH_KEY, or `bench/key` below $XDG_CONFIG_HOME (~/.config),
made at first need, readable by the user alone. Machines of a cluster that share the home directory share the key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path
from typing import Any

from frames.errors import UserError, one_line

VARIABLE = "BENCH_KEY"


def sealed(content: dict[str, Any]) -> dict[str, Any]:
    """The content with its seal.

    Raises:
        UserError: there is no key, and none can be made, or it is empty.
    """
    return {**content, "seal": _seal(content, _key(make=True))}


def is_sealed(content: dict[str, Any]) -> bool:
    """Whether the seal fits the content under the user's key."""
    seal, key = content.get("seal"), _key(make=False)
    body = {name: value for name, value in content.items() if name != "seal"}
    return bool(key) and isinstance(seal, str) and hmac.compare_digest(seal.encode(), _seal(body, key).encode())


def key_file() -> Path:
    """The file of the user's key."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return Path(home) / "bench" / "key"


def _seal(content: dict[str, Any], key: bytes) -> str:
    return hmac.new(key, json.dumps(content, sort_keys=True).encode(), hashlib.sha256).hexdigest()


def _key(make: bool) -> bytes:
    """The user's key; empty if there is none and `make` is false."""
    if given := os.environ.get(VARIABLE):
        return given.encode()
    file = key_file()
    try:
        if make and not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            temporary = file.with_name(f".key-{secrets.token_hex(8)}")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(descriptor, secrets.token_hex(32).encode())
            os.close(descriptor)
            try:
                os.link(temporary, file)  # whole, and the first of two wins
            except FileExistsError:
                pass
            finally:
                temporary.unlink()
        key = file.read_bytes().strip()
        if make and not key:
            raise UserError(f"{file}: the key is empty; delete this file, and a new key is made")
        return key
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise UserError(f"{one_line(error)}; or set {VARIABLE} to a secret text, here and for the workers") from error
