"""Records survive what a crash leaves behind; keys change with everything that a number depends on."""

import errno
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.report.history import RELATIVE
from bench.report.summary import UNITS
from bench.store import keys
from bench.store.keys import combined, frames_digest, prediction_key, source_digest
from bench.store.record import Descriptor, Record
from bench.store.records import RecordFile, Records, load
from frames.errors import UserError
from tests.bench.made_up import make
from tests.full_disk import largest_file

ROOT = Path(__file__).parents[3]


def record(clip="a", key="k", psnr=(30.0,)):
    return replace(make("m", clip, list(psnr), [1.0], data="d"), prediction=key)


def test_records_come_back_as_they_were_written(tmp_path):
    written = record(psnr=[30.25, math.inf])
    Records(tmp_path).append(written)
    assert load(tmp_path).records == [written] and written.scores["psnr"].values == [30.25, math.inf]


def test_the_newest_record_of_a_cell_counts(tmp_path):
    records = Records(tmp_path)
    for key in ("old", "new"):
        records.append(record(key=key))
    assert [r.prediction for r in load(tmp_path).records] == ["new"]


def test_records_of_other_cells_are_left_out_unchecked(tmp_path, monkeypatch):
    """Their scores of every frame take most of the time, and are held in memory."""
    written = [record(clip) for clip in "abc"]
    for each in written:
        Records(tmp_path).append(each)
    built, from_json = [], Record.from_json
    monkeypatch.setattr(Record, "from_json", lambda data: built.append(data["clip"]) or from_json(data))
    assert load(tmp_path, cells={written[1].cell}).records == [written[1]] and built == ["b"]


def test_a_torn_last_line_loses_that_record_alone(tmp_path):
    records = Records(tmp_path)
    records.append(record("a"))
    records.append(record("b"))
    file = tmp_path / "records.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    assert [r.clip for r in load(tmp_path).records] == ["a"]
    Records(tmp_path).append(record("b"))
    assert [r.clip for r in load(tmp_path).records] == ["a", "b"]


