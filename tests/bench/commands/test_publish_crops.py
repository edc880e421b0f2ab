"""Crops on the site of results: real frames of two methods, in a real browser."""

import base64
import json
import re
import shutil

import cv2
import numpy as np
import pytest
from skimage import data

from bench.__main__ import main
from frames.images import read_image, write_png
from tests.bench.browser import Opened

PAGE = "crops/mine-4/index.html"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A run of two methods on two clips that kept its frames, published."""
    root, photo = tmp_path_factory.mktemp("crops"), data.astronaut()
    for name, left in (("pan", 180), ("tilt", 300)):
        for index in range(4):
            window = photo[100 + 2 * index : 228 + 2 * index, left : left + 192]
            write_png(root / "gt" / name / f"{index:08d}.png", window)
    words = ["method=bicubic,nearest", "data=folder", "data.name=mine", f"data.gt={root / 'gt'}", "device=cpu"]
    more = ["timing=once", "metrics=[psnr]", "save=frames", "store=null", f"out={root / 'run'}"]
    assert main(["run", *words, *more]) == 0
    assert main(["publish", str(root / "run"), "--to", str(root / "site")]) == 0
    return root


def page_data(file):
    return json.loads(re.search(r'id="data">(.*?)</script>', file.read_text(), re.DOTALL)[1])


def test_the_same_place_of_every_source_is_there_pixel_by_pixel(root):
    content = page_data(root / "site" / PAGE)
    assert content["sources"][0] == "GT" and set(content["sources"]) == {"GT", "bicubic", "nearest"}
    assert [clip["name"] for clip in content["clips"]] == ["pan", "tilt"]
    clip = content["clips"][0]
    assert {frame for frame, _, _ in clip["crops"]} == {0, 2, 3} and len(clip["boxes"]) > 1
    for frame, place, pictures in clip["crops"]:
        x, y, width, height = clip["boxes"][place]
        assert width <= 80 and height <= 80 and x % 4 == y % 4 == 0
        for source, text in pictures.items():
            folder = root / "gt" if source == "GT" else root / "run" / "frames" / source / "mine"
            expected = read_image(folder / "pan" / f"{frame:08d}.png")[y : y + height, x : x + width]
            shown = cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
            np.testing.assert_array_equal(shown, expected)


def test_the_same_frames_give_the_same_bytes_and_the_budget_bounds_them(root, tmp_path):
    assert main(["publish", str(root / "run"), "--to", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again" / PAGE).read_bytes() == (root / "site" / PAGE).read_bytes()
    assert main(["publish", str(root / "run"), "--to", str(tmp_path / "small"), "--budget", "0.15"]) == 0
    small = page_data(tmp_path / "small" / PAGE)
    assert sum(len(p) for clip in small["clips"] for _, _, each in clip["crops"] for p in each.values()) <= 150_000
    assert all(len(clip["crops"]) >= 1 for clip in small["clips"])


def test_without_frames_or_room_there_is_a_line(root, tmp_path):
    shutil.copytree(root / "run", tmp_path / "bare", ignore=shutil.ignore_patterns("frames"))
    for number, words in enumerate(([str(tmp_path / "bare")], [str(root / "run"), "--budget", "0"])):
        site = tmp_path / f"site{number}"
        assert main(["publish", *words, "--to", str(site)]) == 0
        assert "No crops" in (site / "index.html").read_text() and not (site / "crops").exists()


def test_a_site_with_crops_is_replaced(root, tmp_path):
    shutil.copytree(root / "site", tmp_path / "site")
    assert main(["publish", str(root / "run"), "--to", str(tmp_path / "site"), "--budget", "0"]) == 0
    assert not (tmp_path / "site" / PAGE).exists()


def test_damaged_frames_are_not_shown(root, tmp_path):
    """Frames whose digest is not the scored one count as absent."""
    shutil.copytree(root / "run", tmp_path / "run")
    shutil.copy(root / "gt" / "pan" / "00000000.png", tmp_path / "run" / "frames" / "nearest" / "mine" / "pan")
    assert main(["publish", str(tmp_path / "run"), "--to", str(tmp_path / "site")]) == 0
    clips = {clip["name"]: clip for clip in page_data(tmp_path / "site" / PAGE)["clips"]}
    assert all("nearest" not in pictures for _, _, pictures in clips["pan"]["crops"])
    assert all("nearest" in pictures for _, _, pictures in clips["tilt"]["crops"])


@pytest.mark.parametrize("budget", ["-1", "nan", "1e9"])
def test_a_budget_that_cannot_be_is_one_line(root, tmp_path, capsys, budget):
    assert main(["publish", str(root / "run"), "--to", str(tmp_path / "x"), f"--budget={budget}"]) == 3
    assert "--budget" in capsys.readouterr().err


@pytest.mark.parametrize("width", [390, 1280])
def test_the_crops_are_chosen_by_keyboard_at_four_times_their_size(root, chromium, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    shown = Opened(chromium, root / "site" / PAGE, viewport={"width": width, "height": 800})
    page = shown.page
    assert page.locator("#crops figcaption").all_text_contents() == ["GT", "bicubic", "nearest"]
    assert page.locator("#crops img").evaluate_all("all => all.map(each => each.clientWidth)") == [320] * 3
    before = page.locator("#crops img").first.get_attribute("src")
    page.locator("#clip").focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.getElementById('where').textContent.startsWith('tilt, frame 0')")
    assert page.locator("#crops img").first.get_attribute("src") != before
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.getElementById('where').textContent.startsWith('tilt, frame 2')")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    found = axe.Axe().run(page).response["violations"]
    assert [(f["id"], f["nodes"][0]["html"][:200]) for f in found if f["impact"] in ("serious", "critical")] == []
    assert shown.errors == [] and shown.requests == []
    shown.context.close()
