"""The digest of the day: what it is about, what its message names, and what is then remembered. Without OPA."""

import math
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace
from mypy_boto3_dynamodb import DynamoDBClient

from handler.alert import daily as day
from handler.alert.remembered import of_the_day
from handler.memory.daily import Daily, gather, mark
from handler.memory.flapping import Rules
from handler.memory.parts import Part
from handler.memory.state import Cause, Kind, Notice, Pending, Server
from handler.memory.store import Key, Row
from handler.outcome import Engine
from handler.settings import Settings
from handler.telling import Remembering

AT = "2026-11-25T00:10:00Z"
BEFORE = "2026-11-24T06:00:00Z"
PLACE = "111122223333#eu-west-1"
SETTINGS = Settings(alert_topic_arn="arn:aws:sns:eu-west-1:111122223333:alerts")
ENGINE = Engine(policy="test", opa="1.22.2")
MONTH = timedelta(days=30)


def part(severity: str = "high", port: int = 8080) -> Part:
    """Make a part that a rule opens."""
    return Part("tcp", port, port, "0.0.0.0/0", "not_allowed", severity, cause="rule")


def server(name: str, **known: Any) -> Server:
    """Make a server that has been told."""
    fields = {"told": (part(),), "since": BEFORE} | known
    return Server(kind="instance", id=name, account="111122223333", region="eu-west-1", **fields)


def pending(deadline: str, kind: Kind) -> Pending:
    """Make news that somebody has begun to tell."""
    return Pending(token=uuid4().hex, deadline=deadline, kind=kind, opened=(part(),))


def items(*servers: Server, **causes: Cause) -> list[tuple[Key, Row]]:
    """Make what a scan of the table reads."""
    rows: list[tuple[Key, Row]] = [((PLACE, known.key), Row(1, known)) for known in servers]
    return [*rows, *(((PLACE, f"cause#{name}"), Row(1, cause)) for name, cause in causes.items())]


def cause(*names: str, counted: Iterable[str] = (), severity: str = "high", gone: int = 0, **known: Any) -> Cause:
    """Make a cause with such members, some of them counted."""
    members: dict[str, tuple[Part, ...]] = {f"server#instance#{name}": (part(severity),) for name in names}
    unnamed: dict[str, tuple[Part, ...]] = {f"server#instance#{name}": (part(severity),) for name in counted}
    return Cause(members=members, counted=unnamed, gone=gone, **known)


def gathered(rows: list[tuple[Key, Row]], remind: timedelta | None = None) -> Daily:
    """Gather what there is to tell."""
    return gather(rows, AT, Rules(), remind)


class Items:
    """The items of a table, in memory: it writes what a change makes of them, and for how long each is kept."""

    def __init__(self, rows: list[tuple[Key, Row]]) -> None:
        self.rows = dict(rows)
        self.kept: dict[Key, timedelta | None] = {}

    def read(self, keys: Iterable[Key], at: str) -> dict[Key, Row]:
        """Read items."""
        del at
        return {key: self.rows.get(key, Row()) for key in keys}

    def update(
        self, key: Key, row: Row, at: str, change: Callable[[Any], Any], keep: Callable[[Any], Any] = lambda _: None
    ) -> None:
        """Write an item where a change makes another of it."""
        del at
        changed = change(row.item)
        if changed is not None and changed != row.item:
            self.rows[key], self.kept[key] = Row(row.version + 1, changed), keep(changed)


def marked(rows: list[tuple[Key, Row]], daily: Daily, until: float = math.inf) -> Items:
    """Mark a digest as told in a table with such items."""
    table: Any = Items(rows)
    mark(
        table,
        daily,
        AT,
        retention=MONTH,
        each=lambda keys, write: [*map(write, keys)],
        until=until,
    )
    assert isinstance(table, Items)
    return table


def sent(daily: Daily) -> tuple[dict[str, Any], str, Daily]:
    """Compose the message of the day; return its JSON, its mail, and what of the digest it named."""
    message = of_the_day(daily, AT, SETTINGS, ENGINE)
    return message.data, message.body, day.named(daily, AT, message.data["news"])


