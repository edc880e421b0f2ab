"""Who may know whom (rule of the house): read from the sources, so that a lazy import inside a function counts too."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ALLOWED = {  # package: what it may import of the project's own
    "frames": ("frames",),
    "turbovsr": ("turbovsr", "frames", "bench.methods.contract"),
    "baselines": ("baselines", "frames", "bench.methods.contract"),
    "bench/methods/contract.py": ("bench.methods.descriptor",),
    "bench/methods/descriptor.py": ("frames.errors",),
    "bench": ("bench", "frames"),
    "bench/report": (
        "bench.report",
        "bench.labels",
        "bench.metrics.pooling",
        "bench.store.moments",
        "bench.store.record",
        "bench.store.trials",
        "bench.store.typed",
        "bench.store.unlike_frames",
        "bench.timing.stats",
        "frames",
    ),
    "bench/doctor": ("bench.doctor",),
    "bench/gate": (
        "bench.gate",
        "bench.timing.stats",
        "bench.store.moments",
        "bench.store.record",
        "bench.store.unlike_frames",
        "frames",
    ),
    "bench/timing": ("bench.timing",),
    "bench/metrics": ("bench.metrics", "bench.assets", "bench.groups", "bench.targets", "frames"),
}
OWN = ("turbovsr", "baselines", "bench", "frames", "studies")


def imported(file: Path) -> set[str]:
    """Absolute names that a file imports: `import a.b`, `from a.b import c` as a.b and a.b.c."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports hide the arrows"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] in OWN}


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_it_may_know(package):
    files = [ROOT / package] if package.endswith(".py") else sorted((ROOT / package).rglob("*.py"))
    assert files
    wrong = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in files
        for name in sorted(imported(file))
        if not any(name == allowed or name.startswith(f"{allowed}.") for allowed in ALLOWED[package])
    ]
    assert not wrong


def test_the_harness_names_no_upscaler():
    names = {file.stem for file in (ROOT / "conf" / "method").glob("*.yaml")} - {"precomputed"}
    allowed = {"bicubic"}  # the degradation of that name, and the default method of the root config
    for file in sorted((ROOT / "bench").rglob("*.py")):
        strings = {
            node.value
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        assert not (names - allowed) & strings, file
