"""A person who asked is answered: once, by whatever message speaks of it, with attributes to filter by."""

import json
from pathlib import Path
from typing import Any

import pytest

from handler import alert
from handler.events import unwrap
from handler.finding import Closed, Finding, Ignored, Reporter, Undecidable
from handler.invocation import judge
from handler.opa import Opa
from handler.outcome import Outcome
from tests.alerts import ACCOUNT, ANYWHERE, ENGINE, OFFICE, REGION, SETTINGS, asked, exposure, finding, outcomes, server

Reports = list[Finding | Closed | Ignored | Undecidable]
BASTION = server("i-0ddd", "bastion-01", tags={"Role": "bastion"})
WEB = server("i-0ccc", "web-prod-01", tags={"Role": "web"})
ALLOWED = finding(BASTION, exposure(22, sources=OFFICE))
DENIED = finding(BASTION, exposure(3389, sources=ANYWHERE))
NOT_OURS = Ignored(reporter="security_hub", reason="Not about an open port", asked=True, id="f-1", account=ACCOUNT)
GONE = Closed(id="0", reporter=Reporter(name="inspector2", id="f-2", asked=True), server=WEB)


def answers(gate: Opa, *reports: Finding | Closed | Ignored | Undecidable) -> list[alert.Message]:
    """Give the messages about reports."""
    return alert.messages(outcomes(gate, reports), SETTINGS, ENGINE)


def attributes(message: alert.Message) -> dict[str, str]:
    """Give the message attributes."""
    given = message.publish_arguments()["MessageAttributes"]
    return {name: value["StringValue"] for name, value in given.items()}


def test_allowed_finding_that_was_asked_for_is_answered(gate: Opa) -> None:
    """Silence would say nothing to somebody who waits."""
    (message,) = answers(gate, asked(ALLOWED))
    assert message.subject == "[allowed] bastion-01: tcp 22, account Web production (111122223333)"
    assert message.records == {"record-0"}
    assert message.data["kind"] == "answer"
    assert message.data["findings"][0]["decision"]["action"] == "allow"
    assert attributes(message) == {
        "account": ACCOUNT,
        "region": REGION,
        "severity": "none",
        "server": "i-0ddd",
        "action": "allow",
        "team": "web-platform",
    }


def test_what_there_is_nothing_to_judge_of_is_answered(gate: Opa) -> None:
    """With whose it is, and the scanner's word; unknown is what the report does not say."""
    (message,) = answers(gate, NOT_OURS, GONE)
    assert message.subject == "[nothing to judge] 2 reports, account Web production (111122223333)"
    assert message.records == {"record-0", "record-1"}
    not_ours, gone = message.data["reports"]
    assert (not_ours["reason"], gone["reporter"]["id"]) == ("Not about an open port", "f-2")
    assert attributes(message) == {
        "account": ACCOUNT,
        "region": '["unknown", "eu-west-1"]',
        "severity": "none",
        "server": '["unknown", "i-0ccc"]',
        "action": '["ignored", "closed"]',
        "team": "web-platform",
    }


@pytest.mark.parametrize("report", [ALLOWED, Ignored(reporter="security_hub", reason="Not about an open port")])
def test_what_nobody_asked_for_is_not_answered(gate: Opa, report: Finding | Ignored) -> None:
    """Events of what is allowed or not for us stay silent."""
    assert answers(gate, report) == []


def test_all_answers_are_one_message(gate: Opa) -> None:
    """Many findings may be sent at once: servers by name, then the rest."""
    (message,) = answers(gate, asked(finding(WEB, exposure(443, sources=ANYWHERE))), asked(ALLOWED), NOT_OURS)
    assert message.subject == "[allowed] bastion-01 and 1 other: tcp 22, account Web production (111122223333)"
    assert message.records == {"record-0", "record-1", "record-2"}
    assert message.body.index("bastion-01") < message.body.index("web-prod-01") < message.body.index("f-1")


def test_denied_server_answers_for_what_is_allowed_on_it(gate: Opa) -> None:
    """The alert about a server names what is allowed there, so it is the answer, and fails with its records."""
    (message,) = answers(gate, asked(ALLOWED), DENIED)
    assert message.data["kind"] == "server"
    assert message.records == {"record-0", "record-1"}
    assert "tcp 22 from 203.0.113.0/24" in message.body
    assert "by security_hub" in " ".join(message.body.split())
    assert [entry["decision"]["action"] for entry in message.data["findings"]] == ["deny", "allow"]


