"""However much is denied, and whatever its texts hold: every message can be sent, and what is left out is counted."""

import json
import re
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handler import alert
from handler.alert import Message, remembered
from handler.alert.content import Carried, content
from handler.alert.draft import fitted
from handler.decision import Allowance, Allowed, Decision, Denied, Part, Problem, Prohibition
from handler.finding import Exposure, Finding, Reporter, Server, Undecidable
from handler.memory import parts as parts_of
from handler.memory import state
from handler.memory.comparison import Entry
from handler.memory.news import News
from handler.outcome import Outcome
from handler.settings import Settings
from tests.alerts import ENGINE, SETTINGS, exposure, finding, server

ENVELOPE = 1024
"""What SNS wraps around a message for a queue."""

ATTRIBUTES = {"account", "region", "severity", "server", "action", "team"}

texts = st.builds(
    lambda text, times: text * times,
    st.text(
        st.characters() | st.sampled_from("\ud800\udfff\x00\x1b\r\n\u2028\u202e\ufffe\"'\\`<ü\U0001f600 "), max_size=12
    ),
    st.sampled_from([1, 1, 1, 30, 400]),
)
names = st.one_of(st.just("web-prod-01"), st.just("111122223333"), texts)
ports = st.tuples(st.integers(0, 65535), st.integers(0, 65535)).map(sorted)
sources = st.one_of(st.sampled_from(["unknown", "0.0.0.0/0", "::/0", "sg-1", "pl-1", "10.0.0.0/8"]), texts)
protocols: st.SearchStrategy[Literal["tcp", "udp"]] = st.sampled_from(["tcp", "udp"])


@st.composite
def servers(draw: st.DrawFn) -> Server:
    """Draw a server of which much or little is known."""
    return Server(
        kind=draw(st.sampled_from(["instance", "security_group"])),
        id=draw(names),
        tags=draw(st.dictionaries(st.sampled_from(["Team", "Name"]) | texts, texts, max_size=4)),
        tags_known=draw(st.booleans()),
        account=draw(names),
        region=draw(names),
        security_groups=tuple(draw(st.lists(texts, max_size=3))),
        **draw(st.fixed_dictionaries({}, optional={"name": names, "vpc": texts})),
    )


@st.composite
def denials(draw: st.DrawFn) -> Denied:
    """Draw a denied range."""
    low, high = draw(ports)
    return Denied(
        protocol=draw(protocols),
        from_port=low,
        to_port=high,
        source=draw(sources),
        security_group=draw(st.none() | texts),
        rules=tuple(draw(st.lists(texts, max_size=2))),
        cause=draw(st.sampled_from(["prohibited", "expired", "short", "uncovered"])),
        prohibition=draw(st.none() | texts),
        nearest=draw(st.none() | texts),
        reason=draw(texts),
        still_allowed=draw(st.none() | st.lists(parts(), max_size=2).map(tuple)),
        severity=draw(st.sampled_from(["critical", "high", "medium"])),
    )


@st.composite
def parts(draw: st.DrawFn) -> Part:
    """Draw what a network inside a denied source may reach."""
    low, high = draw(ports)
    return Part(from_port=low, to_port=high, source=draw(sources))


@st.composite
def allowed(draw: st.DrawFn) -> Allowed:
    """Draw an allowed range."""
    low, high = draw(ports)
    by = tuple(draw(st.lists(texts, min_size=1, max_size=2)))
    return Allowed(protocol=draw(protocols), from_port=low, to_port=high, source=draw(sources), by=by)


labels = st.dictionaries(texts, texts, max_size=2)


