"""The denied rules of a security group: what each opens, what of it was judged, and what must stay open without it.

An exposure has the report's ports, and the sources that the network ACL leaves: its rule may open more. What a rule
opens beyond what was allowed or denied in this invocation is not judged, and stays as it is.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import ip_network
from itertools import chain
from typing import Any

from msgspec import Struct

from handler.alert.case import Case, Judged, identity, same_way
from handler.alert.ports import Range, common, merged, without
from handler.decision import Allowed, Denied
from handler.finding import Exposure, Opened

Openings = dict[tuple[str, str], list[Range]]
"""Ranges of ports by protocol and source."""


class Rule(Struct, frozen=True):
    """A rule through which something is denied on a server. `through` is all that was judged through it, anywhere.

    `denied` and `here` are what is denied and allowed through it on that server, `elsewhere` what is allowed on each
    other, by its id.
    """

    id: str
    through: tuple[tuple[Judged, Exposure], ...]
    denied: Openings
    here: Openings
    elsewhere: dict[str, Openings]

    @property
    def opens(self) -> Opened | None:
        """All that the rule opens, where it was read."""
        read = (exposure.rule_opens for _, exposure in self.through)
        return next((opens for opens in read if isinstance(opens, Opened)), None)

    @property
    def sources(self) -> set[str]:
        """Whom it lets in, as far as it was judged."""
        return {source for _, exposure in self.through for source in exposure.sources}


class Group(Struct, frozen=True):
    """A security group, and its rules through which something is denied on a server.

    `sound` is what its rules open through which nothing is denied on any server of this invocation. `shared` says that
    something is denied through the group on another server.
    """

    id: str
    rules: tuple[Rule, ...]
    sound: Openings
    shared: bool


class Rest(Struct, frozen=True):
    """What must be authorized anew before a rule is revoked."""

    allowed: Openings
    unjudged: Openings


def groups(case: Case, judged: Iterable[Judged]) -> list[Group]:
    """Give the groups of a server's denied rules, given everything that was judged in this invocation."""
    place = [entry for entry in judged if identity(entry.finding.server)[:2] == identity(case.server)[:2]]
    by_group: dict[str, list[Denied]] = {}
    for entry in case.denied:
        for denied in entry.decision.denied:
            if denied.rules and denied.security_group:
                by_group.setdefault(denied.security_group, []).append(denied)
    return [_group(case, group, denied, place) for group, denied in sorted(by_group.items())]


def _group(case: Case, group: str, denied: Sequence[Denied], place: Sequence[Judged]) -> Group:
    opened = [
        (entry, exposure) for entry in place for exposure in entry.finding.exposures if exposure.security_group == group
    ]
    wrong = {rule for entry in denied for rule in entry.rules}
    elsewhere = {
        rule
        for entry in place
        if identity(entry.finding.server) != identity(case.server)
        for denial in entry.decision.denied
        if denial.security_group == group
        for rule in denial.rules
    }
    sound = [exposure for _, exposure in opened if exposure.rules and (wrong | elsewhere).isdisjoint(exposure.rules)]
    rules = tuple(_rule(case, rule, denied, opened) for rule in sorted(wrong))
    return Group(group, rules, joined(map(_whole, sound)), bool(elsewhere))


def _rule(case: Case, rule: str, denied: Iterable[Denied], opened: Iterable[tuple[Judged, Exposure]]) -> Rule:
    through = tuple((entry, exposure) for entry, exposure in opened if rule in exposure.rules)
    allowed_by_server: dict[str, list[Openings]] = {}
    for entry, exposure in through:
        allowed_by_server.setdefault(entry.finding.server.id, []).append(_allowed(entry, exposure))
    refused = joined(_opening(entry) for entry in denied if rule in entry.rules)
    here = joined(allowed_by_server.pop(case.server.id, ()))
    elsewhere = {server: joined(allowed) for server, allowed in allowed_by_server.items() if any(allowed)}
    return Rule(rule, through, refused, here, elsewhere)


def allowed_elsewhere(rule: Rule) -> list[str]:
    """Name the other servers on which some of what is denied through a rule is allowed, and not here too."""
    return sorted(
        server for server, allowed in rule.elsewhere.items() if _shared(rule.denied, _beyond(allowed, rule.here))
    )


def unlisted(rule: Rule) -> bool:
    """Say whether something inside of what is denied through a rule is allowed, and nobody can say exactly what."""
    return any(
        denial.still_allowed is None and same_way(denial, exposure)
        for entry, exposure in rule.through
        for denial in entry.decision.denied
    )


def _beyond(openings: Openings, others: Openings) -> Openings:
    """Give what openings open and others, that hold their sources, do not."""
    beyond: Openings = {}
    for (protocol, source), ranges in openings.items():
        held = [ports for (same, other), ports in others.items() if same == protocol and _inside(source, other)]
        beyond[protocol, source] = without(ranges, merged(chain.from_iterable(held)))
    return joined([beyond])


