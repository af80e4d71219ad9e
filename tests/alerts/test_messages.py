"""Which messages there are, whom they are addressed to, and what machines get of them."""

import json
import logging
import math
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from handler import alert
from handler.decision import Decision
from handler.finding import Finding, Undecidable
from handler.opa import Opa
from handler.outcome import Outcome
from handler.settings import Settings
from tests.alerts import (
    ACCOUNT,
    ANYWHERE,
    ENGINE,
    OFFICE,
    REGION,
    SETTINGS,
    exposure,
    finding,
    outcomes,
    server,
    unreadable,
)

BASTION = server("i-0ddd", "bastion-01", tags={"Role": "bastion"})
SSH = exposure(22, sources=ANYWHERE)


def attributes(message: alert.Message) -> dict[str, str]:
    """Give the message attributes as `type value`."""
    given = message.publish_arguments()["MessageAttributes"]
    return {name: f"{value['DataType']} {value['StringValue']}" for name, value in given.items()}


def content(message: alert.Message, protocol: str) -> Any:
    """Give what a protocol gets, as SNS chooses it, read as JSON."""
    forms = json.loads(message.publish_arguments()["Message"])
    return json.loads(
        forms.get(protocol, forms["default"]), parse_constant=lambda word: pytest.fail(f"{word} is no JSON")
    )


def hosts(number: int) -> list[Finding | Undecidable]:
    """Give a denied finding on each of so many servers."""
    return [finding(server(f"i-{index:04x}", f"web-{index:02}"), SSH) for index in range(number)]


def test_one_message_has_everything_denied_on_a_server(gate: Opa) -> None:
    """Several findings on a server are one message, with their records; allowed ones add none."""
    told = [
        finding(BASTION, SSH),
        finding(BASTION, exposure(3389)),
        finding(BASTION, exposure(22, sources=OFFICE)),
        finding(server("i-0ddd", region="eu-central-1"), SSH),
    ]
    messages = alert.messages(outcomes(gate, told), SETTINGS, ENGINE)
    assert [message.records for message in messages] == [{"record-0", "record-1"}, {"record-3"}]
    assert [entry["finding"]["server"]["region"] for entry in messages[0].data["findings"]] == [REGION, REGION]


def test_a_record_told_twice_is_in_the_message(gate: Opa) -> None:
    """A finding that several records told fails all of them, if it fails."""
    (decided,) = outcomes(gate, [finding(BASTION, SSH)])
    folded = msgspec.structs.replace(decided, records=("first", "second"))
    assert alert.messages([folded], SETTINGS, ENGINE)[0].records == {"first", "second"}


def test_worst_comes_first(gate: Opa) -> None:
    """Critical comes before high, what could not be judged after it, medium last."""
    told: list[Finding | Undecidable] = [
        finding(server("i-0001"), exposure(8080, sources=OFFICE)),
        unreadable(),
        finding(server("i-0002"), exposure(8080, sources=ANYWHERE)),
        finding(server("i-0003"), SSH),
    ]
    messages = alert.messages(outcomes(gate, told), SETTINGS, ENGINE)
    assert [message.subject.partition("]")[0] for message in messages] == [
        "[critical",
        "[high",
        "[undecidable",
        "[medium",
    ]


def test_tags_are_known_from_any_report(gate: Opa) -> None:
    """Where the denied finding came without tags, those of another finding on the server are shown."""
    bare = server("i-0ddd", tags_known=False)
    told = [finding(bare, exposure(3389)), finding(BASTION, exposure(22, sources=OFFICE))]
    (message,) = alert.messages(outcomes(gate, told), SETTINGS, ENGINE)
    assert "Tags      Role=bastion\n" in message.body


def test_digest_names_a_server_once_for_a_denial(gate: Opa) -> None:
    """The same port through two groups is one denial on one server, with both groups named."""
    doors = [exposure(22, sources=ANYWHERE, security_group=group) for group in ("sg-1", "sg-2")]
    told = [finding(BASTION, *doors), *hosts(10)]
    (message,) = alert.messages(outcomes(gate, told), SETTINGS, ENGINE)
    assert (
        "  through sg-1, sg-2\n  1 server in Web production (111122223333), eu-west-1:\n    bastion-01 (i-0ddd)\n"
        in message.body
    )


