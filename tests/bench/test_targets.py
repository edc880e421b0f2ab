"""Objects that a configuration names: `summary` is for lists, and a wrong option is one line."""

import pytest

from bench.metrics.protocol import parse
from bench.targets import build
from frames.errors import UserError

BICUBIC = {"_target_": "frames.degradations.Bicubic", "name": "mine"}


def test_a_summary_is_no_option_in_any_group():
    assert build({**BICUBIC, "scale": 2, "summary": "for lists"}).signature == "mine-x2"
    assert parse({"name": "mine", "summary": "for lists", "crop": 4}).crop == 4


def test_an_unknown_or_missing_option_is_named():
    with pytest.raises(UserError, match="Bicubic has no option 'scael'; did you mean 'scale'"):
        build({**BICUBIC, "scael": 2})
    with pytest.raises(UserError, match="Bicubic needs the option 'scale'"):
        build(BICUBIC)


def test_a_compiled_class_that_does_not_say_what_it_takes_is_called():
    assert build({"_target_": "builtins.dict", "summary": "x", "size": 4}) == {"size": 4}
