"""What a run says while it is at work."""

from bench.run.progress import Reporter


def test_names_that_would_move_the_cursor_are_shown_escaped(capsys):
    with Reporter(2) as reporter:
        reporter.working("reading set/a\x1b[2J [/oops]")
        reporter.finished("set/a\x1b[2J m: 30 dB [b]")
        reporter.note("set/a\x9b2J m: noted")
    assert capsys.readouterr().err == "[1/2] set/a\\x1b[2J m: 30 dB [b]\n      set/a\\x9b2J m: noted\n"


def test_the_running_step_is_no_markup(capsys):
    reporter = Reporter(1)
    with reporter:
        reporter.working("reading set/a\x1b[2J [/oops]")
        shown = reporter._bar.columns[0].render(reporter._bar.tasks[1])
    assert shown.plain == "reading set/a\\x1b[2J [/oops]"