def test_worst_port_is_named(gate: Opa) -> None:
    """Among many ports the administrative one is the worst, then the one that anybody reaches."""
    ports = [exposure(80, sources=OFFICE), exposure(443, sources=ANYWHERE), exposure(3306, sources=ANYWHERE)]
    (message,) = alert.messages(outcomes(gate, [finding(server("i-0001", "db"), *ports)]), SETTINGS, ENGINE)
    assert message.subject.startswith("[critical] db: tcp 3306 and 2 more open to 0.0.0.0/0 and ::/0, account")


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_blank_account_is_unknown(gate: Opa, blank: str) -> None:
    """The subject never ends in nothing."""
    database = finding(server("i-0001", "db", account=blank), exposure(3306, sources=ANYWHERE))
    denied, unread = alert.messages(outcomes(gate, [database, unreadable(account=blank)]), SETTINGS, ENGINE)
    assert denied.subject == "[critical] db: tcp 3306 open to 0.0.0.0/0 and ::/0, account unknown"
    assert unread.subject == "[undecidable] 1 report could not be judged, account unknown"


def test_more_than_the_limit_become_one_digest(gate: Opa) -> None:
    """Ten servers are ten messages; an eleventh, or an unreadable report, makes them one, and no record is lost."""
    assert len(alert.messages(outcomes(gate, hosts(10)), SETTINGS, ENGINE)) == 10
    for told in (hosts(11), [*hosts(10), unreadable()]):
        (digest,) = alert.messages(outcomes(gate, told), SETTINGS, ENGINE)
        assert digest.records == {f"record-{number}" for number in range(11)}
        assert digest.data["kind"] == "digest"
        assert digest.data["left_out"] == {"findings": 0, "reports": 0}


def test_slice_of_an_invocation_is_a_digest_however_little_is_denied(gate: Opa) -> None:
    """How to close a rule can only be said where all is judged; so a slice has a digest, with what went before."""
    too_many = "number {} of an invocation that has too many findings to be judged at once"
    denied = outcomes(gate, [*hosts(1), unreadable()])
    (first,) = alert.messages(denied, SETTINGS, ENGINE, last=False)
    assert f"This is a digest, {too_many.format(1)}: others may follow." in " ".join(first.body.split())
    earlier = alert.Earlier().after(first.data)
    (second,) = alert.messages(denied, SETTINGS, ENGINE, earlier)
    said = f"{too_many.format(2)}: 1 finding and 1 report went before in 1 digest."
    assert said in " ".join(second.body.split())
    assert second.data["earlier"] == {"messages": 1, "findings": 1, "reports": 1}
    assert alert.messages([], SETTINGS, ENGINE, earlier) == []
    web = outcomes(gate, [finding(server("i-0a", "web-01", tags={"Role": "web"}), exposure(443, sources=ANYWHERE))])
    assert alert.messages(web, SETTINGS, ENGINE, last=False) == []


UNJUDGED = exposure(22, sources=("203.0.113.7/24",))


def test_server_that_was_only_not_judged_is_not_said_to_be_open(gate: Opa) -> None:
    """What denies nothing by a policy is to be treated as open, in the mail and counted apart in the digest."""
    told: list[Finding | Undecidable] = [finding(server("i-0e", "cache-02"), UNJUDGED)]
    (message,) = alert.messages(outcomes(gate, told), SETTINGS, ENGINE)
    assert message.body.startswith("cache-02 (i-0e) could not be judged: treat it as open.\n")
    for beside, opening in (
        ([], "1 server could not be judged. This is a digest"),
        ([unreadable()], "1 server and 1 report could not be judged. This is"),
        (
            [finding(BASTION, SSH, UNJUDGED)],
            "1 server is open where it is not allowed, and 1 server could not",
        ),
    ):
        settings = msgspec.structs.replace(SETTINGS, alert_max_messages=0)
        (message,) = alert.messages(outcomes(gate, [*told, *beside]), settings, ENGINE)
        assert " ".join(message.body.split()).startswith(opening)


