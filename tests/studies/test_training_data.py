"""Training data out of made-up packages: what goes where, and what is said when something is missing or damaged."""

import io
import tarfile

import av
import numpy as np
import pytest
from PIL import Image

from frames.errors import UserError
from studies import packages, training_data
from studies.training_data import SKY, main

NOISE = np.random.default_rng(0).integers(0, 256, (720, 960, 3), dtype=np.uint8)


def picture(width: int, height: int, form: str, seed: int = 0, alpha: bool = False) -> bytes:
    """A noisy picture, with `alpha` a disc of it."""
    image = Image.fromarray(np.roll(NOISE, 7 * seed, axis=0)[:height, :width])
    if alpha:
        y, x = np.ogrid[:height, :width]
        image.putalpha(Image.fromarray((255 * (np.hypot(y - height / 2, x - width / 2) < 50)).astype(np.uint8)))
    file = io.BytesIO()
    image.save(file, form)
    return file.getvalue()


def tar(files: dict[str, bytes], mode: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def deb(files: dict[str, bytes]) -> bytes:
    """Debian's format: an ar archive of debian-binary, control.tar.xz and data.tar.xz, at even offsets."""
    parts = {"debian-binary": b"2.0\n", "control.tar.xz": b"odd", "data.tar.xz": tar(files, "w:xz")}
    head = b"".join(
        f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
        for name, data in parts.items()
    )
    return b"!<arch>\n" + head


def video(tmp_path, frames: int) -> bytes:
    path = tmp_path / "made.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 448, 448, "yuv420p"
        for index in range(frames):
            shown = np.ascontiguousarray(NOISE[index % 200 : index % 200 + 448, :448])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        container.mux(stream.encode())
    return path.read_bytes()


@pytest.fixture
def downloaded(tmp_path, monkeypatch):
    monkeypatch.setattr(training_data, "COLLAGES", 2)
    monkeypatch.setattr(training_data, "HELD_OUT", 1)
    monkeypatch.setattr(training_data, "CLIPS", {"run": ("run.mp4", 5)})
    folder = tmp_path / "packages"
    folder.mkdir()
    rcc = b"qres" + b"".join(picture(520, 510, "WEBP", seed) for seed in range(3)) + picture(80, 60, "WEBP") + b"RIFF"
    film = video(tmp_path, 40)
    contents = {
        "endless-sky-data_1_all.deb": deb(
            {
                f"./{SKY}/land/rocks.jpg": picture(400, 300, "JPEG"),
                f"./{SKY}/scene/hall.jpg": picture(300, 300, "JPEG", 1),
                f"./{SKY}/ship/hull.png": picture(130, 125, "PNG", 2, alpha=True),
                f"./{SKY}/label/word.png": picture(130, 125, "PNG", 3, alpha=True),
            }
        ),
        "lomiri-wallpapers-16.04_1_all.deb": deb(
            {"./usr/share/backgrounds/bird.jpg": picture(600, 500, "JPEG", 4), "./etc/passwd": b"no picture"}
        ),
        "lomiri-wallpapers-20.04_1_all.deb": deb({"./usr/share/backgrounds/Fossa_by.jpg": picture(400, 400, "JPEG")}),
        "gcompris-qt-data_1_all.deb": deb({"./usr/share/gcompris-qt/rcc/explore_animals.rcc": rcc}),
        "moviepy-1.tar.gz": tar({"moviepy-1/docs/trailer_bbb.mp4": film}, "w:gz"),
        "libopenshot_1.orig.tar.xz": tar({"openshot/examples/run.mp4": film}, "w:xz"),
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return folder


def run(monkeypatch, *words) -> int:
    monkeypatch.setattr("sys.argv", ["studies.training_data", *map(str, words)])
    return main()


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_photographs_collages_videos_and_what_is_held_out(downloaded, tmp_path, monkeypatch):
    out = tmp_path / "out"
    assert run(monkeypatch, out, "--packages", downloaded) == 0
    assert {path.name: len(names(path)) for path in (out / "sources").iterdir()} == {
        "land": 1, "scenes": 1, "wallpapers": 1, "gcompris": 2, "collages": 2, "videos": 2
    }  # fmt: skip
    assert "bird.jpg" in names(out / "sources/wallpapers"), "Fossa is left out"
    (held,) = names(out / "held-out/pictures")
    assert held not in names(out / "sources/gcompris") and len(names(out / "held-out/clips/run")) == 9
    stored = names(out / "data/photos")
    assert {"land-rocks.npy", "wallpapers-bird.npy", "wallpapers-bird~2.npy", "collages-000.npy"} <= set(stored)
    assert [np.load(out / "data/photos" / name).shape[2] for name in stored] == [3] * len(stored)
    assert not any(held.removesuffix(".png") in name for name in stored)
    land = np.asarray(Image.open(out / "sources/land/rocks.jpg"))
    assert np.array_equal(np.load(out / "data/photos/land-rocks.npy"), land)


def test_collages_are_the_same_every_time_and_show_things(downloaded, tmp_path, monkeypatch):
    made = []
    for name in ("one", "two"):
        assert run(monkeypatch, tmp_path / name, "--packages", downloaded) == 0
        made.append(np.asarray(Image.open(tmp_path / name / "sources/collages/001.png")))
    assert made[0].shape == (480, 720, 3) and np.array_equal(*made)
    assert len(training_data.sprites(downloaded / "endless-sky-data_1_all.deb")) == 1, "the label is no thing"


def test_a_missing_package_is_named_before_anything_is_written(downloaded, tmp_path, monkeypatch):
    (downloaded / "moviepy-1.tar.gz").unlink()
    with pytest.raises(UserError, match=r"no moviepy-\*.tar.gz here; --help has the commands"):
        run(monkeypatch, tmp_path / "out", "--packages", downloaded)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["--photos", "--not-in"])
def test_a_folder_that_is_not_there_is_named_before_anything_is_written(downloaded, tmp_path, monkeypatch, option):
    with pytest.raises(UserError, match="nowhere: not there; --photos takes folders"):
        run(monkeypatch, tmp_path / "out", "--packages", downloaded, option, tmp_path / "nowhere")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("data", [b"", b"no package at all", b"!<arch>\nshort", deb({"./a": b"b"})[:250]])
def test_a_damaged_package_is_named(tmp_path, data):
    (tmp_path / "x.deb").write_bytes(data)
    with pytest.raises(ValueError, match="x.deb: no package, or a damaged one"):
        list(packages.members(tmp_path / "x.deb", "*"))


def test_a_folder_of_other_packages_and_a_broken_picture_are_refused(downloaded, tmp_path, monkeypatch):
    out = tmp_path / "out"
    assert run(monkeypatch, out, "--packages", downloaded) == 0
    assert run(monkeypatch, out, "--packages", downloaded) == 0, "the same again makes the same"
    cut = picture(520, 510, "WEBP")[:-4000]
    cut = cut[:4] + (len(cut) - 8).to_bytes(4, "little") + cut[8:]
    (downloaded / "gcompris-qt-data_1_all.deb").write_bytes(deb({"./usr/share/gcompris-qt/rcc/erase.rcc": cut}))
    with pytest.raises(UserError, match=r"settings.json: this folder was made with other settings"):
        run(monkeypatch, out, "--packages", downloaded)
    with pytest.raises(UserError, match=r"a picture of .*erase.rcc cannot be read; download the package again"):
        run(monkeypatch, tmp_path / "other", "--packages", downloaded)


def test_unfinished_files_of_a_killed_call_are_not_used(downloaded, tmp_path, monkeypatch):
    out = tmp_path / "out"
    for name in ("land/.rocks.1-2.jpg", "gcompris/.photo.1-2.png", "videos/.run.1-2.mp4"):
        (out / "sources" / name).parent.mkdir(parents=True)
        (out / "sources" / name).write_bytes(b"torn")
    assert run(monkeypatch, out, "--packages", downloaded) == 0
    assert len(names(out / "sources/collages")) == 2
