"""Runs a command as a person does: in a terminal of so many columns."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Thread


def run(
    command: Sequence[str], columns: int, folder: Path, environment: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Run a command with its output in a terminal; return its status, what the terminal got, and standard error.

    Neither COLUMNS nor NO_COLOR of these tests' own terminal are passed on.
    """
    surroundings = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "NO_COLOR", "TERM"}}
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    shown: list[bytes] = []
    reader = Thread(target=lambda: shown.extend(iter(lambda: _read(master), b"")))
    reader.start()
    ran = subprocess.run(
        command,
        stdout=slave,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={**surroundings, "TERM": "xterm", **(environment or {})},
        text=True,
        check=False,
    )
    os.close(slave)
    reader.join()
    os.close(master)
    return ran.returncode, b"".join(shown).decode().replace("\r\n", "\n"), ran.stderr


def _read(master: int) -> bytes:
    """Read what the terminal got; at its end Linux has an error instead."""
    try:
        return os.read(master, 65536)
    except OSError:
        return b""
