"""The claims study: toy sizes end to end, intervals, tables, and the page that shows them."""

import json
from pathlib import Path

import numpy as np
import pytest

from studies.claims.__main__ import main
from studies.claims.autoencoder import autoencoder_steps
from studies.claims.comparisons import CLAIMS, comparisons
from studies.claims.files import read
from studies.claims.intervals import difference, estimate
from studies.claims.plan import FLOW_STEPS, HIGHEST_COMPRESSION, LOWEST_COMPRESSION, Plan, arms
from studies.claims.result import read_result
from studies.claims.tables import markdown
from studies.claims.training import batch_of, steps_of_many_tokens, tflop_of_two_steps
from tests.command_line import answer

ROOT = Path(__file__).parents[2]
VIDEOS = {"p0": "p", "p1": "p", "q0": "q", "q1": "q"}


@pytest.fixture(scope="module")
def words(tmp_path_factory) -> list[str]:
    """The study at toy size, without LPIPS."""
    folder = tmp_path_factory.mktemp("claims")
    rng = np.random.default_rng(0)
    shapes = {"data/photos/a": (70, 80, 3), "data/shots/b": (10, 70, 80, 3), "held/shots/c": (10, 70, 80, 3)}
    for name, shape in (shapes | {"held/shots/d": (10, 70, 80, 3)}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(folder / f"{name}.npy", rng.integers(0, 256, shape, dtype=np.uint8))
    paths = [f"--{name}={folder / name}" for name in ("data", "held", "work")]
    return [*paths, "--smoke", f"--lpips={folder / 'none'}", f"--out={folder / 'out'}"]


@pytest.mark.slow
def test_the_study_runs_to_its_end_and_does_only_what_is_missing_the_next_time(words, capfd):
    done = answer(main, words, capfd)
    assert done.code == 0, done.err
    work, out = (Path(word.partition("=")[2]) for word in (words[2], words[-1]))
    result = read_result(out / "claims.json")
    cells = {(arm, sampler) for arm, seeds in result["scores"].items() for sampler in next(iter(seeds.values()))}
    assert {cell for each in comparisons() for cell in (each.first, each.second)} <= cells
    assert set(result["references"]) == {HIGHEST_COMPRESSION, LOWEST_COMPRESSION}
    assert result["seconds"].keys() == {"factorized", "factorized_8x8x4"}
    assert all(f"Claim {claim}: " in done.out for claim in CLAIMS) and "no LPIPS" in done.err
    assert (out / "claims.md").read_text() == done.out

    (work / "arms" / "flow-0" / "scores.json").unlink()
    before = len(read(work / "times.jsonl", lines=True))
    again = answer(main, words, capfd)
    parts = [entry["part"] for entry in read(work / "times.jsonl", lines=True)[before:]]
    assert again.code == 0 and parts == ["flow-0, training", "flow-0, scores"]
    assert "stage condition is finished" in again.err
    assert read_result(out / "claims.json")["scores"] == result["scores"]

    refused = answer(main, [*words, "--budget=2"], capfd)
    assert refused.code == 3 and "begun with other sizes or another --budget" in refused.err
    printed = answer(main, ["--report", str(out / "claims.json")], capfd)
    assert printed.code == 0 and "Claim a: " in printed.out


@pytest.mark.parametrize(
    "words, message",
    [
        ([], "the study needs --data (photographs and videos to train on"),
        (["--budget=0"], "--budget: above 0"),
        (["--data=/nowhere", "--held=/nowhere", "--smoke", "--lpips=none"], "/nowhere: no such file or folder"),
    ],
)
def test_a_mistake_is_one_line(words, message, tmp_path, capfd):
    answered = answer(main, [*words, f"--work={tmp_path}"] if words else [], capfd)
    errors = [line for line in answered.err.splitlines() if line.startswith("studies")]
    assert answered.code == 3 and len(errors) == 1 and message in errors[0], answered.err


def test_what_is_not_scored_yet_has_no_table(tmp_path, capfd):
    unknown = answer(main, ["--so-far", f"--work={tmp_path}"], capfd)
    assert unknown.code == 3 and "no study was begun in --work" in unknown.err
    (tmp_path / "plan.json").write_text("{}")
    begun = answer(main, ["--so-far", f"--work={tmp_path}"], capfd)
    assert begun.code == 2 and begun.out == "nothing is scored yet\n" and not (tmp_path / "claims.md").exists()


def test_a_file_of_another_kind_is_no_result(tmp_path, capfd):
    (tmp_path / "x.json").write_text("{}")
    answered = answer(main, ["--report", str(tmp_path / "x.json")], capfd)
    assert answered.code == 3 and "not a result of this study" in answered.err


def test_a_budget_scales_the_steps_and_every_arm_starts_from_an_earlier_one():
    plan = Plan().scaled(0.5)
    assert plan.condition_steps == Plan().condition_steps / 2 and plan.batch == Plan().batch
    named: list[str] = []
    for arm in arms(plan, 100):
        assert arm.start is None or arm.start in named
        named.append(arm.name)


def test_compressions_are_compared_at_equal_arithmetic():
    plan = Plan()
    steps = {HIGHEST_COMPRESSION: 1000, LOWEST_COMPRESSION: steps_of_many_tokens(plan)}
    spent = [steps[space] * tflop_of_two_steps(plan, space) for space in steps]
    assert spent[0] == pytest.approx(spent[1], rel=0.01)
    examples = [steps[space] * batch_of(plan, space) for space in steps]
    assert examples[1] < 0.1 * examples[0]
    assert autoencoder_steps(plan, HIGHEST_COMPRESSION) == plan.autoencoder_steps


def test_an_interval_counts_seeds_and_videos():
    values = {seed: {clip: 1.0 for clip in VIDEOS} for seed in range(3)}
    assert estimate(values, VIDEOS).half == 0 and estimate(values, VIDEOS).mean == 1
    # Seeds alone differ: Student's interval of three values -1, 0, 1 with two degrees of freedom.
    by_seed = estimate({seed: dict.fromkeys(VIDEOS, float(seed - 1)) for seed in range(3)}, VIDEOS)
    assert by_seed.half == pytest.approx(4.3027 / 3**0.5, rel=1e-4) and not by_seed.differs
    # Videos alone differ, 0 and 2: one degree of freedom, however many clips and seeds there are.
    of_clip = {clip: 2.0 * (video == "q") for clip, video in VIDEOS.items()}
    by_video = estimate(dict.fromkeys(range(3), of_clip), VIDEOS)
    assert by_video.half == pytest.approx(12.7062, rel=1e-4) and by_video.mean == 1
    assert (by_video.seeds, by_video.videos, by_video.clips) == (3, 2, 4)


def test_one_seed_or_one_video_has_no_interval():
    one = estimate({0: dict.fromkeys(VIDEOS, 1.0)}, VIDEOS)
    assert one.half is None and not one.differs
    assert estimate({0: {"p0": 1.0}, 1: {"p0": 2.0}}, VIDEOS).half is None


def test_differences_are_of_the_seeds_that_both_have():
    first = {seed: {clip: seed + 1.0 for clip in VIDEOS} for seed in (0, 1, 2)}
    second = {seed: {clip: float(seed) for clip in VIDEOS} for seed in (1, 2, 3)}
    found = difference(first, second, VIDEOS)
    assert found.mean == 1 and found.half == 0 and found.seeds == 2
    assert difference({0: first[0]}, {1: first[1]}, VIDEOS) is None


def made_up(**arms_lpips: float) -> dict:
    """A result of two seeds whose LPIPS are given by arm, in one sampler."""
    clips = {
        name: {str(seed): {"shifted, 50": {c: {"lpips": value + 0.01 * seed} for c in VIDEOS}} for seed in (0, 1)}
        for name, value in arms_lpips.items()
    }
    environment = {"cpu": "some", "cores": 2, "date": "2026-01-01T00:00:00"}
    rest = {"plan": {}, "tflop": None, "times": {}, "references": {}, "seconds": {}}
    return rest | {"videos": VIDEOS, "environment": environment, "scores": clips}


def test_a_table_says_what_holds_and_what_was_not_measured():
    text = markdown(made_up(factorized=0.3, all_frames=0.4, not_pretrained=0.2))
    rows = {line.split(" | ")[1]: line for line in text.splitlines() if line.startswith("| factorized, 50 steps")}
    assert "-0.1000 ± 0.0000 better" in rows["all frames, 50 steps, shifted"]
    assert "+0.1000 ± 0.0000 worse" in rows["not pretrained, 50 steps, shifted"]
    assert rows["all frames and stills, 50 steps, shifted"].endswith("| 0 | – | – | – |")


def test_every_comparison_is_of_cells_that_are_scored():
    scored = {(arm.name, f"{grid}, {steps}") for arm in arms(Plan(), 100) for grid, steps in arm.samplers}
    assert {cell for each in comparisons() for cell in (each.first, each.second)} <= scored
    assert {each.claim for each in comparisons()} == set(CLAIMS) and max(FLOW_STEPS) == 50


def test_the_page_shows_the_tables_of_the_stored_result():
    page = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    assert markdown(json.loads((ROOT / "results" / "claims" / "claims.json").read_text(encoding="utf-8"))) in page
