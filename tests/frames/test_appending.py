"""What is appended is there as a whole, or the file is as before."""

import errno
from io import FileIO

import pytest

from frames.appending import append_whole
from frames.errors import one_line
from tests.full_disk import largest_file


class InPieces(FileIO):
    """Writes at most three bytes a call, and nothing beyond `room` bytes."""

    room = 100

    def write(self, data):
        return super().write(data[: min(3, self.room - self.tell())])


def test_what_the_system_writes_in_pieces_is_whole(tmp_path):
    with InPieces(tmp_path / "file", "a") as stream:
        append_whole(stream, b"a line of many bytes\n")
    assert (tmp_path / "file").read_bytes() == b"a line of many bytes\n"


def test_what_has_no_room_leaves_the_file_as_it_was_and_is_told_with_its_name(tmp_path):
    with InPieces(tmp_path / "file", "a") as stream:
        stream.room = 12
        append_whole(stream, b"before\n")
        with pytest.raises(OSError) as told:
            append_whole(stream, b"a line of many bytes\n")
        assert (tmp_path / "file").read_bytes() == b"before\n"
        stream.room = 100
        append_whole(stream, b"after\n")
    assert (tmp_path / "file").read_bytes() == b"before\nafter\n" and told.value.errno == errno.ENOSPC
    assert one_line(told.value).startswith(f"{tmp_path / 'file'}: No space left on device; free some space")


def test_a_write_that_is_refused_leaves_the_file_as_it_was(tmp_path):
    with open(tmp_path / "file", "ab", buffering=0) as stream:
        append_whole(stream, b"before\n")
        with largest_file(12), pytest.raises(OSError, match="File too large"):
            append_whole(stream, b"a line of many bytes\n")
    assert (tmp_path / "file").read_bytes() == b"before\n"