def test_what_the_message_has_no_room_for_stays_for_the_next_day() -> None:
    """Of 3,000 counted servers those leave `counted` that the JSON named, day by day, until all were named once."""
    names = [f"i-{number:04}" for number in range(3000)]
    rows = items(*map(server, names), rule=cause("i-told", *names, counted=names), other=cause())
    named: list[str] = []
    for _ in range(30):
        daily = gathered(rows)
        if not daily:
            break
        data, mail, told = sent(daily)
        left = data["left_out"]["news"]
        assert (f"{left} of {left + len(data['news'])} did not fit" in " ".join(mail.split())) == bool(left)
        [counted] = [{*cause.counted} for cause in told.causes.values()]
        assert counted == {f"server#instance#{entry['server']}" for entry in data["news"]}
        assert len(data["news"]) + data["left_out"]["news"] == len(names) - len(named)
        assert len(data["news"]) > 100
        named += [entry["server"] for entry in data["news"]]
        rows = [*marked(rows, told).rows.items()]
    assert sorted(named) == names


def test_a_reminder_that_was_not_named_is_due_again() -> None:
    """Of two servers of which the JSON names one, only that one is reminded."""
    rows = items(server("i-a"), server("i-b"))
    daily = gathered(rows, timedelta(hours=1))
    told = day.named(daily, AT, day.news(daily, AT)[:1])
    table = marked(rows, told)
    assert [row.item.reminded for row in table.rows.values() if isinstance(row.item, Server)] == [AT, None]


def test_a_counted_server_has_its_own_id_and_team() -> None:
    """The attributes name the server and the team of its tag as it was remembered, not its account's."""
    daily = gathered(items(server("i-b", team="shop"), rule=cause("i-a", "i-b", counted=["i-b"])))
    data, _, _ = sent(daily)
    assert (data["server"], data["team"], data["severity"]) == ("i-b", "shop", "high")


def test_the_json_says_what_the_digest_is_about() -> None:
    """An entry has the server, its state, since when, the parts and the cause, the worst first."""
    rows = items(
        server("i-a", told=(part("medium"),)),
        server("i-b"),
        rule=cause("i-a", "i-b", counted=["i-b"], severity="critical"),
        ended=cause("i-gone", gone=4),
    )
    data, _, _ = sent(gathered(rows, timedelta(hours=1)))
    said = [(entry["server"], entry["state"], entry["since"] == BEFORE, entry["cause"]) for entry in data["news"]]
    assert said == [
        ("i-b", "counted", True, "rule"),
        ("i-gone", "closed", False, "ended"),
        ("i-b", "still_open", True, ""),
        ("i-a", "still_open", True, ""),
    ]
    assert [(len(entry["opened"]), len(entry["closed"])) for entry in data["news"]] == [(1, 0), (0, 1), (1, 0), (1, 0)]


def test_a_server_behind_two_causes_leaves_each_by_its_own_entry() -> None:
    """What was named behind one cause is still counted behind the other."""
    rows = items(
        server("i-b"),
        one=cause("i-a", "i-b", counted=["i-b"]),
        two=cause("i-a", "i-b", counted=["i-b"], severity="medium"),
    )
    daily = gathered(rows)
    told = day.named(daily, AT, day.news(daily, AT)[:1])
    assert [key for key, _ in told.causes.items()] == [(PLACE, "cause#one")]


def test_causes_are_told_worst_first() -> None:
    """A cause of critical severity stands before one of medium, in the mail and in the summary."""
    rows = items(
        server("i-a"),
        server("i-b"),
        medium=cause("i-x", "i-a", counted=["i-a"], severity="medium"),
        critical=cause("i-x", "i-b", counted=["i-b"], severity="critical"),
    )
    data, mail, _ = sent(gathered(rows))
    assert mail.index("CRITICAL") < mail.index("MEDIUM")
    assert [line.split(":")[0] for line in data["summary"]] == ["critical", "medium"]


@pytest.mark.parametrize(
    ("emptied", "says"),
    [
        (cause("i-a", counted=["i-a"], gone=1), "all 2 servers have closed"),
        (cause("i-a"), "its one server has closed"),
        (cause("i-a", counted=["i-a"]), ""),
        (cause("i-a", gone=1, ending=(pending(AT, "closed"),)), ""),
        (Cause(gone=3), ""),
    ],
    ids=["others had left", "it was told", "it was counted and never named", "somebody tells it", "nobody is left"],
)
def test_a_cause_that_only_strays_kept_open_is_told_as_closed(emptied: Cause, says: str) -> None:
    """The one closing is told where something was told as open, and once: the strays leave with it."""
    rows = items(server("i-a", told=()), rule=emptied)
    daily = gathered(rows)
    assert bool(daily) == bool(says)
    if says:
        data, mail, told = sent(daily)
        assert f"CLOSED\n{' '.join(mail.split())}".count(says) == 1
        assert "or the memory has lost them" not in mail
        assert [entry["state"] for entry in data["news"]] == ["closed"]
        assert not gathered([*marked(rows, told).rows.items()])


