"""Messages: one line, with the file, the reason and the remedy."""

import errno
import os

import pytest

from frames.atomic import replacing
from frames.errors import UserError, did_you_mean, one_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a.png"), "a.png: No space left on device; free some space"),
        (PermissionError(errno.EACCES, "Permission denied", "a\nb"), "a b: Permission denied; check its permissions"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "x"), "x: No such file or directory"),
        (FileNotFoundError("x: no such clip"), "x: no such clip"),
        (UserError("two\nlines"), "two lines"),
        (ValueError("clip\x1b[31m.png: broken"), "clip\\x1b[31m.png: broken"),
        (OSError(errno.EACCES, "Permission denied", "a\x07\udce9.png"), "a\\x07\\udce9.png: Permission denied"),
        (RuntimeError("out of memory"), "RuntimeError: out of memory"),
        (KeyError(), "KeyError"),
    ],
)
def test_an_error_is_one_line(error, line):
    assert one_line(error).startswith(line) and "\n" not in one_line(error)


def test_nearest_word_or_all_words():
    assert did_you_mean("bicubik", ["bicubic", "lanczos"]) == "; did you mean 'bicubic'?"
    assert did_you_mean("x", ["b", "a"]) == "; known: a, b"
    assert did_you_mean("x", []) == "; there are none here"


def test_a_full_disk_names_the_file_that_was_to_be_written(tmp_path):
    with pytest.raises(OSError) as caught, replacing(tmp_path / "a.png") as temporary:
        temporary.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert (
        one_line(caught.value)
        == f"{tmp_path}/a.png: No space left on device; free some space, or write to another disk"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_name_as_long_as_the_system_takes_can_be_written(tmp_path):
    path = tmp_path / f"{'n' * 251}.png"
    with replacing(path) as temporary:
        temporary.write_bytes(b"whole")
    assert path.read_bytes() == b"whole"
