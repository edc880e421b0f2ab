"""Run folders for the gate."""

from pathlib import Path

import pytest

from bench.store.records import Records


@pytest.fixture
def folder_of(tmp_path):
    """`folder_of("golden", records)` writes a run folder."""

    def write(name: str, records: list) -> Path:
        (tmp_path / name).mkdir()
        for each in records:
            Records(tmp_path / name).append(each)
        return tmp_path / name

    return write
