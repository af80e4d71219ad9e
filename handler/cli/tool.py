"""The `opa` of a shell, which compiles, formats, evaluates and tests policies."""

import subprocess
from pathlib import Path


class Tool:
    """The executable of that path."""

    def __init__(self, opa: str) -> None:
        self._opa = opa

    def run(
        self, *arguments: str | Path, folder: Path | None = None, given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of it, in a folder, with a text as its standard input; it may end with any status."""
        command = [self._opa, *map(str, arguments)]
        return subprocess.run(
            command, cwd=folder, input=given, capture_output=True, text=True, encoding="utf-8", check=False
        )


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """Give what a command complained of."""
    return (done.stderr or done.stdout).strip()
