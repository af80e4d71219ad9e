"""What is news of a server, told and remembered step by step."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from handler.finding import UNKNOWN
from handler.memory import news
from handler.memory.claims import Observation, observe
from handler.memory.flapping import Rules, at_rest, touch
from handler.memory.news import News
from handler.memory.parts import Part, bare, read_since
from handler.memory.state import Episode, Server, later

_START = "2026-12-01T00:00:00Z"
_RULES = Rules(changes=4, window=timedelta(hours=24))
_ANYWHERE, _OFFICE, _HALF = "0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/9"


def _part(  # noqa: PLR0913, PLR0917  the fields of a part
    low: int,
    high: int | None = None,
    source: str = _ANYWHERE,
    verdict: str = "uncovered",
    severity: str = "high",
    cause: str = "",
) -> Part:
    return Part("tcp", low, high or low, source, verdict, severity, cause=cause)


class Story:
    """A server over the hours: what scanners say, and what is told."""

    def __init__(self, rules: Rules = _RULES) -> None:
        self.server = Server(kind="instance", id="i-0abc", account="111122223333", region="eu-west-1")
        self.rules = rules
        self.hours = 0.0
        self.episodes: list[Episode] = []
        self._observed = 0

    @property
    def at(self) -> str:
        """The time."""
        return later(_START, timedelta(hours=self.hours))

    def announce(
        self, token: str, *parts: Part, claim: str = "inspector", closes: bool = False, policy: str = "1"
    ) -> News:
        """Let a function compare what a scanner says, and announce its news."""
        self._observed += 1
        observation = Observation(
            claim=claim,
            reporter=claim,
            report=claim,
            observed=later(_START, timedelta(seconds=self._observed)),
            parts=None if closes else parts,
            policy=policy,
        )
        return self._compared(token, observe(self.server, observation, self.at, timedelta(hours=3)))

    def look(self, token: str = "sweep") -> News:  # noqa: S107  not a password
        """Let a function compare without a report, and announce its news."""
        return self._compared(token, self.server)

    def _compared(self, token: str, after: Server) -> News:
        before = self.server
        after = replace(after, told=read_since(after.told, after.denied))
        found = news.compare(before, after, self.at, token=token, rules=self.rules)
        changed = touch(before, after, self.at, self.rules)
        self.server = news.announce(changed, found, self.at, token, later(self.at, timedelta(minutes=5)))
        return found

    def mark(self, token: str, told: News) -> None:
        """Let a function remember what it told."""
        self.server, episode = news.mark(self.server, told, token, self.at, (f"message of {token}",))
        self.episodes += [episode] if episode else []

    def tell(self, *parts: Part, claim: str = "inspector", closes: bool = False, policy: str = "1") -> News:
        """Let a function do all at once."""
        told = self.announce("whole", *parts, claim=claim, closes=closes, policy=policy)
        self.mark("whole", told)
        return told


def test_overlapping_ranges_of_two_scanners_are_no_news() -> None:
    """80-443 from one scanner and 81-442 from another is told once, and one port more names that port."""
    story = Story()
    assert story.tell(_part(80, 443)) == News(kind="new", opened=(_part(80, 443),))
    assert not story.tell(_part(81, 442), claim="prowler")
    assert not story.tell(_part(80, 443), claim="prowler")
    assert story.tell(_part(79, 443), claim="prowler").opened == (_part(79),)
    assert not story.tell(claim="prowler", closes=True).opened


def test_a_wider_source_is_news_and_names_what_was_told_before() -> None:
    """22 from the office and then from everywhere is told twice, the second time as wider."""
    story = Story()
    story.tell(_part(22, source=_OFFICE))
    wider = story.tell(_part(22), claim="prowler")
    assert wider == News(kind="wider", opened=(_part(22),), before=(_part(22, source=_OFFICE),))
    assert not story.tell(closes=True)


def test_a_narrower_source_closes_the_wider_and_keeps_the_rest_as_told() -> None:
    """From everywhere to the office is one closing, nothing new, and to everywhere again is a reopening."""
    story = Story()
    story.tell(_part(22))
    narrower = story.tell(_part(22, source=_OFFICE))
    assert narrower == News(kind="closed", closed=(_part(22),), before=(_part(22, source=_OFFICE),))
    assert not story.look()
    reopened = story.tell(_part(22))
    assert (reopened.kind, reopened.before) == ("reopened", (_part(22, source=_OFFICE),))
    assert story.tell(_part(22, source=_HALF)).before == (_part(22, source=_HALF),)
    assert story.tell(closes=True).closed == (_part(22, source=_HALF),)
    assert story.server.is_over


def test_a_narrower_source_in_flight_is_told_by_nobody_else() -> None:
    """While the closing of the wider source is being told, the rest of it still counts as told."""
    story = Story()
    story.tell(_part(22))
    narrower = story.announce("a", _part(22, source=_OFFICE))
    assert not story.announce("b", _part(22, source=_OFFICE), claim="prowler")
    story.mark("a", narrower)
    assert not story.look()


def test_a_reopening_waits_for_its_closing_and_is_then_told() -> None:
    """A port that reopens while its closing is being told is told after it, never before, and never not at all."""
    story = Story()
    story.tell(_part(22))
    closing = story.announce("a", closes=True)
    assert not story.announce("b", _part(22))
    story.mark("a", closing)
    assert story.announce("b", _part(22)) == News(kind="reopened", opened=(_part(22),))


def test_a_reopening_is_told_when_nobody_came_back_from_the_closing() -> None:
    """People may have read that a port is closed: that it is open again is told."""
    story = Story()
    story.tell(_part(22))
    story.announce("dead", closes=True)
    story.hours += 1
    assert story.tell(_part(22)) == News(kind="reopened", opened=(_part(22),))
    assert story.server.overdue == ()
    assert story.tell(closes=True).closed == (_part(22),)


def test_a_closing_that_nobody_came_back_from_is_told_again() -> None:
    """The closing is owed until somebody has remembered it as told."""
    story = Story()
    story.tell(_part(22))
    closing = story.announce("dead", closes=True)
    assert not story.look("b")
    story.hours += 1
    assert story.look("b").closed == closing.closed
    story.mark("dead", closing)
    assert story.server.pending
    story.mark("b", closing)
    assert story.server.is_over


def test_an_opening_that_may_have_been_told_is_closed() -> None:
    """Where a function died after its message, the closing of what it told is not forgotten."""
    story = Story()
    story.announce("dead", _part(22))
    story.hours += 1
    assert story.announce("other", _part(80), claim="prowler").opened == (_part(22), _part(80))
    story = Story()
    opening = story.announce("dead", _part(22))
    story.hours += 1
    assert story.tell(closes=True) == News(kind="closed", closed=opening.opened)
    assert story.server.is_over


def test_a_closing_that_nobody_came_back_from_outlives_unknown_sources() -> None:
    """What `unknown` holds for a while is named as closed once the sources have been read."""
    story = Story()
    story.tell(_part(22, source="sg-1"))
    assert story.announce("dead", _part(22, source=_OFFICE)).closed == (_part(22, source="sg-1"),)
    story.hours += 1
    assert not story.tell(_part(22, source=UNKNOWN), claim="prowler").closed
    assert story.tell(_part(22, source="::/0"), claim="prowler").closed == (_part(22, source="sg-1"),)
    assert story.server.overdue == ()


def test_an_opening_that_may_have_been_told_is_closed_though_everything_was_told() -> None:
    """All of IPv4 and IPv6 holds a group; when one of them closes, the closing of the group is told with it."""
    story = Story()
    story.announce("dead", _part(22, source="sg-1"))
    story.hours += 1
    story.tell(_part(22), _part(22, source="::/0"))
    assert story.tell(_part(22, source="::/0")).closed == (_part(22), _part(22, source="sg-1"))
    assert story.server.overdue == ()


def test_what_others_have_to_tell_again_stays_overdue() -> None:
    """A function that may tell of its own records alone leaves the rest to whoever has it."""
    story = Story()
    story.tell(_part(22, verdict="allowed", severity=""))
    story.announce("dead", _part(22, verdict="expired"))
    story.hours += 1
    after = observe(
        story.server,
        Observation(claim="prowler", reporter="prowler", report="prowler", observed=None, parts=(_part(80),)),
        story.at,
        timedelta(hours=3),
    )
    mine = news.compare(story.server, after, story.at, token="b", judged=(_part(80),), rules=_RULES)  # noqa: S106
    assert mine == News(kind="new", opened=(_part(80),))
    story.server = news.announce(after, mine, story.at, "b", later(story.at, timedelta(minutes=5)))
    assert [pending.opened for pending in story.server.overdue] == [(_part(22, verdict="expired"),)]
    story.mark("b", mine)
    assert story.look() == News(kind="expired", opened=(_part(22, verdict="expired"),), before=(_part(80),))


def test_what_opened_between_announcement_and_mark_is_kept() -> None:
    """Two functions tell of one server at a time, and each remembers its own."""
    story = Story()
    first = story.announce("a", _part(22))
    second = story.announce("b", _part(80), claim="prowler")
    third = story.announce("c", closes=True)
    assert (first.opened, second.opened, bool(third)) == ((_part(22),), (_part(80),), False)
    story.mark("b", second)
    story.mark("a", first)
    assert story.server.told == (_part(22), _part(80))
    assert story.announce("c", closes=True).closed == (_part(22),)


def test_a_closing_that_no_message_had_room_for_is_still_owed() -> None:
    """Only what a message names counts as told."""
    story = Story()
    story.tell(_part(22), _part(80))
    closing = story.announce("a", closes=True)
    story.mark("a", replace(closing, closed=(_part(22),)))
    assert story.look().closed == (_part(80),)


def test_an_opening_that_no_message_had_room_for_is_still_news() -> None:
    """Only what a message names counts as told."""
    story = Story()
    opening = story.announce("a", _part(22), _part(80))
    story.mark("a", replace(opening, opened=(_part(22),)))
    assert story.look().opened == (_part(80),)


def test_sources_that_become_known_are_no_news_and_widen_from_there() -> None:
    """`unknown` and then the office is silent; the office and then everywhere is wider."""
    story = Story()
    assert story.tell(_part(22, source=UNKNOWN)).kind == "new"
    assert not story.tell(_part(22, source=_OFFICE))
    assert story.tell(_part(22)).kind == "wider"
    assert story.tell(closes=True).closed == (_part(22, source=_OFFICE), _part(22)) or story.server.told == ()


def test_everything_and_unknown_told_again_changes_nothing() -> None:
    """`unknown` that stands beside everything is kept as it was told."""
    story = Story()
    everything = (_part(22), _part(22, source="::/0"), _part(22, source=UNKNOWN))
    story.tell(*everything)
    assert not story.look()
    assert set(story.server.told) == set(everything) == set(story.tell(closes=True).closed)


def test_look_ups_that_fail_for_hours_are_told_once_until_they_succeed() -> None:
    """Known, failing, failing for three hours, read, failing again: told twice in all, and nothing closes."""
    story = Story(Rules(changes=100))
    kinds = []
    for hours, source in [
        (0, _OFFICE), (1, UNKNOWN), (2, UNKNOWN), (2, UNKNOWN), (4, UNKNOWN), (1, _OFFICE), (1, UNKNOWN), (3, UNKNOWN),
    ]:  # fmt: skip
        story.hours += hours
        told = story.tell(_part(22, source=source))
        kinds.append(told.kind if told else "")
        assert not told.closed
    assert kinds == ["new", "", "", "unread", "", "", "", "unread"]


@pytest.mark.parametrize(
    ("verdict", "policy", "kind"),
    [("expired", "1", "expired"), ("uncovered", "2", "policy"), ("uncovered", "1", "no_longer_allowed")],
)
def test_what_was_allowed_and_is_denied_says_why_even_when_told_again(verdict: str, policy: str, kind: str) -> None:
    """An allowance that expired, a policy that changed, and a function that died while telling it."""
    story = Story()
    assert not story.tell(_part(22, verdict="allowed", severity=""))
    assert story.announce("dead", _part(22, verdict=verdict), policy=policy).kind == kind
    story.hours += 1
    assert story.tell(_part(22, verdict=verdict), policy=policy).kind == kind


def test_a_port_reopens_and_closes_by_itself() -> None:
    """While another port stays open, it is reopened and no wider, and was open since it was told itself."""
    story = Story()
    story.tell(_part(22), claim="ssh")
    story.hours = 2
    story.tell(_part(80))
    story.hours = 5
    story.tell(closes=True)
    assert [(episode.opened, episode.closed) for episode in story.episodes] == [
        ("2026-12-01T02:00:00Z", "2026-12-01T05:00:00Z")
    ]
    story.hours = 7
    reopened = story.tell(_part(80))
    assert (reopened.kind, reopened.before) == ("reopened", (_part(22),))
    assert story.server.told_since((_part(80),)) == story.at
    assert story.server.told_since((_part(22),)) == story.server.told_since(story.server.told) == _START
    assert story.tell(_part(80), _part(443)).kind == "wider"


def test_what_is_left_of_a_wider_source_is_open_since_that_was_told() -> None:
    """The office was told when everywhere was, and not when everywhere closed."""
    story = Story()
    story.tell(_part(22))
    story.hours = 3
    story.tell(_part(22, source=_OFFICE))
    assert story.server.told_since((_part(22, source=_OFFICE),)) == _START


def test_an_allowance_closes_what_was_told() -> None:
    """What a policy allows now is closed by it, with how long it was open."""
    story = Story()
    story.tell(_part(22))
    story.hours += 2
    told = story.tell(_part(22, verdict="allowed", severity=""))
    assert told.closed == (_part(22),)
    assert [(episode.opened, episode.closed) for episode in story.episodes] == [(_START, story.at)]
    assert story.episodes[0].messages == ("message of whole",)


def test_a_closing_beside_news_that_was_interrupted_is_a_closing() -> None:
    """What somebody was about to tell does not name a message in which nothing opens."""
    story = Story()
    story.announce("dead", _part(22))
    story.hours += 1
    assert story.tell(closes=True).kind == "closed"


def test_what_counts_as_told_by_its_cause_is_no_news_and_owes_a_closing() -> None:
    """The two hundredth server behind one rule is silent when it opens."""
    story = Story()
    observation = Observation(
        claim="inspector", reporter="inspector2", report="inspector", observed=_START, parts=(_part(22, cause="c"),)
    )
    after = news.count(observe(story.server, observation, _START, timedelta()), (_part(22, cause="c"),), _START)
    assert not news.compare(story.server, after, _START, token="a", rules=_RULES)  # noqa: S106
    story.server = after
    assert story.tell(closes=True).closed == (_part(22, cause="c"),)


def _flap(story: Story, times: int, port: int = 22) -> list[str]:
    """Open and close a port by turns, an hour each; return the kinds of the messages, empty where there was none."""
    kinds: list[str] = []
    for turn in range(times):
        story.hours += 1
        told = story.tell(_part(port), claim=f"port {port}", closes=bool(turn % 2))
        kinds.append(told.kind if told else "")
    return kinds


def test_flapping_becomes_one_notice_and_ends_with_one_message() -> None:
    """More than four changes of an exposure in a day are one notice; the last state is told once it has been quiet."""
    story = Story()
    assert _flap(story, 8) == ["new", "closed", "reopened", "closed", "flapping", "", "", ""]
    assert not story.look()
    story.hours += 24
    assert at_rest(story.server, story.at, _RULES) == story.server.flapped
    settled = story.look("whole")
    assert settled == News(kind="settled", closed=(_part(22),), flapped=bare([_part(22)]))
    story.mark("whole", settled)
    assert (story.server.flapped, story.server.is_over) == ((), True)
    assert _flap(story, 1) == ["reopened"]


def test_flapping_that_ends_open_says_so_and_reopenings_alert_again() -> None:
    """What is open when it settles has been told; its closing is owed as ever."""
    story = Story()
    _flap(story, 7)
    story.hours += 24
    settled = story.look("whole")
    assert settled == News(kind="settled", before=(_part(22),), flapped=bare([_part(22)]))
    story.mark("whole", settled)
    assert story.tell(claim="port 22", closes=True).kind == "closed"


def test_what_never_was_told_is_told_of_a_flapping_server() -> None:
    """Another port, and a wider source, are news while a port flaps; so is the other port's closing."""
    story = Story()
    _flap(story, 6)
    assert story.tell(_part(80), claim="other").opened == (_part(80),)
    assert story.tell(claim="other", closes=True).closed == (_part(80),)
    assert story.tell(_part(22), _part(22, source="::/0"), claim="wider").opened == (_part(22, source="::/0"),)


