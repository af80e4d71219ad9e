"""The digest of a function that only observes: what it gathers, and what its message has room for. Without OPA."""

from typing import Any
from uuid import uuid4

import pytest

from handler.alert.observed import message
from handler.memory.flapping import Rules
from handler.memory.parts import Part
from handler.memory.quiet import Quiet, gather
from handler.memory.state import Claim, Notice, Pending, Server
from handler.memory.store import Key, Row
from handler.outcome import Engine
from handler.settings import Settings

AT = "2026-11-25T00:10:00Z"
PLACE = "111122223333#eu-west-1"
SETTINGS = Settings(alert_topic_arn="arn:aws:sns:eu-west-1:111122223333:alerts", alert_max_bytes=16384)
ENGINE = Engine(policy="test", opa="1.22.2")


def part(port: int, severity: str = "high") -> Part:
    """Make what is denied."""
    return Part("tcp", port, port, "0.0.0.0/0", "uncovered", severity)


def server(name: str, *opened: Part, **known: Any) -> tuple[Key, Row]:
    """Make the item of a server on which this is open."""
    claims = {"a": Claim(reporter="inspector2", report="a", since=AT, parts=opened)} if opened else {}
    item = Server(kind="instance", id=name, account="111122223333", region="eu-west-1", claims=claims, **known)
    return (PLACE, item.key), Row(1, item)


def gathered(*rows: tuple[Key, Row]) -> Quiet:
    """Gather what is to be told."""
    return gather(rows, AT, "mine", Rules())


def test_what_is_open_and_untold_is_gathered_and_what_was_told_and_has_closed() -> None:
    """What was told and is open is not, nor what an alert is about to tell."""
    pending = Pending(token=uuid4().hex, deadline="2026-11-25T00:11:00Z", kind="new", opened=(part(22),))
    quiet = gathered(
        server("new", part(22)),
        server("wider", part(22), part(23), told=(part(22),)),
        server("told", part(22), told=(part(22),)),
        server("closed", told=(part(22),)),
        server("pending", part(22), pending=(pending,)),
    )
    assert {(entry.server.id, entry.news.opened, entry.closed) for entry in quiet.entries} == {
        ("new", (part(22),), ()),
        ("wider", (part(23),), ()),
        ("closed", (), (part(22),)),
    }
    assert {entry.news.kind for entry in quiet.entries} == {"observed"}


@pytest.mark.parametrize(
    ("day", "told", "number"), [("2026-11-24", False, 1), ("2026-11-24", True, 0), ("2026-11-25", False, 0)]
)
def test_what_could_not_be_judged_the_day_before_is_counted(day: str, told: bool, number: int) -> None:  # noqa: FBT001
    """But for what a person was answered about."""
    notice = Row(1, Notice(count=7, told=told))
    quiet = gathered(((PLACE, f"notice#undecidable#8f2c#{day}"), notice), (("all", f"notice#digest#{day}"), notice))
    assert len(quiet.unjudged) == number
    assert bool(quiet) == bool(number)


def test_message_fits_and_names_the_worst_first() -> None:
    """What the JSON has no room for is said, and only what it names counts as told."""
    severities = ("medium", "critical", "high")
    quiet = gathered(*(server(f"i-{number:017x}", part(number, severities[number % 3])) for number in range(1, 2000)))
    digest = message(quiet, AT, SETTINGS, ENGINE)
    assert digest.size() <= SETTINGS.alert_max_bytes
    assert digest.subject == "[observed] 1999 servers denied, account Web production (111122223333)"
    named = [entry["opened"][0]["severity"] for entry in digest.data["news"]]
    assert set(named) == {"critical"}
    left_out = digest.data["left_out"]["news"]
    assert len(named) + left_out == len(quiet.entries)
    assert f"{left_out} of 1999 did not fit into the JSON" in digest.body
    assert "CRITICAL" in digest.body
