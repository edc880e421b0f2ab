"""Arguments, streams and exit codes of a command. Every error is one line, never a traceback."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from frames.errors import ENVIRONMENT, ERROR, INTERRUPTED, one_line
from frames.unexpected import OWN, ROOT, is_deliberate, story

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

PYTHON = (3, 11)


class Parser(argparse.ArgumentParser):
    """Arguments of a command. Mistakes end in one line and exit code 3; argparse's own 2 means something else here.

    Args:
        prog: what a user types, like `python -m bench table`.
        description: the help's first paragraph; its line breaks are kept.
        epilog: the help's last paragraph.
    """

    def __init__(self, prog: str, description: str | None = None, epilog: str | None = None) -> None:
        kept = argparse.RawDescriptionHelpFormatter
        super().__init__(prog=prog, description=description, epilog=epilog, formatter_class=kept)

    def add_argument(self, *names: Any, **settings: Any) -> argparse.Action:
        """As argparse's, but for two things.

        An option of several values adds to them when it is repeated; argparse keeps the last ones. The help of an
        option with a default value ends with it, unless it says the default itself.
        """
        if settings.get("nargs") in ("*", "+") and str(names[0]).startswith("-"):
            settings.setdefault("action", "extend")
        default, said = settings.get("default"), settings.get("help") or ""
        is_value = isinstance(default, (str, int, float)) and not isinstance(default, bool)
        if is_value and default not in ("", argparse.SUPPRESS) and "default" not in said and said != argparse.SUPPRESS:
            settings["help"] = f"{said} (default %(default)s)".strip()
        return super().add_argument(*names, **settings)

    def error(self, message: str) -> NoReturn:
        program = self.prog.removeprefix("python -m ").split()[0].split(".")[0]
        self.exit(ERROR, f"{program}: {' '.join(message.split())}; see {self.prog} --help\n")


def guarded(program: str, command: Callable[[], int]) -> int:
    """Call a command and return its exit code; an exception becomes one line on stderr.

    Errors that this project raises on purpose are shown as they are. An unforeseen error names the file at hand, and
    its traceback goes into a log in the folder for temporary files. With BENCH_TRACEBACK set, errors are raised.
    """
    try:
        if sys.version_info < PYTHON:
            _say(program, f"Python {'.'.join(map(str, PYTHON))} or newer is needed; {_remedy()}")
            return ENVIRONMENT
        return command()
    except SystemExit as stop:  # argparse: --help, or a mistake that it has told
        return stop.code if isinstance(stop.code, int) else ERROR if stop.code else 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if os.environ.get("BENCH_TRACEBACK"):
            raise
        _say(program, story(error) if package in OWN else f"the package '{package}' is missing; {_remedy()}")
        return ENVIRONMENT
    except Exception as error:
        if os.environ.get("BENCH_TRACEBACK"):
            raise
        _say(program, one_line(error) if is_deliberate(error) else story(error))
        return getattr(error, "exit_code", ERROR)


def process(main: Callable[[list[str]], int]) -> NoReturn:
    """Run a command with this process's arguments, and exit with its code.

    A reader that leaves early (`... | head -1`) changes neither what the command does nor its exit code. Output that
    could not be written (a full disk behind `> file`) is an error, reported when the command is done.
    """
    lost: list[OSError] = []
    sys.stdout, sys.stderr = _text(sys.stdout, lost), _text(sys.stderr, [])
    code = main(sys.argv[1:])
    sys.stdout.flush()
    if lost:
        _say("standard output", one_line(lost[0]))
        code = code or ERROR
    sys.exit(code)


@contextmanager
def importing() -> Iterator[None]:
    """Let Ctrl-C end the process at once during the block, in which modules are imported and nothing needs cleanup."""
    try:
        before = signal.getsignal(signal.SIGINT)
        if before is signal.default_int_handler:
            signal.signal(signal.SIGINT, _leave)
    except ValueError:  # not in the main thread: signals are not for us
        before = None
    try:
        yield
    finally:
        if before is signal.default_int_handler:
            signal.signal(signal.SIGINT, before)


def _leave(number: int, frame: FrameType | None) -> None:
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)


class _Sink(io.FileIO):
    """A file descriptor that drops what it cannot write; the error goes into `lost`, unless the pipe was closed."""

    def __init__(self, number: int, lost: list[OSError]) -> None:
        super().__init__(number, "w", closefd=False)
        self._lost = lost

    def write(self, data: Buffer) -> int:
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            pass
        except OSError as error:
            self._lost.append(error)
        return memoryview(data).nbytes


def _text(given: TextIO | None, lost: list[OSError]) -> TextIO:
    """A stream of text like the given one, which drops what cannot be written and escapes what cannot be encoded."""
    if given is None:  # closed by the shell
        return open(os.devnull, "w", encoding="utf-8")
    given.flush()
    lines = given.isatty() or given is sys.stderr  # each line leaves at once where a person reads it, and errors always
    return io.TextIOWrapper(
        io.BufferedWriter(_Sink(given.fileno(), lost)), given.encoding, "backslashreplace", line_buffering=lines
    )


def _say(program: str, text: str) -> None:
    print(f"{program}: {text}", file=sys.stderr)


def _remedy() -> str:
    set_up = (ROOT / ".venv").is_dir()
    first = "run `source .venv/bin/activate`" if set_up else "run `make setup`, then `source .venv/bin/activate`"
    return f"{first} (this is {sys.executable}, Python {sys.version.split()[0]})"
