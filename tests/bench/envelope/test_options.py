"""The words of an envelope: bytes, sizes, axes, and what means nothing here."""

import pytest

from bench.envelope.options import SearchOptions, machine_memory, split
from frames.errors import UserError


def test_an_envelopes_own_words_are_taken_out():
    words = ["method=bicubic", "memory=8GB", "axes=clip", "size=640x360", "frames=9", "budget_s=60", "trial_s=2.5"]
    rest, options = split(words)
    assert rest == ["method=bicubic"]
    assert options == SearchOptions(8 * 10**9, ("clip",), (640, 360), 9, 60.0, 2.5)


@pytest.mark.parametrize("text, number", [("8GB", 8 * 10**9), ("1.5gib", 3 << 29), ("500 MB", 5 * 10**8)])
def test_bytes_have_a_unit(text, number):
    assert split([f"memory={text}"])[1].memory == number


@pytest.mark.parametrize(
    "word, said",
    [
        ("memory=8", "with its unit"),
        ("memory=8KB", "with its unit"),
        ("memory=1MB", "torch alone takes more"),
        ("axes=frames", "did you mean 'frame'?"),
        ("size=320", "WIDTHxHEIGHT"),
        ("size=0x180", "WIDTHxHEIGHT"),
        ("frames=1.5", "write a whole number above 0"),
        ("frames=0", "write a whole number above 0"),
        ("budget_s=-1", "write a number above 0"),
        ("trial_s=0", "write a number above 0"),
        ("data=vid4", "makes its own frames"),
        ("data.root=x", "makes its own frames"),
        ("metrics=[psnr]", "scores nothing"),
        ("store=null", "its own folder"),
    ],
)
def test_what_cannot_be_is_one_line(word, said):
    with pytest.raises(UserError, match=said.replace("?", r"\?")) as error:
        split([word])
    assert str(error.value).startswith(word.partition("=")[0]) and "\n" not in str(error.value)


def test_a_gpu_is_limited_only_on_demand_and_a_processor_always():
    assert SearchOptions().limit("cuda:1") is None and SearchOptions(memory=5).limit("cuda") == 5
    assert SearchOptions().limit("cpu") == machine_memory() // 2
