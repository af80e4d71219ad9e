"""The `opa` of a shell, which compiles, formats, evaluates and tests policies."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path


class Tool:
    """The executable of that path."""

    def __init__(self, opa: str) -> None:
        self._opa = opa

    @property
    def name(self) -> str:
        """What a person calls it in the shell: `opa` where that is it, else its path."""
        return "opa" if shutil.which("opa") == self._opa else shlex.quote(shown(Path(self._opa)))

    def run(
        self, *arguments: str | Path, folder: Path | None = None, given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of it, in a folder, with a text as its standard input; it may end with any status."""
        command = [self._opa, *map(str, arguments)]
        return subprocess.run(
            command, cwd=folder, input=given, capture_output=True, encoding="utf-8", errors="replace", check=False
        )


def shown(file: Path) -> str:
    """Give a path as a person in this folder would."""
    path, here = file.absolute(), Path.cwd()
    return os.path.normpath(path.relative_to(here) if path.is_relative_to(here) else path)


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """Give what a command complained of."""
    return (done.stderr or done.stdout).strip()