def test_digest_names_every_server_that_could_not_be_judged(gate: Opa) -> None:
    """As the mail of its own would; of each shape the first report is attached, and is said to be the first."""
    groups = ["sg-0a1", "sg-0b2", "sg-0c3"]
    told = [
        unreadable("group", field="", raw={"group": group}, server=group, account="444455556666") for group in groups
    ]
    (message,) = alert.messages(outcomes(gate, [*hosts(10), *told]), SETTINGS, ENGINE)
    assert (
        "Account   Staging (444455556666)\nRegion    unknown\nServer    sg-0a1\n          sg-0b2\n          sg-0c3\n"
        in message.body
    )
    assert '\nThe first of 3 as it came:\n{\n  "group": "sg-0a1"\n}\n' in message.body
    (message,) = alert.messages(outcomes(gate, [*hosts(10), *told, unreadable("other")]), SETTINGS, ENGINE)
    assert "\nThe first of 3 as it came, sg-0a1:\n" in message.body
    assert "\nThe report as it came, detail.openPortRange:\n" in message.body


def test_digest_says_what_its_json_has(gate: Opa) -> None:
    """Where nothing is left out it says so, of what there is."""
    (message,) = alert.messages(outcomes(gate, hosts(11)), SETTINGS, ENGINE)
    assert message.body.endswith("\n\nThe findings with their decisions are in the JSON of this message.\n")
    told = [Outcome(records=(f"record-{number}",), report=unreadable(f"shape {number}")) for number in range(11)]
    (message,) = alert.messages(told, SETTINGS, ENGINE)
    assert message.body.endswith("\n\nThe reports are in the JSON of this message.\n")


OPEN = exposure(443, sources=ANYWHERE[:1])
INSIDE = exposure(8080, sources=("198.51.100.9/32",))


@pytest.mark.parametrize(
    ("told", "subject"),
    [
        pytest.param(
            [finding(server(f"i-{number:04x}", f"db-{number}"), OPEN, INSIDE) for number in range(2)],
            "[high] db-0 and 1 other: tcp 443 open to 0.0.0.0/0, account Web production (111122223333)",
            id="the same on all",
        ),
        pytest.param(
            [finding(BASTION, exposure(22, sources=ANYWHERE[:1])), finding(server("i-0001"), INSIDE)],
            "[critical] bastion-01: tcp 22 open to 0.0.0.0/0, and 1 other server, account 111122223333",
            id="another port",
        ),
        pytest.param(
            [finding(server("i-0001", "db"), INSIDE), unreadable(account="444455556666"), unreadable()],
            "[high] db: tcp 8080 open to 198.51.100.9/32, and 2 not judged, 2 accounts",
            id="worse could not be judged",
        ),
        pytest.param(
            [finding(server("i-0001", "db"), OPEN), finding(server("i-0002"), INSIDE), unreadable()],
            "[high] db: tcp 443 open to 0.0.0.0/0, and 1 other server and 1 not judged, account 111122223333",
            id="both",
        ),
        pytest.param(
            [
                *(finding(server(f"i-{port}", "a" * 50), exposure(port, port + 10000)) for port in (10000, 10001)),
                *(unreadable() for _ in range(1000)),
            ],
            f"[critical] {'a' * 23}...: tcp 10000-20000 open, and 1 other server and 1000 not judged",
            id="no room for the account",
        ),
    ],
)
def test_subject_of_a_digest_is_true_of_all(gate: Opa, told: list[Finding | Undecidable], subject: str) -> None:
    """Severity is the worst; the port is said of the other servers only where it is open on them all."""
    settings = msgspec.structs.replace(SETTINGS, alert_max_messages=1)
    (message,) = alert.messages(outcomes(gate, told), settings, ENGINE)
    assert message.subject == subject
    assert len(subject) < 100


def test_undecidable_reports_are_one_message_a_shape(gate: Opa) -> None:
    """Reports that differ in their shape only come apart."""
    told = [unreadable("one"), unreadable("two"), unreadable("one")]
    messages = alert.messages(outcomes(gate, told), SETTINGS, ENGINE)
    assert [message.records for message in messages] == [{"record-0", "record-2"}, {"record-1"}]
    assert [len(message.data["reports"]) for message in messages] == [2, 1]


