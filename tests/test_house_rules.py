"""Sizes that keep the code readable: read from the sources, so that growth shows in the change that causes it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("frames", "bench", "baselines", "turbovsr", "studies")
FILES = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
FILE_LINES, FUNCTION_LINES, ARGUMENTS = 300, 60, 8
OPTIONS = (
    "turbovsr/ltx/",
    "turbovsr/transformer.py",
    "turbovsr/decoder.py",
    "turbovsr/pipeline.py",
    "baselines/",
    "bench/datasets/",
)
"""Where a constructor takes a network's hyper-parameters or a configuration file's keys, one argument each."""


def functions(file: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring, which is documentation."""
    first = node.body[0]
    text = first.end_lineno - first.lineno + 1 if ast.get_docstring(node) is not None else 0
    return node.end_lineno - node.lineno + 1 - text


@pytest.mark.parametrize("package", PACKAGES)
def test_a_file_can_be_read_in_one_sitting(package):
    long = {
        str(file.relative_to(ROOT)): count
        for file in FILES
        if file.relative_to(ROOT).parts[0] == package
        and (count := len(file.read_text(encoding="utf-8").splitlines())) > FILE_LINES
    }
    assert not long


@pytest.mark.parametrize("package", PACKAGES)
def test_a_function_fits_on_a_screen(package):
    long = {
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name}": lines_of(node)
        for file in FILES
        if file.relative_to(ROOT).parts[0] == package
        for node in functions(file)
        if lines_of(node) > FUNCTION_LINES
    }
    assert not long


@pytest.mark.parametrize("package", PACKAGES)
def test_a_constructor_has_few_arguments(package):
    many = {
        f"{file.relative_to(ROOT)}:{node.lineno}": count
        for file in FILES
        if file.relative_to(ROOT).parts[0] == package and not file.relative_to(ROOT).as_posix().startswith(OPTIONS)
        for node in functions(file)
        if node.name == "__init__"
        and (count := len(node.args.posonlyargs + node.args.args + node.args.kwonlyargs) - 1) > ARGUMENTS
    }
    assert not many


def test_every_command_takes_its_arguments_by_one_parser():
    direct = [str(f.relative_to(ROOT)) for f in FILES if "argparse.ArgumentParser" in f.read_text(encoding="utf-8")]
    assert direct == ["frames/command_line.py"]  # whose options of several values add to them
