"""Each fault is named, on predictions good and bad; what is merely bad is healthy."""

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from skimage.data import chelsea

from bench.doctor.examine import diagnose, examine
from bench.doctor.excerpt import needed
from bench.doctor.finding import Compensation
from frames.video import read_video


def shifted(frame, dx, dy=0.0):
    matrix = np.float32([[1, 0, dx], [0, 1, dy]])
    size = frame.shape[1::-1]
    return cv2.warpAffine(frame, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)


def resized(frame, how):
    """Quarter size and back: what an interpolating upscaler gives."""
    small = cv2.resize(frame, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, frame.shape[1::-1], interpolation=how)


PREDICTIONS = {
    "bicubic": lambda frame: resized(frame, cv2.INTER_CUBIC),
    "nearest": lambda frame: resized(frame, cv2.INTER_NEAREST),
    "blurred": lambda frame: cv2.GaussianBlur(frame, (0, 0), 3),
    "exact": lambda frame: frame.copy(),
}
LEVELS = np.arange(256.0)


def curve(levels):
    table = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return lambda clip: [table[frame] for frame in clip]


IN_SPACE_OR_COLOUR = {  # name: (what it does to a clip, the kind of the finding)
    "one pixel": (lambda clip: [np.roll(frame, 1, 1) for frame in clip], "shift"),
    "half a pixel": (lambda clip: [shifted(frame, 0.5) for frame in clip], "shift"),
    "1.5 pixels both ways": (lambda clip: [shifted(frame, 1.5, 1.5) for frame in clip], "shift"),
    "BGR": (lambda clip: [frame[..., ::-1].copy() for frame in clip], "channels"),
    "limited range": (curve(16 + LEVELS * 219 / 255), "range"),
    "expanded range": (curve((LEVELS - 16) * 255 / 219), "range"),
    "gamma 2.2 for 1.8": (curve(255 * (LEVELS / 255) ** (2.2 / 1.8)), "gamma"),
    "gamma 1.8 for 2.2": (curve(255 * (LEVELS / 255) ** (1.8 / 2.2)), "gamma"),
}
IN_TIME = {
    "one frame late": (lambda clip: clip[:1] + clip[:-1], "offset"),
    "two frames early": (lambda clip: clip[2:] + clip[-2:], "offset"),
    "backwards": (lambda clip: clip[::-1], "order"),
}


def kinds(sr, gt):
    return [finding.kind for finding in examine(sr, gt)]


def predicted(how, clip):
    return [PREDICTIONS[how](frame) for frame in clip]


@pytest.mark.parametrize("how", PREDICTIONS)
@pytest.mark.parametrize("name", ["bikes", "astronaut", "chelsea"])
def test_a_bad_prediction_without_a_fault_is_healthy(pictures, name, how):
    assert kinds(predicted(how, pictures[name]), pictures[name]) == []


@pytest.mark.parametrize("worse", ["noise", "jpeg", "sharpened", "darker", "grey"])
def test_noise_codec_sharpening_and_brightness_are_no_faults(pictures, worse):
    generator = np.random.default_rng(1)
    damage = {
        "noise": lambda f: np.clip(f + generator.normal(0, 20, f.shape), 0, 255).astype(np.uint8),
        "jpeg": lambda f: cv2.imdecode(cv2.imencode(".jpg", f, [cv2.IMWRITE_JPEG_QUALITY, 15])[1], cv2.IMREAD_COLOR),
        "sharpened": lambda f: cv2.addWeighted(f, 2, cv2.GaussianBlur(f, (0, 0), 2), -1, 0),
        "darker": lambda f: np.clip(f.astype(int) - 8, 0, 255).astype(np.uint8),
        "grey": lambda f: np.repeat(f[..., 1:2], 3, 2),
    }[worse]
    assert kinds([damage(f) for f in pictures["astronaut"]], pictures["astronaut"]) == []


