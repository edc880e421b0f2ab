"""The studies of many workers, small."""

import pytest

from studies.workers import lease_costs, simulate
from studies.workers.efficiency import Efficiency
from studies.workers.simulate import Task
from studies.workers.unit_costs import Costs

COSTS = Costs(
    {"quick": 1e-6, "slow": 1e-4},
    gt=5e-5,
    scoring=1e-4,
    joining=1e-5,
    ending=1.0,
    start=10.0,
    lease=0.001,
    look=0.00001,
)


def test_leases_of_several_processes_come_to_an_end(tmp_path):
    found = lease_costs.measured(60, 3, tmp_path)
    assert found.units == 60 and found.most_names <= 2 * 3 + 3 and found.overhead_ms > 0


def test_more_workers_are_faster_until_the_longest_unit_is_all_that_counts():
    tasks = [Task(100.0)] * 40
    one, some, enough, more = (simulate.finished(tasks, workers, COSTS) for workers in (1, 8, 40, 80))
    assert one > some > enough == pytest.approx(more, rel=0.01) and one == pytest.approx(10 + 4000, rel=0.01)


def test_scoring_waits_for_its_upscaling():
    tasks = [Task(100.0), Task(50.0), Task(30.0, after=[0])]
    assert simulate.finished(tasks, 2, COSTS) == pytest.approx(10 + 130, rel=0.01)
    frames = [10, 20]
    whole, cut = simulate.cut_by_clip(COSTS, frames), simulate.cut_by_step(COSTS, frames)
    assert sum(task.seconds for task in whole) == pytest.approx(sum(task.seconds for task in cut))
    assert sum(task.seconds for task in simulate.cut_by_method(COSTS, frames)) > sum(task.seconds for task in whole)


def test_the_table_has_every_number_of_workers():
    lines = list(simulate.table(COSTS))
    assert [int(line.split()[0]) for line in lines[3:]] == list(simulate.WORKERS)
    assert "100.0%" in lines[3]


def test_efficiency_of_a_longer_table_leaves_the_start_behind():
    found = Efficiency([15.0], [20.0], [10.0], start_together=[5.0], start_apart=[2.5])
    assert found.share() == pytest.approx(20 / 30) and found.ceiling == 1.0
    assert found.share(60) == pytest.approx(0.75, rel=0.01), "15 s of one worker's work took two 10 s"