def test_unreadable_reports_alone_make_a_digest() -> None:
    """A flood of unknown shapes is one message too."""
    told = [Outcome(records=(f"record-{number}",), report=unreadable(f"shape {number}")) for number in range(11)]
    (digest,) = alert.messages(told, SETTINGS, ENGINE)
    assert digest.subject == "[undecidable] 11 reports could not be judged, account unknown"
    assert len(digest.records) == 11


def test_attributes_of_a_server(gate: Opa) -> None:
    """Every attribute is there, as text."""
    (message,) = alert.messages(outcomes(gate, [finding(BASTION, SSH)]), SETTINGS, ENGINE)
    assert attributes(message) == {
        "account": f"String {ACCOUNT}",
        "region": "String eu-west-1",
        "severity": "String critical",
        "server": "String i-0ddd",
        "action": "String deny",
        "team": "String web-platform",
    }


def test_attributes_of_what_could_not_be_judged() -> None:
    """Nothing of it may be known, and still every attribute is there; its severity is that of an open port."""
    (message,) = alert.messages([Outcome(records=("record",), report=unreadable())], SETTINGS, ENGINE)
    assert attributes(message) == {
        "account": "String unknown",
        "region": "String unknown",
        "severity": "String high",
        "server": "String unknown",
        "action": "String undecidable",
        "team": "String unassigned",
    }


def test_attributes_of_a_digest_are_lists(gate: Opa) -> None:
    """A filter policy on any of the values matches; the JSON has the same for filters on the body."""
    settings = Settings(alert_topic_arn=SETTINGS.alert_topic_arn, alert_max_messages=1)
    sandbox = server("i-0001", account="444455556666", tags={"Team": 'a "b" \\'})
    told: list[Finding | Undecidable] = [finding(sandbox, exposure(8080)), unreadable(), finding(BASTION, SSH)]
    (message,) = alert.messages(outcomes(gate, told), settings, ENGINE)
    assert attributes(message) == {
        "account": f'String.Array ["{ACCOUNT}", "444455556666", "unknown"]',
        "region": 'String.Array ["eu-west-1", "unknown"]',
        "severity": 'String.Array ["critical", "high"]',
        "server": 'String.Array ["i-0ddd", "i-0001", "unknown"]',
        "action": 'String.Array ["deny", "undecidable"]',
        "team": 'String.Array ["web-platform", "a ?b? ?", "unassigned"]',
    }
    assert message.data["account"] == [ACCOUNT, "444455556666", "unknown"]


def test_attributes_that_are_too_many_say_so(gate: Opa) -> None:
    """Of a thousand servers the list has as many as fit, and the word that a careful filter policy names too."""
    (message,) = alert.messages(outcomes(gate, hosts(1000)), SETTINGS, ENGINE)
    listed = json.loads(message.publish_arguments()["MessageAttributes"]["server"]["StringValue"])
    assert len(listed) > 500
    assert listed[-1] == "more"


@pytest.mark.parametrize(
    ("file", "text", "team"),
    [
        pytest.param("data.yaml", f'teams: {{b: ["{ACCOUNT}"], a: ["{ACCOUNT}"]}}', "a", id="yaml"),
        pytest.param("data.yml", f'teams: {{a: ["{ACCOUNT}"]}}', "a", id="yml"),
        pytest.param("data.json", f'{{"teams": {{"a": ["{ACCOUNT}"]}}}}', "a", id="json"),
        pytest.param("data.yaml", 'teams: {a: ["444455556666"]}', "unassigned", id="other account"),
        pytest.param("data.yaml", f"teams: {{1: ['{ACCOUNT}'], a: '{ACCOUNT}', b: 7}}", "unassigned", id="not lists"),
        pytest.param("data.yaml", "teams: 7", "unassigned", id="not teams"),
        pytest.param("data.yaml", "- 7", "unassigned", id="not an object"),
        pytest.param("data.yaml", "{", "unassigned", id="not yaml"),
        pytest.param("data.json", "{", "unassigned", id="not json"),
        pytest.param("other.yaml", "", "unassigned", id="no file"),
    ],
)
def test_team_of_an_account(gate: Opa, tmp_path: Path, file: str, text: str, team: str) -> None:
    """The accounts file names the team where no tag does; what is wrong with it never costs the alert."""
    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts" / file).write_text(text)
    settings = msgspec.structs.replace(SETTINGS, policies_path=str(tmp_path))
    (message,) = alert.messages(outcomes(gate, [finding(BASTION, SSH)]), settings, ENGINE)
    assert message.data["team"] == team


