"""The commands of `python -m bench`: one module each, imported only when its command is given."""

COMMANDS = {
    "run": "upscale, time and score: run method=bicubic,turbovsr data=sample",
    "worker": "work on a run that was planned with workers=, together with other workers: worker RUN",
    "watch": "show the progress of a run: the state of each worker, and failures",
    "merge": "join runs of different clips or methods into one folder",
    "envelope": "find the largest frame and the longest clip that fit in memory, and how cost grows",
    "list": "list methods, data sets, degradations, protocols, timings and metrics",
    "data": "show data sets and where they are; verify every frame; fetch the embedded ones",
    "table": "print the tables of one or several runs (terminal, md, csv, tex)",
    "plot": "draw the plots of one or several runs (PNG, SVG, PDF)",
    "paper": "rebuild the tables and figures that conf/paper/ declares",
    "report": "write one HTML page: tables, plots, a viewer of the frames, worst frames, environment",
    "compare-frames": "write a labelled comparison strip (PNG) or video of one clip's frames",
    "runs": "list run folders with their data sets, methods and failures",
    "prune": "remove stored frames, times and scores not used for some days",
    "check": "compare a run with golden records; exit code 1 if it has become worse",
    "compare": "compare two runs, with intervals and verdicts",
    "history": "show scores and speed of methods over the commits of several runs",
    "submit": "check a run folder against the rules and write results/submissions/NAME for a pull request",
    "publish": "write a static site of results from many runs: tables, plots, a page for each run",
    "export": "write all per-frame scores and repetitions of runs to one Parquet or CSV file",
    "explain": "score a prediction under all protocol presets and find the one behind a quoted number",
    "agreement": "print how far viewers agree with each metric, from a data set with opinion scores",
    "doctor": "find shifts, wrong order, channel, range and gamma faults of a prediction; check LR frames",
}
"""Each command and what it does. This table is all that `python -m bench --help` reads."""