@st.composite
def decided(draw: st.DrawFn) -> Outcome:
    """Draw a denied finding; what denies and what exposes need not fit together."""
    times = draw(st.sampled_from([1, 1, 40]))
    kinds = st.sampled_from(["allowance", "prohibition", "tag", "finding"])
    problems = st.builds(Problem, kind=kinds, id=st.none() | texts, field=texts, problem=texts)
    denied = tuple(draw(st.lists(denials(), max_size=3)) * times)
    decision = Decision(
        id=draw(names),
        action="deny",
        severity=draw(st.sampled_from(["critical", "high", "medium"])),
        undecidable=draw(st.booleans()),
        denied=denied,
        allowed=tuple(draw(st.lists(allowed(), max_size=2)) * times),
        allowances={
            one.nearest: Allowance(owner=draw(texts), expires=draw(texts), labels=draw(labels))
            for one in denied
            if one.nearest
        },
        prohibitions={
            one.prohibition: Prohibition(reason=draw(texts), labels=draw(labels)) for one in denied if one.prohibition
        },
        problems=tuple(draw(st.lists(problems, max_size=2)) * times),
    )
    exposures = tuple(
        Exposure(
            protocol=one.protocol,
            from_port=one.from_port,
            to_port=one.to_port,
            sources=(one.source,),
            security_group=one.security_group,
            rules=one.rules,
        )
        for one in denied
    )
    finding = Finding(
        id=draw(names),
        reporters=(Reporter(name=draw(texts), id=draw(texts), updated_at=draw(st.none() | texts)),),
        now=draw(st.just("2026-11-24T06:12:00Z") | texts),
        reach=draw(st.sampled_from(["internet", "peered_vpc", "vpn"])),
        reach_known=draw(st.booleans()),
        server=draw(servers()),
        exposures=exposures or (Exposure(protocol="tcp", from_port=1, to_port=1, sources=("unknown",)),),
        notes=tuple(draw(st.lists(texts, max_size=2)) * times),
    )
    return Outcome(records=(draw(st.uuids()).hex,), report=finding, decision=decision)


raw_events = st.recursive(
    texts | st.floats() | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
undecided = st.builds(
    lambda record, report: Outcome(records=(record.hex,), report=report),
    st.uuids(),
    st.builds(
        Undecidable,
        shape=names,
        field=texts,
        problem=texts,
        raw=raw_events,
        id=st.none() | texts,
        account=st.none() | names,
        region=st.none() | names,
        server=st.none() | names,
    ),
)
many = st.builds(
    lambda outcomes, times: [
        Outcome(records=(f"{record}-{number}",), report=outcome.report, decision=outcome.decision)
        for number in range(times)
        for outcome in outcomes
        for record in outcome.records
    ],
    st.lists(st.one_of(decided(), undecided), max_size=6),
    st.sampled_from([1, 1, 2, 30]),
)


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    outcomes=many,
    most=st.sampled_from([16384, 40_000, 262_144, 1_048_576]),
    limit=st.sampled_from([1, 10, 1000]),
    form=st.sampled_from(["json", "amazon-q"]),
)
def test_every_message_can_be_sent(outcomes: list[Outcome], most: int, limit: int, form: Any) -> None:
    """No message is over the limit, each of its parts is valid, and together they carry every record."""
    told = Settings(
        alert_topic_arn="arn:aws:sns:eu-west-1:111122223333:alerts",
        alert_max_bytes=most,
        alert_max_messages=limit,
        alert_https_format=form,
    )
    messages = alert.messages(outcomes, told, ENGINE)
    assert len(messages) <= max(limit, 1)
    carried = [record for message in messages for record in message.records]
    assert sorted(carried) == sorted(record for outcome in outcomes for record in outcome.records)
    for message in messages:
        _is_valid(message, most)


def _is_valid(message: Message, most: int) -> None:
    arguments = message.publish_arguments()
    subject, body = arguments["Subject"], arguments["Message"]
    assert subject.isascii()
    assert subject.isprintable()
    assert 0 < len(subject) < 100

    attributes = arguments["MessageAttributes"]
    assert set(attributes) == ATTRIBUTES
    for value in attributes.values():
        _is_valid_attribute(**value)

    parts = [subject, body, *attributes, *(text for value in attributes.values() for text in value.values())]
    assert sum(len(part.encode("utf-8")) for part in parts) + ENVELOPE <= most

    forms = json.loads(body)
    assert forms["default"]
    assert forms["email"].strip()
    assert forms["sms"] == subject
    assert not set(body) & set("\x00\x0b\x1f\ufffe\uffff")
    for name in {"default", "https"} & set(forms):
        json.loads(forms[name], parse_constant=pytest.fail)
    if "https" in forms:
        assert len(json.loads(forms["https"])["content"]["description"]) <= 8000
    data = json.loads(forms["default"])
    assert len(data["findings"]) + data["left_out"]["findings"] + len(data["reports"]) + data["left_out"]["reports"] > 0


