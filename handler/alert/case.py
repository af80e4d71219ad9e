"""What was denied, or allowed when a person asked, gathered by server: the subject of one alert."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from handler.alert.text import Room, ports, quoted, sources
from handler.decision import Allowed, Decision, Denied, Problem
from handler.finding import Exposure, Finding, Server
from handler.outcome import Outcome

if TYPE_CHECKING:
    from handler.alert.story import Story

SEVERITIES = ("critical", "high", "medium", "none")
"""The gate's words, worst first; the last is that of what is allowed."""


class Judged(Struct, frozen=True):
    """A finding, the decision on it, and the records that told it."""

    finding: Finding
    decision: Decision
    records: tuple[str, ...]


class Denial(Struct, frozen=True):
    """One denied port range, and what the gate says of each source and rule that fares alike there."""

    severity: str
    entries: tuple[Denied, ...]

    @property
    def entry(self) -> Denied:
        """The first of them."""
        return self.entries[0]

    @property
    def sources(self) -> tuple[str, ...]:
        """Who reaches it."""
        return tuple(sorted({entry.source for entry in self.entries}))

    @property
    def ports(self) -> str:
        """The port range as a policy spells it."""
        return ports(self.entry.protocol, self.entry.from_port, self.entry.to_port)


class Case(Struct, frozen=True):
    """A server, what was judged and denied on it in this invocation (worst first), and all that was judged on it."""

    server: Server
    denied: tuple[Judged, ...]
    judged: tuple[Judged, ...]
    story: "Story | None" = None

    @property
    def answered(self) -> tuple[Judged, ...]:
        """What a person asked about and is allowed."""
        return tuple(entry for entry in self.judged if _asked(entry) and not denies(entry))

    @property
    def shown(self) -> tuple[Judged, ...]:
        """What the message is about: what is denied, and what a person asked about."""
        return (*self.denied, *self.answered)

    @property
    def severity(self) -> str:
        """The worst severity that the gate gave."""
        return self.shown[0].decision.severity

    @property
    def records(self) -> frozenset[str]:
        """The records that told what the message is about."""
        return frozenset(record for judged in self.shown for record in judged.records)


def judgements(outcomes: Iterable[Outcome]) -> tuple[Judged, ...]:
    """Give the outcomes that were decided."""
    return tuple(
        Judged(outcome.report, outcome.decision, outcome.records)
        for outcome in outcomes
        if isinstance(outcome.report, Finding) and outcome.decision is not None
    )


def cases(judged: Iterable[Judged]) -> list[Case]:
    """Gather by server what is denied or was asked about, the worst server first, those without a denial last."""
    by_server: dict[tuple[str, ...], list[Judged]] = {}
    for entry in judged:
        by_server.setdefault(identity(entry.finding.server), []).append(entry)
    gathered = [case for case in map(_case, by_server.values()) if case.shown]
    return sorted(
        gathered, key=lambda case: (SEVERITIES.index(case.severity), name(case.server), identity(case.server))
    )


def denials(case: Case) -> list[Denial]:
    """Give what is denied on a server, sources and rules that fare alike together, worst first."""
    balanced = [exposure for exposure in _exposures(case) if isinstance(exposure.load_balancer, str)]
    alike: dict[tuple[object, ...], list[Denied]] = {}
    for judged in case.denied:
        for entry in judged.decision.denied:
            fate = (entry.severity, *_fate(entry), *_load_balancers(entry, balanced))
            alike.setdefault(fate, []).append(entry)
    gathered = [Denial(entries[0].severity, tuple(entries)) for entries in alike.values()]
    return sorted(gathered, key=_badness)


def heading(denial: Denial, room: Room) -> str:
    """Say what is open, and from where."""
    return f"{denial.ports} from {sources(denial.sources, room)}"


def load_balancers(case: Case, denial: Denial) -> list[str]:
    """Name the load balancers through which a denied port is reached."""
    return _load_balancers(denial.entry, _exposures(case))