def test_only_what_changed_too_often_is_held_back() -> None:
    """Another port in the message that says that one flaps is told whenever it opens or closes."""
    story = Story()
    _flap(story, 4)
    notice = story.tell(_part(22), _part(80), claim="port 22")
    assert (notice.kind, notice.opened, notice.flapped) == ("flapping", (_part(22), _part(80)), bare([_part(22)]))
    assert story.tell(claim="port 22", closes=True) == News(kind="closed", closed=(_part(80),))
    reopened = story.tell(_part(22), _part(80), claim="port 22")
    assert (reopened.kind, reopened.opened) == ("reopened", (_part(80),))


def test_each_part_comes_to_rest_by_itself() -> None:
    """One port that goes on flapping keeps nobody from hearing how another ended, and of its changes from then on."""
    story = Story()
    for port in (22, 80):
        assert _flap(story, 6, port)[4:] == ["flapping", ""]
    settled = []
    for turn in range(12):
        story.hours += 4
        told = story.tell(_part(80), claim="port 80", closes=bool(turn % 2))
        settled += [told] if told else []
    [entry] = settled
    assert (entry.kind, entry.closed, entry.flapped) == ("settled", (_part(22),), bare([_part(22)]))
    assert story.server.flapped == bare([_part(80)])
    assert story.tell(_part(22), claim="port 22").kind == "reopened"


