"""Builds OPA with Go, or fetches its official release; either is held to a checksum."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from handler.errors import OpaMissingError, OpaTamperedError

SOURCES = Path(__file__).resolve().parent
"""The folder of go.mod and go.sum."""

GO_MOD = SOURCES / "go.mod"
MODULE = "github.com/open-policy-agent/opa"
RELEASES = f"https://{MODULE}/releases/download"
MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
"""OPA's names of processors by Python's."""


def build(version: str, target: Path, path: str) -> None:
    """Build OPA with the Go on `path`, from the sources that go.sum names, into `target`.

    Raises `OpaMissingError` when Go is missing or fails, `OpaTamperedError` when the sources are not those.
    """
    go = shutil.which("go", path=path)
    if not go:
        message = f"OPA {version}: there is no Go on PATH to build it with"
        raise OpaMissingError(message)
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    say(f"OPA {version}: building it with Go, which takes about a minute the first time ...")
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        binary = Path(folder) / "opa"
        command = [go, "build", "-trimpath", "-ldflags", "-s -w", "-o", str(binary), MODULE]
        build = subprocess.run(command, cwd=SOURCES, env=environment, stderr=subprocess.PIPE, text=True, check=False)
        if "SECURITY ERROR" in build.stderr or "checksum mismatch" in build.stderr:
            raise OpaTamperedError(build.stderr)
        if build.returncode:
            message = f"OPA {version}: {go} cannot build it (Go 1.26 or newer can): {build.stderr.strip()}"
            raise OpaMissingError(message)
        binary.replace(target)


def download(version: str, target: Path, releases: str) -> None:
    """Fetch the official release for this platform into `target`, once it agrees with its published checksum.

    Raises `OpaMissingError` when there is none or it cannot be fetched, `OpaTamperedError` when it does not agree.
    """
    machine = MACHINES.get(platform.machine().lower())
    if sys.platform not in {"linux", "darwin"} or not machine:
        message = f"OPA {version}: there is no official release for {sys.platform} {platform.machine()}"
        raise OpaMissingError(message)
    url = f"{releases}/v{version}/opa_{sys.platform}_{machine}"
    say(f"OPA {version}: fetching {url} ...")
    published = (_fetch(f"{url}.sha256").decode(errors="replace").split() or ["nothing"])[0].lower()
    content = _fetch(url)
    digest = hashlib.sha256(content).hexdigest()
    if digest != published:
        message = f"{url} has the SHA-256 {digest}, but {published} is published for it: it is not used"
        raise OpaTamperedError(message)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        binary = Path(folder) / "opa"
        binary.write_bytes(content)
        binary.chmod(0o755)
        binary.replace(target)


def say(line: str) -> None:
    """Print a line for the person at the terminal; standard output is the caller's."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201  a command speaks to its terminal


def _fetch(url: str) -> bytes:
    import urllib.request  # noqa: PLC0415  slow to import, and seldom needed
    from http.client import HTTPException  # noqa: PLC0415

    try:
        with urllib.request.urlopen(url, timeout=60) as response:  # noqa: S310  the scheme is the caller's constant
            content: bytes = response.read()
    except (OSError, HTTPException) as error:
        message = f"{url} could not be fetched: {error}"
        raise OpaMissingError(message) from error
    return content
