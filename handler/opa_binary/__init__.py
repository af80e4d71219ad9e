"""Finds the OPA to run, in the version that go.mod pins. `python -m handler.opa_binary` prints its path.

Tried in this order: `OPA_PATH`; the `opa` beside this Python; one on PATH; what an earlier run left in the cache (in
a checkout `.cache/bin`, else below XDG_CACHE_HOME); a build with Go, held to go.sum; the official release for this
platform, held to the checksum published beside it. Needs Python 3.11 and nothing else: `make` asks for OPA before any
package is installed.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from handler.errors import OpaMissingError, SettingError
from handler.opa_binary import obtain

_CHECKOUT = obtain.SOURCES.parent.parent


def find(
    environment: Mapping[str, str] = os.environ,
    *,
    beside: Path = Path(sys.executable).parent,
    cache: Path | None = None,
    releases: str = obtain.RELEASES,
) -> Path:
    """Return the path of an OPA of the pinned version; say on standard error what takes long.

    `beside` is the folder looked into before PATH, `releases` the base URL of the official releases. Raises
    `SettingError` when OPA_PATH names something else, `OpaMissingError` when OPA cannot be had in any way,
    `OpaTamperedError` when a checksum does not hold.
    """
    version = pinned()
    if environment.get("OPA_PATH"):
        return _chosen(environment["OPA_PATH"], version, environment)
    folder = cache or _cache(environment)
    target = folder / f"opa-{version}"
    for opa in [*_installed(str(beside)), *_installed(environment.get("PATH", "")), target]:
        if version_of(opa) == version:
            return opa
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"OPA {version} cannot be kept in {folder} ({error.strerror}): set XDG_CACHE_HOME to another folder"
        raise OpaMissingError(message) from error
    for way, origin in ((obtain.build, environment.get("PATH", "")), (obtain.download, releases)):
        try:
            way(version, target, origin)
        except OpaMissingError as error:
            obtain.say(str(error))
        else:
            return target
    message = f"OPA {version} cannot be had: install Go 1.26 or newer, or put an `opa` {version} on PATH, and try again"
    raise OpaMissingError(message)


def pinned() -> str:
    """Return the version of OPA in go.mod, without the leading v."""
    line = re.search(rf"^\s*{re.escape(obtain.MODULE)} v(\S+)", obtain.GO_MOD.read_text(), re.MULTILINE)
    if not line:
        message = f"{obtain.GO_MOD} names no version of {obtain.MODULE}: install Portcullis again"
        raise OpaMissingError(message)
    return line[1]


def version_of(opa: Path) -> str | None:
    """Return the version that `opa version` prints; None where it cannot be run."""
    try:
        printed = subprocess.run([opa, "version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    line = re.search(r"^Version: (\S+)", printed, re.MULTILINE)
    return line[1] if line else None


def _chosen(name: str, version: str, environment: Mapping[str, str]) -> Path:
    """Return the OPA that OPA_PATH names: a path, or a name on PATH."""
    opa = shutil.which(name, path=environment.get("PATH", ""))
    if opa is None:
        raise SettingError("OPA_PATH", f"is {name!r}, which is no executable: name the `opa` to run")
    actual = version_of(Path(opa))
    if actual != version:
        described = f"OPA {actual}" if actual else "no OPA"
        remedy = f"Portcullis needs OPA {version}; name one, or unset OPA_PATH to have one found"
        raise SettingError("OPA_PATH", f"is {name!r}, which is {described}: {remedy}")
    return Path(opa).absolute()


def _installed(path: str) -> Iterator[Path]:
    """Yield every `opa` on a search path, links followed: a virtual environment may hold only a link."""
    for folder in path.split(os.pathsep):
        opa = shutil.which("opa", path=folder) if folder else None
        if opa:
            yield Path(opa).resolve()


def _cache(environment: Mapping[str, str]) -> Path:
    """Return the folder that keeps what was built or fetched."""
    if (_CHECKOUT / "pyproject.toml").is_file():
        return _CHECKOUT / ".cache" / "bin"
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "portcullis"
