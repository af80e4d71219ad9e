"""The two bundles that OPA loads: the engine, which is the product's, and the folder, which is the team's.

A team's folder has no manifest: one is made from what the folder holds, so that its packages and data stay below their
own roots. Loaded plainly, a `package system.authz` of the folder would answer every caller, and a file in `package
gate` would extend the engine. A bundle is a tar in memory (on Linux; elsewhere a temporary file), in which each file of
Rego has the path that a person knows, so OPA's messages name it. Light to import, so that OPA starts early.
"""

import fcntl
import hashlib
import io
import json
import os
import re
import tarfile
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from handler.errors import PolicyFolderError

DATA = ("data.yaml", "data.yml", "data.json")
"""The names of the data files that OPA reads."""

ENGINE = "gate"
"""The package of the engine, and the folder of its files."""

REGISTER = "_portcullis"
"""The name under `data` below which the register lies."""

_LONGEST_VERSION = 100
_MOST_BYTES = 8 * 1024 * 1024
_HANDLER = Path(__file__).resolve().parent
_RESERVED = {
    "gate": "belongs to the engine, which comes with Portcullis",
    REGISTER: "belongs to Portcullis, which keeps the register there",
    "system": "belongs to OPA itself",
    "policy_tests": "is for tests, which belong into the folder of the tests",
}
_HELPER = (["policy_tests"], ["policy_tests", "stranger"])
"""The packages of `helper`."""

_PACKAGE = re.compile(r"package\s+(?:data\s*\.\s*)?([A-Za-z_]\w*(?:\s*\.\s*\w+)*)")


def engine() -> Path:
    """Return the folder of the engine's Rego: in the installed package, or in the checkout."""
    shipped = _HANDLER / "engine" / ENGINE
    return shipped if shipped.is_dir() else _HANDLER.parent / "policies" / ENGINE


def helper() -> Path:
    """Return the folder of the helper that policy tests use, and of the tests that every folder must pass."""
    shipped = _HANDLER / "engine" / "helper"
    return shipped if shipped.is_dir() else _HANDLER.parent / "policy_tests" / ENGINE / "helper"


class Folder:
    """A folder of policies, or of their tests, as read at one moment.

    `files` has the content of every file of Rego and of data by its path below the folder (`allow/web.rego`), without
    the copies of the engine's own files that a folder may still hold. `problems` has what makes it unfit to be loaded,
    as (path or null, problem and remedy). `not_run` are the files of tests that are taken for the engine's own.
    """

    def __init__(self, path: str | Path, *, tests: bool = False) -> None:
        self.path = Path(path)
        self.problems: list[tuple[str | None, str]] = []
        self.files: dict[str, bytes] = {}
        self.not_run: list[str] = []
        self._tests = tests
        if not self.path.is_dir():
            what = (
                "tests (--tests)"
                if tests
                else "policies (DIR or --policies of a command, POLICIES_PATH of the function)"
            )
            self.problems.append((None, f"is no folder: name that of the {what}"))
            return
        for name, content in self._read():
            if not self._is_of_the_engine(name, content):
                self.files[name] = content
        if not self.files and not self.problems:
            self.problems.append((None, "holds no file of Rego and no data.yaml or data.json"))
        self._check_roots()

    @cached_property
    def _resolved(self) -> Path:
        return self.path.resolve()

    @cached_property
    def roots(self) -> dict[str, str]:
        """The names under `data` that the folder defines, each with a file that defines it."""
        roots: dict[str, str] = {}
        for name, content in self.files.items():
            for root in _roots(name, content):
                roots.setdefault(root, name)
        return roots

    @cached_property
    def digest(self) -> str:
        """Digest of the files' paths and contents, the same for the same files anywhere."""
        return digest(self.files)

    @property
    def revision(self) -> str:
        """The first 7 hexadecimal digits of the digest."""
        return self.digest[:7]

    @cached_property
    def name(self) -> str:
        """What to call these policies: the team's own version with the revision behind it, or the revision alone.

        The file `.version` has what `git describe` said when the image was built; no more than one word is taken.
        """
        try:
            version = (self.path / ".version").read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            return self.revision
        one_word = version.isprintable() and " " not in version and 0 < len(version) <= _LONGEST_VERSION
        return f"{version} (sha256:{self.revision})" if one_word else self.revision

    def shown(self, name: str | None) -> str:
        """Return the path of a file of the folder, or of the folder itself, as the caller named the folder."""
        return (self.path / name if name else self.path).as_posix()

    def check(self) -> None:
        """Raise `PolicyFolderError` with every problem of the folder, if it has any."""
        if self.problems:
            raise PolicyFolderError([f"{self.shown(name)} {problem}" for name, problem in self.problems])

    @cached_property
    def packages(self) -> dict[str, list[str]]:
        """The files of Rego by the name under `data` that their package begins with."""
        packages: dict[str, list[str]] = {}
        for name, content in self.files.items():
            if name.endswith(".rego"):
                packages.setdefault(next(iter(_package(content)), ""), []).append(name)
        return packages

    def pack(self, others: Mapping[str, bytes] | None = None, roots: Iterable[str] = ()) -> "Bundle":
        """Return the folder as a bundle, with further files by their path in it and their roots."""
        files = {self._packed(name): content for name, content in self.files.items()}
        return Bundle({**files, **(others or {})}, {*self.roots, *roots})

    def _packed(self, name: str) -> str:
        """Return the path in the bundle: data lies where it belongs under `data`, Rego where a person finds it."""
        return name if name.endswith(DATA) else self.shown(name)

    def _read(self) -> Iterator[tuple[str, bytes]]:
        for parent, folders, names in os.walk(self.path, onerror=self._unreadable):
            for folder in sorted(folders):
                if (Path(parent) / folder).is_symlink() and not folder.startswith("."):
                    self._refuse(
                        Path(parent) / folder, "is a symbolic link to a folder: put the files themselves there"
                    )
            folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
            for name in sorted(names):
                if not name.startswith(".") and (name.endswith(".rego") or name in DATA):
                    file = Path(parent) / name
                    content = self._content(file)
                    if content is not None:
                        yield file.relative_to(self.path).as_posix(), content

    def _content(self, file: Path) -> bytes | None:
        if not file.resolve().is_relative_to(self._resolved):
            self._refuse(file, "is a symbolic link out of the folder: put the file itself there")
            return None
        try:
            if file.is_symlink() and not file.exists():
                self._refuse(file, "is a symbolic link that leads nowhere: put the file itself there, or remove it")
                return None
            if file.exists() and not file.is_file():
                self._refuse(file, "is no file of text: put one there, or remove it")
                return None
            if file.stat().st_size > _MOST_BYTES:
                apart = "" if file.suffix == ".rego" else ", each in a folder of its own"
                self._refuse(file, f"is larger than 8 MiB: split it into several files{apart}")
                return None
            return file.read_bytes()
        except OSError as error:
            self._unreadable(error)
            return None

    def _unreadable(self, error: OSError) -> None:
        self._refuse(Path(error.filename or self.path), f"cannot be read ({error.strerror}): let it be readable")

    def _refuse(self, file: Path, problem: str) -> None:
        self.problems.append((file.relative_to(self.path).as_posix() if file != self.path else None, problem))

    def _is_of_the_engine(self, name: str, content: bytes) -> bool:
        """Tell whether this is a copy of the engine's file, or its test: the engine comes with the product."""
        top, _, below = name.partition("/")
        if top != ENGINE or not below:
            return False
        if self._tests and _package(content)[:2] == ["policy_tests", ENGINE]:
            self.not_run += [] if helper().parent.samefile(self.path / ENGINE) else [name]
            return True
        shipped = helper().parent / below if self._tests else engine() / below
        return shipped.is_file() and shipped.read_bytes() == content

    def _check_roots(self) -> None:
        for name, content in self.files.items():
            package = _package(content)
            if self._tests and package in _HELPER:
                problem = f"is in package {'.'.join(package)}, which comes with Portcullis for tests: delete it"
                self.problems.append((name, f"{problem}, and name your account in defaults.rego"))
            for root in _RESERVED.keys() & set(_roots(name, content)) - ({"policy_tests"} if self._tests else set()):
                remedy = f"delete {self.shown(ENGINE)}" if name.startswith(f"{ENGINE}/") else "give it another name"
                remedy = "let tests have packages that begin with policy_tests" if self._tests else remedy
                self.problems.append((name, f"defines {root}, which {_RESERVED[root]}: {remedy}"))