def test_a_closing_that_was_not_named_stays_owed() -> None:
    """The strays of a cause whose closing had no room stay its members."""
    rows = items(server("i-a", told=()), rule=cause("i-a", gone=1))
    told = day.named(gathered(rows), AT, [])
    assert gathered([*marked(rows, told).rows.items()]).ended


def test_a_closing_says_where_a_server_was_lost() -> None:
    """Of a server whose item is lost nobody knows that it has closed."""
    _, mail, _ = sent(gathered(items(rule=cause("i-a", gone=1))))
    assert "all 2 servers have closed, or the memory has lost them" in " ".join(mail.split())


def test_a_stray_that_leaves_others_behind_counts_as_gone() -> None:
    """Once the last server behind the rule turns out to be a stray too, its closing is told, of both."""
    rows = items(server("i-b"), rule=cause("i-a", "i-b", counted=["i-b"]))
    table = marked(rows, gathered(rows))
    table.rows[PLACE, "server#instance#i-b"] = Row(2, server("i-b", told=()))
    assert [end.number for end in gathered([*table.rows.items()]).ended.values()] == [2]


def test_what_may_have_been_told_is_no_stray() -> None:
    """A server of which somebody began to tell and did not come back stays behind its cause."""
    overdue = (pending(BEFORE, "new"),)
    assert not gathered(items(server("i-a", told=(), overdue=overdue), rule=cause("i-a"))).strays


def test_a_reminded_server_that_has_closed_meanwhile_is_not_kept_for_ever() -> None:
    """What closed between the scan and the mark is not written, and expires as it was to; what is open is kept."""
    rows = items(server("i-a"), server("i-b"))
    daily = gathered(rows, timedelta(hours=1))
    assert marked(items(server("i-a", told=()), server("i-b")), daily).kept == {(PLACE, "server#instance#i-b"): None}


def test_nothing_is_written_once_the_time_is_up() -> None:
    """After `until` no reminder is written: it is told again."""
    rows = items(server("i-a"), rule=cause("i-b", counted=["i-a"]))
    daily = gathered(rows, timedelta(hours=1))
    assert not marked(rows, daily, until=time.monotonic()).kept


@pytest.mark.parametrize("number", [1, 2])
def test_the_subject_fits_and_says_what_has_joined(number: int) -> None:
    """With thousands of everything the subject stays under SNS's 100 characters."""
    names = [f"i-{name:04}" for name in range(4000)]
    causes = {f"rule{rule}": cause("i-told", *names, counted=names) for rule in range(number)}
    ended = {f"ended{rule}": cause("i-gone", gone=3000) for rule in range(number)}
    again = [
        ((PLACE, f"notice#undecidable#{name}#2026-11-24"), Row(1, Notice(told=True, count=9, shape="odd", server=name)))
        for name in names
    ]
    for daily in (
        gathered(items(*map(server, names), **causes)),
        gathered(items(*map(server, names), **causes, **ended), timedelta(hours=1)),
        gathered(items(**ended)),
        gathered([*items(*map(server, names), **causes, **ended), *again], timedelta(hours=1)),
        gathered(again),
    ):
        assert len(day.subject(daily)) < 100, day.subject(daily)


class _Unforeseen:
    """The memory of an invocation in which the digest meets an error that nobody foresaw."""

    def day(self, until: float) -> Daily:
        """Fail."""
        raise ZeroDivisionError(until)


def test_an_unforeseen_error_of_the_digest_is_logged_and_fails_no_record(
    dynamodb: DynamoDBClient, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What was judged has been told by then: the error is logged, and the next invocation tries again."""
    memory = Remembering(replace(SETTINGS, memory_table=table), dynamodb, "test")
    unforeseen: Any = _Unforeseen()
    alerts: Any = None
    for _ in range(2):
        memory.tell_day(unforeseen, alerts, datetime(2026, 11, 25, tzinfo=UTC), 0)
    assert [record.message for record in caplog.records] == ["the digest of the day failed"] * 2
