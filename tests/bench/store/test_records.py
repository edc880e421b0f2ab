"""Records survive what a crash leaves behind; keys change with everything that a number depends on."""

import math

import numpy as np
import pytest

from bench.errors import UserError
from bench.store.keys import cell_key, frames_digest, source_digest
from bench.store.records import Records, load


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
    assert records.finished("d", "a", "m", "new") and not records.finished("d", "a", "m", "old")


def test_a_failed_cell_is_not_finished(tmp_path):
    records = Records(tmp_path)
    records.append(record(status="failed"))
    assert not records.finished("d", "a", "m", "k")


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


METHOD = {"_target_": "baselines.interpolation.Interpolation", "kernel": "bicubic", "seed": 0}
RECIPE = {"metrics": {"psnr": "s"}, "scale": 4}
INPUTS = {"lr": "1", "gt": "2"}


def test_equal_parts_give_equal_keys():
    assert cell_key(METHOD, RECIPE, INPUTS) == cell_key(dict(METHOD), dict(RECIPE), dict(INPUTS))


@pytest.mark.parametrize(
    "changed",
    [
        (METHOD | {"seed": 1}, RECIPE, INPUTS), (METHOD, RECIPE | {"scale": 2}, INPUTS),
        (METHOD, RECIPE | {"metrics": {"psnr": "other"}}, INPUTS), (METHOD, RECIPE, INPUTS | {"lr": "3"}),
        (METHOD, RECIPE, INPUTS | {"gt": "3"}), (METHOD | {"_target_": "turbovsr.TurboVSR"}, RECIPE, INPUTS),
    ],
)
def test_every_part_changes_the_key(changed):
    assert cell_key(*changed) != cell_key(METHOD, RECIPE, INPUTS)


def test_the_content_of_a_weights_file_counts(tmp_path):
    keys = []
    for content in (b"a", b"b"):
        file = tmp_path / f"{content.decode()}.bin"
        file.write_bytes(content)
        keys.append(cell_key(METHOD | {"weights": str(file)}, RECIPE, INPUTS))
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
