"""Outcomes for the tests of alerts, decided by the real OPA, and the mails as they must read."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace

from handler.alert import Message
from handler.decision import Decision
from handler.finding import Closed, Exposure, Finding, Ignored, Opened, Reporter, Server, Undecidable, identity
from handler.opa import Opa
from handler.outcome import Engine, Outcome
from handler.settings import Settings

ACCOUNT = "111122223333"
REGION = "eu-west-1"
ENGINE = Engine(policy="v1.4-3-gabc1234 (sha256:3f2a1c9)", opa="1.22.2")
SETTINGS = Settings(alert_topic_arn=f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts")
ANYWHERE = ("0.0.0.0/0", "::/0")
OFFICE = ("203.0.113.0/24",)
UNKNOWN = ("unknown",)

GOLDEN = Path(__file__).resolve().parent


def server(identifier: str, name: str | None = None, **fields: Any) -> Server:
    """Give an instance of production; its tags are its name and those in `tags`."""
    tags = ({"Name": name} if name else {}) | fields.pop("tags", {})
    known: dict[str, Any] = {"kind": "instance", "tags_known": True, "account": ACCOUNT, "region": REGION}
    return Server(id=identifier, tags=tags, **(known | ({"name": name} if name else {}) | fields))


def exposure(low: int, high: int | None = None, sources: tuple[str, ...] = UNKNOWN, **fields: Any) -> Exposure:
    """Give an exposure of tcp, unless `fields` says otherwise."""
    known: dict[str, Any] = {"protocol": "tcp"}
    return Exposure(from_port=low, to_port=low if high is None else high, sources=sources, **(known | fields))


def opens(low: int, high: int, source: str, protocol: Literal["tcp", "udp", "all"] = "tcp") -> Opened:
    """Give all that a rule opens."""
    return Opened(protocol=protocol, from_port=low, to_port=high, source=source)


def finding(
    server: Server, *exposures: Exposure, reach: Literal["internet", "vpn"] = "internet", **fields: Any
) -> Finding:
    """Give what Inspector told of a server on 24 November 2026."""
    ports: set[tuple[str, int, int]] = {(one.protocol, one.from_port, one.to_port) for one in exposures}
    name = identity(server, reach, ports)
    reporter = Reporter(
        name="inspector2",
        id=f"arn:aws:inspector2:{server.region}:{server.account}:finding/{name}",
        severity="MEDIUM",
        updated_at="2026-11-24T05:58:10Z",
        first_seen_at="2026-11-20T09:15:29Z",
    )
    known: dict[str, Any] = {"reporters": (reporter,), "now": "2026-11-24T06:12:00Z", "reach_known": True}
    return Finding(id=name, reach=reach, server=server, exposures=exposures, **(known | fields))


def unreadable(shape: str = "aws.inspector2 Inspector2 Finding", **fields: Any) -> Undecidable:
    """Give a report whose port range is reversed."""
    raw = {"source": "aws.inspector2", "detail": {"openPortRange": {"begin": 443, "end": 80}}}
    known: dict[str, Any] = {"field": "detail.openPortRange", "problem": "begin 443 is above end 80", "raw": raw}
    return Undecidable(shape=shape, **(known | fields))


def asked(finding: Finding) -> Finding:
    """Give what Security Hub told of a finding when a person pressed its button."""
    (own,) = finding.reporters
    hub = Reporter(name="security_hub", id=own.id, severity="MEDIUM", updated_at="2026-11-24T06:10:00Z", asked=True)
    return replace(finding, reporters=(hub,))


def outcomes(gate: Opa, reports: Iterable[Finding | Closed | Ignored | Undecidable]) -> list[Outcome]:
    """Decide what can be decided; each report comes from a record of its own."""
    told = list(reports)
    findings = [report for report in told if isinstance(report, Finding)]
    decisions = iter(gate.decide(findings))
    decided = []
    for number, report in enumerate(told):
        decision = next(decisions) if isinstance(report, Finding) else None
        assert decision is None or isinstance(decision, Decision)
        decided.append(Outcome(records=(f"record-{number}",), report=report, decision=decision))
    return decided


def text(messages: Sequence[Message]) -> str:
    """Give mails as a mail reader shows them, one under the other."""
    return f"\n{'-' * 70}\n\n".join(f"Subject: {message.subject}\n\n{message.body}" for message in messages)
