"""The products of conf/paper: rebuilt with the same bytes, traced, checked, compiled."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import markdown as renderer
import pytest
import yaml

from bench.report import latex, trace
from bench.report.paper import build, scores, speed
from bench.report.paper.spec import parse
from frames.errors import UserError
from tests.bench.made_up import with_times

ROOT = Path(__file__).parents[3]
SOURCE = {"folder": "run", "command": "make it"}


def spec(**more):
    rows = [
        {"label": "Plain", "method": "plain"},
        {"label": "Model, 4 steps", "method": "model", "where": {"steps": 4}},
    ]
    columns = [
        {"data": "set", "title": "Set", "metrics": ["psnr", "ssim"]},
        {"data": "vid4", "title": "Vid4", "metrics": ["psnr"]},
    ]
    return parse(
        "made-up", {"kind": "scores", "title": "T", "sources": [SOURCE], "rows": rows, "columns": columns, **more}
    )


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory) -> Path:
    """Built from the committed golden records by a process with a hash seed of its own."""
    folder = tmp_path_factory.mktemp("paper")
    environment = {**os.environ, "PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "bench", "paper", "--out", str(folder)]
    assert subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL).returncode == 0
    return folder


def test_the_committed_products_are_what_the_golden_records_give(rebuilt):
    built = {file.name: file.read_bytes() for file in rebuilt.iterdir()}
    assert {Path(name).suffix for name in built} == {".md", ".csv", ".tex", ".png", ".svg", ".pdf"}
    assert build.differences(built, ROOT / "results" / "paper") == []


def test_the_latex_compiles_with_booktabs(rebuilt, tmp_path):
    if not shutil.which("pdflatex"):
        pytest.skip("pdflatex is not installed (Debian: texlive-latex-base texlive-latex-recommended)")
    folder = tmp_path / "tex"
    shutil.copytree(rebuilt, folder)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "main.tex"]
    answer = subprocess.run(command, cwd=folder, capture_output=True, timeout=600)
    log = answer.stdout.decode(errors="replace")
    assert answer.returncode == 0, log[-2000:]
    assert (folder / "main.pdf").stat().st_size > 10_000 and "Overfull \\hbox" not in log


def test_the_markdown_renders_as_tables(rebuilt):
    for file in rebuilt.glob("*.md"):
        html = renderer.markdown(file.read_text(encoding="utf-8"), extensions=["tables"])
        assert html.count("<table>") == 1 and "| " not in re.sub("<code>.*?</code>", "", html), file.name


def test_what_nobody_measured_is_a_dash_with_a_note(crowd):
    grid = scores.grid(spec(), {"run": crowd}, [])
    (block,) = grid.blocks
    assert [cell.text for cell in block.rows[0]] == ["Plain", "24.50", "–", "–"]
    assert [cell.mark for cell in block.rows[1]] == ["", "best", "", ""]
    assert [head.text for head in grid.heads] == ["method", "PSNR-Y [dB] ↑", "SSIM ↑", "PSNR [dB] ↑"]
    assert "Vid4: not measured" in grid.notes and "– not measured" in grid.notes
    assert all(cell.text == "–" for line in scores.grid(spec(), {}, []).blocks[0].rows for cell in line[1:])


def test_facts_of_a_method_are_columns_too(crowd):
    columns = [{"data": "set", "title": "Set", "metrics": ["parameters", "kind", "psnr"]}]
    grid = scores.grid(spec(columns=columns), {"run": crowd}, [])
    assert [head.text for head in grid.heads[1:3]] == ["parameters [M]", "kind"]
    kinds = {record.descriptor.kind for record in crowd if record.descriptor}
    assert all(line[2].text in kinds | {"–"} for line in grid.blocks[0].rows)


def test_a_set_under_several_seeds_is_one_column_with_the_mean_over_all_clips(record):
    seeds = {"set[seed=0]": (20.0, 22.0), "set[seed=1]": (30.0, 32.0)}
    made = [record("plain", clip, [v], [1.0], data=d) for d, vs in seeds.items() for clip, v in zip("ab", vs)]
    columns = [{"data": list(seeds), "title": "Set", "metrics": ["psnr", "parameters"]}]
    (block,) = scores.grid(spec(columns=columns), {"run": made}, []).blocks
    assert block.rows[0][1].text == "26.00" and block.rows[0][2].text != "–"
    (block,) = scores.grid(spec(columns=columns), {"run": made[:3]}, []).blocks
    assert block.rows[0][1].text == "24.00 (3/4)"


def test_a_clip_under_several_seeds_is_one_sample(record):
    """Three seeds of three clips were taken for nine clips, so that differences between methods looked sure."""
    data = [f"set[seed={seed}]" for seed in range(3)]
    scored = {"plain": (20.0, 22.0, 24.0), "model[steps=4]": (20.8, 22.5, 24.05)}
    made = [
        record(method, clip, [value + seed / 100 * (method == "plain")], [1.0], data=name)
        for method, values in scored.items()
        for seed, name in enumerate(data)
        for clip, value in zip("abc", values)
    ]
    made = [replace(r, method_config={"steps": 4}) if r.method != "plain" else r for r in made]
    (block,) = scores.grid(
        spec(columns=[{"data": data, "title": "Set", "metrics": ["psnr"]}]), {"run": made}, []
    ).blocks
    assert [line[1].text for line in block.rows] == ["22.01", "22.45"]
    assert [line[1].mark for line in block.rows] == ["best", "best"]


def test_incomplete_cells_say_how_many_clips_they_have(crowd):
    few = [r for r in crowd if r.clip != "a"]
    (block,) = scores.grid(spec(), {"run": few}, []).blocks
    assert block.rows[0][1].text == "26.00 (3/4)"


@pytest.fixture
def on_two_devices(record):
    """Two methods on a machine with clip a and on a card with b and c; `lean` failed on c, the larger one."""
    made = [
        with_times(
            record(method, clip, [20.0] * 4, [seconds], device=device, expected=3),
            peak_memory_mb=megabytes,
            peak_memory_kind="allocated",
        )
        for clip, device, megabytes in (("a", "a machine", 100.0), ("b", "a card", 200.0), ("c", "a card", 900.0))
        for method, seconds in (("plain", 1.0), ("lean", 2.0))
    ]
    return speed.grid(parse("s", {"kind": "speed", "title": "S", "sources": [SOURCE]}), {"run": made[:-1]}, [])


def test_speeds_on_two_devices_count_the_clips_of_each(on_two_devices):
    machine, card = on_two_devices.blocks
    assert "set, 4 frames of 80×40 in 1 clip;" in machine.heading and "8 frames of 80×40 in 2 clips;" in card.heading
    times = [[row[2].text for row in block.rows] for block in (machine, card)]
    assert times == [["1.00", "2.00"], ["2.00", "2.00"]]
    below = list(trace.lines("s", on_two_devices))
    first = below.index("s | plain | time [s] ↓ | 1.00")
    assert below[first + 1].startswith("    run | a | 1 s") and below[first + 2].startswith("s | ")


def test_a_table_of_speeds_of_which_nothing_is_measured_says_so():
    rows = [{"label": "Plain", "method": "plain"}]
    empty = parse("s", {"kind": "speed", "title": "S", "sources": [SOURCE], "rows": rows})
    made = build.products(empty, {}, ([], []))
    assert set(made) == {"s.md", "s.csv", "s.tex"} and b"not measured: Plain" in made["s.tex"]


def test_the_least_memory_is_marked_among_methods_on_the_same_clips(on_two_devices):
    _, card = on_two_devices.blocks
    assert [row[5].text for row in card.rows] == ["0.944 (2/3)", "0.210 (1/3)"]
    assert not card.rows[1][5].mark


def test_a_set_that_no_row_has_is_named_where_several_make_a_column(record):
    columns = [{"data": ["set[seed=0]", "set[seed=1]"], "title": "Set", "metrics": ["psnr"]}]
    made = [record("plain", clip, [20.0], [1.0], data="set[seed=0]") for clip in "ab"]
    grid = scores.grid(spec(columns=columns), {"run": made}, [])
    assert "Set: set[seed=1] not measured, the means are over the other sets" in grid.notes


def test_records_of_another_protocol_are_left_out_and_named(crowd):
    columns = [{"data": "set", "title": "Set", "metrics": ["psnr"], "protocol": "rgb"}]
    grid = scores.grid(spec(columns=columns), {"run": crowd}, [])
    assert grid.notes[0] == "Set: not measured, or under protocol vid4 alone" and grid.blocks[0].rows[0][1].text == "–"


def test_a_row_that_fits_two_methods_must_be_told_apart(crowd):
    rows = [{"label": "Model", "method": "model"}]
    with pytest.raises(UserError, match=r"row 'Model' fits model\[steps=1\] and model\[steps=4\] on set"):
        scores.grid(spec(rows=rows), {"run": crowd}, [])


def test_the_first_folder_that_has_a_row_counts(crowd, record):
    sources = [{"folder": "new", "command": "x"}, {"folder": "old", "command": "x"}]
    newer = [record("plain", c, [40], [1.0], expected=4) for c in "abcd"]
    (block,) = scores.grid(spec(sources=sources), {"old": crowd, "new": newer}, []).blocks
    assert block.rows[0][1].text == "40.00" and block.rows[1][1].text == "26.15"
    assert {s.run for s in block.rows[0][1].sources} == {"new"}


@pytest.mark.parametrize(
    "change, message",
    [
        ({"titel": "x"}, "conf/paper/made-up.yaml: unknown key 'titel'; did you mean 'title'?"),
        ({"kind": "score"}, "kind 'score'; did you mean 'scores'?"),
        ({"rows": [{"label": "x"}]}, "conf/paper/made-up.yaml: the field rows.method is missing"),
        ({"rows": 2 * [{"label": "x", "method": "plain"}]}, "conf/paper/made-up.yaml: two rows are called 'x'"),
        ({"columns": [{"data": "set", "title": "S", "metrics": "psnr"}]}, "columns.metrics is 'psnr', not a list"),
        ({"title": 3}, "conf/paper/made-up.yaml: title is 3, not text"),
        ({"rows": "plain"}, "'rows' must be a list of mappings"),
    ],
)
def test_a_mistake_in_a_declaration_is_one_line(change, message):
    with pytest.raises(UserError) as caught:
        spec(**change)
    assert message in str(caught.value)


def test_the_check_names_the_file_and_the_remedy(bench, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    out = tmp_path / "paper"
    answer = bench("paper", "--check", out)
    assert answer.code == 3 and answer.err.count("\n") == 1 and f"{out}: no such folder" in answer.err
    assert bench("paper", "sample", "speed", "--out", out).code == 0
    assert bench("paper", "sample", "speed", "--check", out).code == 0
    (out / "speed.md").write_text((out / "speed.md").read_text().replace("|---|", "|----|", 1))
    (out / "sample.csv").unlink()
    answer = bench("paper", "sample", "speed", "--check", out)
    lines = answer.err.splitlines()
    assert answer.code == 1 and len(lines) == 2
    assert "sample.csv: not there" in lines[0] and re.search(
        r"speed\.md: differs .* line \d+; if that is meant", lines[1]
    )


def test_every_measured_cell_is_traced_to_its_clips(bench, monkeypatch):
    monkeypatch.chdir(ROOT)
    answer = bench("paper", "sample", "--trace")
    lines = answer.out.splitlines()
    assert answer.code == 0, answer.err
    cell = "sample | TurboVSR nano | sample: PSNR-RGB [dB] ↑ | "
    start = next(index for index, line in enumerate(lines) if line.startswith(cell))
    below = lines[start + 1 : start + 8]
    assert all(line.startswith("    results/golden/sample | ") and "| psnr|rgb|uint8" in line for line in below)
    record = re.search(r"frames ([0-9a-f]{12})", below[0])[1]
    assert f'"sr_sha256": "{record}' in (ROOT / "results/golden/sample/records.jsonl").read_text()


def test_an_unknown_product_is_named(bench, monkeypatch):
    monkeypatch.chdir(ROOT)
    answer = bench("paper", "qualty")
    assert answer.code == 3 and answer.err == "bench: unknown product 'qualty'; did you mean 'quality'?\n"


def test_every_declaration_in_conf_is_read_and_names_its_commands():
    for file in sorted((ROOT / "conf" / "paper").glob("*.yaml")):
        declared = parse(file.stem, yaml.safe_load(file.read_text(encoding="utf-8")))
        assert declared.sources and all(source.command for source in declared.sources), file.name


def test_latex_spells_every_sign_that_it_would_read_itself():
    text = latex.escaped(r"50% of a_b & c# {x} ~ ^ \ $ < > | × – ∞ ↑ † é 中")
    assert text == (
        r"50\% of a\_b \& c\# \{x\} \textasciitilde{} \textasciicircum{} \textbackslash{} \$ \textless{} "
        r"\textgreater{} \textbar{} $\times$ -- $\infty$ $\uparrow$ $\dagger$ é (U+4E2D)"
    )