def test_digest_does_not_answer_for_what_is_allowed(gate: Opa) -> None:
    """It lists denials only: what was asked about on one of its servers has a message of its own, that points to it."""
    hosts = [finding(server(f"i-{number:04x}"), exposure(22, sources=ANYWHERE)) for number in range(10)]
    digest, answer = answers(gate, asked(ALLOWED), DENIED, *hosts)
    assert (digest.data["kind"], answer.data["kind"]) == ("digest", "answer")
    assert digest.records == {f"record-{number}" for number in range(1, 12)}
    assert answer.records == {"record-0"}
    assert answer.subject == "[allowed] bastion-01: tcp 22, account Web production (111122223333)"
    assert attributes(answer)["action"] == "allow"
    assert [entry["finding"]["id"] for entry in answer.data["findings"]] == [ALLOWED.id]
    assert "tcp 22 from 203.0.113.0/24 by bastion-ssh" in answer.body
    assert "Something else on this server is denied" in answer.body


def test_asked_and_denied_is_answered_by_the_digest(gate: Opa) -> None:
    """One message says it."""
    hosts = [finding(server(f"i-{number:04x}"), exposure(22, sources=ANYWHERE)) for number in range(10)]
    (digest,) = answers(gate, asked(DENIED), *hosts)
    assert "bastion-01 (i-0ddd)" in digest.body
    assert digest.data["left_out"]["findings"] == 0


def test_answer_stands_beside_a_digest(gate: Opa) -> None:
    """Alerts that are too many are one digest, worst first; the answer comes last, and is whole."""
    hosts = [finding(server(f"i-{number:04x}"), exposure(22, sources=ANYWHERE)) for number in range(11)]
    digest, answer = answers(gate, asked(ALLOWED), *hosts)
    assert (digest.data["kind"], answer.data["kind"]) == ("digest", "answer")
    assert "record-0" not in digest.records
    assert answer.records == {"record-0"}


def test_answer_of_a_thousand_findings_fits(gate: Opa) -> None:
    """What does not fit is counted."""
    webs = [server(f"i-{number:04x}", "web-prod-01", tags={"Role": "web"}) for number in range(1000)]
    hosts = [asked(finding(web, exposure(443, sources=ANYWHERE))) for web in webs]
    (message,) = answers(gate, *hosts)
    assert message.size() <= SETTINGS.alert_max_bytes
    assert message.data["left_out"]["findings"] == 1000 - len(message.data["findings"])
    assert len(message.records) == 1000


def test_outcome_that_was_asked_for_alerts(gate: Opa) -> None:
    """The log line says whether somebody hears of it."""
    heard: Reports = [asked(ALLOWED), asked(DENIED), DENIED, NOT_OURS, GONE]
    silent: Reports = [ALLOWED, Ignored(reporter="security_hub", reason="Not about an open port")]
    assert [outcome.alerts for outcome in outcomes(gate, heard + silent)] == [True] * len(heard) + [False] * len(silent)
    assert Outcome(records=("a",), report=NOT_OURS).asked


def judged(gate: Opa, told: Any) -> list[alert.Message]:
    """Give the messages about an event, which needs nothing from AWS."""

    def nobody(service: str, region: str) -> Any:
        raise AssertionError(service, region)

    outcomes = judge(unwrap(told, "request").records, "2026-11-24T06:12:00Z", gate, nobody).outcomes
    return alert.messages(outcomes, SETTINGS, ENGINE)


def test_button_in_security_hub_is_answered_from_end_to_end(gate: Opa) -> None:
    """The finding of an allowed port is silent as an event, and answered when a person sends it."""
    case = Path(__file__).parent.parent / "cases/security_hub/inspector-by-its-fields/event.json"
    told = json.loads(case.read_text())
    assert judged(gate, told) == []
    told["detail-type"] = "Security Hub Findings - Custom Action"
    told["detail"]["findings"][0]["Workflow"]["Status"] = "SUPPRESSED"
    (message,) = judged(gate, told)
    assert message.subject == "[allowed] web-prod-01: tcp 443, account Web production (111122223333)"
    assert message.records == {told["id"]}
    told["detail"]["findings"][0]["Network"]["OpenPortRange"] = {"Begin": 3306, "End": 3306}
    (message,) = judged(gate, told)
    assert message.subject == "[critical] web-prod-01: tcp 3306 open, account Web production (111122223333)"