def test_a_part_of_a_range_flaps_by_itself() -> None:
    """Where 80 of 80-81 has changed too often, 81 is not held back with it."""
    story = Story()
    _flap(story, 4, 80)
    assert story.tell(_part(80, 81), claim="range").flapped == bare([_part(80)])
    assert story.tell(claim="range", closes=True).closed == (_part(81),)


def test_what_lies_within_what_flaps_keeps_it_from_rest() -> None:
    """The office that opens and closes while everywhere is held back is a change that is held back."""
    story = Story()
    _flap(story, 6)
    story.hours += 20
    story.tell(_part(22, source=_OFFICE), claim="port 22")
    story.hours += 20
    assert not story.look()


def test_many_openings_are_not_flapping() -> None:
    """A new server whose ports are found one by one does not flap, and neither does one that is closed port by port."""
    story = Story()
    for port in range(20, 40):
        story.hours += 0.1
        assert story.tell(_part(port), claim=f"port {port}").kind in {"new", "wider"}
    for port in range(20, 40):
        assert story.tell(claim=f"port {port}", closes=True).kind == "closed"


def test_other_exposures_do_not_keep_a_quiet_one_from_settling() -> None:
    """The window is that of what flaps."""
    story = Story()
    _flap(story, 6)
    for port in range(80, 110):
        story.hours += 1
        told = story.tell(_part(port), claim=f"port {port}")
        if told.kind == "settled":
            break
    assert (told.kind, port) == ("settled", 103)
    assert told.closed == (_part(22),)


