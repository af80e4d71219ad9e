"""The mails, whole, as they reach a phone at night."""

import os
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from handler import alert
from handler.alert import mail
from handler.finding import Closed, Finding, Ignored, Reporter, Undecidable
from handler.opa import Opa
from handler.process import Process
from handler.settings import ROOT
from tests.alerts import (
    ANYWHERE,
    ENGINE,
    GOLDEN,
    OFFICE,
    SETTINGS,
    asked,
    exposure,
    finding,
    opens,
    outcomes,
    server,
    text,
    unreadable,
)

BASTION = server(
    "i-0ddd", "bastion-01", tags={"Role": "bastion", "Team": "netops"}, vpc="vpc-1", security_groups=("sg-0w1de",)
)
WEB = server("i-0ccc", "web-prod-02", tags={"Role": "web"}, security_groups=("sg-0web",))
CACHE = server("i-0eee", "cache-02", tags={}, tags_known=False, security_groups=("sg-0cache", "sg-0base"))
STAGING = server("i-0f0f", "shop", account="444455556666", tags={"portcullis:allow": "tcp/8443 tcp/84x3"})
GROUP = server("sg-0wizard", "launch-wizard-1", kind="security_group", tags={}, tags_known=False)
DENIED = "ec2:DescribeInstances was denied in 111122223333: tags are the report's"


HUB = "arn:aws:securityhub:eu-west-1:111122223333:security-control"
OTHER_CONTROL = Ignored(
    reporter="security_hub",
    reason="A control that is not about an open port of a security group",
    asked=True,
    id=f"{HUB}/S3.1/finding/a1b2",
    account="111122223333",
    region="eu-west-1",
)
GONE = Closed(
    id="0",
    reporter=Reporter(name="inspector2", id="arn:aws:inspector2:eu-west-1:111122223333:finding/9f8e", asked=True),
    server=CACHE,
)

CASES: dict[str, list[Finding | Closed | Ignored | Undecidable]] = {
    "asked_and_allowed": [
        asked(
            finding(
                WEB,
                exposure(443, sources=ANYWHERE, security_group="sg-0web"),
                notes=("Security Hub has archived this finding: what it found may be gone",),
            )
        ),
        finding(WEB, exposure(80, sources=ANYWHERE, security_group="sg-0web")),
        asked(finding(BASTION, exposure(22, sources=OFFICE, security_group="sg-0w1de"))),
        OTHER_CONTROL,
    ],
    "asked_and_nothing_to_judge": [OTHER_CONTROL, GONE],
    "asked_and_denied": [
        asked(finding(BASTION, exposure(22, sources=OFFICE))),
        asked(finding(BASTION, exposure(22, sources=ANYWHERE[:1], security_group="sg-0w1de"))),
    ],
    "rule_known": [
        finding(
            BASTION,
            *(
                exposure(
                    22,
                    sources=(source,),
                    security_group="sg-0w1de",
                    rules=(rule,),
                    rule_opens=opens(22, 22, source),
                    group_interfaces=7,
                )
                for source, rule in ((OFFICE[0], "sgr-01"), (ANYWHERE[0], "sgr-07"))
            ),
        )
    ],
    "from_unknown_addresses": [
        finding(CACHE, exposure(6379, security_group="sg-0cache"), reach_known=False, notes=(DENIED,))
    ],
    "partly_allowed": [
        finding(
            WEB,
            exposure(
                80,
                443,
                sources=ANYWHERE[:1],
                security_group="sg-0web",
                rules=("sgr-0all",),
                rule_opens=opens(0, 1023, ANYWHERE[0]),
            ),
        ),
        finding(WEB, exposure(1194, protocol="udp", sources=("198.51.100.0/24", "10.0.0.0/8")), reach="vpn"),
    ],
    "prohibited": [
        finding(GROUP, exposure(0, 65535, sources=ANYWHERE, security_group="sg-0wizard")),
        finding(BASTION, exposure(23, sources=OFFICE)),
    ],
    "expired": [finding(server("i-0fff", "db-legacy"), exposure(5432, sources=("198.51.100.7/32",)))],
    "policy_problem": [finding(STAGING, exposure(8080, 8443, sources=ANYWHERE))],
    "not_judged_in_full": [finding(CACHE, exposure(22, sources=("203.0.113.7/24",)), exposure(6379, sources=ANYWHERE))],
    "undecidable": [
        unreadable(
            account="111122223333", region="eu-west-1", id="arn:aws:inspector2:eu-west-1:111122223333:finding/9f8e"
        ),
        unreadable(field="detail.resources", problem="is absent", raw={"detail": {"severity": "HIGH"}}),
    ],
    "without_ports": [
        unreadable(
            shape="report without ports",
            field="",
            problem="names a security group and no port (restricted-common-ports: NON_COMPLIANT); no look-up told what "
            "its rules open (LOOK_UP_SOURCES=true has them read)",
            raw={"source": "aws.config", "detail": {"resourceId": group}},
            account="111122223333",
            region="eu-west-1",
            server=group,
            id="arn:aws:config:eu-west-1:111122223333:config-rule/config-rule-eguym2",
        )
        for group in ("sg-0a1", "sg-0b2")
    ],
    "digest": [
        *(
            finding(server(f"i-{number:04x}", f"web-{number:02}"), exposure(22, sources=ANYWHERE))
            for number in range(12)
        ),
        finding(BASTION, exposure(22, sources=OFFICE)),
        finding(BASTION, exposure(443, sources=ANYWHERE, security_group="sg-0w1de")),
        finding(GROUP, exposure(3389, security_group="sg-0wizard")),
        finding(server("i-0fff", "db-legacy", account="444455556666"), exposure(5432, sources=("198.51.100.7/32",))),
        unreadable(account="111122223333", region="eu-west-1"),
        unreadable(account="111122223333", region="eu-west-1"),
    ],
}


