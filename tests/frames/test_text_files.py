"""Text and JSON from outside: what is wrong with it names the file, the place and the remedy."""

import os

import pytest

from frames.errors import UserError
from frames.text_files import read_json, read_text


def test_text_and_json_come_back(tmp_path):
    (tmp_path / "a.json").write_text('{"name": "日本"}', encoding="utf-8")
    assert read_text(tmp_path / "a.json") == '{"name": "日本"}'
    assert read_json(tmp_path / "a.json") == {"name": "日本"}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not readable as JSON .it is empty"),
        (b'{\n"a": }', "not readable as JSON .Expecting value in line 2, column 6"),
        (b"{}\n\xff", "line 2 is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"9" * 5000, "not readable as JSON"),
    ],
)
def test_damage_is_one_line_with_file_and_remedy(tmp_path, data, why):
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(UserError, match=f"a.json: {why}.*; make it again") as caught:
        read_json(tmp_path / "a.json", remedy="make it again")
    assert "\n" not in str(caught.value)


def test_pipes_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(ValueError, match="a.json: a named pipe"):
        read_json(tmp_path / "a.json")
