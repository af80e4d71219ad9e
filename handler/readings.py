"""The register of a folder's statements as the engine reads them: made by a check, used when the folder is loaded.

It is a file outside the folder, bound to the folder, the engine and its own content. The engine uses a reading where
statement and networks are what they were; one that is not there, or not for these files, costs nothing but time.
Light to import, so that OPA starts early.
"""

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from handler.bundle import REGISTER, Bundle, Folder, digest, engine_files

_SHIPPED = Path(__file__).resolve().parent / "engine" / "register"
_KEPT = 8
"""The registers of so many folders are kept, of which each edit makes another."""


def store(policies: Folder, register: bytes) -> None:
    """Keep the register of a folder for those who load it; where no file can be written there is none.

    `register` is JSON, {kind: {id: [statement, networks by word, reading]}}.
    """
    file = _file(policies)
    with suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as written:
            written.write(_head(file.name, register) + register)
        Path(written.name).replace(file)
        for old in sorted(file.parent.iterdir(), key=lambda kept: kept.stat().st_mtime)[:-_KEPT]:
            old.unlink()


def load(policies: Folder) -> Bundle | None:
    """Return the register of a folder as a bundle; null where there is none for these very files."""
    register = read(policies)
    return Bundle({f"{REGISTER}/register/data.json": register}, [REGISTER]) if register else None


def read(policies: Folder) -> bytes:
    """Return the register of a folder as it was stored; empty where there is none for these very files."""
    file = _file(policies)
    try:
        content = file.read_bytes()
    except OSError:
        return b""
    register = content[content.find(b"\n") + 1 :]
    return register if content == _head(file.name, register) + register else b""


def _file(policies: Folder) -> Path:
    """Return where the register of a folder is kept: in the image, or in the caches of whoever checked it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "portcullis"
    name = hashlib.sha256(f"{policies.digest} {digest(engine_files())}".encode()).hexdigest()
    return (_SHIPPED if _SHIPPED.is_dir() else cache) / name


def _head(name: str, register: bytes) -> bytes:
    return f"{name} {hashlib.sha256(register).hexdigest()}\n".encode()
