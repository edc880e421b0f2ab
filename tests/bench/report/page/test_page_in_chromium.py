"""The page as a reader uses it, in a real browser."""

import base64

import numpy as np
import pytest

from bench.metrics.places import finder
from bench.report.page import render
from bench.report.page.choose import PictureBudget
from frames.images import read_image
from tests.bench.made_up import make

PHONE = {"width": 375, "height": 740}


def texts(page, selector):
    return page.locator(selector).all_inner_texts()


def transforms(page):
    return page.eval_on_selector_all("#stage canvas", "all => all.map(each => each.style.transform)")


def pixels(page, index):
    """uint8 (H, W, 3) of a canvas on the stage (base64: lists of numbers are slow on the way)."""
    width, height, data = page.evaluate(
        """index => {
            const canvas = document.querySelectorAll("#stage canvas")[index];
            const image = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const text = Array.from(image.data, (byte) => String.fromCharCode(byte)).join("");
            return [image.width, image.height, btoa(text)];
        }""",
        index,
    )
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)[..., :3]


@pytest.mark.parametrize("options", [{}, {"viewport": PHONE, "has_touch": True}, {"color_scheme": "dark"}])
def test_it_opens_without_errors_requests_or_horizontal_scrolling(made, opened, options):
    shown = opened(made.page, **options)
    shown.drawn("pan/0")
    page = shown.page
    page.evaluate("document.getElementById('worst').scrollIntoView()")
    page.wait_for_selector("#atlas canvas")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert page.locator("#filter").is_visible() and page.locator("#stage").is_visible()
    assert shown.errors == [] and shown.requests == []


@pytest.mark.parametrize("options", [{}, {"viewport": PHONE, "color_scheme": "dark"}])
def test_the_accessibility_check_has_no_serious_findings(made, opened, options):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    shown = opened(made.page, **options)
    shown.drawn("pan/0")
    page = shown.page
    page.click("#summary summary")
    if "viewport" in options:
        page.click("#mode-side")
    page.evaluate("document.getElementById('worst').scrollIntoView()")
    page.wait_for_selector("#atlas canvas")
    found = axe.Axe().run(page).response["violations"]
    assert [(f["id"], f["nodes"][0]["html"][:200]) for f in found if f["impact"] in ("serious", "critical")] == []


def test_a_long_name_leaves_room_for_the_figures_on_a_phone(opened, tmp_path):
    name = "a_very_long_name_of_a_method_that_someone_gave_after_an_experiment_2026-11-30"
    text, _ = render([make(name, clip, [30.0, 31.0], [1.0]) for clip in "ab"], [], {}, PictureBudget(0), finder)
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    page = opened(tmp_path / "page.html", viewport=PHONE).page
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert page.locator("#summary tbody th").first.bounding_box()["width"] < PHONE["width"] / 2


def test_typing_in_the_filter_hides_rows_and_says_how_many_fit(made, opened):
    page = opened(made.page).page
    page.get_by_label("Filter").press_sequentially("near")
    assert texts(page, "#summary table >> nth=0 >> tbody tr:visible >> th") == ["nearest"]
    assert page.locator("#filtered").inner_text() == "3 of 6 rows fit."
    page.get_by_label("Filter").fill("near still")
    assert page.locator("#filtered").inner_text() == "1 of 6 rows fit."
    assert page.locator("#summary .none").first.is_visible()


def test_a_click_on_a_head_sorts_best_first_then_the_other_way(made, opened):
    page = opened(made.page).page
    head = page.locator("#summary table").first.locator("th", has_text="PSNR")
    names = "#summary table >> nth=0 >> tbody th"
    head.get_by_role("button").click()
    assert texts(page, names) == ["bicubic", "nearest"] and head.get_attribute("aria-sort") == "descending"
    head.get_by_role("button").press("Enter")
    assert texts(page, names) == ["nearest", "bicubic"] and head.get_attribute("aria-sort") == "ascending"