@pytest.mark.parametrize(
    ("file", "text", "name"),
    [
        pytest.param("data.yaml", f'names: {{"{ACCOUNT}": Web production}}', f"Web production ({ACCOUNT})", id="yaml"),
        pytest.param("data.json", f'{{"names": {{"{ACCOUNT}": "Web"}}}}', f"Web ({ACCOUNT})", id="json"),
        pytest.param("data.yaml", 'names: {"444455556666": Staging}', ACCOUNT, id="other account"),
        pytest.param("data.yaml", f"names: {{{ACCOUNT}: Web}}", ACCOUNT, id="unquoted account"),
        pytest.param("data.yaml", f'names: {{"{ACCOUNT}": 7}}', ACCOUNT, id="no text"),
        pytest.param("data.yaml", f'names: {{"{ACCOUNT}": " "}}', ACCOUNT, id="blank"),
        pytest.param("data.yaml", "names: 7", ACCOUNT, id="no names"),
        pytest.param("other.yaml", "", ACCOUNT, id="no file"),
        pytest.param(
            "data.yaml",
            f'names: {{"{ACCOUNT}": "a\\nAllowed"}}',
            f"a\\u000aAllowed ({ACCOUNT})",
            id="line break",
        ),
    ],
)
def test_account_is_called_by_its_name(gate: Opa, tmp_path: Path, file: str, text: str, name: str) -> None:
    """Every kind of mail has the name with the number; what filters ask for is the number alone."""
    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts" / file).write_text(text)
    told = outcomes(gate, [finding(BASTION, SSH), unreadable(account=ACCOUNT)])
    for most in (0, 10):
        settings = msgspec.structs.replace(SETTINGS, policies_path=str(tmp_path), alert_max_messages=most)
        for message in alert.messages(told, settings, ENGINE):
            assert f"{name}, eu-west-1" in message.body or f"Account   {name}\n" in message.body
            assert "\nAllowed" not in message.body
            assert message.data["account"] in (ACCOUNT, [ACCOUNT])


@pytest.mark.parametrize("length", [1, 17, 18, 19, 20, 80, 89])
def test_subject_has_the_name_of_the_account_where_there_is_room(gate: Opa, tmp_path: Path, length: int) -> None:
    """It never costs the server's name a letter, nor is the subject too long or not ASCII."""
    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts" / "data.yaml").write_text(f'names: {{"{ACCOUNT}": "{"ü" * length}"}}')
    settings = msgspec.structs.replace(SETTINGS, policies_path=str(tmp_path))
    (message,) = alert.messages(outcomes(gate, [finding(BASTION, SSH)]), settings, ENGINE)
    said = "[critical] bastion-01: tcp 22 open to 0.0.0.0/0 and ::/0, account "
    fits = len(said) + length + len(f" ({ACCOUNT})") < 100
    assert message.subject == said + (f"{'?' * length} ({ACCOUNT})" if fits else ACCOUNT)


