"""The targets: each kind of input with the commands that read it. A kind draws one case at a time."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from studies.attack import bombs, foreign, material, models, mutate, options
from studies.attack.case import Case

Draw = Callable[[random.Random], Case]
PAGE = ("report", "run", "--out", "out/page.html", "--frames", "1")
STRIP = ("compare-frames", "run", "--clip", "left", "--out", "out/strip.png")
READERS = (
    ("table", "run"),
    ("plot", "run", "--out", "out/plot"),
    ("check", "run", "--against", "golden"),
    ("check", "golden", "--against", "run", "--reference", "nearest"),
    ("compare", "run", "golden"),
    ("export", "run", "--out", "out.csv"),
    ("export", "run", "--out", "out.parquet"),
    ("runs", "."),
    ("history", "run", "golden", "--out", "out/history"),
    PAGE,
    STRIP,
)
SHORT = ("timing=once", "metrics=[psnr]")
RUN_AGAIN = ("run", *material.FULL_RUN, "data=folder", "data.gt=gt", "timing=once", "store=store")


def records(rng: random.Random) -> Case:
    """A run's records with one altered value, or damaged bytes."""
    seed, bytewise = rng.random(), rng.random() < 0.4

    def prepare(folder: Path) -> None:
        inner = random.Random(seed)
        file = folder / "run" / "records.jsonl"
        lines = file.read_bytes().splitlines(keepends=True)
        at = inner.randrange(len(lines))
        if bytewise:
            lines[at] = mutate.damaged(lines[at], inner)
        else:
            lines[at] = mutate.altered_json(lines[at].decode(), inner).encode("utf-8", "surrogatepass") + b"\n"
        file.write_bytes(b"".join(lines))

    return Case("records", ("bench", *rng.choice(READERS)), prepare)


def run_files(rng: random.Random) -> Case:
    """A run's config.yaml, environment.json or summary.csv, damaged; also for a run that resumes."""
    seed, name = rng.random(), rng.choice(["config.yaml", "environment.json", "summary.csv"])
    words = rng.choice([PAGE, STRIP, (*RUN_AGAIN, "out=run")])

    def prepare(folder: Path) -> None:
        inner = random.Random(seed)
        file = folder / "run" / name
        if inner.random() < 0.3:
            file.write_bytes(mutate.damaged(file.read_bytes(), inner))
        else:
            text = mutate.altered_text(file.read_text(), inner)
            file.write_text(text, encoding="utf-8", errors="surrogateescape" if "\ud800" not in text else "replace")

    return Case(name, ("bench", *words), prepare, may_write=("run",))


def store(rng: random.Random) -> Case:
    """A damaged file of the store; then the same run again, which reads it."""
    seed = rng.random()
    words = rng.choice([(*RUN_AGAIN, "out=out"), (*RUN_AGAIN, "out=out", "metrics=[psnr,ssim,tof]"), PAGE])

    def prepare(folder: Path) -> None:
        inner = random.Random(seed)
        files = sorted(file for file in (folder / "store").rglob("*") if file.is_file())
        file = inner.choice(files)
        if inner.random() < 0.15:
            file.unlink()
            inner.choice(sorted(bombs.SPECIAL_TEXT.items()))[1](file)
        elif file.suffix == ".json" and inner.random() < 0.5:
            text = mutate.altered_json(file.read_text(), inner)
            file.write_text(text, encoding="utf-8", errors="surrogatepass")
        else:
            file.write_bytes(mutate.damaged(file.read_bytes(), inner))

    return Case("store", ("bench", *words), prepare)