def _shared(denied: Openings, allowed: Openings) -> bool:
    return any(
        common(ranges, others)
        for (protocol, source), ranges in denied.items()
        for (other_protocol, other), others in allowed.items()
        if other_protocol == protocol and (_inside(source, other) or _inside(other, source))
    )


def inseparable(rule: Rule) -> bool:
    """Say whether a rule opens more than was judged which cannot be kept open without what is denied."""
    opens = rule.opens
    if opens is None:
        return False
    denied = [ranges for (protocol, _), ranges in rule.denied.items() if protocol == opens.protocol]
    return opens.protocol == "all" or bool(common(_unjudged(rule), chain.from_iterable(denied)))


def rest(rule: Rule, open_already: Openings) -> Rest:
    """Give what must be authorized anew: AWS refuses a permission that the group has already by another rule.

    What is denied one way is not kept for another: no rule tells the internet from a VPN.
    """
    opens, unjudged = rule.opens, _unjudged(rule)
    allowed: Openings = {}
    elsewhere = (_beyond(openings, rule.here) for openings in rule.elsewhere.values())
    for (protocol, source), ranges in joined((rule.here, *elsewhere)).items():
        kept = without(ranges, open_already.get((protocol, source), []))
        for (denied, other), others in rule.denied.items():
            if denied == protocol and _inside(other, source):
                kept = without(kept, others)
        allowed[protocol, source] = without(kept, unjudged)
    if opens is None:
        return Rest(joined([allowed]), {})
    opening = (opens.protocol, opens.source)
    return Rest(joined([allowed]), joined([{opening: without(unjudged, open_already.get(opening, []))}]))


def joined(many: Iterable[Openings]) -> Openings:
    """Put openings together, sorted."""
    every: Openings = {}
    for openings in many:
        for opening, ranges in openings.items():
            every.setdefault(opening, []).extend(ranges)
    return {opening: merged(ranges) for opening, ranges in sorted(every.items()) if ranges}


def _unjudged(rule: Rule) -> list[Range]:
    """Give the ports that a rule opens and that were not judged for all whom it lets in; none where it was not read."""
    opens = rule.opens
    if opens is None:
        return []
    verdicts = joined(
        _part(exposure, (*entry.decision.allowed, *entry.decision.denied)) for entry, exposure in rule.through
    )
    by_entry = opens.source.startswith("pl-") and opens.source not in rule.sources
    judged = [(opens.from_port, opens.to_port)]
    for source in rule.sources if by_entry else {opens.source}:
        judged = common(judged, verdicts.get((opens.protocol, source), []))
    return without([(opens.from_port, opens.to_port)], judged)


def _inside(source: str, other: str) -> bool:
    """Say whether a source is a part of another, or the same; a group and a prefix list have no parts."""
    network, around = _network(source), _network(other)
    if network is None or around is None:
        return source == other
    return network.version == around.version and bool(network.subnet_of(around))


@lru_cache(4096)
def _network(source: str) -> Any:
    """Read a network; null if the source is none."""
    try:
        return ip_network(source)
    except ValueError:
        return None


def _opening(entry: Allowed | Denied) -> Openings:
    return {(entry.protocol, entry.source): [(entry.from_port, entry.to_port)]}


def _allowed(entry: Judged, exposure: Exposure) -> Openings:
    """Give what is allowed of an exposure, and inside of what is denied.

    The same may be denied around a load balancer and allowed behind it.
    """
    refused = [denial for denial in entry.decision.denied if same_way(denial, exposure)]
    allowed = _part(exposure, entry.decision.allowed)
    denied = _part(exposure, refused) if allowed else {}
    inside: list[Openings] = [
        {(denial.protocol, part.source): [(part.from_port, part.to_port)]}
        for denial in refused
        if denial.source in exposure.sources
        for part in denial.still_allowed or ()
    ]
    there = {opening: without(ranges, denied.get(opening, [])) for opening, ranges in allowed.items()}
    return joined([there, *inside])


def _part(exposure: Exposure, entries: Iterable[Allowed | Denied]) -> Openings:
    """Give what entries of a decision say of one of its exposures."""
    low, high = exposure.from_port, exposure.to_port
    return joined(
        {(entry.protocol, entry.source): [(max(low, entry.from_port), min(high, entry.to_port))]}
        for entry in entries
        if entry.protocol == exposure.protocol
        and entry.source in exposure.sources
        and entry.from_port <= high
        and low <= entry.to_port
    )


def _whole(exposure: Exposure) -> Openings:
    """Give all that is known to be open by the rules of an exposure."""
    opens = exposure.rule_opens
    if isinstance(opens, Opened):
        protocols = ("tcp", "udp") if opens.protocol == "all" else (opens.protocol,)
        whole = [(opens.from_port, opens.to_port)]
        return {(protocol, source): whole for protocol in protocols for source in (*exposure.sources, opens.source)}
    if isinstance(exposure.load_balancer, str):
        return {}
    return {(exposure.protocol, source): [(exposure.from_port, exposure.to_port)] for source in exposure.sources}
