import pytest

from frames.video.texts import encoded, plain


@pytest.mark.parametrize(
    "codec, data, text",
    [
        ("mov_text", b"\0\5hello\0\0\0\x12styl", "hello"),
        ("mov_text", b"\0\0", ""),
        ("subrip", b"<i>one</i>\r\ntwo {\\an8}<3", "one\ntwo <3"),
        ("ass", b"3,0,Default,,0,0,0,,{\\i1}one{\\i0}, two\\Nthree", "one, two\nthree"),
        ("webvtt", b"<v Bob>hello", "hello"),
        ("subrip", b"caf\xe9", "caf\ufffd"),
    ],
)
def test_the_words_stay_and_the_styles_go(codec, data, text):
    assert plain(data, codec) == text


def test_a_text_of_mp4_begins_with_its_length():
    assert encoded("grün", "mov_text") == b"\0\5gr\xc3\xbcn"
    assert encoded("grün", "subrip") == b"gr\xc3\xbcn"
    assert len(encoded("x" * 70000, "mov_text")) == 2 + 65535
