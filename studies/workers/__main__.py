"""Measure runs of many workers.

    python -m studies.workers leases --units 5000 --workers 16
    python -m studies.workers efficiency --repeats 5
    python -m studies.workers kills --kills 100
    python -m studies.workers simulate

leases: processes claim, sleep for a millisecond, and log, as workers do; prints milliseconds per unit beside the sleep.
efficiency: two workers on two cores, compared with two runs of one worker on one core each in sequence, interleaved;
the time of starting, and the efficiency of two plain runs at once, are printed separately.
kills: random workers and launchers of many runs are killed; nothing may be lost or done twice.
simulate: up to 1,024 workers on a table of 10 methods and 7 sets of 50 clips at 1080p, with costs of units and leases
that are measured first.
"""

from __future__ import annotations

from frames.command_line import Parser, guarded, process
from studies.outputs import out_folder
from studies.workers import efficiency, kills, lease_costs, simulate, unit_costs


def main() -> int:
    parser = Parser("python -m studies.workers", (__doc__ or "").strip())
    parser.add_argument("what", choices=["leases", "efficiency", "kills", "simulate"])
    parser.add_argument("--units", type=int, default=5000, help="units of `leases` (default %(default)s)")
    parser.add_argument("--workers", type=int, default=16, help="workers of `leases` (default %(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="pairs of runs of `efficiency` (default %(default)s)")
    parser.add_argument("--kills", type=int, default=100, help="number of kills, for `kills` (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of `kills` and `simulate` (default %(default)s)")
    parser.add_argument("--out", type=out_folder, help="folder for the results (default: a temporary one)")
    arguments = parser.parse_args()
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.what == "leases":
        print(lease_costs.measured(arguments.units, arguments.workers, arguments.out))
        return 0
    if arguments.what == "efficiency":
        print(efficiency.measured(arguments.repeats, arguments.out))
        return 0
    if arguments.what == "simulate":
        for line in simulate.table(unit_costs.measured(arguments.out), arguments.seed):
            print(line, flush=True)
        return 0
    tally = kills.killed(arguments.kills, arguments.seed, arguments.out)
    print(tally)
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    process(lambda _: guarded("studies.workers", main))
