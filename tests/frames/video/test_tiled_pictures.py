"""Photographs that are stored in tiles, as telephones write HEIC."""

import io
from pathlib import Path
from struct import pack

import numpy as np
import pytest
from PIL import Image

from frames.video import video_info

WIDTH, HEIGHT = 64, 48  # of a tile


def box(kind: bytes, *parts: bytes, version: int | None = None, flags: int = 0) -> bytes:
    """A box of ISO/IEC 14496-12, a full one where it has a version."""
    content = (b"" if version is None else pack(">I", version << 24 | flags)) + b"".join(parts)
    return pack(">I", 8 + len(content)) + kind + content


def item(number: int, kind: bytes, flags: int = 0) -> bytes:
    return box(b"infe", pack(">HH4sB", number, 0, kind, 0), version=2, flags=flags)


def inside(data: bytes, kind: bytes) -> bytes:
    """The content of the first box of a kind."""
    at = data.index(kind)
    return data[at + 4 : at - 4 + int.from_bytes(data[at - 4 : at])]


def write_tiled(path: Path) -> None:
    """Write an AVIF (ISO/IEC 23008-12) of two tiles, one beside the other."""
    file = io.BytesIO()
    Image.fromarray(np.full((HEIGHT, WIDTH, 3), 120, np.uint8)).save(file, "AVIF")
    tile = inside(file.getvalue(), b"mdat")
    sizes = [box(b"ispe", pack(">II", width, HEIGHT), version=0) for width in (WIDTH, 2 * WIDTH)]
    properties = box(b"ipco", sizes[0], box(b"av1C", inside(file.getvalue(), b"av1C")), sizes[1])
    used = b"".join(pack(">HBBB", number, 2, 1, 0x82) for number in (1, 2)) + pack(">HBB", 3, 1, 3)

    def meta(at: int) -> bytes:
        places = b"".join(pack(">HHHHII", number, 0, 0, 1, at, len(tile)) for number in (1, 2))
        grid = pack(">HHHHII", 3, 1, 0, 1, 0, 8)  # in idat
        return box(
            b"meta",
            box(b"hdlr", pack(">I4s", 0, b"pict"), bytes(13), version=0),
            box(b"pitm", pack(">H", 3), version=0),
            box(b"iloc", pack(">BBH", 0x44, 0, 3), places, grid, version=1),
            box(b"iinf", pack(">H", 3), item(1, b"av01", 1), item(2, b"av01", 1), item(3, b"grid"), version=0),
            box(b"iref", box(b"dimg", pack(">HHHH", 3, 2, 1, 2)), version=0),
            box(b"iprp", properties, box(b"ipma", pack(">I", 3), used, version=0)),
            box(b"idat", pack(">BBBBHH", 0, 0, 0, 1, 2 * WIDTH, HEIGHT)),
            version=0,
        )

    head = box(b"ftyp", b"avif", bytes(4), b"avifmif1")
    path.write_bytes(head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", tile))


def test_a_photograph_in_tiles_is_not_taken_for_its_first_tile(tmp_path):
    path = tmp_path / "photo.avif"
    write_tiled(path)
    with Image.open(path) as image:
        assert image.size == (2 * WIDTH, HEIGHT)
    with pytest.raises(ValueError, match="photo.avif: a photograph in tiles .* convert it to PNG first"):
        video_info(path)