def media(rng: random.Random) -> Case:
    """A damaged image or video, given to all commands that read frames."""
    seed, name = rng.random(), rng.choice(material.MEDIA)
    video = name.startswith("clip")
    data = ("data=folder", "data.gt=x", "timing=once", "metrics=[psnr]", "method=bicubic", "store=null", "out=out")
    words = rng.choice(
        [
            ("bench", "run", *data),
            ("bench", "data", "verify", "folder", "data.gt=x"),
            ("bench", "doctor", "--pred", "x", "--gt", name if video else "gt/left"),
            ("bench", "explain", "--pred", "x", "--gt", name if video else "gt/left"),
            ("turbovsr", f"x/{name}", f"out{Path(name).suffix if not video else '.mp4'}"),
            ("turbovsr", "x", "out_frames"),
        ]
    )

    def prepare(folder: Path) -> None:
        inner = random.Random(seed)
        (folder / "x").mkdir()
        (folder / "x" / name).write_bytes(mutate.damaged((folder / name).read_bytes(), inner))
        if not video and inner.random() < 0.5:
            (folder / "x" / f"2{Path(name).suffix}").write_bytes((folder / name).read_bytes())

    return Case(Path(name).suffix[1:], tuple(words), prepare)


def frame(rng: random.Random) -> Case:
    """One damaged, missing or renamed frame among intact ones, in LR or in GT."""
    seed, side, clip = rng.random(), rng.choice(["gt", "lr"]), rng.choice(material.CLIPS)
    data = ("data=folder", "data.gt=gt", "data.root=lr", "timing=once", "metrics=[psnr]", "store=null", "out=out")
    words = rng.choice([("run", "method=bicubic", *data), ("data", "verify", "folder", "data.gt=gt", "data.root=lr")])

    def prepare(folder: Path) -> None:
        inner = random.Random(seed)
        file = folder / side / clip / f"{inner.randrange(material.FRAMES):08d}.png"
        action = inner.randrange(5)
        if action == 0:
            file.unlink()
        elif action == 1:
            file.unlink()
            file.mkdir()
        elif action == 2:
            file.rename(file.with_name(inner.choice(["._x.png", "frame.png", "1.png", "x.PNG", "x.txt"])))
        else:
            file.write_bytes(mutate.damaged(file.read_bytes(), inner))

    return Case("frames", ("bench", *words), prepare)


def weights(rng: random.Random) -> Case:
    """Weights: damaged files of the project, and pickles that would run a command."""
    seed = rng.random()
    name, words = rng.choice(
        [
            ("w.safetensors", ("turbovsr", "lr/left", "out_frames", "--weights", "w.safetensors")),
            ("w.safetensors", _measured("method=turbovsr", "method.weights=w.safetensors")),
            ("w.pth", _measured("method=basicvsr", "method.weights=w.pth")),
            ("w.pth", _measured("method=realesrgan", "method.weights=w.pth")),
            ("w.pth", ("turbovsr", "lr/left", "out_frames", "--weights", "w.pth")),
        ]
    )

    def prepare(folder: Path) -> None:
        inner = random.Random(seed)
        (folder / name).write_bytes(bombs.weights(name, inner))

    return Case("weights", words, prepare)


def configs(rng: random.Random) -> Case:
    """A user's method with damaged YAML."""
    seed = rng.random()
    words = rng.choice(
        [
            _measured("method=mine", "--config-dir", "mine"),
            ("bench", "list", "--config-dir", "mine"),
            ("bench", "data", "--config-dir", "mine"),
        ]
    )

    def prepare(folder: Path) -> None:
        inner = random.Random(seed)
        file = folder / "mine" / "method" / "mine.yaml"
        text = mutate.altered_text(file.read_text(), inner)
        file.write_bytes(text.encode("utf-8", "replace"))
        if inner.random() < 0.2:
            file.write_bytes(mutate.damaged(file.read_bytes(), inner))

    return Case("config YAML", words, prepare)


def run_options(rng: random.Random) -> Case:
    """KEY=VALUE pairs with odd keys and values."""
    words = options.overrides(rng)
    named = [word.split("=", 1)[1].split("/")[0] for word in words if word.startswith(("out=", "store="))]
    return Case("options", ("bench", *words), lambda folder: None, may_write=("run", *filter(None, named)))


