"""The worst places of a page: found where the fault was put, pixel by pixel, within the budget."""

import cv2
import numpy as np
import pytest

from bench.metrics.checkerboard import Checkerboard
from bench.metrics.flicker import Flicker
from bench.metrics.places import finder
from bench.report.page import album, places, render
from bench.report.page.choose import PictureBudget
from bench.report.page.material import Material
from bench.store.record import Score
from tests.bench.made_up import make

SIZE, FRAMES, BAD = (150, 202), 5, 3
FAULT = (120, 70, 72, 72)  # (x, y, width, height)


@pytest.fixture(scope="module")
def still(photo) -> list[np.ndarray]:
    """A still clip of odd size: uint8 (150, 202, 3), five times."""
    noise = np.random.default_rng(0).normal(0, 3, (*SIZE, 1))
    frame = np.clip(photo[150:300, 150:352] + noise, 0, 255).astype(np.uint8)
    return [frame] * FRAMES


def spoilt(frames, what):
    """The clip with a lattice, or a step of brightness, in one place of one frame."""
    x, y, width, height = FAULT
    bad = frames[BAD].astype(int)
    step = 4 if what == "lattice" else 1
    bad[y : y + height : step, x : x + width : step] += 30
    return [np.clip(bad, 0, 255).astype(np.uint8) if index == BAD else frame for index, frame in enumerate(frames)]


def scored(metric, values):
    return Score(
        title=metric.kind.title, unit="", better="nearer", digits=2, signature=metric.signature, short="", best=1.0,
        values=values, indices=list(range(len(values))), window=metric.kind.window,
    )  # fmt: skip


