"""The studies of many workers, small."""

import pytest

from studies.workers import lease_costs, simulate


def test_leases_of_several_processes_come_to_an_end(tmp_path):
    found = lease_costs.measured(60, 3, tmp_path)
    assert found.units == 60 and found.most_names <= 2 * 3 + 3 and found.overhead_ms > 0


def test_more_workers_are_faster_until_the_longest_unit_is_all_that_counts():
    costs = [100.0] * 40
    assert simulate.finished(costs, 1) > simulate.finished(costs, 8) > simulate.finished(costs, 40)
    assert simulate.finished(costs, 40) == pytest.approx(simulate.finished(costs, 80), rel=0.01)
    assert sum("workers:" in line for line in simulate.table()) == 2 * len(simulate.WORKERS)