def _is_valid_attribute(DataType: str, StringValue: str) -> None:  # noqa: N803  the API's own names
    values = json.loads(StringValue) if DataType == "String.Array" else [StringValue]
    assert DataType in {"String", "String.Array"}
    assert values
    assert all(value and value.isprintable() and not set(value) & set('"\\') for value in values)


def test_chat_leaves_room_for_the_rest() -> None:
    """8,000 characters of a chat may be 32,000 bytes: a small topic gets fewer."""
    told = msgspec.structs.replace(SETTINGS, alert_max_bytes=16384, alert_https_format="amazon-q")
    outcome = _denied("i-0001")
    assert outcome.decision
    (denied,) = outcome.decision.denied
    many = tuple(
        msgspec.structs.replace(denied, from_port=port, to_port=port, reason="\U0001f600" * 130) for port in range(60)
    )
    decision = msgspec.structs.replace(outcome.decision, denied=many)
    (message,) = alert.messages([msgspec.structs.replace(outcome, decision=decision)], told, ENGINE)
    _is_valid(message, 16384)


def test_event_that_is_too_large_is_cut_and_says_so() -> None:
    """What fits of it is attached, to the mail and to the JSON, and the rest is counted."""
    report = Undecidable(shape="strange", field="detail", problem="is absent", raw={"text": "x" * 500_000})
    (message,) = alert.messages([Outcome(records=("record",), report=report)], SETTINGS, ENGINE)
    assert re.search(r"^\.\.\. and \d{6} more characters of it$", message.body, re.MULTILINE)
    assert len(message.body) > 50_000
    (told,) = message.data["reports"]
    assert re.search(r"\.\.\. and \d{6} more characters$", told["raw"])


def test_events_that_are_too_many_are_counted() -> None:
    """The mail attaches as many as fit and says how many there were; the JSON counts what it leaves out."""
    report = Undecidable(shape="strange", field="detail", problem="is absent", raw={"text": "x" * 2000})
    told = [Outcome(records=(f"record-{number}",), report=report) for number in range(500)]
    (message,) = alert.messages(told, SETTINGS, ENGINE)
    assert "detail: is absent (500 reports)" in message.body
    (left,) = re.findall(r"^\.\.\. and (\d+) events more, of 500$", message.body, re.MULTILINE)
    assert 500 - int(left) == message.body.count("\nReport ") - 1 > 10
    assert message.data["left_out"]["reports"] == 500 - len(message.data["reports"]) > 0


def test_digest_uses_its_room() -> None:
    """A thousand servers are all named, though their findings do not fit into the JSON, which the mail says."""
    told = [_denied(f"i-{number:05}") for number in range(1000)]
    (message,) = alert.messages(told, SETTINGS, ENGINE)
    assert "  1000 servers in Web production (111122223333), eu-west-1:\n" in message.body
    assert all(f"    i-{number:05}\n" in message.body for number in range(1000))
    left = message.data["left_out"]["findings"]
    assert left == 1000 - len(message.data["findings"]) > 0
    said = f"are in the JSON of this message, but for {left} of 1000 findings that did not fit."
    assert said in " ".join(message.body.split())


def test_servers_that_are_too_many_are_counted() -> None:
    """A small topic gets as many as fit, and how many more there are; every record is in the message."""
    told = [_denied(f"i-{number:05}") for number in range(1000)]
    (message,) = alert.messages(told, msgspec.structs.replace(SETTINGS, alert_max_bytes=16384), ENGINE)
    named = message.body.count("\n    i-")
    assert named > 100
    assert f"... and {1000 - named} more\n" in message.body
    assert len(message.records) == 1000