def _exposures(case: Case) -> list[Exposure]:
    return [exposure for judged in case.denied for exposure in judged.finding.exposures]


def _load_balancers(entry: Denied, exposures: Iterable[Exposure]) -> list[str]:
    named = {
        exposure.load_balancer
        for exposure in exposures
        if exposure.protocol == entry.protocol
        and same_way(entry, exposure)
        and exposure.from_port <= entry.from_port <= entry.to_port <= exposure.to_port
        and entry.source in exposure.sources
    }
    return sorted(balancer for balancer in named if isinstance(balancer, str))


def same_way(entry: Denied, exposure: Exposure) -> bool:
    """Say whether what is denied comes in by the group and the rules of an exposure."""
    return (entry.security_group, entry.rules) == (exposure.security_group, exposure.rules)


def only_behind(judged: Judged, entry: Allowed) -> tuple[str, ...]:
    """Name the load balancers behind which a port is allowed; none where it is allowed around them too."""
    refused = [denied for denied in judged.decision.denied if _overlap(entry, denied)]
    ways = [
        exposure.load_balancer
        for exposure in judged.finding.exposures
        if _opens(exposure, entry) and not any(same_way(denied, exposure) for denied in refused)
    ]
    named = {balancer for balancer in ways if isinstance(balancer, str)}
    return tuple(sorted(named)) if len(named) == len(set(ways)) else ()


def unreadable(case: Case) -> list[Problem]:
    """Give what kept the findings of a server from being judged in full."""
    problems = [problem for judged in case.denied for problem in judged.decision.problems if problem.kind == "finding"]
    return list({(problem.field, problem.problem): problem for problem in problems}.values())


def denies(entry: Judged) -> bool:
    """Say whether anything of a finding is denied."""
    return entry.decision.action == "deny"


def identity(server: Server) -> tuple[str, ...]:
    """Give what makes a server the same server."""
    return (server.account, server.region, server.kind, server.id)


def name(server: Server) -> str:
    """Give the name of a server, its id where it has none."""
    return server.name if isinstance(server.name, str) and server.name.strip() else server.id


def title(server: Server, characters: int) -> str:
    """Name a server with its id."""
    spelled = quoted(name(server), characters)
    if server.kind == "security_group":
        spelled = f"security group {spelled}"
    return spelled if name(server) == server.id else f"{spelled} ({quoted(server.id, characters)})"


def _case(entries: Sequence[Judged]) -> Case:
    denied = sorted(
        (entry for entry in entries if denies(entry)),
        key=lambda entry: (SEVERITIES.index(entry.decision.severity), entry.finding.id),
    )
    servers = [entry.finding.server for entry in (*denied, *entries)]
    return Case(next((server for server in servers if server.tags_known), servers[0]), tuple(denied), tuple(entries))


def _asked(entry: Judged) -> bool:
    return any(reporter.asked for reporter in entry.finding.reporters)


def _opens(exposure: Exposure, entry: Allowed) -> bool:
    return (
        exposure.protocol == entry.protocol
        and exposure.from_port <= entry.from_port <= entry.to_port <= exposure.to_port
        and entry.source in exposure.sources
    )


def _overlap(entry: Allowed, denied: Denied) -> bool:
    return (
        (denied.protocol, denied.source) == (entry.protocol, entry.source)
        and denied.from_port <= entry.to_port
        and entry.from_port <= denied.to_port
    )


def _fate(entry: Denied) -> tuple[object, ...]:
    """Give all that an entry says, but for its source and the rules that let it in."""
    reason = entry.reason.replace(entry.source, "\0")
    ports = (entry.protocol, entry.from_port, entry.to_port)
    return (*ports, entry.cause, entry.prohibition, entry.nearest, reason)


def _wide(entry: Denied) -> bool:
    return (entry.from_port, entry.to_port) == (0, 65535)


def _badness(denial: Denial) -> tuple[object, ...]:
    entry = denial.entry
    return (SEVERITIES.index(denial.severity), not _wide(entry), entry.protocol, entry.from_port, denial.sources)