@pytest.mark.parametrize("fault", IN_SPACE_OR_COLOUR)
@pytest.mark.parametrize("how", ["bicubic", "exact"])
def test_faults_in_space_and_colour_are_named(pictures, how, fault):
    do, kind = IN_SPACE_OR_COLOUR[fault]
    assert kinds(do(predicted(how, pictures["astronaut"])), pictures["astronaut"]) == [kind]


@pytest.mark.parametrize("fault", IN_TIME)
@pytest.mark.parametrize("how", ["bicubic", "nearest"])
def test_faults_in_time_are_named(bikes, how, fault):
    do, kind = IN_TIME[fault]
    assert kinds(do(predicted(how, bikes)), bikes) == [kind]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("count", [14, 30, 60])
def test_frames_sorted_by_their_numbers_as_text_are_named_and_put_right(count, first):
    """They were said to run backwards, to be late, or to be shifted by pixels."""
    generator = np.random.default_rng(0)
    scene = cv2.GaussianBlur(generator.integers(0, 256, (128, 128 + 2 * count, 3), dtype=np.uint8), (0, 0), 3)
    scene = cv2.normalize(scene, None, 0, 255, cv2.NORM_MINMAX)
    gt = [np.ascontiguousarray(scene[:, 2 * k : 2 * k + 128]) for k in range(count)]
    sr = [gt[number - first] for number in sorted(range(first, first + count), key=str)]
    diagnosis = diagnose(sr, gt)
    assert [finding.kind for finding in diagnosis.findings] == ["order"]
    assert ("(1, 10, 11" if first else "(0, 1, 10") in diagnosis.findings[0].text
    assert diagnosis.findings[0].after > 90 > diagnosis.findings[0].before


def shuffled(seed):
    """(SR, GT): sixty frames of a pan, SR in an order drawn at random."""
    generator = np.random.default_rng(seed)
    scene = cv2.GaussianBlur(generator.integers(0, 256, (128, 248, 3), dtype=np.uint8), (0, 0), 20)
    scene = cv2.normalize(scene, None, 0, 255, cv2.NORM_MINMAX)
    gt = [np.ascontiguousarray(scene[:, 2 * k : 2 * k + 128]) for k in range(60)]
    return [gt[index] for index in generator.permutation(60)], gt


@pytest.mark.parametrize("seed", [1, 7])
def test_frames_that_fit_an_offset_by_chance_are_said_to_follow_no_rule(seed):
    (finding,) = examine(*shuffled(seed))
    assert finding.kind == "order" and "follows no rule" in finding.text


@pytest.mark.parametrize("seed", range(6))
def test_shuffled_frames_are_not_said_to_run_backwards(seed):
    """A sixth of shuffled clips was said to run backwards, since frames fit the mirrored ones better by chance."""
    found = examine(*shuffled(seed))
    assert not any(words in finding.text for finding in found for words in ("backwards", "as text"))


DISORDER = {
    "one is missing": (lambda clip: clip[:5] + clip[6:], "missing, repeated or swapped"),
    "one is repeated": (lambda clip: clip[:6] + clip[5:-1], "missing, repeated or swapped"),
    "neighbours are swapped": (lambda clip: [clip[i ^ 1] for i in range(len(clip))], "missing, repeated or swapped"),
    "one throughout": (lambda clip: clip[:1] * len(clip), "SR shows one frame throughout"),
}


@pytest.mark.parametrize("fault", DISORDER)
@pytest.mark.parametrize("how", ["bicubic", "nearest"])
def test_frames_out_of_order_are_named_and_not_taken_for_a_shift(bikes, how, fault):
    do, words = DISORDER[fault]
    found = [finding for finding in examine(do(predicted(how, bikes)), bikes) if finding.kind != "count"]
    assert [finding.kind for finding in found] == ["order"] and words in found[0].text
    assert found[0].evidence == f"PSNR {found[0].before:.2f} dB, which nothing compensates"


def test_one_frame_throughout_is_no_fault_where_gt_is_still(bikes):
    assert kinds(predicted("bicubic", bikes[:1] * 6), bikes[:1] * 6) == []


