"""The description of an upscaler as data that code acts on."""

import subprocess
import sys

import pytest

from bench.methods.contract import Descriptor, FrameRule, SizeRule


def descriptor(**changes):
    return Descriptor(
        **{"name": "m", "scale": 4, "kind": "image", "device": "cpu", "dtype": "float32", "licence": "", "weights": ""}
        | changes
    )


@pytest.mark.parametrize(
    "rule, side, fitted",
    [
        (SizeRule(), 1, 1),
        (SizeRule(multiple_of=8, padding="repeat"), 1, 8),
        (SizeRule(multiple_of=8, padding="repeat"), 16, 16),
        (SizeRule(multiple_of=8, padding="reflect"), 17, 24),
        (SizeRule(minimum=20, multiple_of=8, padding="reflect"), 3, 24),
        (SizeRule(minimum=64), 64, 64),
        (SizeRule(multiple_of=8), 24, 24),
    ],
)
def test_a_size_is_brought_to_the_next_one_that_fits(rule, side, fitted):
    assert rule.fitted(side) == fitted


@pytest.mark.parametrize("frames, fitted", [(1, 1), (2, 9), (9, 9), (10, 17), (17, 17)])
def test_lengths_of_8k_plus_1(frames, fitted):
    assert FrameRule(multiple_of=8, plus=1, padding="repeat").fitted(frames) == fitted


def test_lengths_have_a_minimum():
    assert FrameRule(minimum=5, padding="repeat").fitted(2) == 5
    assert FrameRule(minimum=10, multiple_of=8, plus=1, padding="repeat").fitted(2) == 17


def test_a_clip_that_does_not_fit_is_refused_with_the_rule():
    picky = descriptor(size_rule=SizeRule(minimum=16, multiple_of=8), frame_rule=FrameRule(minimum=3))
    picky.check_fits(3, (16, 24))
    with pytest.raises(ValueError, match=r"m does not take an LR side of 20 px \(at least 16 px, multiple of 8\)"):
        picky.check_fits(3, (16, 20))
    with pytest.raises(ValueError, match=r"a clip of 1 frame \(at least 3 frames\)"):
        picky.check_fits(1, (16, 24))


@pytest.mark.parametrize(
    "rule, text",
    [
        (SizeRule(), "any"),
        (SizeRule(note="seen whole"), "any; seen whole"),
        (
            SizeRule(multiple_of=8, padding="repeat", note="more"),
            "multiple of 8, padded by repeating the edge and cropped back; more",
        ),
        (SizeRule(multiple_of=4, padding="reflect"), "multiple of 4, padded by reflection and cropped back"),
        (
            FrameRule(multiple_of=8, plus=1, padding="repeat"),
            "8k+1, padded by repeating the last frame and cut back",
        ),
    ],
)
def test_rules_as_a_record_keeps_them(rule, text):
    assert str(rule) == text
    rules = {"size_rule" if isinstance(rule, SizeRule) else "frame_rule": rule}
    assert text in descriptor(**rules).to_json().values()


@pytest.mark.parametrize(
    "change, says",
    [
        ({"kind": "vidoe"}, "kind 'vidoe'; did you mean 'video'"),
        ({"device": "its own"}, "write cpu, cuda, cuda:N, or elsewhere"),
        ({"device": ""}, "write cpu"),
        ({"scale": 0}, "scale 0: at least 1"),
    ],
)
def test_what_is_no_kind_device_or_scale_is_refused(change, says):
    with pytest.raises(ValueError, match=says):
        descriptor(**change)


def test_the_contract_is_imported_without_torch():
    code = "import sys, bench.methods.contract; sys.exit(bool({'torch', 'numpy'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