def test_the_end_of_flapping_that_nobody_came_back_from_is_told_again() -> None:
    """The change that ends it counts for the last state, and is told at the next comparison."""
    story = Story()
    _flap(story, 6)
    story.hours += 24
    last = story.announce("dead", _part(22), claim="port 22")
    assert (last.kind, last.opened, last.closed) == ("settled", (), ())
    assert not story.look("b")
    story.hours += 1
    assert story.look("b").kind == "settled"


def test_two_functions_give_one_notice() -> None:
    """While one tells that an exposure flaps, the other holds back."""
    story = Story()
    _flap(story, 4)
    notice = story.announce("a", _part(22), claim="port 22")
    assert notice.kind == "flapping"
    assert not story.announce("b", claim="port 22", closes=True)
    story.mark("a", notice)
    assert not story.announce("b", claim="port 22", closes=True)


def test_a_clock_that_jumps_back_does_not_prolong_flapping() -> None:
    """Changes that lie ahead do not count: the last state is told rather too early."""
    story = Story()
    _flap(story, 6)
    story.hours -= 24
    assert story.look().kind == "settled"


def test_a_deadline_far_ahead_keeps_nobody_from_telling() -> None:
    """Where the clock has jumped back, what others were telling is told again."""
    story = Story()
    story.announce("a", _part(22))
    story.hours -= 24
    assert story.look("b").opened == (_part(22),)
