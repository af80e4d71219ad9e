"""Jars for the tests: fetched by Maven once, and held to checksums."""

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from msgspec import Struct

from handler.settings import ROOT


class JarsError(Exception):
    """The jars cannot be fetched, or are not those that SHA256SUMS lists."""


class Jars(Struct, frozen=True):
    """The jars that a pom.xml names. `sources` is the folder of pom.xml and SHA256SUMS, `folder` where they are put."""

    sources: Path
    folder: Path

    @property
    def sums(self) -> Path:
        """The checksums."""
        return self.sources / "SHA256SUMS"

    def missing_programs(self) -> list[str]:
        """Return which programs are not on PATH that are needed: Maven only until the jars are there."""
        needed = ["java"] if self.folder.is_dir() else ["java", "mvn"]
        return [program for program in needed if not shutil.which(program)]

    def fetch(self) -> None:
        """Fetch the jars into their folder unless it is there, one process at a time.

        Raises `JarsError` with Maven's own message when it fails, or when the jars are not those of SHA256SUMS.
        """
        self.folder.parent.mkdir(exist_ok=True)
        with self.folder.with_name(f"{self.folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.folder.is_dir():
                self._copy_dependencies()
        listed = set(self.sums.read_text().splitlines())
        actual = {f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}" for jar in self.folder.iterdir()}
        if actual != listed:
            names = sorted({line.split()[1] for line in actual ^ listed})
            message = (
                f"{self.folder} differs from {self.sums} in {', '.join(names)}. Remove that folder, and Maven's copies"
                f" in ~/.m2, to have the jars fetched again. After a change of pom.xml:"
                f" (cd {self.folder} && sha256sum *.jar) > {self.sums}"
            )
            raise JarsError(message)

    def _copy_dependencies(self) -> None:
        """Have Maven fetch the jars; their folder appears when all are there."""
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as folder:
            maven = ["mvn", "--batch-mode", "--quiet", "--strict-checksums", "-Dstyle.color=never"]
            command = [*maven, f"--file={self.sources}", "dependency:copy-dependencies"]
            command.append(f"-DoutputDirectory={folder}/jars")
            run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            if run.returncode:
                message = f"Maven cannot fetch the jars of {self.sources / 'pom.xml'}: {run.stdout}{run.stderr}"
                raise JarsError(message)
            Path(folder, "jars").rename(self.folder)


DYNAMODB_LOCAL = Jars(ROOT / "tests" / "memory" / "dynamodb", ROOT / ".cache" / "dynamodb-local-3.3.1")
EVENT_RULER = Jars(ROOT / "tests" / "deploy" / "event_ruler", ROOT / ".cache" / "event-ruler-1.8.1")
