"""The function in a process of its own: reads invocations as JSON lines, writes what became of each as one."""

import json
import logging
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class _Findings(logging.Handler):
    """Keeps, of the log's lines, the ids of the findings (else the records) that were alerted or allowed."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: dict[str, list[str]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        fields = getattr(record, "fields", {})
        kind = "alerted" if fields.get("alerted") else "allowed" if fields.get("action") == "allow" else ""
        if kind:
            self.ids.setdefault(kind, []).append(fields.get("finding") or str(fields["records"]))


def main() -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    from handler import app  # noqa: PLC0415  the log goes nowhere from here on

    findings = _Findings()
    logging.getLogger("handler").addHandler(findings)
    print(json.dumps({"ready": app.GATE.pid}), file=answers, flush=True)
    for line in sys.stdin:
        given = json.loads(line)
        findings.ids = {}
        start = time.monotonic()
        answer = app.lambda_handler(given["event"], _context(start + given["seconds"]))
        told = {"answer": answer, "seconds": time.monotonic() - start, **findings.ids, **_state(app.GATE.pid)}
        print(json.dumps(told), file=answers, flush=True)
    app.GATE.close()


def _context(end: float) -> Any:
    return SimpleNamespace(
        aws_request_id="request", get_remaining_time_in_millis=lambda: int(1000 * (end - time.monotonic()))
    )


def _state(opa: int) -> dict[str, int]:
    """Return the memory of Python and of OPA in MB, open files, and child processes."""
    return {
        "python": _resident("self"),
        "opa": _resident(str(opa)),
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "children": len(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()),
    }


def _resident(process: str) -> int:
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS:")).split()[1]) // 1024


if __name__ == "__main__":
    main()