def test_one_frame_throughout_is_no_fault_of_frames_of_few_pixels(bikes):
    gt = [np.ascontiguousarray(frame[100:108, 200:208]) for frame in bikes]
    assert kinds([np.full_like(gt[0], 9) + gt[0] // 9] * len(gt), gt) == []


def test_an_offset_is_given_in_frames_and_undone(bikes):
    diagnosis = diagnose(bikes[2:] + bikes[-2:], bikes)
    assert diagnosis.compensation.offset == 2 and "2 frames early" in diagnosis.findings[0].text
    assert diagnosis.findings[0].after > 90 > diagnosis.findings[0].before


def test_a_whole_pixel_shift_is_undone_exactly(pictures):
    diagnosis = diagnose([np.roll(f, (1, -2), (0, 1)) for f in pictures["chelsea"]], pictures["chelsea"])
    assert (diagnosis.compensation.warp.dy, diagnosis.compensation.warp.dx) == (1, -2)
    assert "2 px to the left and 1 px down" in diagnosis.findings[0].text and diagnosis.findings[0].after == 100


def test_a_small_shift_is_told_only_where_undoing_it_is_worth_something():
    gt = chelsea()[:256, :384]
    for displacement, found in ((0.16, []), (0.3, ["shift"])):
        blurred = cv2.GaussianBlur(shifted(gt, displacement), (0, 0), 2.5)
        assert kinds([blurred], [gt]) == found, "0.01 dB, within what blur and noise do to the estimate"
    assert kinds([cv2.GaussianBlur(shifted(gt, 0.2), (0, 0), 1.5)], [gt]) == ["shift"], "0.06 dB"


def test_align_corners_is_a_zoom(pictures):
    (gt,) = pictures["astronaut"]
    small = torch.from_numpy(cv2.resize(gt, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)).permute(2, 0, 1)
    large = F.interpolate(small[None].float(), gt.shape[:2], mode="bicubic", align_corners=True)
    sr = large.clamp(0, 255).round().byte()[0].permute(1, 2, 0).contiguous().numpy()
    (finding,) = examine([sr], [gt])
    assert finding.kind == "zoom" and "align_corners" in finding.text and finding.after > finding.before


@pytest.mark.parametrize("part", [np.s_[:], np.s_[:136]])
def test_align_corners_zooms_along_both_axes_where_blocks_tell_of_one(asset, part):
    """The other axis was said to be zoomed by 0.00 px, and stayed so in the compensation."""
    gt = [np.ascontiguousarray(frame[part]) for frame in read_video(asset("sample/bikes.mp4"), 0, 12)]
    height, width = gt[0].shape[:2]
    matrix = np.float32([[(width - 1) / (width // 4 - 1), 0, 0], [0, (height - 1) / (height // 4 - 1), 0]])
    small = [cv2.resize(frame, (width // 4, height // 4), interpolation=cv2.INTER_AREA) for frame in gt]
    sr = [cv2.warpAffine(each, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=1) for each in small]
    warp = diagnose(sr, gt).compensation.warp
    assert 0.7 < warp.zx * width / 2 < 2.2 and 0.7 < warp.zy * height / 2 < 2.2


def test_faults_together_are_all_found_and_undone(bikes):
    wrong = [np.roll(frame[..., ::-1], 1, 1) for frame in bikes[1:]]
    diagnosis = diagnose(wrong, bikes)
    assert [f.kind for f in diagnosis.findings] == ["count", "offset", "shift", "channels"]
    comp = diagnosis.compensation
    inner = slice(comp.margin, -comp.margin)
    assert np.array_equal(comp.sr(wrong[3])[inner, inner], bikes[4][inner, inner])


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda f: f[:256, :640], "cropped at the bottom and right, as if to a multiple of 128"),
        (lambda f: f[8:-8, 16:-16], "cropped around the centre"),
        (lambda f: cv2.copyMakeBorder(f, 0, 16, 0, 0, cv2.BORDER_REFLECT), "padded at the bottom and right"),
        (lambda f: f.transpose(1, 0, 2), "transposed"),
        (lambda f: np.rot90(f), "turned counter-clockwise"),
        (lambda f: cv2.resize(f, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), "4 times smaller"),
    ],
)
def test_unlike_sizes_have_a_cause(bikes, make, words):
    finding = examine([np.ascontiguousarray(make(frame)) for frame in bikes], bikes)[0]
    assert finding.kind == "size" and finding.before is None and finding.after > 20
    assert words.split(", as if")[0] in finding.text


def test_a_count_of_8k_plus_1_is_recognised(bikes):
    (finding,) = examine(bikes[:9], bikes)
    assert finding.kind == "count" and "8k+1" in finding.text


def test_the_frames_that_are_needed_suffice(bikes):
    late = bikes[:1] + bikes[:-1]
    sr, gt = needed(len(late), len(bikes))
    some = examine({i: late[i] for i in sr}, {i: bikes[i] for i in gt}, (len(late), len(bikes)))
    assert some == examine(late, bikes)


def test_flat_and_tiny_frames_are_no_trouble():
    for shape in ((64, 64, 3), (12, 12, 3)):
        frame = np.full(shape, 128, np.uint8)
        assert examine([frame] * 4, [frame] * 4) == []
    assert diagnose([frame], [frame]).compensation == Compensation()


def test_frames_equal_to_gt_are_in_their_place_whatever_their_pattern():
    y, x = np.mgrid[:128, :192] / 5
    frame = (127 + 100 * np.stack([np.sin(x), np.cos(y), np.sin(x + y)], -1)).astype(np.uint8)  # green: rows alone
    assert examine([frame] * 2, [frame] * 2) == []


@pytest.mark.filterwarnings("error")
def test_an_offset_of_small_frames_is_told_without_a_warning(bikes):
    gt = [np.ascontiguousarray(frame[100:116, 200:300]) for frame in bikes]
    assert kinds(gt[:1] + gt[:-1], gt) == ["offset"]


@pytest.mark.parametrize("how", ["bicubic", "blurred"])
@pytest.mark.parametrize(
    "make, words",
    [
        (lambda f: f[:, ::-1], "SR is mirrored left to right"),
        (lambda f: f[::-1], "SR is mirrored top to bottom"),
        (lambda f: f[::-1, ::-1], "SR is turned by 180 degrees"),
        (lambda f: np.rot90(f), "SR is turned counter-clockwise"),
        (lambda f: f.transpose(1, 0, 2), "SR is transposed"),
    ],
)
def test_turned_frames_of_the_same_size_are_named_and_turned_back(pictures, how, make, words):
    gt = np.ascontiguousarray(pictures["astronaut"][0][:256, :256])
    (finding,) = examine([np.ascontiguousarray(make(PREDICTIONS[how](gt)))], [gt])
    assert (finding.kind, finding.text) == ("turn", words) and finding.after > finding.before + 5


@pytest.mark.parametrize(
    "make",
    [
        lambda f: np.full_like(f, 128),
        lambda f: (f / 255).astype(np.uint8),
        lambda f: f // 64,
        lambda f: f // 16,
    ],
)
def test_frames_of_next_to_one_level_are_named(pictures, make):
    (finding,) = examine([make(frame) for frame in pictures["chelsea"]], pictures["chelsea"])
    assert finding.kind == "range" and finding.text.startswith("SR is next to blank")


def test_nothing_to_examine_is_an_error():
    with pytest.raises(ValueError, match="nothing to examine"):
        examine([], [])


def test_frames_of_a_few_pixels_and_of_another_shape_have_a_finding():
    sr, gt = [np.zeros((3, 9, 3), np.uint8)], [np.zeros((8, 4, 3), np.uint8)]
    assert "SR is 9x3, GT 4x8" in examine(sr, gt)[0].text