def flags(rng: random.Random) -> Case:
    """Plain flags with odd values."""
    words = options.plain(rng)
    named = tuple(
        word for word in words if word and not word.startswith(("-", "/", ".."))
    )  # --out and others name files
    return Case("flags", words, lambda folder: None, may_write=("run", *named))


def paths(rng: random.Random) -> Case:
    """Unusual names of folders: spaces, brackets, quotes, other alphabets, bytes that are not UTF-8."""
    name = rng.choice(options.NAMES)
    words = rng.choice(
        [
            ("bench", "run", "method=bicubic", "data=folder", f"data.gt={name}", *SHORT, "out=out"),
            ("bench", "data", "verify", "folder", f"data.gt={name}"),
            ("bench", "run", "method=bicubic", "data=folder", "data.gt=gt", *SHORT, f"out=out/{name}"),
            ("bench", "table", f"out/{name}"),
            ("bench", "doctor", "--pred", name, "--gt", "gt"),
            ("turbovsr", f"{name}/left", "out_frames"),
        ]
    )

    def prepare(folder: Path) -> None:
        (folder / name).symlink_to(folder / "gt") if rng.random() < 0.3 else (folder / "gt").rename(folder / name)
        (folder / "out").mkdir()
        (folder / "run").rename(folder / "out" / name) if words[1] == "table" else None
        if not (folder / "gt").exists():
            (folder / "gt").symlink_to(folder / name)

    return Case("paths", words, prepare)


def special(rng: random.Random) -> Case:
    """Pipes, devices, folders and broken links in place of files, and files that unpack to far more than their size."""
    name, make = rng.choice(sorted(bombs.SPECIAL.items()))
    suffix = Path(name).suffix
    words = rng.choice(
        [
            ("bench", "run", "method=bicubic", "data=folder", "data.gt=x", *SHORT, "out=out"),
            ("bench", "data", "verify", "folder", "data.gt=x"),
            ("bench", "doctor", "--pred", "x", "--gt", "gt/left"),
            ("bench", "explain", "--pred", f"x/{name}", "--gt", "gt/left"),
            ("turbovsr", f"x/{name}", f"out{suffix if suffix in ('.png', '.mp4') else '_frames'}"),
            ("turbovsr", "x", "out_frames"),
        ]
    )

    def prepare(folder: Path) -> None:
        (folder / "x").mkdir()
        make(folder / "x" / name)

    return Case("special files", words, prepare)


def special_runs(rng: random.Random) -> Case:
    """Run folders with a pipe, a device, a folder or a bomb in place of a file."""
    name, make = rng.choice(sorted(bombs.SPECIAL_TEXT.items()))
    file = rng.choice(["records.jsonl", "config.yaml", "environment.json"])

    def prepare(folder: Path) -> None:
        (folder / "run" / file).unlink()
        make(folder / "run" / file)

    words = rng.choice([*READERS, (*RUN_AGAIN, "out=run")])
    return Case(f"run folder: {name}", ("bench", *words), prepare, may_write=("run",))


KINDS: tuple[Draw, ...] = (
    *(records, records, records, run_files, run_files, store, store, media, media, media, frame, weights),
    *(configs, run_options, run_options, run_options, flags, flags, paths, special, special, special_runs),
    *(foreign.plans, foreign.plans, foreign.given, foreign.given, foreign.degraded, foreign.many, foreign.costs),
    *(models.graphs, models.networks, models.pipelines, models.programs),
)
"""Drawn in turn; those with many ways to go wrong come more than once."""


def _measured(*words: str) -> tuple[str, ...]:
    """A small run that writes into out/."""
    data = ("data=folder", "data.gt=gt", "data.clips=[left]", "data.frames=1")
    return ("bench", "run", *words, *data, "timing=once", "metrics=[psnr]", "store=null", "out=out")
