"""Assets are verified by content, unpacked alone, and their absence names the remedy."""

import hashlib
import re
import shutil
import sys
import zipfile

import pytest

from bench import assets


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty asset folder and a manifest of one small asset in a wheel of our own."""
    asset = assets.Asset(
        "group/one.txt", "some-package", "inside/one.txt", assets._sha256(b"content"), 7, "MIT", "main"
    )
    monkeypatch.setenv("BENCH_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setattr(assets, "manifest", lambda: {asset.name: asset})

    def download(package, folder):
        archive = folder / "some_package-1.0-py3-none-any.whl"
        with zipfile.ZipFile(archive, "w") as wheel:
            wheel.writestr("inside/one.txt", wheel_content[0])
            wheel.writestr("inside/setup.py", "raise SystemExit")
        return archive

    wheel_content = [b"content"]
    monkeypatch.setattr(assets, "_download", download)
    assets.path.cache_clear()
    yield wheel_content
    assets.path.cache_clear()


def test_fetching_unpacks_the_listed_member_alone_and_twice_does_nothing(elsewhere):
    assert assets.fetch() == ["group/one.txt"]
    assert assets.fetch() == []
    assert assets.path("group/one.txt").read_bytes() == b"content"
    assert [file.name for file in assets.root().rglob("*") if file.is_file()] == ["one.txt"]


def test_an_absent_asset_names_its_package_and_the_remedy(elsewhere):
    with pytest.raises(FileNotFoundError, match="some-package.*bench data fetch"):
        assets.path("group/one.txt")


def test_other_content_in_the_package_is_refused(elsewhere):
    elsewhere[0] = b"evil"
    with pytest.raises(ValueError, match="inside/one.txt of some-package differs"):
        assets.fetch()
    assert not (assets.root() / "group" / "one.txt").exists()


def test_a_changed_file_is_refused_and_fetched_anew(elsewhere):
    assets.fetch()
    (assets.root() / "group" / "one.txt").write_bytes(b"CONTENT")
    with pytest.raises(ValueError, match="differs"):
        assets.path("group/one.txt")
    assert assets.fetch() == ["group/one.txt"]


def test_an_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match="unknown asset 'x'.*lpips/alexnet.ckpt"):
        assets.path("x")


@pytest.mark.parametrize(
    "words, reason",
    [
        (["method=esrgan"], r"\S+esrgan/slim-x4.json: not there; .*: run `python -m bench data fetch esrgan`"),
        (["method=span", "scale=3"], r"unknown asset 'span/x3-ch48.param'; known: span/[^,]+(, span/[^,\n]+)*"),
    ],
)
def test_a_method_without_its_weights_is_refused_in_plain_words(bench, monkeypatch, tmp_path, words, reason):
    monkeypatch.setenv("BENCH_ASSETS", str(tmp_path))
    found = bench("run", *words, "data=sample", "data.clips=[chelsea]", "metrics=[psnr]")
    name = words[0].removeprefix("method=")
    assert found.code == 3 and re.fullmatch(f"bench: method {name}: {reason}\n", found.err), found.err


def test_every_package_of_the_manifest_is_pinned_with_a_hash():
    files = [(assets.CONF / "assets" / name).read_text() for name in ("packages.txt", "packages-npm.txt")]
    for asset in assets.manifest().values():
        assert any(f"{asset.package}==" in pinned for pinned in files)
    assert files[0].count("==") <= files[0].count("--hash=sha256:")
    assert files[1].count("==") == files[1].count("--hash=sha512:")


NPM = """#!{python}
import pathlib, sys
assert sys.argv[1:3] == ["pack", "@some/package@1.0.0"], sys.argv
pathlib.Path(sys.argv[-1], "package-1.0.0.tgz").write_bytes(b"archive")
"""


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """A program in npm's place, and pins of one package of its own."""
    program = tmp_path / "npm"
    program.write_text(NPM.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program) if name == "npm" else None)
    monkeypatch.setattr(assets, "CONF", tmp_path)
    (tmp_path / "assets").mkdir()

    def pin(content: bytes):
        digest = hashlib.sha512(content).hexdigest()
        (tmp_path / "assets" / "packages-npm.txt").write_text(f"@some/package==1.0.0 \\\n    --hash=sha512:{digest}\n")

    return pin


def test_a_package_of_npm_is_packed_and_its_hash_checked(npm, tmp_path):
    npm(b"archive")
    (tmp_path / "first").mkdir()
    assert assets._download("@some/package", tmp_path / "first").read_bytes() == b"archive"
    npm(b"another")
    (tmp_path / "second").mkdir()
    with pytest.raises(RuntimeError, match="@some/package could not be downloaded: its content differs"):
        assets._download("@some/package", tmp_path / "second")


def test_without_npm_its_packages_say_what_to_install(npm, tmp_path, monkeypatch):
    npm(b"archive")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(RuntimeError, match="@some/package comes by npm, which is not on PATH; install Node.js"):
        assets._download("@some/package", tmp_path)


def test_an_asset_of_a_group_names_the_group(elsewhere, monkeypatch):
    asset = assets.Asset("group/one.txt", "some-package", "inside/one.txt", "", 7, "MIT", "more")
    monkeypatch.setattr(assets, "manifest", lambda: {asset.name: asset})
    assert assets.groups() == ["more"] and assets.fetch() == []
    with pytest.raises(FileNotFoundError, match="bench data fetch more"):
        assets.path("group/one.txt")
