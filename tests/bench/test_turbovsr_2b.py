"""`method=turbovsr_2b` end to end at its tiny size; the full one is for CUDA."""

import json

FAST = ("metrics=[psnr]", "timing=once", "device=cpu", "data.frames=2")


def test_either_path_runs_and_every_record_says_that_the_weights_are_random(bench, clips, tmp_path):
    out = tmp_path / "run"
    command = ("run", "method=turbovsr_2b", "method.size=2b-tiny", "method.path=paper,turbo", "data=folder")
    answer = bench(*command, f"data.gt={clips}", f"out={out}", *FAST)
    assert answer.code == 0, answer.err
    records = [json.loads(line) for line in (out / "records.jsonl").read_text().splitlines()]
    assert [record["method"] for record in records] == 2 * [f"turbovsr_2b[path={p}]" for p in ("paper", "turbo")]
    for record in records:
        assert record["descriptor"]["weights"] == "random (seed 0)"
        assert "random weights: timed only" in record["descriptor"]["notes"]
        assert {"condition", "denoise", "decode"} <= record["timing"]["tensors"]["repetitions"][0]["stages_s"].keys()


def test_full_size_on_a_cpu_is_refused_in_one_line(bench, clips, tmp_path):
    answer = bench("run", "method=turbovsr_2b", "data=folder", f"data.gt={clips}", f"out={tmp_path / 'run'}", *FAST)
    assert answer.code != 0
    assert "device=cuda, or size=2b-tiny" in " ".join(answer.out.split() + answer.err.split())