def test_the_divider_follows_pointer_and_keys(made, opened):
    shown = opened(made.page)
    shown.drawn("pan/0")
    page = shown.page
    page.locator("#stage").scroll_into_view_if_needed()
    box = page.locator("#stage .pane").first.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, middle, steps=3)
    page.mouse.up()
    assert page.locator("#divider").input_value() == "250"
    assert page.evaluate("document.querySelector('.layer').style.clipPath").startswith("inset(0px calc(75%")
    page.locator("#divider").press("ArrowRight")
    assert page.locator("#divider").input_value() == "251"
    page.locator("#stage").press(".")
    assert page.locator("#divider").input_value() == "301"


def test_keys_change_frame_clip_and_layer_and_the_curve_follows(made, opened):
    shown = opened(made.page)
    shown.drawn("pan/0")
    page = shown.page
    before = page.locator("#scores").inner_text()
    page.locator("#stage").press("ArrowRight")
    shown.drawn("pan/1")
    assert page.locator("#frame-text").inner_text().startswith("frame 1")
    assert page.locator("#scores").inner_text() != before
    page.locator("#stage").press("5")
    assert page.locator("#right").input_value() == "gt"
    page.locator("#stage").press("]")
    shown.drawn("still/0")
    assert page.locator("#clip").input_value() == "1" and "still" in page.locator("#frame-text").inner_text()


def test_a_click_on_the_curve_opens_that_frame(made, opened):
    shown = opened(made.page)
    shown.drawn("pan/0")
    shown.page.locator("#curve circle").nth(3).click()
    shown.drawn("pan/3")


def test_zoom_and_place_are_the_same_in_all_pictures(made, opened):
    shown = opened(made.page)
    shown.drawn("pan/0")
    page = shown.page
    page.click("#mode-side")
    before = transforms(page)
    assert len(before) == 5 and len(set(before)) == 1
    page.locator("#stage").press("+")
    page.locator("#stage").press("Shift+ArrowRight")
    after = transforms(page)
    assert len(set(after)) == 1 and after != before
    page.click("#mode-slider")
    assert len(set(transforms(page))) == 1 and "scale(" in transforms(page)[0]


def test_the_pictures_are_the_scored_pixels(made, opened):
    shown = opened(made.page)
    shown.drawn("pan/0")
    page = shown.page
    page.locator("#right").select_option("gt")
    page.locator("#left").select_option("sr:bicubic")
    page.locator("#stage").press("ArrowRight")
    shown.drawn("pan/1")
    truth = read_image(made.gt / "pan" / "00000001.png")
    np.testing.assert_array_equal(pixels(page, 0), truth)
    bicubic = pixels(page, 1)
    page.locator("#left").select_option("lr:cubic")
    shown.drawn("pan/1")
    assert np.abs(pixels(page, 1).astype(int) - bicubic).max() <= 1  # the page's own cubic is the method's
    page.locator("#right").select_option("diff:sr:bicubic")
    shown.drawn("pan/1")
    expected = np.minimum(255, 4 * np.abs(bicubic.astype(int) - truth))
    np.testing.assert_array_equal(pixels(page, 0), expected)


def test_a_card_of_the_worst_frames_opens_it_in_the_viewer(made, opened):
    shown = opened(made.page)
    page = shown.page
    page.evaluate("document.getElementById('worst').scrollIntoView()")
    card = page.locator("#atlas button").first
    assert "nearest" in card.inner_text()
    page.locator("#worst-method").select_option(label="bicubic")
    assert all("bicubic" in text for text in texts(page, "#atlas button"))
    card = page.locator("#atlas button", has_text="pan").first
    frame = card.inner_text().split("frame ")[1].split()[0]
    card.click()
    shown.drawn(f"pan/{frame}")
    assert page.locator("#left").input_value() == "sr:bicubic"
    assert page.evaluate("document.activeElement.id") == "stage"


def test_the_theme_button_goes_round(made, opened):
    page = opened(made.page, color_scheme="light").page
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.click("#theme")
    page.click("#theme")
    assert page.evaluate(ground) != light and "dark" in page.locator("#theme").inner_text()
