"""What a plan fixes before any work."""

import pytest

from bench.config import expand
from bench.run.frame_scores import recipe_of
from bench.run.plan import open_plan
from bench.store.keys import source_digest
from frames.errors import UserError

METRIC = """
from bench.metrics.base import Kind

class Mine:
    kind, signature = Kind("mine", "", "lower", 1), "mine|v1"

    def score(self, sr, gt):
        return 1.0
"""


def test_stored_scores_depend_on_the_sources_that_were_imported(clips, tmp_path, monkeypatch):
    """Sources that were edited while the first clip was upscaled gave the scores of the former ones their own key."""
    monkeypatch.syspath_prepend(tmp_path)
    file, named = tmp_path / "metric_of_a_plan.py", tmp_path / "mine" / "metric" / "mine.yaml"
    file.write_text(METRIC)
    named.parent.mkdir(parents=True)
    named.write_text(f"_target_: {file.stem}.Mine\nsummary: of a test\n")
    words = ["method=bicubic", "data=folder", f"data.gt={clips / 'pan'}", "metrics=[mine]", "device=cpu"]
    (plan,) = open_plan(expand(words, (str(named.parent.parent),)))
    before = source_digest.__wrapped__(file.stem)
    file.write_text(METRIC.replace("1.0", "2.0"))
    assert before in recipe_of(plan.metrics["mine"])


def test_two_metrics_of_one_title_are_refused_with_the_remedy(clips, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    takes_value = METRIC.replace("    def score", "    def __init__(self, value):\n        pass\n\n    def score")
    (tmp_path / "metrics_of_one_title.py").write_text(takes_value)
    folder = tmp_path / "mine" / "metric"
    folder.mkdir(parents=True)
    for name, more in {"two": "2", "too": "2", "three": "3", "named": "4\nkind: {title: x}"}.items():
        (folder / f"{name}.yaml").write_text(
            f"_target_: metrics_of_one_title.Mine\nsummary: of a test\nvalue: {more}\n"
        )

    def planned(metrics):
        words = ["method=bicubic", "data=folder", f"data.gt={clips / 'pan'}", f"metrics=[{metrics}]", "device=cpu"]
        return open_plan(expand(words, (str(folder.parent),)))

    assert len(planned("psnr,psnr-rgb,two,too,named")[0].metrics) == 5
    with pytest.raises(UserError, match="metrics two and three have one title, mine, .* kind: {title: ...}"):
        planned("psnr,two,three")