def record(method, sr, gt):
    """A record whose scores are those of the metrics."""
    scores = {"checkerboard": scored(Checkerboard(4), [Checkerboard(4).score(frame) for frame in sr])}
    if len(sr) > 1:
        flicker = Flicker().begin()
        for pair in zip(sr, gt):
            flicker.add(*pair)
        scores["flicker"] = scored(Flicker(), flicker.values())
    return make(method, "a", [20.0] * len(sr), [1.0], size=(SIZE[0] // 4, SIZE[1] // 4), scores=scores)


def material(**sources) -> Material:
    return Material("set", "a", FRAMES, 4, SIZE, {name: lambda f=frames: iter(f) for name, frames in sources.items()})


def decoded(picture: bytes) -> np.ndarray:
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


@pytest.mark.parametrize("what, metric", [("lattice", Checkerboard(4)), ("step", Flicker())])
def test_the_worst_place_is_where_the_fault_was_put(still, what, metric):
    sr = spoilt(still, what)
    found = places.find_all([material(**{"sr:m": sr, "gt": still})], [record("m", sr, still)], finder, 1e6)
    text = finder(metric.signature, metric.kind.window)[0]
    worst_frame, place = next((worst_frame, place) for worst_frame, place in found.items() if worst_frame.text == text)
    assert worst_frame.frame in ((BAD,) if what == "lattice" else (BAD - 1, BAD))
    x, y, width, height = place.box
    assert (width, height) == (64, 64)
    assert abs(x + 32 - FAULT[0] - FAULT[2] / 2) <= 32 and abs(y + 32 - FAULT[1] - FAULT[3] / 2) <= 32
    for frames, crop, row in zip((sr, still), place.crops, place.slices, strict=True):
        np.testing.assert_array_equal(decoded(crop), frames[worst_frame.frame][y : y + 64, x : x + 64])
        np.testing.assert_array_equal(decoded(row), np.stack([frame[y + 32, x : x + 64] for frame in frames]))


def test_without_gt_the_method_is_shown_alone_and_a_still_has_no_slice(still):
    sr = spoilt(still, "lattice")[BAD : BAD + 1]
    alone = Material("set", "a", 1, 4, SIZE, {"sr:m": lambda: iter(sr)})
    found = places.find_all([alone], [record("m", sr, still[:1])], finder, 1e6)
    assert [len(place.crops) for place in found.values()] == [1]
    assert [place.slices for place in found.values()] == [[]]


def test_slices_of_long_clips_show_the_frames_around_the_worst(still):
    assert [places._place(Material("set", "a", 200, 4, SIZE), frame, (0, 0)).first for frame in (0, 100, 199)] == [
        0, 68, 136,
    ]  # fmt: skip
    assert places._place(material(), 4, (0, 0)).first == 0


def test_frames_smaller_than_a_crop_are_shown_whole():
    small = Material("set", "a", 1, 4, (40, 30))
    assert places._place(small, 0, (3, 3)).box == (0, 0, 30, 40)


def test_places_keep_to_their_share_and_the_worst_get_room_first(still):
    sr = spoilt(still, "lattice")
    sources, records = {"sr:m": sr, "gt": still}, [record("m", sr, still)]
    everything = places.find_all([material(**sources)], records, finder, 1e9)
    assert len(everything) == 4  # two frames by each metric
    room = sum(place.size for place in everything.values()) - 1
    some = places.find_all([material(**sources)], records, finder, room)
    assert list(some) == list(everything)[: len(some)] and 0 < len(some) < 4
    assert sum(place.size for place in some.values()) <= room
    made = album.build([material(**sources)], records, PictureBudget(400_000), finder)
    assert len(made.places) > 0 and sum(map(len, made.pictures)) <= 400_000
    assert places.find_all([material(**sources)], records, finder, 0) == {}


def test_frames_that_vanish_have_no_place_and_the_reason_is_told(still):
    reads = []

    def read():
        reads.append(1)
        yield still[0]
        if len(reads) > 1:
            raise FileNotFoundError(2, "No such file or directory", "00000001.png")
        yield from still[1:]

    gone = Material("set", "a", FRAMES, 4, SIZE, {"gt": lambda: iter(still), "sr:m": read})
    made = album.build([gone], [record("m", still, still)], PictureBudget(1_000_000), finder)
    assert made.places == [] and "00000001.png" in made.clips[0]["absent"]["sr:m"]


def spectrum(frame) -> np.ndarray:
    """Decibels above the noise of rounding, under a Hann window, frequency 0 in the middle."""
    window = np.outer(*[np.hanning(side + 1)[:-1] for side in frame.shape[:2]])
    luma = frame @ np.array([0.299, 0.587, 0.114])
    power = np.abs(np.fft.fft2((luma - np.average(luma, weights=window)) * window)) ** 2
    return np.fft.fftshift(10 * np.log10(power / (np.square(window).sum() / 12) + 1))


def grey(page, selector) -> np.ndarray:
    """The first channel of a square canvas, (64, 64)."""
    read = "c => [...c.getContext('2d').getImageData(0, 0, 64, 64).data].filter((_, i) => i % 4 === 0)"
    return np.array(page.eval_on_selector(selector, read), np.uint8).reshape(64, 64)


def test_a_card_shows_crop_spectrum_and_slice_of_sr_beside_gt(still, opened, tmp_path):
    sr = spoilt(still, "lattice")
    records, budget = [record("m", sr, still)], PictureBudget(1_000_000)
    text, _ = render(records, [material(**{"sr:m": sr, "gt": still})], {}, budget, finder)
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    shown = opened(tmp_path / "page.html", viewport={"width": 375, "height": 740})
    page = shown.page
    page.locator("#worst").scroll_into_view_if_needed()
    page.wait_for_selector("#atlas article:first-child .views")
    found = places.find_all([material(**{"sr:m": sr, "gt": still})], records, finder, 1e6)
    x, y, width, height = next(iter(found.values())).box
    powers = [spectrum(frames[BAD][y : y + height, x : x + width]) for frames in (sr, still)]
    most = max(map(np.max, powers))
    for index, expected in enumerate(powers):
        canvas = grey(page, f"#atlas article:first-child .spectrum >> nth={index} >> canvas")
        assert np.abs(canvas - 255 * expected / most).max() < 1.5
    labels = page.eval_on_selector_all("#atlas article:first-child canvas", "all => all.map(c => c.ariaLabel)")
    assert [label.split(",")[0].split(":")[0] for label in labels] == [
        "m", "truth (GT)", "Spectrum of m", "Spectrum of truth (GT)", "x–t slice of m", "x–t slice of truth (GT)",
    ]  # fmt: skip
    assert f"64 by 64 pixels at {x}, {y} of a" in labels[0]
    ticks = page.locator("#atlas article:first-child .ticks.below").first.all_inner_texts()[0].split()
    assert ticks == ["−1/2", "−1/4", "0", "1/4", "1/2"]
    assert "farthest from GT's own" in page.locator("#worst-place").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert shown.errors == [] and shown.requests == []
