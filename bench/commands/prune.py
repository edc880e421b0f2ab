"""`python -m bench prune`: remove stored predictions, times and scores that were not used lately."""

from __future__ import annotations

from pathlib import Path

from bench.commands.parser import Parser
from bench.paths import default_store
from frames.errors import OK


def main(argv: list[str]) -> int:
    parser = Parser("prune")
    parser.add_argument("--days", type=float, default=30, help="keep what was used in the last DAYS days (default 30)")
    parser.add_argument("--store", type=Path, default=default_store(), help="the store (default %(default)s)")
    parser.add_argument("--dry-run", action="store_true", help="only print what would be removed")
    arguments = parser.parse_args(argv)
    from bench.store.pruning import prune  # reads frames: `prune --help` does without

    done = prune(arguments.store, arguments.days, arguments.dry_run)
    print(f"{done.entries} entries, {done.bytes / 2**20:.1f} MiB {'would be ' if arguments.dry_run else ''}removed")
    if done.in_use:
        print("a run works with this store now: what was used in the last hour was kept")
    return OK