def test_a_file_system_without_locks_keeps_records(tmp_path, monkeypatch):
    def no_locks(stream, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("frames.locks.fcntl.flock", no_locks)
    Records(tmp_path).append(record("a"))
    Records(tmp_path).append(record("b"))
    assert [r.clip for r in load(tmp_path).records] == ["a", "b"]


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


def test_the_source_of_what_a_package_shares_with_others_counts(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("shared_room", "using_it", "without_it"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("from shared_room import x\n" * (name == "using_it"))
    monkeypatch.setattr(keys, "SHARED", "shared_room")
    monkeypatch.setattr(keys, "INSTALLED", (tmp_path.name,))

    def digests() -> list[str]:
        source_digest.cache_clear()
        return [source_digest(f"{package}.Net") for package in ("using_it", "without_it")]

    before = digests()
    (tmp_path / "shared_room" / "x.py").write_text("x = 2\n")
    after = digests()
    source_digest.cache_clear()
    assert before[0] != after[0] and before[1] == after[1]


def test_the_digest_of_frames_depends_on_values_order_and_shape():
    a, b = np.zeros((2, 4, 3), np.uint8), np.ones((2, 4, 3), np.uint8)
    digests = {frames_digest(frames) for frames in ([a, b], [b, a], [a], [a.reshape(4, 2, 3), b])}
    assert len(digests) == 4


def line_of(**change) -> str:
    return json.dumps(record().to_json() | change) + "\n"


@pytest.mark.parametrize(
    "change, message",
    [
        ({"frames": "nine"}, "line 2: frames is 'nine', not an integer"),
        ({"frames": True}, "line 2: frames is True, not an integer"),
        ({"frames": 1.5}, "frames is 1.5"),
        ({"lr_size": [48]}, "lr_size has 1 items, not 2"),
        ({"lr_size": [0, 48]}, "must be at least 1"),
        ({"status": "good"}, "status is 'good', not 'ok' or 'failed'"),
        ({"clip": None}, "clip is None, not text"),
        ({"descriptor": None}, "descriptor is missing"),
        ({"timing": []}, "timing is a list, not an object"),
        ({"scores": {"psnr": 3}}, "scores.psnr is 3, not an object"),
        ({"notes": "x"}, "unknown field notes"),
        ({"method": ""}, "data, clip and method must have names"),
        ({"clip": " "}, "data, clip and method must have names"),
    ],
)
def test_a_wrong_type_in_a_foreign_file_is_one_line_with_file_and_line(tmp_path, change, message):
    (tmp_path / "records.jsonl").write_text(line_of() + line_of(**change))
    with pytest.raises(UserError) as caught:
        load(tmp_path)
    assert message in str(caught.value) and str(tmp_path / "records.jsonl") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seconds", [0, -1, "0.5", None, math.nan, math.inf, "NaN", 1e300, 5e-324])
def test_times_that_nobody_can_divide_by_are_refused(tmp_path, seconds):
    content = record().to_json()
    content["timing"]["tensors"]["repetitions"][0]["total_s"] = seconds
    (tmp_path / "records.jsonl").write_text(json.dumps(content) + "\n")
    with pytest.raises(UserError, match="line 1.*timing.tensors"):
        load(tmp_path)


@pytest.mark.parametrize(
    "path, value",
    [
        ("scores psnr values", [1.7e308]),
        ("scores psnr values", [-1e101]),
        ("scores psnr best", 1.7e308),
        ("scores psnr signature", "time"),
        ("scores psnr signature", "time|tensors"),
        ("timing tensors first_call_s", math.inf),
        ("timing tensors first_call_s", -1.5),
        ("timing tensors peak_memory_mb", -1.0),
        ("timing tensors peak_memory_mb", "NaN"),
        ("timing tensors repetitions 0 telemetry", {"energy_j": -3.0}),
        ("timing tensors repetitions 0 stages_s decode", math.nan),
        ("timing tensors repetitions 0 stages_s decode", -0.1),
        ("macs", 10**400),
        ("descriptor parameters", 10**400),
        ("descriptor parameters", -1),
    ],
    ids=lambda each: str(each)[:40],
)
def test_figures_that_no_reader_can_compute_with_are_refused(tmp_path, path, value):
    content = inner = record().to_json()
    *outer, name = [int(key) if key.isdigit() else key for key in path.split()]
    for key in outer:
        inner = inner[key]
    inner[name] = value
    (tmp_path / "records.jsonl").write_text(json.dumps(content) + "\n")
    with pytest.raises(UserError, match=rf"records.jsonl, line 1: {'[.]'.join(path.split()[:2])}") as caught:
        load(tmp_path)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("name", [*UNITS, "fps-mine", RELATIVE])
def test_a_score_with_the_name_of_a_time_is_refused(tmp_path, name):
    content = record().to_json()
    content["scores"][name] = content["scores"]["psnr"]
    (tmp_path / "records.jsonl").write_text(json.dumps(content) + "\n")
    with pytest.raises(UserError, match=f"line 1: scores.{name}: a score with the name of a time"):
        load(tmp_path)


@pytest.mark.parametrize("values, indices", [([20.0, 21.0, 22.0], None), ([20.0, 22.0], [1, 1])])
def test_no_frame_is_counted_twice(tmp_path, values, indices):
    content = record(psnr=(20.0, 22.0)).to_json()
    content["scores"]["psnr"] |= {"values": values, "indices": indices}
    (tmp_path / "records.jsonl").write_text(json.dumps(content) + "\n")
    with pytest.raises(UserError, match="line 1: scores.psnr: more values than frames"):
        load(tmp_path)


@pytest.mark.parametrize("field", ["data", "frames", "lr_size", "scores", "date", "device"])
def test_a_missing_field_is_named(tmp_path, field):
    content = record().to_json()
    del content[field]
    (tmp_path / "records.jsonl").write_text(json.dumps(content) + "\n")
    with pytest.raises(UserError, match=f"line 1: the field {field} is missing"):
        load(tmp_path)


@pytest.mark.parametrize("line", [b"{broken\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n", b'{"schema": 2, "data"\n'])
def test_an_unreadable_line_is_collected_and_the_others_are_read(tmp_path, line):
    (tmp_path / "records.jsonl").write_bytes(line_of(clip="a").encode() + line + line_of(clip="b").encode())
    found = load(tmp_path)
    assert [r.clip for r in found.records] == ["a", "b"]
    assert [damage.line for damage in found.damaged] == [2] and "line 2" in found.warning


def test_a_key_that_comes_twice_is_damage(tmp_path):
    """JSON would take the last one in silence."""
    twice = line_of(clip="b").replace('"frames"', '"clip": "c", "frames"', 1)
    (tmp_path / "records.jsonl").write_text(line_of(clip="a") + twice)
    found = load(tmp_path)
    assert [r.clip for r in found.records] == ["a"]
    assert "line 2: unreadable (the key 'clip' comes twice)" in found.warning


def test_a_torn_line_never_comes_to_lie_between_whole_ones(tmp_path):
    records = Records(tmp_path)
    records.append(record("a"))
    file = tmp_path / "records.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:-30])
    Records(tmp_path).append(record("b"))
    assert load(tmp_path).damaged == [] and [r.clip for r in load(tmp_path).records] == ["a", "b"]
    file.write_bytes(file.read_bytes().rstrip(b"\n"))  # whole, but for its line break
    Records(tmp_path).append(record("c"))
    assert [r.clip for r in load(tmp_path).records] == ["a", "b", "c"]


def test_names_that_look_like_numbers_stay_text_and_infinite_scores_stay_numbers(tmp_path):
    written = replace(
        record("Infinity", psnr=[math.inf, -math.inf, math.nan]), data="NaN", method_config={"name": "-Infinity"}
    )
    Records(tmp_path).append(written)
    (found,) = load(tmp_path).records
    assert found.cell == ("NaN", "Infinity", "m") and found.method_config == {"name": "-Infinity"}
    assert found.scores["psnr"].values[:2] == [math.inf, -math.inf] and math.isnan(found.scores["psnr"].values[2])


@pytest.mark.parametrize("golden", ["sample", "vid4", "ablation"])
def test_the_golden_records_are_read_whatever_their_schema(golden):
    found = load(ROOT / "results" / "golden" / golden)
    assert found.records and not found.damaged and all(r.scores["psnr"].values for r in found.records)
    again = [Record.from_json(json.loads(json.dumps(r.to_json(), allow_nan=False))) for r in found.records]
    assert again == found.records


def test_a_record_of_schema_1_is_converted(tmp_path):
    old = record().to_json() | {"schema": 1}
    old["scores"]["psnr"]["frames"] = old["scores"]["psnr"].pop("values")
    old["timing"]["tensors"] |= {"median_s": 1.0, "quartiles_s": [1.0, 1.0], "interval_s": None}
    del old["scores"]["lpips-alex"]
    del old["timing"]["tensors"]["scope"]
    (tmp_path / "records.jsonl").write_text(json.dumps(old) + "\n")
    (found,) = load(tmp_path).records
    assert found.scores["psnr"].values == [30.0] and found.timing["tensors"].scope == "tensors"
    assert found.timing["tensors"].median_s == 1.0


def test_a_descriptor_of_a_class_of_its_own_may_say_more_but_nothing_of_a_wrong_type():
    said = {"dtype": "float32", "weights": "none", "scale": None, "extra": 3}
    assert Descriptor.of(said) == Descriptor(dtype="float32", weights="none")
    with pytest.raises(ValueError, match="scale is '4', not an integer"):
        Descriptor.of(said | {"scale": "4"})


def test_what_could_not_be_read_back_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="frames is 3.0, not an integer"):
        Records(tmp_path).append(replace(record(), frames=3.0))
    assert not (tmp_path / "records.jsonl").exists()


def test_a_record_that_the_disk_has_no_room_for_is_an_error_and_leaves_no_part_of_it(tmp_path):
    Records(tmp_path).append(record("a"))
    before = (tmp_path / "records.jsonl").read_bytes()
    with largest_file(len(before) + 100), pytest.raises(OSError, match=r"records\.jsonl"):
        Records(tmp_path).append(record("b"))
    assert (tmp_path / "records.jsonl").read_bytes() == before
    Records(tmp_path).append(record("b"))
    assert [r.clip for r in load(tmp_path).records] == ["a", "b"] and load(tmp_path).torn is None


def test_a_record_is_not_written_through_a_link(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "other.txt").write_text("of the user's\n")
    for target in ("other.txt", "not there"):
        (tmp_path / "run" / "records.jsonl").symlink_to(tmp_path / target)
        told = (
            r"records\.jsonl: a link to .*, and nothing is written through it; put the file itself there, or write into"
        )
        with pytest.raises(UserError, match=told):
            RecordFile(tmp_path / "run" / "records.jsonl").append(record())
        (tmp_path / "run" / "records.jsonl").unlink()
    assert (tmp_path / "other.txt").read_text() == "of the user's\n" and not (tmp_path / "not there").exists()