@pytest.mark.parametrize("case", CASES)
def test_mail_reads_as_it_was_read(gate: Opa, case: str) -> None:
    """Subject and body are, to the letter, what was read and found good; `RENEW_GOLDEN=1` writes them anew."""
    written = text(alert.messages(outcomes(gate, CASES[case]), SETTINGS, ENGINE))
    if os.environ.get("RENEW_GOLDEN"):
        (GOLDEN / f"{case}.txt").write_text(written, encoding="utf-8")
    assert written == (GOLDEN / f"{case}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_mail_about_one_denial_is_short(gate: Opa, case: str) -> None:
    """It has at most 45 lines, and the first ten have what decides whether to get up."""
    for message in alert.messages(outcomes(gate, CASES[case]), SETTINGS, ENGINE):
        denied = {
            (entry["protocol"], entry["from_port"], entry["to_port"], entry["reason"])
            for judged in message.data["findings"]
            for entry in judged["decision"]["denied"]
        }
        if message.data["kind"] != "server" or len(denied) != 1:
            continue
        lines = message.body.splitlines()
        assert len(lines) <= 45
        beginning = "\n".join(lines[:10])
        (judged,) = [judged for judged in message.data["findings"] if judged["decision"]["denied"]]
        server, (entry, *_) = judged["finding"]["server"], judged["decision"]["denied"]
        names = {"111122223333": "Web production (111122223333)", "444455556666": "Staging (444455556666)"}
        source = "an unknown address" if entry["source"] == "unknown" else entry["source"]
        ports = (
            f"{entry['from_port']}-{entry['to_port']}" if entry["to_port"] > entry["from_port"] else entry["to_port"]
        )
        assert server["id"] in beginning
        assert f"Account   {names[server['account']]}, {server['region']}\n" in beginning
        assert f"Team      {message.data['team']}\n" in beginning
        assert "Reported  2026-11-24 " in beginning
        assert f"{entry['severity'].upper()}  tcp {ports} from {source}" in beginning


TAGS = {f"eks.amazonaws.com/tag-{number:02}": f"value {number}" for number in range(15)}
NOTES = (
    *(f"note {number} about something else" for number in range(4)),
    "tcp 9100 open to 0.0.0.0/0: bound by nobody known",
)
BRIEF = [
    "Allowed   tcp 80 from 0.0.0.0/0, ::/0 by web-by-name, web-https",
    "          tcp 443 from 0.0.0.0/0, ::/0 by web-by-name, web-https",
    "Policies  web-by-name, web-https: web-platform, until 2027-06-30",
    'Tags      Role=web, eks.amazonaws.com/tag-00="value 0",',
    '          eks.amazonaws.com/tag-01="value 1", ... and 13 more',
    "Note      tcp 9100 open to 0.0.0.0/0: bound by nobody known",
    "          note 0 about something else",
    "          note 1 about something else",
    "          ... and 2 more",
]


def test_lists_of_a_mail_about_one_denial_are_cut_and_counted(gate: Opa) -> None:
    """However much is known of a server: what is denied, and the note about it, stays; the JSON has the rest."""
    told = finding(
        server("i-0ccc", "web-prod-02", tags={"Role": "web", **TAGS}),
        exposure(443, sources=ANYWHERE),
        exposure(80, sources=ANYWHERE),
        exposure(9100, sources=ANYWHERE),
        notes=NOTES,
    )
    (message,) = alert.messages(outcomes(gate, [told]), SETTINGS, ENGINE)
    lines = message.body.splitlines()
    assert len(lines) <= mail.LINES
    assert "HIGH  tcp 9100 from 0.0.0.0/0, ::/0" in lines[:10]
    place = lines.index(BRIEF[0])
    assert lines[place : place + len(BRIEF)] == BRIEF
    assert message.data["findings"][0]["finding"]["notes"] == list(NOTES)


def test_what_cannot_be_short_enough_is_not_cut_for_nothing(gate: Opa) -> None:
    """A mail that its commands alone make too long says the rest in full."""
    ways = [
        exposure(
            22,
            sources=(source,),
            security_group="sg-0w1de",
            rules=(f"sgr-0{number}",),
            rule_opens=opens(22, 22, source),
            group_interfaces=1,
        )
        for number, source in enumerate(ANYWHERE)
    ]
    (message,) = alert.messages(outcomes(gate, [finding(BASTION, *ways)]), SETTINGS, ENGINE)
    assert len(message.body.splitlines()) > mail.LINES
    assert "... and " not in message.body


def test_every_golden_mail_is_written() -> None:
    """No file lies in the folder that nothing is compared with."""
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(CASES)


FORGED = "ok\r\n\nAllowed   tcp 22\u202e\u2028\x1b[2J\x07\ud800 `rm -rf ~` $(id) <!channel> " + "A" * 5000


def test_tags_and_reports_forge_no_line(gate: Opa) -> None:
    """What a name, a tag or a report brings along stays on the line and in the quotes of what it is."""
    hostile = server("i-0bad", FORGED, tags={FORGED: FORGED}, security_groups=("sg-1", "sg-2; rm -rf ~", "$(id)"))
    reports: list[Finding | Undecidable] = [
        finding(hostile, exposure(22, security_group="sg-1"), notes=(FORGED,)),
        unreadable(shape=FORGED, field=FORGED, problem=FORGED, raw={FORGED: FORGED}, account=FORGED, server=FORGED),
    ]
    for message in alert.messages(outcomes(gate, reports), SETTINGS, ENGINE):
        lines = message.body.splitlines()
        assert not any(line.startswith("Allowed") for line in lines)
        assert all(line.replace("\t", "").isprintable() for line in lines)
        assert max(map(len, lines)) < 12_000
        assert message.subject.isprintable()
        assert message.subject.isascii()
        assert len(message.subject) < 100


@pytest.mark.parametrize("most", [0, 10])
def test_long_names_forge_no_line(gate: Opa, most: int) -> None:
    """A space breaks a line where whoever gave the name likes: what follows is set in from the margin."""
    name = "x" * 68 + " aws ec2 delete-security-group --group-id sg-0prod"
    reports: list[Finding | Undecidable] = [
        finding(server("i-0bad", name), exposure(22)),
        asked(finding(server("i-0ccc", name, tags={"Role": "web"}), exposure(443, sources=OFFICE))),
        unreadable(shape=name),
    ]
    for message in alert.messages(outcomes(gate, reports), replace(SETTINGS, alert_max_messages=most), ENGINE):
        assert "aws ec2 delete-security-group" in message.body
        assert "\naws ec2 delete-security-group" not in message.body


def test_policies_forge_no_line(opa_path: str, tmp_path: Path) -> None:
    """An allowance's id, owner and reason of invisible marks or line breaks are spelled out, in mail and digest."""
    policies = shutil.copytree(ROOT / "policies", tmp_path / "policies")
    forged = "x\\nAllowed tcp 22 from 10.0.0.0/8\\u001b[2J\\u202e\\u200b"
    head = f'"id": "{forged}", "tcp": [22], "sources": ["office"], "owner": "{forged}", "reason": "{forged}"'
    head += f', "labels": {{"{forged}": "{forged}"}}'
    (policies / "allow" / "odd.rego").write_text(
        f'package allow\n\nallowance contains {{{head}, "expires": "2027-06-30"}}\n'
    )
    told = finding(CACHE, exposure(22, sources=OFFICE), exposure(22, sources=ANYWHERE[:1]))
    with Opa(Process(str(policies), opa_path)) as gate:
        gate.ready()
        decided = outcomes(gate, [told])
    for most in (0, 10):
        (message,) = alert.messages(decided, replace(SETTINGS, alert_max_messages=most), ENGINE)
        lines = message.body.splitlines()
        assert all(line.replace("\t", "").isprintable() for line in lines)
        assert sum(line.startswith("Allowed ") for line in lines) == bool(most)
        assert "x\\u000aAllowed tcp 22 from 10.0.0.0/8" in " ".join(message.body.split())


LABELLED = """package allow

allowance contains {
	"id": "metrics",
	"tcp": [9100],
	"sources": ["office"],
	"owner": "netops",
	"reason": "Metrics",
	"expires": "2027-06-30",
	"labels": {"ticket": "NET-12", "runbook": "https://example.com/m"},
} if {
	input.server.name == "cache-02"
}
"""
LABELLED_STOP = """package forbid

prohibition contains {
	"id": "no-ftp",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Passwords in the clear",
	"labels": {"rule": "SEC-3"},
}
"""


def test_labels_stand_where_their_statement_does(opa_path: str, tmp_path: Path) -> None:
    """A ticket and a link are at hand with the nearest allowance, one that allows, and a prohibition; JSON has them."""
    policies = shutil.copytree(ROOT / "policies", tmp_path / "policies")
    (policies / "allow" / "metrics.rego").write_text(LABELLED)
    (policies / "forbid" / "ftp.rego").write_text(LABELLED_STOP)
    ways = (exposure(21), exposure(9100, sources=OFFICE), exposure(9100, sources=ANYWHERE[:1]))
    with Opa(Process(str(policies), opa_path)) as gate:
        gate.ready()
        (message,) = alert.messages(outcomes(gate, [finding(CACHE, *ways)]), SETTINGS, ENGINE)
    lines = message.body.splitlines()
    assert "  no-ftp forbids tcp 21 from unknown: Passwords in the clear" in lines
    assert "Allowed   tcp 9100 from 203.0.113.0/24 by metrics" in lines
    place = lines.index("Policies  no-ftp: rule SEC-3")
    about = "metrics: netops, until 2027-06-30, runbook https://example.com/m, ticket NET-12"
    assert " ".join(" ".join(lines[place + 1 : place + 3]).split()) == about
    assert message.body.count("until 2027-06-30") == 1
    decision = message.data["findings"][0]["decision"]
    assert decision["allowances"]["metrics"]["labels"]["ticket"] == "NET-12"
    assert decision["prohibitions"]["no-ftp"] == {"reason": "Passwords in the clear", "labels": {"rule": "SEC-3"}}


def test_rules_that_open_one_port_are_one_denial(gate: Opa) -> None:
    """IPv4 and IPv6 have a rule each: port and reason are said once, the rules of each group below."""
    ways = (
        exposure(22, sources=ANYWHERE[:1], security_group="sg-0w1de", rules=("sgr-07",)),
        exposure(22, sources=ANYWHERE[1:], security_group="sg-0w1de", rules=("sgr-08",)),
        exposure(22, sources=ANYWHERE[:1], security_group="sg-0other"),
    )
    (message,) = alert.messages(outcomes(gate, [finding(WEB, *ways)]), SETTINGS, ENGINE)
    assert message.subject.startswith("[critical] web-prod-02: tcp 22 open to 0.0.0.0/0 and ::/0, account ")
    lines = message.body.splitlines()
    place = lines.index("CRITICAL  tcp 22 from 0.0.0.0/0, ::/0")
    ways_in = ["  through security group sg-0other", "  opened by rules sgr-07, sgr-08 of sg-0w1de", ""]
    assert lines[place + 2 : place + 5] == ways_in


def test_port_behind_a_load_balancer_and_around_it_is_two_denials(gate: Opa) -> None:
    """What is reached around a load balancer is never said to be behind it."""
    ways = (
        exposure(22, sources=ANYWHERE[:1], security_group="sg-0lb", rules=("sgr-07",), load_balancer="app/web/50dc"),
        exposure(22, sources=ANYWHERE[:1], security_group="sg-0web", rules=("sgr-08",)),
    )
    (message,) = alert.messages(outcomes(gate, [finding(WEB, *ways)]), SETTINGS, ENGINE)
    behind = "  opened by rule sgr-07 of sg-0lb\n  behind load balancer app/web/50dc\n\n"
    assert message.body.count("CRITICAL  tcp 22 from 0.0.0.0/0\n") == 2
    assert behind in message.body
    assert "  opened by rule sgr-08 of sg-0web\n\n" in message.body


def test_allowed_server_is_not_spoken_of(gate: Opa) -> None:
    """What is allowed everywhere makes no message."""
    allowed = finding(BASTION, exposure(22, sources=OFFICE))
    assert alert.messages(outcomes(gate, [allowed]), SETTINGS, ENGINE) == []


def test_what_is_allowed_around_a_load_balancer_too_is_not_said_to_be_behind_it(gate: Opa) -> None:
    """It is said once, though a finding tells both ways."""
    ways = (exposure(443, sources=OFFICE), exposure(443, sources=OFFICE, load_balancer="app/web/50dc"))
    (message,) = alert.messages(outcomes(gate, [finding(WEB, *ways, exposure(22))]), SETTINGS, ENGINE)
    assert message.body.count("Allowed   tcp 443 from 203.0.113.0/24 by ") == 1
    assert "load balancer" not in message.body
