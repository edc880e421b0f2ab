import re
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from bench.metrics.places import finder
from bench.report.page import render
from bench.report.page.choose import PictureBudget
from bench.store.records import load

GOLDEN = Path(__file__).parents[4] / "results" / "golden" / "sample"


def test_a_method_with_random_weights_is_timed_and_ranked_nowhere():
    records = load(GOLDEN).records
    untrained = [
        replace(record, method="big", descriptor=replace(record.descriptor, weights="random weights: timed only"))
        for record in records
        if record.method == "turbovsr"
    ]
    page, _ = render(records + untrained, [], {}, PictureBudget(1_000_000), finder)
    for record in untrained:
        lpips = f"{fmean(record.scores['lpips-alex'].values):.4f}"
        rows = {
            method: re.search(rf'<tr data-words="{record.clip} sample {method}">.*?</tr>', page)[0]
            for method in ("turbovsr", "big")
        }
        assert lpips in rows["turbovsr"] and lpips not in rows["big"]
    assert "random weights" in page
