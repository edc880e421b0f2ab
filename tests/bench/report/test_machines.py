"""Workers whose canaries differ have columns of their own; tables count workers and machines."""

from bench.report import text as plain
from bench.report.machines import split_by_canary, times_note
from bench.report.tables import tables
from bench.store.record import Record
from bench.store.records import RecordFile, load, worker_file
from bench.store.workers import WorkerFacts, write_worker
from bench.timing.canary import canary
from tests.bench.made_up import make


def by(worker, clip, canaries, host="node1", seconds=1.0) -> Record:
    return make("m", clip, [30.0], [seconds], worker=worker, host=host, canary=canaries, unit=0)


def columns(*records):
    (table,) = tables(list(records))
    return [column.header for column in table.columns if column.metric == "fps"], table


def test_equal_canaries_share_a_column_and_the_caption_counts():
    found, table = columns(by("a", "one", (0.020, 0.0205)), by("b", "two", (0.021, 0.0212), host="node2"))
    assert found == ["FPS [1/s] ↑"] and "times: tensors, median, by 2 workers on 2 machines" in table.caption


def test_a_canary_that_differs_splits_the_column():
    found, table = columns(by("a", "one", (0.020, 0.020)), by("b", "two", (0.030, 0.030), seconds=2.0))
    assert found == ["FPS, a machine (canary 20 ms) [1/s] ↑", "FPS, a machine (canary 30 ms) [1/s] ↑"]
    (line,) = [line for line in plain.markdown(table.grid()).splitlines() if line.startswith("| m ")]
    assert "1.00 (1/2)" in line and "0.500 (1/2)" in line and "| 30.00 |" in line


def test_a_worker_that_changed_its_speed_stands_alone():
    found, _ = columns(by("a", "one", (0.020, 0.020)), by("b", "two", (0.020, 0.026)))
    assert found[1] == "FPS, a machine (canary 20 to 26 ms) [1/s] ↑"


def test_unlike_devices_do_not_add_up():
    found, table = columns(make("m", "one", [30.0], [1.0]), make("m", "two", [30.0], [4.0], device="another"))
    assert found == ["FPS, a machine [1/s] ↑", "FPS, another [1/s] ↑"] and "workers" not in table.caption


def test_a_chain_of_small_steps_is_cut():
    labels = {r.device for r in split_by_canary([by(str(n), str(n), (0.02 * 1.06**n,)) for n in range(4)])}
    assert len(labels) == 2, "the ends of a group differ by at most a tenth"


def test_the_fastest_time_of_a_group_counts_whichever_worker_had_it():
    found, _ = columns(by("a", "1", (0.098, 0.100)), by("b", "2", (0.092, 0.101)), by("c", "3", (0.107, 0.107)))
    assert found[1] == "FPS, a machine (canary 107 ms) [1/s] ↑"


def test_one_worker_and_no_times_are_told_as_before():
    assert times_note([make("m", "one", [30.0], [1.0])]) == "times: tensors, median"
    assert times_note([make("m", "one", [30.0], [])]) == "no times"


def test_the_facts_of_workers_come_with_their_records_and_are_data(tmp_path):
    write_worker(tmp_path, WorkerFacts(name="a", host="node1", device="cores 0", began="now", canary=[0.02, 0.021]))
    (tmp_path / "workers" / "b.json").write_text("{not json")
    RecordFile(worker_file(tmp_path, "a")).append(make("m", "one", [30.0], [1.0], worker="a", unit=0))
    (record,) = load(tmp_path).records
    assert record.host == "node1" and record.canary == (0.02, 0.021)
    assert "canary" not in record.to_json() and "host" not in record.to_json()


def test_the_canary_is_a_time():
    assert 0 < canary("cpu") < 60


def test_records_without_a_canary_are_left_as_they_are():
    records = [make("m", "one", [30.0], [1.0])]
    assert split_by_canary(records) == records
