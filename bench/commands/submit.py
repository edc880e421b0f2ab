"""`python -m bench submit RUN`: check a run folder against the rules and prepare a pull request."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.commands.parser import Parser
from bench.gate import rules
from bench.groups import members
from bench.report import submission
from bench.report.merge import by_settings
from bench.report.summary import write_csv
from bench.store.record import Record
from bench.store.records import FILE, FOLDER, load
from bench.store.workers import WorkerFacts, read_workers, write_worker
from frames.errors import NOTHING_MEASURED, OK, REGRESSED, UserError, one_line
from frames.strict_yaml import read_mapping
from frames.text import printable
from frames.text_files import read_json

SUBMISSIONS = Path("results") / "submissions"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

ABOUT = """Writes DIR/NAME/ with the records, the environment, summary.csv and README.md (tables and facts). Nothing of
the run folder is executed, and its frames are not copied."""
EPILOG = "Exit codes: 0 written, 1 a rule is broken (one line each), 2 nothing was measured, 3 an error."


def main(argv: list[str]) -> int:
    parser = Parser("submit", ABOUT, EPILOG)
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run")
    parser.add_argument("--name", help="name of the submission (default: that of the run folder)")
    parser.add_argument(
        "--to", type=Path, default=SUBMISSIONS, metavar="DIR", help="folder of submissions (default %(default)s)"
    )
    options = parser.parse_args(argv)
    name = options.name if options.name is not None else options.run.resolve().name
    if not _NAME.fullmatch(name):
        raise UserError(f"--name {printable(name)}: letters, digits, '.', '_' and '-', at most 64; choose another name")
    target = options.to / name
    if target.exists():
        raise UserError(f"{target}: it exists; remove it, or choose another --name")
    found = load(options.run)
    if not found.records:
        print(f"bench: nothing was measured in {options.run}", file=sys.stderr)
        return NOTHING_MEASURED
    workers = {key: facts for key, facts in read_workers(options.run).items() if _NAME.fullmatch(key)}
    own = _environment(options.run / "environment.json")
    environments = {worker: facts.environment for worker, facts in workers.items()} | ({"": own} if own else {})
    lines = [f"damaged lines: {found.damaged[0]}; delete it and measure that cell again"] if found.damaged else []
    lines += rules.broken(found.records, environments, _parts())
    for line in lines:
        print(f"bench: {printable(line)}", file=sys.stderr)
    if lines:
        return REGRESSED
    used = {record.worker for record in found.records}
    _write(target, found.records, own, [workers[worker] for worker in sorted(used) if worker])
    print(target)
    for path in submission.paths(found.records):
        print(f"bench: the records name a path of this machine: {printable(path)}", file=sys.stderr)
    return OK


def _parts() -> list[tuple[str, list[str]]]:
    """(`_target_`, clips) of each data set whose configuration takes a part of a larger set, as spmcs11 does."""
    found = map(read_mapping, members("data").values())
    return [(str(each.get("_target_")), each["clips"]) for each in found if each.get("clips") is not None]


def _environment(file: Path) -> dict[str, Any]:
    """Read a run's environment.json; {} if there is none, which the rule on environments reports.

    Raises:
        UserError: the file is damaged.
    """
    if not file.is_file():
        return {}
    try:
        found = read_json(file)
    except (ValueError, OSError) as error:
        raise UserError(one_line(error)) from error
    if not isinstance(found, dict):
        raise UserError(f"{file}: not a run's environment; measure again")
    return found


def _write(target: Path, records: list[Record], environment: dict[str, Any], workers: list[WorkerFacts]) -> None:
    """Write the folder of a submission, laid out as a run's folder; it appears complete or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".submit-") as made:
        folder = Path(made) / target.name
        folder.mkdir()
        for worker in dict.fromkeys(record.worker for record in records):
            file = folder / (f"{FOLDER}/{worker}.jsonl" if worker else FILE)
            file.parent.mkdir(exist_ok=True)
            lines = [json.dumps(each.to_json(), allow_nan=False) for each in records if each.worker == worker]
            file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        if environment:
            (folder / "environment.json").write_text(json.dumps(environment, indent=2) + "\n", encoding="utf-8")
        for facts in workers:
            write_worker(folder, facts)
        write_csv(by_settings(records), folder / "summary.csv")
        text = submission.summary(target.name, records, environment or workers[0].environment)
        (folder / "README.md").write_text(text, encoding="utf-8")
        shutil.move(folder, target)
