import av
import numpy as np
import pytest

from frames.codecs import CODECS, FEW_FRAMES, PARAMETERS, Encoding


def chosen(suffix, given_bits=8, codec=None, quality=None, preset=None, bits=None):
    return Encoding.chosen(suffix, given_bits, codec, quality, preset, bits)


def test_what_is_not_chosen_suits_the_container_and_the_input():
    assert chosen(".mp4") == Encoding("h264", bits=8)
    assert chosen(".mkv", given_bits=10) == Encoding("hevc", bits=10)
    assert chosen(".mp4", given_bits=12) == Encoding("hevc", bits=10)
    assert chosen(".mp4", bits=10) == Encoding("hevc", bits=10)
    assert chosen(".mov", given_bits=10, bits=8) == Encoding("h264", bits=8)
    assert chosen(".mp4", given_bits=10, codec="h264").bits == 8
    assert chosen(".mov", codec="prores").bits == 10
    assert [chosen(".mkv", given, codec="ffv1").bits for given in (8, 10, 12)] == [8, 10, 16]


@pytest.mark.parametrize(
    "suffix, options, complaint",
    [
        (".mp4", {"codec": "ffv1"}, "FFV1 is not written into .mp4; give a name in .mkv"),
        (".mov", {"codec": "av1"}, "AV1 is not written into .mov; give a name in .mp4, .mkv"),
        (".mp4", {"codec": "hevc", "bits": 16}, "HEVC is written with 8 or 10 bits a sample, not 16"),
        (".mov", {"codec": "prores", "bits": 8}, "ProRes is written with 10 bits a sample, not 8"),
        (".mp4", {"quality": 52}, "H.264 has qualities from 0 .best. to 51, not 52"),
        (".mov", {"codec": "prores", "quality": 5}, "its profiles are --preset proxy, lt, standard, hq"),
        (".mkv", {"codec": "ffv1", "quality": 5}, "FFV1 has no choice of quality: it loses nothing"),
        (".mkv", {"codec": "ffv1", "preset": "slow"}, "FFV1 has no presets"),
        (".mkv", {"codec": "av1", "preset": "slow"}, "AV1 has no preset 'slow'; give one of 0, 1"),
    ],
)
def test_choices_that_do_not_go_together_are_one_line(suffix, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        chosen(suffix, **options)


@pytest.mark.parametrize("codec", CODECS)
def test_sizes_that_a_codec_does_not_take_are_said(codec):
    encoding = Encoding(codec, bits=max(CODECS[codec].formats))
    assert encoding.size_complaint(96, 128) is None
    assert "more than" in encoding.size_complaint(96, 40000)
    odd = encoding.size_complaint(97, 129)
    assert (odd is None) == (codec in ("h264", "hevc", "ffv1"))
    assert encoding.settings(96, 128).pixel_format.startswith(("yuv42", "gbrp"))


def test_sizes_that_an_encoder_does_not_take_are_said():
    av1 = Encoding("av1")
    assert av1.size_complaint(8704, 4096) is None
    assert av1.size_complaint(15360, 8640) == "8640x15360 is higher than AV1 is written (8704)"
    for codec in ("av1", "ffv1"):
        assert Encoding(codec).size_complaint(4, 4) is None
        assert "less than" in Encoding(codec).size_complaint(2, 64)


def test_defaults_and_choices_reach_the_encoder():
    assert Encoding().settings(8, 8).options == {"crf": "18", "preset": "medium"}
    assert Encoding().settings(8, 8, repeatable=True).options["x264-params"] == "mbtree=0"
    assert Encoding(quality=0, preset="slow").settings(8, 8).options == {"crf": "0", "preset": "slow"}
    assert Encoding("prores", preset="lt", bits=10).settings(8, 8).options["profile"] == "lt"
    assert Encoding().settings(8, 9).pixel_format == "yuv444p"


@pytest.mark.parametrize("codec", FEW_FRAMES)
def test_encoders_of_large_frames_hold_few_of_them(codec):
    encoding, name = Encoding(codec), PARAMETERS[codec]
    plain, large = (encoding.settings(height, width).options for height, width in ((2304, 4096), (2304, 4098)))
    said = [words for words in (plain.pop(name, None), FEW_FRAMES[codec]) if words]
    assert large == {**plain, name: ":".join(said)}


def test_words_for_x264_come_together():
    words = Encoding().settings(4320, 7680, repeatable=True).options["x264-params"]
    assert words == f"mbtree=0:{FEW_FRAMES['h264']}"


def waiting(codec: str, height: int, path) -> int:
    """How many frames an encoder has taken when it gives the first one out; what it is told is that for `height`."""
    base = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    settings = Encoding(codec).settings(height, 7680)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(settings.encoder, rate=24)
        stream.height, stream.width, stream.pix_fmt = 96, 128, settings.pixel_format
        stream.options = dict(settings.options)
        for count in range(1, 100):
            if stream.encode(av.VideoFrame.from_ndarray(np.roll(base, count, axis=1), format="rgb24")):
                return count
    raise AssertionError("nothing in 100 frames")


@pytest.mark.parametrize("codec", FEW_FRAMES)
def test_few_frames_of_a_large_size_wait_in_an_encoder(codec, tmp_path):
    assert waiting(codec, 4320, tmp_path / "few.mkv") <= 8 < waiting(codec, 96, tmp_path / "many.mkv")
