#!/usr/bin/env python3
"""Find OPA in the version that go.mod pins, and print its path.

Tried in this order: an `opa` on PATH of exactly that version; what an earlier run left in `.cache/bin`; a build with
Go, held to go.sum; the official release for this platform, held to the checksum published beside it. Needs Python 3.11
and nothing else.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent.parent / ".cache" / "bin"
MODULE = "github.com/open-policy-agent/opa"
RELEASES = f"https://{MODULE}/releases/download"
MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class UnavailableError(Exception):
    """OPA cannot be had in this way; the message says why, and another way may be tried."""


class TamperedError(Exception):
    """What came is not what go.sum or the published checksum names: no other way is tried."""


def find(cache: Path = CACHE, path: str = os.environ.get("PATH", ""), releases: str = RELEASES) -> Path:
    """Return an OPA of the pinned version. `path` is searched for `opa` and `go`; `releases` is the base URL.

    Raises `UnavailableError` where no way leads there, `TamperedError` where a checksum does not hold.
    """
    version = pinned()
    target = cache / f"opa-{version}"
    for found in [*on_path(path), target]:
        if version_of(found) == version:
            return found
    cache.mkdir(parents=True, exist_ok=True)
    for way, origin in ((build, path), (download, releases)):
        try:
            way(version, target, origin)
        except UnavailableError as error:
            say(str(error))
        else:
            return target
    message = f"OPA {version} cannot be had: install Go 1.26 or newer, or put an `opa` {version} on PATH, and try again"
    raise UnavailableError(message)


def pinned() -> str:
    """Return the version of OPA in go.mod, without the leading v."""
    found = re.search(rf"^\s*{re.escape(MODULE)} v(\S+)", (HERE / "go.mod").read_text(), re.MULTILINE)
    if not found:
        message = f"{HERE / 'go.mod'} names no version of {MODULE}"
        raise UnavailableError(message)
    return found[1]


def on_path(path: str) -> list[Path]:
    """Return every `opa` on `path`, links followed: an activated .venv holds only a link."""
    found = (shutil.which("opa", path=folder) for folder in path.split(os.pathsep) if folder)
    return [Path(opa).resolve() for opa in found if opa]


def version_of(opa: Path) -> str | None:
    """Return what `opa version` says of itself; None where it cannot be run."""
    try:
        told = subprocess.run([opa, "version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"^Version: (\S+)", told, re.MULTILINE)
    return found[1] if found else None


def build(version: str, target: Path, path: str) -> None:
    """Build OPA with the Go on `path`, from the sources that go.sum names, into `target`."""
    go = shutil.which("go", path=path)
    if not go:
        message = f"OPA {version}: there is no Go on PATH to build it with"
        raise UnavailableError(message)
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    say(f"OPA {version}: building it with Go, which takes about a minute the first time ...")
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / "opa"
        command = [go, "build", "-trimpath", "-ldflags", "-s -w", "-o", str(made), MODULE]
        built = subprocess.run(command, cwd=HERE, env=environment, stderr=subprocess.PIPE, text=True, check=False)
        if "SECURITY ERROR" in built.stderr or "checksum mismatch" in built.stderr:
            raise TamperedError(built.stderr)
        if built.returncode:
            message = f"OPA {version}: {go} cannot build it (Go 1.26 or newer can): {built.stderr.strip()}"
            raise UnavailableError(message)
        made.replace(target)


def download(version: str, target: Path, releases: str) -> None:
    """Fetch the official release for this platform into `target`, once it agrees with its published checksum."""
    machine = MACHINES.get(platform.machine().lower())
    if sys.platform not in {"linux", "darwin"} or not machine:
        message = f"OPA {version}: there is no official release for {sys.platform} {platform.machine()}"
        raise UnavailableError(message)
    url = f"{releases}/v{version}/opa_{sys.platform}_{machine}"
    say(f"OPA {version}: fetching {url} ...")
    published = (fetch(f"{url}.sha256").decode(errors="replace").split() or ["nothing"])[0].lower()
    content = fetch(url)
    digest = hashlib.sha256(content).hexdigest()
    if digest != published:
        message = f"{url} has the SHA-256 {digest}, but {published} is published for it: it is not used"
        raise TamperedError(message)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / "opa"
        made.write_bytes(content)
        made.chmod(0o755)
        made.replace(target)


def fetch(url: str) -> bytes:
    """Return what lies at `url`, whole."""
    try:
        with urllib.request.urlopen(url, timeout=60) as response:  # noqa: S310  the scheme is the caller's constant
            content: bytes = response.read()
    except (OSError, HTTPException) as error:
        message = f"{url} could not be fetched: {error}"
        raise UnavailableError(message) from error
    return content


def say(line: str) -> None:
    """Tell the person at the terminal; standard output is the path's alone."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201  a command speaks to its terminal


if __name__ == "__main__":
    try:
        print(find())  # noqa: T201  the path is the product
    except (UnavailableError, TamperedError) as problem:
        sys.exit(str(problem))
