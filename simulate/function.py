"""The function itself, with simulated time: real code and real OPA, and stand-ins for what it asks of AWS."""
# ruff: noqa: SLF001  it replaces what the started function holds

import importlib
import json
import logging
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

from msgspec.structs import replace

from handler import aws
from handler.cli import executable, main
from handler.decision import Decision
from handler.errors import PortcullisError, RecordsFailedError
from handler.finding import UNKNOWN, Exposure, Finding, Opened, to_json
from handler.folding import Folded
from handler.opa import Opa
from handler.process import Process
from handler.settings import ROOT
from handler.telling import Remembering
from simulate.faults import Death, Faults
from simulate.world import ACCOUNTS, NETWORKS, World, moment

SECONDS, MEGABYTES = 60, 1024
"""That an invocation has, and the function, as they are deployed."""

_ENVIRONMENT = {
    "ALERT_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:alerts",
    "AWS_ACCESS_KEY_ID": "simulated",
    "AWS_SECRET_ACCESS_KEY": "simulated",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEGABYTES),
}


class Function:
    """The function, started on policies in a folder. A context manager.

    `client` is DynamoDB's, `table` the name of its table; `inspector` is the client that a sweep lists with.
    """

    def __init__(  # noqa: PLR0913, PLR0917  what stands for AWS
        self, world: World, faults: Faults, folder: Path, inspector: Any, client: Any, table: str
    ) -> None:
        self._world, self._faults, self._policies = world, faults, folder / "policies"
        self._inspector, self._client, self._table = inspector, client, table
        self._lister = aws.lister
        self._number = 0
        self._app: Any = None
        self._inventory: Any = importlib.import_module("handler.memory.inventory")
        self._pool = self._inventory.ThreadPoolExecutor
        self._messages: list[dict[str, Any]] = []
        self._opa = os.environ.get("OPA_PATH") or shutil.which(executable()) or executable()
        shutil.copytree(ROOT / "policies", self._policies, ignore=shutil.ignore_patterns("gate", "*.rego"))
        for name in ("allow", "forbid"):
            (self._policies / name).mkdir(exist_ok=True)
        self._write(
            "networks", {name: [cidr, "::/0"] if name == "anywhere" else [cidr] for name, cidr in NETWORKS.items()}
        )
        self._write("accounts", {"production": ACCOUNTS, "names": {}, "teams": {}})
        self._write_allowances()

    def __enter__(self) -> Self:
        logging.disable()
        before = dict(os.environ)
        os.environ |= _ENVIRONMENT | {"POLICIES_PATH": str(self._policies), "OPA_PATH": self._opa}
        aws.client.cache_clear()
        try:
            self._app = importlib.import_module("handler.app")
        finally:
            os.environ.clear()
            os.environ.update(before)
        self._app._SETTINGS = replace(self._app._SETTINGS, memory_table=self._table, sweep_scanners="inspector2")
        lister: Any = lambda *_: self._inspector  # noqa: E731
        aws.lister = lister
        self._inventory.ThreadPoolExecutor = _InTurn
        self._app._SNS = self._faults.striking(self, "publish")
        self._gate = self._app.GATE
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._gate.close()
        self._inventory.ThreadPoolExecutor = self._pool
        aws.lister = self._lister
        del sys.modules["handler.app"]
        logging.disable(logging.NOTSET)

    def release_policies(self) -> None:
        """Start anew with the policies as they are now."""
        self._write_allowances()
        self._gate.close()
        self._gate = Opa(Process(str(self._policies), self._opa, MEGABYTES))
        self._app._ENGINE = self._gate.ready()
        self._start()

    def _start(self) -> None:
        self._app.GATE = self._questions = Questions(self._gate)
        client = self._faults.striking(self._client)
        with self._faults.suspended():
            self._app._MEMORY = Remembering(self._app._SETTINGS, client, self._app._ENGINE.policy)

    def forget_decisions(self) -> None:
        """Ask OPA anew, as an allowance has expired since."""
        self._questions.answers.clear()

    def invoke(self, event: Mapping[str, Any], at: float) -> tuple[Any, list[dict[str, Any]]]:
        """Invoke it at a time; return its answer, nothing where it has died or failed, and what SNS has taken.

        Of each message that is its JSON.
        """
        self._messages = []
        self._number += 1
        context = SimpleNamespace(
            aws_request_id=f"request-{self._number}", get_remaining_time_in_millis=lambda: 1000 * SECONDS
        )
        self._faults.begin(at)
        try:
            answer = self._app.answer(event, context, moment(at), self._look_up)
        except (Death, RecordsFailedError):
            answer = None
        return answer, self._messages

    def publish(self, **message: Any) -> dict[str, str]:
        """Take a message, as SNS does."""
        self._messages.append(json.loads(json.loads(message["Message"])["default"]))
        return {"MessageId": f"message-{self._number}-{len(self._messages)}"}

    def _look_up(self, folded: Sequence[Folded], until: float | None) -> list[Folded]:
        """Read who reaches each port from the truth, as the look-up of sources does from AWS."""
        del until
        return [
            replace(each, report=self._looked_up(each.report)) if isinstance(each.report, Finding) else each
            for each in folded
        ]

    def _looked_up(self, finding: Finding) -> Finding:
        if self._faults.fails_to_look_up():
            return finding
        is_there = finding.server.id in self._world.servers
        parts = [part for each in finding.exposures for part in self._reached(each, is_there=is_there)]
        return replace(finding, exposures=tuple(parts))

    def _reached(self, exposure: Exposure, *, is_there: bool) -> Iterator[Exposure]:
        """Yield who reaches the ports of a report, rule by rule, and as unknown the ports that nobody reaches.

        Of a server that is gone that is every port, whatever the rules of its group say.
        """
        covered = set()
        for rule in self._world.groups[str(exposure.security_group)].rules.values():
            low, high = max(rule.low, exposure.from_port), min(rule.high, exposure.to_port)
            if low <= high:
                covered |= {*range(low, high + 1)} if is_there else set()
                opens = Opened(protocol="tcp", from_port=rule.low, to_port=rule.high, source=rule.source)
                yield replace(
                    exposure, from_port=low, to_port=high, sources=(rule.source,), rules=(rule.id,), rule_opens=opens
                )
        rest = [port for port in range(exposure.from_port, exposure.to_port + 1) if port not in covered]
        for low in (port for port in rest if port - 1 not in rest):
            high = next(port for port in range(low, exposure.to_port + 1) if port + 1 not in rest)
            yield replace(exposure, from_port=low, to_port=high, sources=(UNKNOWN,), unreached=True)

    def _write_allowances(self) -> None:
        rows: dict[str, list[dict[str, Any]]] = {}
        for row in self._world.spelled_allowances():
            rows.setdefault(str(row.pop("role")), []).append(row | {"accounts": ["production"]})
        self._write("servers", {"by_name": {}, "by_id": {}, "by_tag": {"Role": rows}})
        with redirect_stdout(StringIO()):
            main(["check", str(self._policies)])  # as the image does, so that there is a register

    def _write(self, name: str, data: Any) -> None:
        (self._policies / name / "data.yaml").write_text(json.dumps(data))


class _InTurn:
    """Does in turn what threads would do at once, so that a run can be repeated."""

    def __init__(self, _: int) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    map = staticmethod(map)


class Questions:
    """The gate, asked once for each different question.

    OPA is real. A decision is remembered by its finding without `now`, and without who reported it and when, of which
    these policies read nothing; until an allowance expires or the policies change.
    """

    def __init__(self, opa: Opa) -> None:
        self._opa = opa
        self.answers: dict[bytes, Decision | PortcullisError] = {}

    def decide_parts(
        self, findings: Sequence[Finding], deadline: float | None
    ) -> Iterator[Mapping[int, Decision | PortcullisError]]:
        """Give all decisions at once."""
        names = [to_json(replace(finding, now="", reporters=(), notes=())) for finding in findings]
        asked = {name: finding for name, finding in zip(names, findings, strict=True) if name not in self.answers}
        for part in self._opa.decide_parts([*asked.values()], deadline) if asked else ():
            self.answers |= {[*asked][place]: answer for place, answer in part.items()}
        yield {place: self.answers[name] for place, name in enumerate(names)}