def test_digest_names_servers_rather_than_quotes_an_event() -> None:
    """A large event that could not be judged is cut before a server's name is left out."""
    report = Undecidable(shape="strange", field="detail", problem="is absent", raw={"text": "x" * 500_000})
    told = [_denied(f"i-{number:05}") for number in range(1000)]
    (message,) = alert.messages([*told, Outcome(records=("record",), report=report)], SETTINGS, ENGINE)
    assert message.body.count("\n    i-") == 1000
    assert "more characters of it" in message.body


def test_finding_that_fits_in_no_message_is_summed_up() -> None:
    """A finding larger than a message is left out of the JSON, which still says in a line each what is denied."""
    (message,) = alert.messages([_denied("i-0001", sources=20_000)], SETTINGS, ENGINE)
    assert message.data["left_out"]["findings"] == 1
    assert message.data["summary"][0].startswith("medium: i-0001: tcp 22 from 2001:db8::/128, ")
    assert "... and 19995 more" in " ".join(message.body.split())


def _denied(name: str, sources: int = 1) -> Outcome:
    addresses = [f"2001:db8::{number:x}/128" if number else "2001:db8::/128" for number in range(sources)]
    known = finding(server(name), exposure(22, sources=tuple(addresses)))
    entry: dict[str, Any] = {"protocol": "tcp", "from_port": 22, "to_port": 22, "security_group": None, "rules": ()}
    entry |= {
        "cause": "uncovered",
        "prohibition": None,
        "nearest": None,
        "reason": "nothing allows tcp 22",
        "still_allowed": (),
        "severity": "medium",
    }
    decision = Decision(
        id=known.id,
        action="deny",
        severity="critical",
        undecidable=False,
        denied=tuple(Denied(source=source, **entry) for source in addresses),
        allowed=(),
        allowances={},
        prohibitions={},
        problems=(),
    )
    return Outcome(records=(name,), report=known, decision=decision)


def test_news_of_a_server_with_very_many_parts_fits() -> None:
    """What could not be named would stay news for ever: the first parts stand there, and how many there are."""
    parts = [{"protocol": "tcp", "from_port": 22, "to_port": 22, "source": f"10.0.{at}.0/24"} for at in range(250)]
    carried = Carried(kind="closed", summary=[], news=[{"episode": "8f2c", "opened": [], "closed": parts}])
    frame = content(carried, {}, ENGINE, 8000)
    assert frame["left_out"]["news"] == 0
    [entry] = frame["news"]
    assert (entry["episode"], entry["parts"], entry["closed"]) == ("8f2c", 250, parts[:10])


@st.composite
def closed(draw: st.DrawFn) -> Entry:
    """Draw what has closed on a server, whatever its name and its sources are."""
    ranges = draw(st.lists(st.tuples(protocols, ports, sources), min_size=1, max_size=8))
    parts = tuple(
        parts_of.Part(protocol, low, high, source, "uncovered", "high") for protocol, (low, high), source in ranges
    )
    known: dict[str, Any] = {"kind": draw(st.sampled_from(["instance", "security_group"])), "region": "eu-west-1"}
    remembered_server = state.Server(
        **known, id=draw(names), account=draw(names), name=draw(names), told=parts, since="2026-11-24T06:00:00Z"
    )
    news = News(kind="closed", closed=parts, before=draw(st.sampled_from([(), parts])))
    return Entry(
        key=("a", "b"),
        at="2026-11-24T07:00:00Z",
        server=remembered_server,
        news=news,
        closed=parts,
        gone=draw(st.sampled_from([0, 1, 9999])),
        records=frozenset({"record"}),
    )


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(entries=st.lists(closed(), min_size=1, max_size=3))
def test_every_closing_can_be_sent(entries: list[Entry]) -> None:
    """A closing that SNS refuses would be given back for ever."""
    for draft in remembered.closings(entries, SETTINGS, ENGINE):
        subject = fitted(draft, SETTINGS, ENGINE).publish_arguments()["Subject"]
        assert subject.isascii()
        assert subject.isprintable()
        assert 0 < len(subject) < 100
        assert subject.startswith("[")
