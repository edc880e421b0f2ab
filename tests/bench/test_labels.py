"""Labels go into their parts and back, and no two of them share a file name."""

import pytest

from bench import labels


def test_a_label_goes_into_its_parts_and_back():
    text = labels.label("turbovsr", {"steps": 2, "seed": 1})
    assert text == "turbovsr[steps=2,seed=1]" and labels.parts(text) == ("turbovsr", {"steps": "2", "seed": "1"})
    assert labels.without(text, "steps") == "turbovsr[seed=1]" and labels.without("m[steps=1]", "steps") == "m"
    assert labels.label("m", {}) == "m" and labels.of_run("m", "before") == "m (before)"


def test_commas_inside_brackets_belong_to_a_label():
    assert labels.listed("m[a=1,b=2], n,,o]x,p") == ["m[a=1,b=2]", "n", "o]x", "p"]


def test_commas_inside_the_value_of_an_option_belong_to_it():
    text = "m[scope=files,size=[1,2],of={a: 1, b: 2}]"
    assert labels.parts(text) == ("m", {"scope": "files", "size": "[1,2]", "of": "{a: 1, b: 2}"})
    assert labels.without(text, "scope") == "m[size=[1,2],of={a: 1, b: 2}]"


def test_a_label_without_an_option_keeps_its_run():
    assert labels.parts("m[steps=2,seed=1] (before)") == ("m", {"steps": "2", "seed": "1"})
    assert labels.without("m[steps=2,seed=1] (before)", "steps") == "m[seed=1] (before)"
    assert labels.without("m[steps=2] (before)", "steps") == labels.without("m (before)", "steps") == "m (before)"


def test_unlike_labels_have_unlike_file_names_that_stay_in_their_folder():
    names = [
        "a b",
        "a_b",
        "a/b",
        "a%20b",
        "a%b",
        "..",
        ".",
        "",
        "%",
        "%2E",
        "über",
        "日本",
        "m[w=../x]",
        "a\nb",
        "\udcff",
    ]
    names += ["x" * 300, "x" * 299 + "y", "é" * 200, "Infinity", "a\\b", "a:b"]
    made = [labels.file_name(name) for name in names]
    assert len(set(made)) == len(names)
    for name in made:
        assert name not in ("", ".", "..") and not set(name) & set('/\\:\n\0"<>|?*') and len(name.encode()) < 200


@pytest.mark.parametrize("plain", ["bicubic", "turbovsr[steps=2,seed=1]", "set_1.a-b+c"])
def test_a_plain_label_is_its_own_file_name(plain):
    assert labels.file_name(plain) == plain