def digest(files: Mapping[str, bytes]) -> str:
    """Return the digest of files by their paths, in hexadecimal."""
    every = hashlib.sha256()
    for name, content in sorted(files.items()):
        every.update(f"{name}\n{len(content)}\n".encode() + content)
    return every.hexdigest()


def engine_files() -> dict[str, bytes]:
    """Return the engine's files by their paths below its folder."""
    folder = engine()
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.rglob("*.rego"))}


def packed_engine(*others: tuple[str, bytes]) -> "Bundle":
    """Return the engine as a bundle, with further files of Portcullis' own."""
    folder = engine().as_posix()
    files = {f"{folder}/{name}": content for name, content in (*engine_files().items(), *others)}
    return Bundle(files, [ENGINE, *([REGISTER] if others else [])])


class Bundle:
    """Files with a manifest of their own, for an `opa` that inherits `descriptors` and reads them at `path`."""

    def __init__(self, files: Mapping[str, bytes], roots: Iterable[str]) -> None:
        manifest = json.dumps({"rego_version": 1, "roots": sorted(roots)}).encode()
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w:gz", compresslevel=1) as archive:
            for name, text in {".manifest": manifest, **files}.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(text)
                archive.addfile(entry, io.BytesIO(text))
        try:
            made = os.memfd_create("portcullis")
            descriptor = fcntl.fcntl(made, fcntl.F_DUPFD_CLOEXEC, 3)  # never one that is the child's standard input
            os.close(made)
            weakref.finalize(self, os.close, descriptor)
            self.descriptors: tuple[int, ...] = (descriptor,)
            self.path = f"/proc/self/fd/{descriptor}"
        except (AttributeError, OSError):
            descriptor, self.path = tempfile.mkstemp(suffix=".tar.gz")
            weakref.finalize(self, os.unlink, self.path)
            self.descriptors = ()
            os.close(descriptor)
        Path(self.path).write_bytes(content.getvalue())


def _roots(name: str, content: bytes) -> list[str]:
    """Return the names directly under `data` that a file defines."""
    folder, _, file = name.rpartition("/")
    if file not in DATA:
        return _package(content)[:1]
    return [folder.partition("/")[0]] if folder else _keys(content)


def _package(content: bytes) -> list[str]:
    """Return the steps of a file's package, without `data`; none where OPA will not find a package either."""
    for line in content.removeprefix(b"\xef\xbb\xbf").decode(errors="replace").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            declared = _PACKAGE.match(line.strip())
            return re.split(r"\s*\.\s*", declared[1]) if declared else []
    return []


def _keys(content: bytes) -> list[str]:
    """Return the keys of a data file that lies at the top of the folder."""
    try:
        import yaml  # noqa: PLC0415  few folders have such a file, and the bare Python of `make image` has no yaml
    except ImportError:
        return []  # the bundle then has no root for them, and OPA refuses it
    try:
        values: Any = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, RecursionError):
        return []
    return [str(key) for key in values] if isinstance(values, dict) else []
