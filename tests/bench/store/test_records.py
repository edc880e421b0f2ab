"""Records survive what a crash leaves behind; keys change with everything that a number depends on."""

import math

import numpy as np
import pytest

from bench.store.keys import combined, frames_digest, prediction_key, source_digest
from bench.store.records import Records, load
from frames.errors import UserError


def record(clip="a", key="k", status="ok", **more):
    return {"data": "d", "clip": clip, "method": "m", "key": key, "status": status, **more}


def test_records_come_back_as_they_were_written(tmp_path):
    Records(tmp_path).append(record(scores={"psnr": {"frames": [30.25, math.inf]}}))
    assert load(tmp_path)[0]["scores"]["psnr"]["frames"] == [30.25, math.inf]


def test_the_newest_record_of_a_cell_counts(tmp_path):
    records = Records(tmp_path)
    for key in ("old", "new"):
        records.append(record(key=key))
    assert [r["key"] for r in load(tmp_path)] == ["new"]


def test_a_torn_last_line_loses_that_record_alone(tmp_path):
    records = Records(tmp_path)
    records.append(record("a"))
    records.append(record("b"))
    file = tmp_path / "records.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    assert [r["clip"] for r in load(tmp_path)] == ["a"]
    Records(tmp_path).append(record("b"))
    assert [r["clip"] for r in load(tmp_path)] == ["a", "b"]


def test_records_of_another_schema_are_refused(tmp_path):
    (tmp_path / "records.jsonl").write_text('{"schema": 99, "data": "d"}\n')
    with pytest.raises(UserError, match="line 1.*schema"):
        load(tmp_path)


METHOD = {"_target_": "baselines.interpolation.Interpolation", "kernel": "bicubic", "seed": 0, "precision": "float32"}


def test_equal_parts_give_equal_keys():
    assert prediction_key(METHOD, "lr", "cpu") == prediction_key(dict(reversed(METHOD.items())), "lr", "cpu")


@pytest.mark.parametrize(
    "changed",
    [
        (METHOD | {"seed": 1}, "lr", "cpu"),
        (METHOD | {"precision": "bfloat16"}, "lr", "cpu"),
        (METHOD | {"kernel": "bilinear"}, "lr", "cpu"),
        (METHOD | {"_target_": "turbovsr.TurboVSR"}, "lr", "cpu"),
        (METHOD | {"new": None}, "lr", "cpu"),
        (METHOD, "other", "cpu"),
        (METHOD, "lr", "a GPU"),
    ],
)
def test_every_part_changes_the_key(changed):
    assert prediction_key(*changed) != prediction_key(METHOD, "lr", "cpu")


def test_the_version_of_torch_counts(monkeypatch):
    before = prediction_key(METHOD, "lr", "cpu")
    monkeypatch.setattr("torch.__version__", "9.9")
    assert prediction_key(METHOD, "lr", "cpu") != before


def test_combined_keys_tell_their_parts_apart():
    assert combined("ab", "c") != combined("a", "bc") and combined(1, None) != combined(1, "None")


def test_the_content_of_a_weights_file_counts(tmp_path):
    keys = []
    for content in (b"a", b"b"):
        file = tmp_path / f"{content.decode()}.bin"
        file.write_bytes(content)
        keys.append(prediction_key(METHOD | {"weights": str(file)}, "lr", "cpu"))
    assert keys[0] != keys[1]


def test_the_source_of_a_package_counts(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("package_one", "package_two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
        (tmp_path / name / "net.py").write_text(f"# {name}\n")
    assert source_digest("package_one.net.Net") != source_digest("package_two.net.Net")


def test_the_digest_of_frames_depends_on_values_order_and_shape():
    a, b = np.zeros((2, 4, 3), np.uint8), np.ones((2, 4, 3), np.uint8)
    digests = {frames_digest(frames) for frames in ([a, b], [b, a], [a], [a.reshape(4, 2, 3), b])}
    assert len(digests) == 4
