"""The attack's bookkeeping: cases that are kept between calls, and their table."""

import random
from pathlib import Path

import pytest

from studies.attack import kinds
from studies.attack.tally import Count, Tally


def count(number, kind="png", code=3, faults=(), peak=10):
    return Count(number, kind, code, list(faults), False, peak)


def test_cases_without_a_fault_are_not_tried_again_and_others_are(tmp_path):
    file = tmp_path / "state.jsonl"
    first = Tally(7, file)
    first.add(count(0))
    first.add(count(1, faults=["hang"]))
    again = Tally(7, file)
    assert [again.done(number) for number in range(3)] == [True, False, False]
    again.add(count(1, code=0))
    assert Tally(7, file).done(1) and not Tally(8, file).done(0)


def test_the_table_has_a_row_a_kind_and_the_last_try_of_each_case():
    tally = Tally(0)
    for each in (count(0, faults=["traceback"]), count(0), count(1, "mp4", 0, ["hang"], 900), count(2), count(9)):
        tally.add(each)
    lines, tried, faults = tally.summary([0, 1, 2, 3])
    rows = {
        words[0]: dict(zip(lines[0].replace("exit ", "exit_").replace("stray ", "").split()[1:], words[1:]))
        for words in map(str.split, lines[1:])
    }
    assert (tried, faults) == (3, 1) and list(rows) == ["png", "mp4", "all"]
    assert rows["png"]["cases"] == "2" and rows["png"]["traceback"] == "0" and rows["png"]["exit_3"] == "2"
    assert rows["all"]["hang"] == "1" and lines[-1].endswith("900")


@pytest.mark.parametrize("draw", dict.fromkeys(kinds.KINDS), ids=lambda draw: draw.__name__)
def test_a_case_is_the_same_for_the_same_seed(draw):
    one, other = (draw(random.Random("7/0")) for _ in range(2))
    assert (one.kind, one.words) == (other.kind, other.words)


def test_the_kept_cost_of_a_metric_or_somebodys_yaml_is_damaged(tmp_path):
    kept, yaml = tmp_path / "results/store/costs/a.json", tmp_path / "mine/metric/mine.yaml"
    for file, text in ((kept, '{"seconds": {"here": 0.01}}'), (yaml, "_target_: a.b\n")):
        file.parent.mkdir(parents=True)
        file.write_text(text)
    before = {kept: kept.read_bytes(), yaml: yaml.read_bytes()}

    def changed(file: Path) -> bool:
        if not file.is_file() or file.is_symlink() or file.stat().st_size != len(before[file]):  # some have gigabytes
            return True
        return file.read_bytes() != before[file]

    seen = set()
    for number in range(12):
        for file, content in before.items():
            if file.is_dir() and not file.is_symlink():
                file.rmdir()
            file.unlink(missing_ok=True)
            file.write_bytes(content)
        case = kinds.foreign.costs(random.Random(number))
        assert case.words[1:3] == ("list", "--cost")
        case.prepare(tmp_path)
        seen.add((changed(kept), changed(yaml)))
    assert seen >= {(True, False), (False, True)} and (True, True) not in seen
