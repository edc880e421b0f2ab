"""`python -m bench VERB ...`"""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType

from frames.errors import ERROR, INTERRUPTED, OK, UserError, did_you_mean, one_line

VERBS = ("run", "list", "data", "table", "plot", "paper", "report", "compare-frames")
VERBS += ("runs", "prune", "check", "compare", "export", "explain", "doctor")


def main(argv: list[str]) -> int:
    """Run one verb; returns its exit code. What a user did wrong is one line on stderr."""
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(_help())
        return OK if argv else ERROR
    verb, *rest = argv
    try:
        if verb not in VERBS:
            raise UserError(f"unknown verb '{verb}'{did_you_mean(verb, VERBS)}")
        return _module(verb).main(rest)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # `python -m bench table ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except (UserError, ValueError, OSError) as error:
        if os.environ.get("BENCH_TRACEBACK"):
            raise
        print(f"bench: {one_line(error)}", file=sys.stderr)
        return getattr(error, "exit_code", ERROR)


def _module(verb: str) -> ModuleType:
    return importlib.import_module(f"bench.commands.{verb.replace('-', '_')}")


def _help() -> str:
    lines = ["usage: python -m bench VERB ...    (VERB --help tells more)", ""]
    lines += [f"  {verb:16}{_module(verb).HELP}" for verb in VERBS]
    return "\n".join(lines)


def cli() -> None:
    """The `bench` command."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    cli()
