"""A sweep of what makes the data, the threads or the times: each row is that of the run made alone."""

import json

import pytest
import torch

COMMON = ("method=bicubic", "data=folder", "data.clips=[pan]", "metrics=[psnr,ssim]", "timing=once")


def rows(folder):
    found = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    return {(r["data"], r["method"]): r for r in found}


def measured(record):
    """What must be equal: everything but times, dates, labels, and what is named after the row."""
    return {
        key: record[key]
        for key in ("clip", "frames", "lr_size", "scale", "lr_origin", "protocol", "sr_sha256", "device", "prediction")
    } | {name: score["values"] for name, score in record["scores"].items()}


@pytest.mark.parametrize(
    "key, values",
    [
        ("degradation", ("bi", "bd")),
        ("scale", ("4", "2")),
        ("threads", ("1", "2")),
        ("protocol", ("rgb", "vid4")),
        ("score_every", ("1", "2")),
        ("data.frames", ("1", "2")),
        ("method.kernel", ("bicubic", "lanczos")),
    ],
)
def test_each_row_equals_the_run_made_alone(bench, clips, tmp_path, key, values):
    common = (*COMMON, f"data.gt={clips}", "store=null")
    answer = bench("run", *common, f"{key}={','.join(reversed(values))}", f"out={tmp_path / 'swept'}")
    assert answer.code == 0, answer.err
    swept = rows(tmp_path / "swept")
    assert len(swept) == 2
    for value in values:
        assert bench("run", *common, f"{key}={value}", f"out={tmp_path / value}").code == 0
        (alone,) = rows(tmp_path / value).values()
        (row,) = [r for names, r in swept.items() if any(f"={value}]" in name for name in names)]
        assert measured(row) == measured(alone)
    assert len({json.dumps(measured(row)) for row in swept.values()}) == 2, "the two settings differ"


def test_each_row_is_timed_with_its_own_threads(bench, clips, tmp_path, monkeypatch):
    from baselines.interpolation import Interpolation

    upscale, seen = Interpolation.upscale, []

    def watched(self, lr, stages):
        seen.append(torch.get_num_threads())
        return upscale(self, lr, stages)

    monkeypatch.setattr(Interpolation, "upscale", watched)
    before = torch.get_num_threads()
    out = tmp_path / "run"
    assert bench("run", *COMMON, f"data.gt={clips}", "threads=1,2", "store=null", f"out={out}").code == 0
    assert seen == [1, 2] and torch.get_num_threads() == before
    devices = [record["device"] for record in rows(out).values()]
    assert devices[0].endswith(", 1 thread") and devices[1].endswith(", 2 threads")


def test_a_sweep_is_written_into_config_yaml_row_by_row(bench, clips, tmp_path):
    import yaml

    out = tmp_path / "run"
    bench("run", *COMMON, f"data.gt={clips}", "degradation=bi,bd", f"out={out}")
    found = yaml.safe_load((out / "config.yaml").read_text())["combinations"]
    assert [(each["data"], each["config"]["degradation"]["name"]) for each in found] == [
        ("folder[degradation=bi]", "bi"),
        ("folder[degradation=bd]", "bd"),
    ]
