"""`python -m bench envelope method=... device=...`: the largest frame and the longest clip that fit."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands.options import config_dirs
from bench.commands.run import say, signals_as_interrupts
from frames.atomic import replacing
from frames.errors import ERROR, INTERRUPTED, NOTHING_MEASURED, OK, UserError

if TYPE_CHECKING:
    from bench.config import Combination
    from bench.envelope.options import SearchOptions
    from bench.envelope.survey import Survey

DRY = "--dry-run"
DEFAULT = Path("results") / "envelopes"
USAGE = """usage: python -m bench envelope [KEY=VALUE ...] [--config-dir DIR] [--dry-run]

Finds the largest frame and the longest clip of a method that fit into memory, and how time and memory grow on the way:
sizes grow until one does not fit, then the gap is halved down to 10 %. Each trial is a process of its own, so running
out of memory does no harm. The same command with the same folder continues without repeating a trial.

  method=NAME[,NAME]   upscalers, with method.KEY=VALUE as in `run`
  device=auto|cpu|cuda  threads=N  scale=4
  memory=8GB           limit of a trial (default: half of the machine's on a CPU, all of a GPU's)
  axes=frame,clip      frame: frames grow, clip: clips grow (default: both)
  frames=1             length of the clip while frames grow
  size=320x180         LR frames while clips grow
  budget_s=1800        after this many seconds no trial begins
  trial_s=300          a trial that takes longer is stopped; larger sizes are then reported as unknown
  timing.repeats=3 timing.warmup=1 timing.budget_s=10 timing.scopes=[tensors]   as in `run`; one scope
  out=DIR              the folder (default: results/envelopes/METHODS-DEVICE)
  --dry-run            print what would be tried, and do nothing

The folder holds trials.jsonl, envelope.json, envelope.md and envelope.png/.svg.
Exit codes: 0 measured, 2 nothing fits or nothing was tried, 3 error or a method that fails, 4 environment invalid,
130 interrupted; finished trials are kept.
"""


def main(argv: list[str]) -> int:
    if "-h" in argv or "--help" in argv:
        print(USAGE, end="")
        return OK
    from bench.config import expand  # torch, hydra: `envelope --help` answers at once
    from bench.envelope.limits import check_can_limit
    from bench.envelope.options import split

    overrides, folders = config_dirs([word for word in argv if word != DRY])
    words, options = split(overrides)
    given = {word.partition("=")[0] for word in words}
    words += ["timing.budget_s=10"] if not given & {"timing", "timing.budget_s"} else []
    combinations = expand(words, folders)
    for combination in combinations:
        check_can_limit(combination.config.device)
        if len(scopes := combination.config.timing.scopes) > 1:
            raise UserError(
                f"timing.scopes=[{','.join(scopes)}]: an envelope is of one scope; give each in a command and a folder "
                "(out=DIR) of its own"
            )
    out = Path(combinations[0].config.out) if combinations[0].config.out else _default(combinations)
    if DRY in argv:
        _plan(combinations, options, out)
        return OK
    return _search(combinations, options, out, "python -m bench envelope " + shlex.join(argv))


def _default(combinations: list[Combination]) -> Path:
    from bench.labels import file_name

    methods = "+".join(dict.fromkeys(each.method for each in combinations))
    return DEFAULT / file_name(f"{methods}-{combinations[0].config.device}")


def _search(combinations: list[Combination], options: SearchOptions, out: Path, command: str) -> int:
    """Run the missing trials, write the results and print them; returns the exit code."""
    from bench.envelope.process import Runner
    from bench.envelope.survey import Survey
    from bench.store.trials import TrialFile

    if out.exists() and not out.is_dir():
        raise UserError(f"out={out}: it is a file; give a folder")
    file = TrialFile(out)
    file.mend()
    survey = Survey(options, file, Runner(options.trial_s), say)
    try:
        with signals_as_interrupts():
            survey(combinations)
    except KeyboardInterrupt:
        _write(survey, out, command)
        again = f"the same command with out={shlex.quote(str(out))} continues"
        say(f"interrupted; the trials so far are kept in {out}: {again}")
        return INTERRUPTED
    _write(survey, out, command)
    return _exit_code(survey, out)


def _exit_code(survey: Survey, out: Path) -> int:
    from bench.store.trials import MEMORY

    axes = [axis for envelope in survey.envelopes.values() for axis in envelope.axes]
    failed = any(refused.answer.outcome != MEMORY for refused in survey.refused)
    if survey.is_spent and not all(axis.is_complete for axis in axes):
        say(f"budget_s={survey.options.budget_s:g} is spent before every border was found; the same command continues")
    if failed or any(axis.largest is None and axis.outcome == "failed" for axis in axes):
        say(f"a method failed, see above; the others are in {out}" if axes else "no method could be loaded, see above")
        return ERROR
    if not any(axis.largest for axis in axes):
        say("nothing fits into memory=, or nothing was tried within budget_s=: raise one of them")
        return NOTHING_MEASURED
    say(f"results in {out}")
    return OK


def _write(survey: Survey, out: Path, command: str) -> None:
    """Write envelope.json, envelope.md and the plot, and print the table."""
    envelopes = list(survey.envelopes.values())
    if not envelopes:
        return
    from rich.console import Console

    from bench.report import envelope as report
    from bench.report import text
    from bench.report.plots import style
    from bench.report.plots.envelope import envelope_plot

    grid = report.grid(envelopes)
    for name, content in (
        ("envelope.json", report.content(envelopes, command, survey.environment)),
        ("envelope.md", text.markdown(grid)),
    ):
        with replacing(out / name) as part:
            part.write_text(content, encoding="utf-8")
    if (figure := envelope_plot(envelopes)) is not None:
        style.write(figure, out / "envelope")
    console = Console()
    text.terminal(grid, console if console.is_terminal else Console(width=200, highlight=False))


def _plan(combinations: list[Combination], options: SearchOptions, out: Path) -> None:
    """Print the trials that would be made."""
    from bench.envelope.search import Ladder, Rules
    from bench.envelope.survey import name_of, settings_of
    from bench.store.trials import TrialFile

    for combination in combinations:
        settings = settings_of(combination, options)
        memory = "all of the device" if settings.memory is None else f"{settings.memory / 1e9:.3g} GB"
        print(f"{name_of(combination)} on {settings.device}, scope {settings.scope}: at most {memory}")
    for name in options.axes:
        ladder = Ladder(name, Rules(), (options.frames, 0) if name == "frame" else options.size)
        first = ladder.first
        print(f"  axis {name}: {first}, then two or four times as much until one does not fit; then between")
    print("  (sizes and lengths as the method's rules allow, which are known once it is loaded)")
    kept = len(TrialFile(out).read())
    print(f"trials of earlier calls in {out}: {kept}")
    print(f"a trial is stopped after {options.trial_s:g} s; none begins after {options.budget_s:g} s")