def test_unreadable_accounts_file_is_logged(gate: Opa, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever looks for the team finds why there is none."""
    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts" / "data.yaml").write_bytes(b"\xff")
    settings = msgspec.structs.replace(SETTINGS, policies_path=str(tmp_path))
    with caplog.at_level(logging.WARNING):
        alert.messages(outcomes(gate, [finding(BASTION, SSH)]), settings, ENGINE)
    assert "accounts/data.yaml cannot be read" in caplog.text


def test_team_of_a_server_is_in_the_tag_that_the_setting_names(gate: Opa) -> None:
    """A tag comes before the account; a blank one does not count."""
    settings = msgspec.structs.replace(SETTINGS, alert_team_tag="owner")
    for tag, team in (("netops", "netops"), (" ", "web-platform")):
        told = finding(server("i-0001", tags={"owner": tag, "Team": "other"}), SSH)
        (message,) = alert.messages(outcomes(gate, [told]), settings, ENGINE)
        assert message.data["team"] == team


@pytest.mark.parametrize("protocol", ["sqs", "lambda", "http", "https", "email-json", "firehose"])
def test_machines_get_findings_with_their_decisions(gate: Opa, protocol: str) -> None:
    """What they get is the contract's JSON, whole."""
    (told,) = outcomes(gate, [finding(BASTION, SSH)])
    (message,) = alert.messages([told], SETTINGS, ENGINE)
    got = content(message, protocol)
    assert got == message.data
    (entry,) = got["findings"]
    assert msgspec.convert(entry["finding"], Finding) == told.report
    assert msgspec.convert(entry["decision"], Decision) == told.decision
    assert [got["policy"], got["opa"]] == ["v1.4-3-gabc1234 (sha256:3f2a1c9)", "1.22.2"]


def test_people_get_text(gate: Opa) -> None:
    """A mail is the body; a telephone gets the subject."""
    (message,) = alert.messages(outcomes(gate, [finding(BASTION, SSH)]), SETTINGS, ENGINE)
    forms = json.loads(message.publish_arguments()["Message"])
    assert forms["email"] == message.body
    assert forms["sms"] == message.subject == message.publish_arguments()["Subject"]


def test_https_can_be_amazon_q(gate: Opa) -> None:
    """By setting, HTTPS subscribers get what Amazon Q Developer shows in a chat; the others get the JSON."""
    settings = msgspec.structs.replace(SETTINGS, alert_https_format="amazon-q")
    told = finding(
        server("i-0001", "<!channel> ```rm```"), *(exposure(port, sources=ANYWHERE) for port in range(1, 99))
    )
    (message,) = alert.messages(outcomes(gate, [told]), settings, ENGINE)
    chat = content(message, "https")
    assert chat["version"] == "1.0"
    assert chat["source"] == "custom"
    assert chat["content"]["textType"] == "client-markdown"
    assert chat["content"]["title"].startswith("[critical]")
    shown = chat["content"]["description"]
    assert len(shown) <= 8000
    assert shown.startswith("```\n")
    assert shown.endswith("\n```")
    assert shown.count("```") == 2
    assert "<" not in shown + chat["content"]["title"]
    assert "... and " in shown
    assert content(message, "http") == message.data


def test_raw_event_is_attached_as_it_came() -> None:
    """A machine gets the event, with what is no JSON in words."""
    raw = {
        "nan": math.nan,
        "when": datetime(2026, 11, 24, tzinfo=UTC),
        "finding": finding(BASTION, SSH),
        "name": "\ud800ü",
    }
    (message,) = alert.messages([Outcome(records=("record",), report=unreadable(raw=raw))], SETTINGS, ENGINE)
    (report,) = content(message, "sqs")["reports"]
    assert report["raw"]["nan"] == "NaN"
    assert report["raw"]["when"] == "2026-11-24T00:00:00Z"
    assert report["raw"]["finding"]["server"]["id"] == "i-0ddd"
    assert report["raw"]["name"] == "\ufffdü"
    assert report["problem"] == "begin 443 is above end 80"


def test_problem_without_a_field_stands_alone() -> None:
    """What is wrong with a report as a whole is said without a field."""
    told = Outcome(records=("record",), report=unreadable("strange", field="", problem="the policies contradict"))
    (message,) = alert.messages([told], SETTINGS, ENGINE)
    assert "strange\n  the policies contradict\n" in message.body


def nested(depth: int) -> Any:
    """Give a text inside so many lists and objects."""
    raw: Any = "innermost"
    for level in range(depth):
        raw = [raw] if level % 2 else {"": raw}
    return raw


@pytest.mark.parametrize(
    ("depths", "word"),
    [
        pytest.param([100], "innermost", id="deeper than any report"),
        pytest.param([101], "cannot be shown: nested too deep", id="too deep"),
        pytest.param(range(700, sys.getrecursionlimit()), "cannot be shown: ", id="near what Python can spell"),
        pytest.param([100_000], "cannot be shown: RecursionError", id="absurd"),
    ],
)
def test_deeply_nested_event_alerts_too(depths: Iterable[int], word: str) -> None:
    """An event nested beyond what is shown is named as that, in the mail and to machines."""
    for depth in depths:
        (message,) = alert.messages(
            [Outcome(records=("record",), report=unreadable(raw=nested(depth)))], SETTINGS, ENGINE
        )
        assert word in message.body
        assert word in message.publish_arguments()["Message"]
