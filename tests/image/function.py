"""An image that buildah has built, and functions that run from it as Lambda runs them."""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tests.image.runtime_api import Answer, RuntimeApi

LAMBDA = Path(__file__).with_name("lambda")
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_FUNCTION_NAME": "portcullis",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_REGION": "eu-west-1",
    "AWS_SECRET_ACCESS_KEY": "test",
}
"""What Lambda itself sets."""


def buildah(*arguments: str) -> str:
    """Run buildah and return what it prints."""
    return subprocess.run(
        ["buildah", *arguments],  # noqa: S607  found on PATH like any tool
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout.strip()


class Image:
    """An image, mounted once for any number of functions, each of which sees it read-only. A context manager.

    `root` is where it is mounted and can be added to; `configuration` is the image's, as OCI names it.
    """

    def __init__(self, name: str) -> None:
        told = json.loads(buildah("inspect", "--type", "image", name))
        self.configuration: dict[str, Any] = told["OCIv1"]["config"]
        self._container = buildah("from", "--pull-never", name)
        self.root = Path(buildah("mount", self._container))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        buildah("rm", self._container)


class Function:
    """A function that starts from an image. A context manager that ends it.

    `environment` is what the function's owner sets; `handler` takes the place of the image's; without `temporary` its
    /tmp cannot be written.
    """

    def __init__(
        self, image: Image, environment: Mapping[str, str], handler: str = "", *, temporary: bool = True
    ) -> None:
        self._api = RuntimeApi()
        own = dict(pair.split("=", 1) for pair in image.configuration["Env"])
        given = {**own, **ENVIRONMENT, "AWS_LAMBDA_RUNTIME_API": self._api.address, **environment}
        command = [*image.configuration["Entrypoint"], *([handler] if handler else image.configuration["Cmd"])]
        pairs = [f"{name}={value}" for name, value in given.items()]
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  closed with the function
        self._started_at = time.perf_counter()
        self._process = subprocess.Popen(
            [LAMBDA, image.root, image.configuration["WorkingDir"], *pairs, "--", *command],
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env=os.environ | ({} if temporary else {"NO_TMP": "1"}),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.signal(signal.SIGKILL)
        self._process.wait(20)
        self._api.close()
        self._output.close()

    def start(self) -> float:
        """Wait for the first request for an event; return the seconds from the start of the process."""
        begun = self._api.begun.get(timeout=60)
        assert begun is None, f"{begun}\n{self.output()}"
        assert self._api.first_next_at
        return self._api.first_next_at - self._started_at

    def init_error(self) -> tuple[str, float]:
        """Wait for the function to end with an init error; return it as "type: message", and after how many seconds."""
        begun = self._api.begun.get(timeout=60)
        assert begun is not None, f"the function started\n{self.output()}"
        assert self._process.wait(20) != 0
        return f"{begun.body['errorType']}: {begun.body['errorMessage']}", begun.seconds

    def invoke(self, event: Any, deadline: float = 30) -> Answer:
        """Invoke it; it is told that it has `deadline` seconds."""
        return self._api.invoke(event, deadline)

    def output(self) -> str:
        """Return what it has written to its log so far."""
        return os.pread(self._output.fileno(), 1 << 24, 0).decode(errors="replace")

    def log(self) -> list[dict[str, Any]]:
        """Return the log lines that are JSON, which all of ours are."""
        return [json.loads(line) for line in self.output().splitlines() if line.startswith("{")]

    def processes(self) -> dict[str, int]:
        """Return the process ids of the tree by the programs' names, parents first."""
        found = [self._process.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        return {Path(f"/proc/{pid}/comm").read_text().strip(): pid for pid in found}

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole tree, children first, to continue parents first."""
        pids = list(self.processes().values())
        for pid in pids if number == signal.SIGCONT else reversed(pids):
            os.kill(pid, number)


def state(pid: int) -> str:
    """Return the state of a process as in /proc: R, S, T (stopped) ..."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def memory(pid: int) -> int:
    """Return the bytes of memory that a process has to itself, plus its share of what it shares (PSS)."""
    return _kilobytes(Path(f"/proc/{pid}/smaps_rollup"), "Pss") * 1024


def peak(pid: int) -> int:
    """Return the most bytes of memory that a process has had (the high-water mark of RSS)."""
    return _kilobytes(Path(f"/proc/{pid}/status"), "VmHWM") * 1024


def _kilobytes(file: Path, name: str) -> int:
    return next(int(line.split()[1]) for line in file.read_text().splitlines() if line.startswith(f"{name}:"))
