"""Preparing photographs for training: which sizes are stored."""

import numpy as np
import pytest
from PIL import Image

from turbovsr.train import prepare


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos of mine"
    folder.mkdir()
    rows, columns = np.mgrid[:128, :192]
    ramp = np.stack([rows, columns, rows // 2 + columns // 2], axis=-1).astype(np.uint8)
    Image.fromarray(ramp).save(folder / "ramp.png")
    return folder


def run(*arguments) -> int:
    return prepare.main(list(map(str, arguments)))


def stored(out) -> list[np.ndarray]:
    return sorted((np.load(path) for path in (out / "photos").glob("*.npy")), key=lambda p: -p.size)


def test_photographs_are_stored_in_their_own_size_alone_unless_asked(photos, tmp_path):
    run(tmp_path / "out", "--photos", photos)
    assert [p.shape for p in stored(tmp_path / "out")] == [(128, 192, 3)]


@pytest.mark.parametrize(
    "option, sizes",
    [("--photos", [(128, 192), (91, 136), (64, 96), (45, 68)]), ("--halved-photos", [(64, 96), (45, 68)])],
)
def test_smaller_sizes_show_the_whole_photograph_down_to_the_smallest(option, sizes, photos, tmp_path):
    run(tmp_path / "out", option, photos, "--smallest", 45)
    found = stored(tmp_path / "out")
    assert [p.shape[:2] for p in found] == sizes
    for photo in found:  # red counts rows and green columns of the photograph: corners show that nothing was cut off
        scale = 128 / photo.shape[0]
        assert np.abs(photo[0, 0].astype(int)).max() <= 2 * scale
        assert np.abs(photo[-1, -1, :2].astype(int) - (127, 191)).max() <= 2 * scale


def test_no_size_is_stored_in_the_place_of_another_photograph(photos, tmp_path):
    for number in range(1, 4):
        (photos / f"ramp-{number}.png").write_bytes((photos / "ramp.png").read_bytes())
    run(tmp_path / "out", "--photos", photos, "--smallest", 45)
    assert len(stored(tmp_path / "out")) == 4 * 4


def test_a_size_below_one_pixel_is_refused(photos, tmp_path, capsys):
    assert run(tmp_path / "out", "--photos", photos, "--smallest", 0) == 3
    assert "--smallest 0" in capsys.readouterr().err
