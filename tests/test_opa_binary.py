"""handler/opa_binary, against a file server on loopback."""

import hashlib
import http.server
import os
import platform
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from handler import opa_binary
from handler.errors import OpaMissingError, OpaTamperedError, SettingError
from handler.opa_binary import obtain, version_of
from handler.settings import ROOT

VERSION = opa_binary.pinned()
RELEASE = f"opa_{sys.platform}_{obtain.MACHINES.get(platform.machine().lower())}"


def script(version: str) -> bytes:
    """Return a program that says what `opa version` says."""
    return f"#!/bin/sh\necho 'Version: {version}'\necho 'Go Version: go1.26.8'\n".encode()


def install(folder: Path, name: str, content: bytes) -> Path:
    """Put a program into a folder and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_bytes(content)
    program.chmod(0o755)
    return program


def publish(released: Path, content: bytes, checksum_of: bytes) -> None:
    """Put a release beside the checksum of what it ought to be."""
    (released / RELEASE).write_bytes(content)
    line = f"{hashlib.sha256(checksum_of).hexdigest()}  {RELEASE}\n"
    (released / f"{RELEASE}.sha256").write_text(line)


def find(folder: Path, path: str = "", releases: str = "", **environment: str) -> Path:
    """Find OPA with that PATH, and with the cache and the interpreter's own programs below the folder."""
    return opa_binary.find(
        {"PATH": path, **environment}, beside=folder / "beside", cache=folder / "cache", releases=releases
    )


class Files(http.server.SimpleHTTPRequestHandler):
    """Serve a folder; a file named `*.cut` stands for one that breaks off half way."""

    def log_message(self, *_: object) -> None:
        """Keep the test output quiet."""

    def do_GET(self) -> None:
        """Answer half of the announced bytes where the file has a `.cut` beside it."""
        file = Path(self.translate_path(self.path))
        if not file.with_name(file.name + ".cut").exists():
            super().do_GET()
            return
        content = file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """Give the folder in which the releases of the pinned version lie."""
    folder = tmp_path / "served" / f"v{VERSION}"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def releases(released: Path) -> Iterator[str]:
    """Give the base URL of a server that serves them."""
    handler = partial(Files, directory=str(released.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_opa_path_comes_first(tmp_path: Path) -> None:
    """OPA_PATH is a path, or a name on PATH, and nothing else is looked at."""
    chosen = install(tmp_path / "chosen", "opa-of-ours", script(VERSION))
    install(tmp_path / "beside", "opa", script(VERSION))
    assert find(tmp_path, OPA_PATH=str(chosen)) == chosen
    assert find(tmp_path, path=str(chosen.parent), OPA_PATH=chosen.name) == chosen


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(None, "which is no executable: name the `opa` to run", id="missing"),
        pytest.param(script("1.0.0"), f"which is OPA 1.0.0: Portcullis needs OPA {VERSION}; name one", id="version"),
        pytest.param(b"#!/bin/sh\n", f"which is no OPA: Portcullis needs OPA {VERSION}; name one", id="no-opa"),
    ],
)
def test_opa_path_of_something_else_is_refused(tmp_path: Path, content: bytes | None, problem: str) -> None:
    """Another OPA is never put in the place of the one that OPA_PATH names."""
    install(tmp_path / "beside", "opa", script(VERSION))
    if content:
        install(tmp_path, "chosen", content)
    with pytest.raises(SettingError, match=f"OPA_PATH is '{tmp_path}/chosen', {problem}"):
        find(tmp_path, OPA_PATH=str(tmp_path / "chosen"))


def test_the_opa_beside_this_python_comes_before_path(tmp_path: Path) -> None:
    """A virtual environment has its own, unless it has another version."""
    installed = install(tmp_path / "installed", "opa", script(VERSION))
    beside = install(tmp_path / "beside", "opa", script(VERSION))
    assert find(tmp_path, str(installed.parent)) == beside
    beside.write_bytes(script("0.1.0"))
    assert find(tmp_path, str(installed.parent)) == installed


def test_uses_the_opa_on_path_that_has_the_version(tmp_path: Path) -> None:
    """An `opa` of the pinned version on PATH is used as it is, although another one comes before it."""
    old = install(tmp_path / "old", "opa", script("0.1.0"))
    right = install(tmp_path / "right", "opa", script(VERSION))
    assert find(tmp_path, f"{old.parent}{os.pathsep}{right.parent}") == right


