"""Targets among files that workers and people share: plans, leases, logs, submissions, degraded sets."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

from studies.attack import bombs, material, mutate
from studies.attack.case import Case

SMALL = ("method=bicubic", "data=folder", "data.gt=gt", "data.frames=1", "timing=once", "metrics=[psnr]", "store=store")
SHARED = (
    ("worker", "plan"),
    ("worker", "plan", "--stop"),
    ("watch", "plan", "--once"),
    ("merge", "plan", "golden", "--out", "out/both"),
    ("table", "plan"),
    ("run", *SMALL, "out=plan"),
)
GIVEN = (
    ("submit", "run", "--name", "mine", "--to", "out/submissions"),
    ("publish", "run", "golden", "--to", "out/site"),
    ("merge", "run", "golden", "--out", "out/both"),
    ("run", *material.FULL_RUN, "data=folder", "data.gt=gt", "timing=once", "store=store", "out=run", "--dry-run"),
)


def plans(rng: random.Random) -> Case:
    """Another user's run of many workers, in which a file is damaged, altered, or replaced by a special file."""
    seed, words = rng.random(), rng.choice(SHARED)

    def prepare(folder: Path) -> None:
        inner = random.Random(seed)
        files = sorted(file for file in (folder / "plan").rglob("*") if file.is_file())
        _harm(inner.choice(files), inner)
        if inner.random() < 0.3:
            job = next((folder / "plan" / "work").iterdir())
            name = inner.choice([".worker-x", "0.1", "0.²", "1." + "9" * 200, "0.1/x"])
            target = job / inner.choice(["leases", "done"]) / name
            target.parent.mkdir(exist_ok=True)
            _special(target, inner)

    return Case("plan", ("bench", *words), prepare, may_write=("plan",))


def given(rng: random.Random) -> Case:
    """Another user's damaged run folder, given to commands that judge, merge or show it."""
    seed, words = rng.random(), rng.choice(GIVEN)

    def prepare(folder: Path) -> None:
        inner = random.Random(seed)
        run = folder / "run"
        if inner.random() < 0.5:
            facts = {"name": inner.choice(mutate.ODD_VALUES), "host": "h", "device": "d", "began": "now"}
            (run / "workers").mkdir(exist_ok=True)
            (run / "workers" / "w.json").write_text(mutate.altered_json(json.dumps(facts), inner))
            if inner.random() < 0.5:
                _special(run / "workers" / "x.json", inner)
        _harm(run / inner.choice(["records.jsonl", "environment.json", "config.yaml"]), inner)

    return Case("given run", ("bench", *words), prepare, may_write=("run",))


def costs(rng: random.Random) -> Case:
    """Stored costs of metrics, of which one is damaged, or a user's metric with altered YAML."""
    seed, words = rng.random(), ("list", "--cost", "--config-dir", "mine")

    def prepare(folder: Path) -> None:
        inner = random.Random(seed)
        kept = sorted((folder / "results" / "store" / "costs").iterdir())
        if inner.random() < 0.5:
            _harm(inner.choice(kept), inner)
        else:
            file = folder / "mine" / "metric" / "mine.yaml"
            file.write_bytes(mutate.altered_text(file.read_text(), inner).encode("utf-8", "replace"))

    return Case("costs", ("bench", *words), prepare)


def degraded(rng: random.Random) -> Case:
    """LR frames that were degraded elsewhere, with their manifest, or GT to be degraded; one file is damaged."""
    seed = rng.random()
    words = rng.choice(
        [
            ("data", "verify", "folder", "data.gt=gt", "data.root=degraded"),
            ("run", *SMALL, "data.root=degraded", "out=out"),
            ("data", "degrade", "folder", "data.gt=gt", "--degradation", "bi", "out/lr"),
            ("data", "degrade", "folder", "data.gt=gt", "--degradation", rng.choice(["once", "nope", ""]), "degraded"),
        ]
    )

    def prepare(folder: Path) -> None:
        inner = random.Random(seed)
        files = sorted(file for file in (folder / inner.choice(["gt", "degraded"])).rglob("*") if file.is_file())
        manifests = sorted((folder / "degraded").glob("*.json"))
        _harm(inner.choice(manifests if manifests and inner.random() < 0.6 else files), inner)

    return Case("degraded set", ("bench", *words), prepare)


def many(rng: random.Random) -> Case:
    """A run of two workers, or of an odd number of them, with a damaged frame."""
    seed = rng.random()
    odd = rng.choice(
        [("workers=2",), ("workers=-1",), ("workers=x",), ("workers=slurm:0",), ("workers=2", "threads=9")]
    )

    def prepare(folder: Path) -> None:
        inner = random.Random(seed)
        file = folder / "gt" / inner.choice(material.CLIPS) / "00000000.png"
        file.write_bytes(mutate.damaged(file.read_bytes(), inner))

    return Case("workers", ("bench", "run", *SMALL, *odd, "out=out"), prepare)


def _harm(file: Path, rng: random.Random) -> None:
    """Damage one file: other bytes, another value, or a special file in its place."""
    action = rng.random()
    if action < 0.2:
        file.unlink()
        _special(file, rng)
    elif file.suffix in (".json", ".jsonl") and action < 0.7:
        lines = file.read_text(encoding="utf-8").splitlines() if file.suffix == ".jsonl" else [file.read_text("utf-8")]
        at = rng.randrange(len(lines) or 1)
        lines[at : at + 1] = [mutate.altered_json(lines[at] if lines else "{}", rng)]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogatepass")
    else:
        file.write_bytes(mutate.damaged(file.read_bytes(), rng))


def _special(path: Path, rng: random.Random) -> None:
    if not os.path.lexists(path):
        rng.choice(sorted(bombs.SPECIAL_TEXT.items()))[1](path)
