"""Odd words for the command line: keys, values, flags and names of files."""

from __future__ import annotations

import random

NAMES = [
    *("über", "日本", "clip (1)", "x[1]", "a=b", "a&b", "it's", "#", "~", ";", "!", "{}", "a,b", "a b", "-dash"),
    *("Infinity", "null", "1e5", '"quoted"', "a\nb", "$HOME", "${oc.env:HOME}", "%s", "\\", "x" * 200, "\udcff"),
]
VALUES = [
    *("", "x", "0", "-1", "1.5", "nan", "inf", "100000", "999999999999999999999", "null", "true"),
    *("[]", "[x]", "[[1]]", "{}", "{a:1}", "1,2", "[nope]", "${oc.env:HOME}", "${nope}", "???", "²", "a b", "'", "("),
    *("/dev/null", "/nowhere", "gt", "run/records.jsonl", "../up", "choice(1,2)", "range(0,1000000)"),
]
KEYS = [
    *("method", "data", "degradation", "protocol", "timing", "scale", "device", "metrics", "save", "out", "store"),
    *("threads", "timing.repeats", "timing.warmup", "timing.budget_s", "timing.scopes", "timing.limit_s"),
    *("data.clips", "data.frames", "data.gt", "data.root", "data.lr", "data.fps", "data.name"),
    *("method.kernel", "method.name", "method._target_", "method"),
    *("nope", "+new", "~method", "++scale", "hydra.run.dir", "metrics.0"),
]
PLAIN = {
    "table": (["run"], ["--columns", "--rows", "--sort", "--format", "--cite", "--published"]),
    "plot": (["run"], ["--kind", "--metrics", "--data", "--methods", "--clips", "--theme", "--width", "--format"]),
    "check": (["run", "--against", "golden"], ["--margin", "--reference", "--junit"]),
    "compare": (["run", "golden"], ["--reference"]),
    "export": (["run", "--out", "out.csv"], ["--out"]),
    "prune": (["--store", "store", "--dry-run"], ["--days", "--store"]),
    "report": (["run", "--out", "out/page.html"], ["--budget", "--frames", "--crop", "--store"]),
    "compare-frames": (
        ["run", "--clip", "left", "--out", "out/x.png"],
        ["--clip", "--frame", "--methods", "--crop", "--video", "--out", "--store"],
    ),
    "doctor": (["--pred", "gt", "--gt", "gt"], ["--protocol", "--scale", "--pred", "--gt"]),
    "explain": (["--pred", "gt", "--gt", "gt"], ["--quoted", "--metric", "--scale", "--device", "--config-dir"]),
    "paper": (["--out", "out"], ["--check", "--out", "--published"]),
    "history": (["run", "golden"], ["--metrics", "--methods", "--data", "--reference", "--format", "--out"]),
    "merge": (["run", "golden", "--out", "out/both"], ["--out"]),
    "publish": (["run", "--to", "out/site"], ["--to"]),
    "runs": ([], []),
    "submit": (["run", "--to", "out/given"], ["--name", "--to"]),
    "watch": (["plan", "--once"], []),
    "worker": (["plan"], ["--stop"]),
    "list": ([], ["--config-dir", "--cost"]),
}
TURBOVSR = ["--scale", "--steps", "--seed", "--weights", "--device", "--precision", "--color-fix", "--tile", "--fps"]


def overrides(rng: random.Random) -> tuple[str, ...]:
    """A small run with one or two odd options; the other options keep it short."""
    base = {
        "method": "bicubic",
        "data": "folder",
        "data.gt": "gt",
        "timing": "once",
        "metrics": "[psnr]",
        "store": "null",
        "out": "out",
    }
    words = dict(base)
    for _ in range(rng.randrange(1, 3)):
        words[rng.choice(KEYS)] = rng.choice(VALUES)
    given = [f"{key}={value}" for key, value in words.items()]
    if rng.random() < 0.1:
        given.append(rng.choice(["=", "-x", "--multirun", "--cfg", "a", "\x00".replace("\x00", "%00"), "a==b"]))
    return ("run", *given)


def envelope(rng: random.Random) -> tuple[str, ...]:
    """A dry run of the envelope with odd options."""
    keys = ("method", "memory", "axes", "frames", "size", "budget_s", "trial_s", "scale", "threads", "timing.repeats")
    odd = [f"{rng.choice(keys)}={rng.choice(VALUES)}" for _ in range(rng.randrange(1, 3))]
    return ("bench", "envelope", "method=bicubic", "device=cpu", "out=out", *odd, "--dry-run")


def plain(rng: random.Random) -> tuple[str, ...]:
    """A command with plain flags, one or two of them odd."""
    if rng.random() < 0.1:
        return envelope(rng)
    if rng.random() < 0.2:
        return ("turbovsr", "lr/left", "out_frames", rng.choice(TURBOVSR), rng.choice(VALUES))
    command = rng.choice(sorted(PLAIN))
    base, known = PLAIN[command]
    words = list(base)
    for _ in range(rng.randrange(1, 3)):
        words += [rng.choice([*known, "--nope"]), rng.choice([*VALUES, *NAMES])]
    return ("bench", command, *words)