def test_a_cache_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """Where nothing can be kept, the message says what to set."""
    (tmp_path / "cache").touch()
    with pytest.raises(OpaMissingError, match=f"cannot be kept in {tmp_path}/cache .*: set XDG_CACHE_HOME"):
        find(tmp_path)


def test_needs_no_package(tmp_path: Path) -> None:
    """`make` asks for OPA before any package is installed."""
    opa = install(tmp_path, "opa", script(VERSION))
    ran = subprocess.run(
        [sys.executable, "-S", "-m", "handler.opa_binary"],
        env={"OPA_PATH": str(opa)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == f"{opa}\n"


def test_fetches_a_release_that_agrees_with_its_checksum(tmp_path: Path, released: Path, releases: str) -> None:
    """Without Go the release is fetched, can be run, and is found again without the server."""
    old = install(tmp_path / "old", "opa", script(f"{VERSION}0"))
    publish(released, script(VERSION), script(VERSION))
    found = find(tmp_path, str(old.parent), releases)
    assert (found.parent, version_of(found)) == (tmp_path / "cache", VERSION)
    shutil.rmtree(released)
    assert find(tmp_path, releases=releases) == found


def test_refuses_a_release_with_another_checksum(tmp_path: Path, released: Path, releases: str) -> None:
    """A release that is not what its checksum names leaves no binary behind, and the message names both digests."""
    publish(released, script(VERSION), checksum_of=b"something else")
    digests = [hashlib.sha256(content).hexdigest() for content in (script(VERSION), b"something else")]
    with pytest.raises(OpaTamperedError, match=f"has the SHA-256 {digests[0]}, but {digests[1]}"):
        find(tmp_path, releases=releases)
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("name", [RELEASE, f"{RELEASE}.sha256"])
@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_never_leaves_part_of_a_release(tmp_path: Path, released: Path, releases: str, name: str, damage: str) -> None:
    """A file that is missing or breaks off ends with what to install, and without a binary."""
    publish(released, script(VERSION), script(VERSION))
    if damage == "missing":
        (released / name).unlink()
    else:
        (released / f"{name}.cut").touch()
    with pytest.raises(OpaMissingError, match=f"install Go .* or put an `opa` {VERSION} on PATH"):
        find(tmp_path, releases=releases)
    assert list((tmp_path / "cache").iterdir()) == []


def test_says_that_go_is_too_old_and_fetches_the_release(
    tmp_path: Path, released: Path, releases: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where Go refuses, its own words are shown and the release is fetched."""
    refusal = "go: go.mod requires go >= 1.26.0 (running go 1.24.4; GOTOOLCHAIN=local)"
    old = install(tmp_path / "old", "go", f"#!/bin/sh\necho '{refusal}' >&2\nexit 1\n".encode())
    publish(released, script(VERSION), script(VERSION))
    found = find(tmp_path, str(old.parent), releases)
    assert version_of(found) == VERSION
    assert f"{old} cannot build it (Go 1.26 or newer can): {refusal}" in capsys.readouterr().err


def test_stops_where_the_sources_are_not_those_of_go_sum(tmp_path: Path, released: Path, releases: str) -> None:
    """A build that go.sum refuses is not made good by a release."""
    refusal = "verifying github.com/open-policy-agent/opa: checksum mismatch"
    go = install(tmp_path / "go", "go", f"#!/bin/sh\necho '{refusal}' >&2\nexit 1\n".encode())
    publish(released, script(VERSION), script(VERSION))
    with pytest.raises(OpaTamperedError, match=refusal):
        find(tmp_path, str(go.parent), releases)
    assert list((tmp_path / "cache").iterdir()) == []


def test_builds_with_go_what_go_mod_names(tmp_path: Path) -> None:
    """With Go on PATH, OPA is built from the pinned sources and says the pinned version."""
    go = shutil.which("go")
    if not go:
        pytest.skip("there is no Go on PATH")
    assert version_of(find(tmp_path, str(Path(go).parent))) == VERSION


def test_does_not_trust_a_broken_cache(tmp_path: Path, released: Path, releases: str) -> None:
    """What an earlier run left is used only if it runs and has the version."""
    install(tmp_path / "cache", f"opa-{VERSION}", script(VERSION)[:9])
    publish(released, script(VERSION), script(VERSION))
    assert version_of(find(tmp_path, releases=releases)) == VERSION
