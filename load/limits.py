"""A control group with the memory and the processor share of a Lambda function, where one may be made."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Self

_ROOT = Path("/sys/fs/cgroup")
_PERIOD = 100_000


class Limits:
    """A control group below this process's own, of either version. A context manager that removes it.

    `megabytes` of memory, `share` of one processor. `problem` says why there is none, else it is empty.
    """

    def __init__(self, megabytes: int, share: float) -> None:
        own = dict(line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().splitlines())
        quota, most = str(int(share * _PERIOD)), str(megabytes * 2**20)
        name = f"portcullis-load-{os.getpid()}"
        if (_ROOT / "memory").is_dir():
            memory, cpu = (Path(f"{_ROOT}/{kind}{own[kind]}") / name for kind in ("memory", "cpu"))
            written = {memory / "memory.limit_in_bytes": most, cpu / "cpu.cfs_quota_us": quota}
            self._peak = memory / "memory.max_usage_in_bytes"
        else:
            memory = cpu = Path(f"{_ROOT}{own['']}") / name
            written = {memory / "memory.max": most, cpu / "cpu.max": f"{quota} {_PERIOD}"}
            self._peak = memory / "memory.peak"
        self._folders = {memory, cpu}
        self.problem = ""
        try:
            for folder in self._folders:
                folder.mkdir()
            for file, text in written.items():
                file.write_text(text)
        except OSError as error:
            self.problem = f"no control group can be made: {error}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for folder in self._folders:
            with suppress(OSError):
                folder.rmdir()

    def enter(self) -> None:
        """Put the calling process into the group."""
        if not self.problem:
            for folder in self._folders:
                (folder / "cgroup.procs").write_text("0")

    def peak(self) -> str:
        """Return the most memory that the group has had."""
        return "not known" if self.problem else f"{int(self._peak.read_text()) / 2**20:.0f} MB"
