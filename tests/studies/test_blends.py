"""Blends of two methods' frames begin with the other method's and end with the method's own."""

import cv2
import numpy as np
import pytest

from studies import blends


@pytest.fixture
def rows(tmp_path, monkeypatch, capsys):
    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), cv2.GaussianBlur(noise, None, 1.5))

    def rows(method: str, other: str) -> list[list[str]]:
        words = [f"method={method}", "data=folder", f"data.gt={tmp_path}", "--with", other]
        monkeypatch.setattr("sys.argv", ["studies.blends", *words])
        assert blends.main() == 0
        return [line.split() for line in capsys.readouterr().out.splitlines()[1:]]

    return rows


def test_the_rows_go_from_the_other_method_to_the_method(rows):
    forth, back = rows("nearest", "bicubic"), rows("bicubic", "nearest")
    assert [float(row[0]) for row in forth] == list(blends.SHARES)
    assert forth[0][1:] == back[-1][1:] == ["+0.0%", "+0.0%", "+0.00"]
    assert forth[-1][1:] == back[0][1:] and float(back[0][3]) < 0
    assert forth[4][1:] == back[4][1:] not in (forth[0][1:], forth[-1][1:])  # half of each, from either side
