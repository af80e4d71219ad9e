"""What the gate means, read a second time and without any cleverness, to hold the Rego against.

Every address of a source that the policy could treat differently is judged on its own, with sets of single ports. The
sentences for people (`reason`, `problem`) are not read here.
"""

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import and_, or_
from typing import NamedTuple

from tests.gate_policies import Stop, Term, World, read_allowance, read_prohibition
from tests.gate_words import (
    PROTOCOLS,
    Address,
    Json,
    addresses,
    bits,
    borders,
    filled,
    is_date,
    is_port,
    is_source,
    spans,
)


class Exposed(NamedTuple):
    """One source of one readable exposure, and which ports are known to listen behind the exposure's load balancer.

    `everyone` has an address for every stretch of IPv4 and IPv6 that the policy may treat differently.
    """

    exposure: Json
    source: str
    ports: int
    addresses: set[Address]
    listening: int
    everyone: set[Address]

    @property
    def prefix_list(self) -> str | None:
        """The customer's prefix list of which the addresses are."""
        named = self.exposure.get("prefix_list")
        return named if isinstance(named, str) else None

    def held_by(self, term: Term, address: Address) -> bool:
        """Say whether an address of the source lies in the networks of a term."""
        return term.networks.hold(address, self.prefix_list)

    def opened(self, term: Term) -> int:
        """Give the ports of a term here. An unknown address may have come around the load balancer."""
        ports = term.ports.get(self.exposure["protocol"], 0)
        if not term.bound:
            return ports
        return 0 if self.source == "unknown" else ports & self.listening


class Judge(NamedTuple):
    """Everything that applies to a finding; `today` is above every date when the finding's own cannot be read."""

    terms: list[Term]
    stops: list[Stop]
    today: str

    def held(self, term: Term) -> bool:
        """Say whether a term has not expired."""
        return term.expires >= self.today


def decision(finding: Json, allowances: list[Json], prohibitions: list[Json], world: World) -> Json:
    """Give the decision as the contract has it, without `reason`, and with problems as a set of (kind, id, field).

    `still_allowed` has for every address that could be treated differently the denied ports that it alone may reach.
    """
    fields = finding if isinstance(finding, dict) else {}
    server = fields.get("server")
    tags = server.get("tags") if isinstance(server, dict) else None
    name = fields.get("id") if isinstance(fields.get("id"), str) else None
    problems = {("finding", name, field) for field in finding_faults(fields)}
    undecidable = bool(problems)
    judge = Judge(
        [term for value in allowances if (term := read_allowance(value, tags, world, problems)) is not None],
        [read_prohibition(value, world, problems) for value in prohibitions],
        fields["now"][:10] if is_now(fields.get("now")) else "~",
    )
    networks = [term.networks for term in judge.terms] + [half for stop in judge.stops for half in stop[2:4]]
    exposed = list(take_apart(fields, borders(networks)))
    denied = unrepeated(entry for one in exposed for entry in denied_entries(one, judge, world))
    allowed = unrepeated(entry for one in exposed for entry in allowed_entries(one, judge))
    action = "deny" if undecidable or denied or not exposed else "allow"
    return {
        "id": name,
        "action": action,
        "severity": severity(action, denied, undecidable=undecidable),
        "undecidable": undecidable,
        "denied": denied,
        "allowed": allowed,
        "allowances": named(judge.terms),
        "prohibitions": named_stops(judge.stops),
        "problems": problems,
    }


def is_now(value: Json) -> bool:
    """Say whether a value is a time like 2026-11-24T06:12:00Z."""
    if not isinstance(value, str) or value[10:11] != "T" or value[-1:] != "Z" or not is_date(value[:10]):
        return False
    clock, dot, fraction = value[11:-1].partition(".")
    if dot and not (fraction.isascii() and fraction.isdigit()):
        return False
    parts = clock.split(":")
    limits = (23, 59, 60)
    return len(parts) == len(limits) and all(
        len(part) == 2 and part.isascii() and part.isdigit() and int(part) <= limit
        for part, limit in zip(parts, limits, strict=True)
    )


def finding_faults(fields: Json) -> Iterator[str]:
    """Give the fields of a finding that cannot be read."""
    if not is_now(fields.get("now")):
        yield "now"
    exposures = fields.get("exposures")
    if not isinstance(exposures, list) or not exposures:
        yield "exposures"
        return
    for index, exposure in enumerate(exposures):
        if not is_exposure(exposure):
            yield f"exposures[{index}]"
        sources = exposure.get("sources") if isinstance(exposure, dict) else None
        if not isinstance(sources, list) or not sources or not all(map(is_source, sources)):
            yield f"exposures[{index}].sources"


def is_exposure(exposure: Json) -> bool:
    """Say whether protocol and ports of an exposure can be read."""
    if not isinstance(exposure, dict) or exposure.get("protocol") not in PROTOCOLS:
        return False
    ports: list[Json] = [exposure.get("from_port"), exposure.get("to_port")]
    return all(map(is_port, ports)) and ports == sorted(ports)


def take_apart(fields: Json, different: set[Address]) -> Iterator[Exposed]:
    """Give every readable source of every readable exposure."""
    exposures = fields.get("exposures")
    for exposure in exposures if isinstance(exposures, list) else []:
        if is_exposure(exposure):
            ports = bits(int(exposure["from_port"]), int(exposure["to_port"]))
            listening = behind(fields.get("listeners"), exposure)
            sources = exposure.get("sources")
            for source in sources if isinstance(sources, list) else []:
                if is_source(source):
                    everyone = {address for address in addresses("unknown", different) if not named_by(address)}
                    yield Exposed(exposure, source, ports, addresses(source, different), listening, everyone)


def behind(listeners: Json, exposure: Json) -> int:
    """Give the ports of the readable listeners that are behind the load balancer of an exposure."""
    balancer = exposure.get("load_balancer")
    ports = 0
    for listener in listeners if isinstance(listeners, list) and filled(balancer) else []:
        if isinstance(listener, dict) and is_port(listener.get("port")):
            same = (listener.get("load_balancer"), listener.get("protocol")) == (balancer, exposure["protocol"])
            ports |= bits(int(listener["port"]), int(listener["port"])) if same else 0
    return ports


def covered(terms: Iterable[Term], one: Exposed) -> int:
    """Give the ports at which every address of the source lies in some term, a name also in all of IPv4 and IPv6."""
    terms = list(terms)
    at_each = (
        held(terms, one, address) | (everybody(terms, one) if named_by(address) else 0) for address in one.addresses
    )
    return reduce(and_, at_each, one.ports)


def held(terms: Iterable[Term], one: Exposed, address: Address) -> int:
    """Give the ports at which an address lies in some term."""
    return reduce(or_, (one.opened(term) for term in terms if one.held_by(term, address)), 0)


def everybody(terms: list[Term], one: Exposed) -> int:
    """Give the ports at which terms hold every IP address together."""
    return reduce(and_, (held(terms, one, address) for address in one.everyone), one.ports)


def named_by(address: Address) -> bool:
    """Say whether an address is a security group or a prefix list."""
    return address[0] == "name"


def prohibited(one: Exposed, judge: Judge) -> dict[str, int]:
    """Give the ports of which some address is prohibited, by the smallest id that does."""
    found: dict[str, int] = {}
    for stop in sorted(judge.stops, key=lambda stop: stop.id):
        ports = stop.ports.get(one.exposure["protocol"], 0) & one.ports
        if any(stop.stops(address, one.prefix_list) for address in one.addresses):
            found[stop.id] = found.get(stop.id, 0) | (ports & ~reduce(or_, found.values(), 0))
    return found


def allowed_ports(one: Exposed, judge: Judge) -> int:
    """Give the ports that every address of the source may reach."""
    return covered(filter(judge.held, judge.terms), one) & ~reduce(or_, prohibited(one, judge).values(), 0)


def touches(term: Term, one: Exposed, ports: int) -> bool:
    """Say whether a term holds some port, and some address of the source."""
    return bool(one.opened(term) & ports) and any(one.held_by(term, address) for address in one.addresses)


def allowed_entries(one: Exposed, judge: Judge) -> Iterator[Json]:
    """Give the allowed ranges of one source."""
    for low, high in spans(allowed_ports(one, judge)):
        effective = [term for term in judge.terms if judge.held(term)]
        holding = {term.id for term in effective if touches(term, one, bits(low, high))}
        if all(map(named_by, one.addresses)):
            together = bits(low, high) & ~reduce(or_, (held(effective, one, address) for address in one.addresses), 0)
            holding |= {term.id for term in effective if one.opened(term) & together and term.networks.spans}
        yield {
            "protocol": one.exposure["protocol"],
            "from_port": low,
            "to_port": high,
            "source": one.source,
            "by": sorted(holding),
        }


def denied_entries(one: Exposed, judge: Judge, world: World) -> Iterator[Json]:
    """Give the denied ranges of one source, each with its cause."""
    protocol, stopped = one.exposure["protocol"], prohibited(one, judge)
    rest = one.ports & ~reduce(or_, stopped.values(), 0)
    expired = rest & covered(judge.terms, one) & ~allowed_ports(one, judge)
    short = rest & ~expired & ~allowed_ports(one, judge)
    speaking = [term for term in judge.terms if protocol in term.ports]
    causes: list[tuple[str, str | None, int]] = [("prohibited", name, ports) for name, ports in stopped.items()]
    causes += [("expired", None, expired), ("short" if speaking else "uncovered", None, short)]
    for cause, prohibition, ports in causes:
        for low, high in spans(ports):
            yield {
                "protocol": protocol,
                "from_port": low,
                "to_port": high,
                "source": one.source,
                "security_group": group if isinstance(group := one.exposure.get("security_group"), str) else None,
                "rules": [rule for rule in _list(one.exposure.get("rules")) if isinstance(rule, str)],
                "cause": cause,
                "prohibition": prohibition,
                "nearest": nearest(cause, speaking, one, bits(low, high), judge),
                "still_allowed": still_allowed(one, judge, bits(low, high)),
                "severity": grade(one, low, high, world),
            }


def still_allowed(one: Exposed, judge: Judge, ports: int) -> dict[Address, int]:
    """Give the ports that each address of a source alone may reach."""
    alone = {address: one._replace(ports=ports, addresses={address}) for address in one.addresses}
    return {address: allowed_ports(each, judge) for address, each in alone.items()}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def nearest(cause: str, speaking: list[Term], one: Exposed, ports: int, judge: Judge) -> str | None:
    """Name the allowance that covers both, else the ports, else the source, else neither."""
    candidates = speaking
    if cause == "expired":
        expired = [term for term in speaking if not judge.held(term) and one.opened(term) & ports]
        candidates = [term for term in expired if touches(term, one, ports)] or expired

    def rank(term: Term) -> tuple[int, int, str]:
        held = one.opened(term)
        whole = all(one.held_by(term, address) for address in one.addresses)
        if ports & ~held == 0:
            return (0 if whole else 1, 0, term.id)
        if whole:
            return (2, distance(held, ports), term.id)
        return (3, 0, term.id)

    return min(map(rank, candidates))[2] if candidates else None


def distance(some: int, others: int) -> int:
    """Give the smallest distance between a port of the one set and a port of the other; 65536 when one is empty."""
    pairs = ((one, other) for one in spans(some) for other in spans(others))
    return min((max(0, one[0] - other[1], other[0] - one[1]) for one, other in pairs), default=65536)


def named(terms: list[Term]) -> Json:
    """Give owner and expiry of every allowance; of two with one id the one that lasts longer."""
    lasting = {
        name: max((term.expires, term.owner, sorted(term.labels.items())) for term in terms if term.id == name)
        for name in {term.id for term in terms}
    }
    return {
        name: {"owner": owner, "expires": expires, "labels": dict(labels)}
        for name, (expires, owner, labels) in lasting.items()
    }


def named_stops(stops: list[Stop]) -> Json:
    """Give reason and labels of every well-formed prohibition; of two with one id the one with the larger labels."""
    ordered = sorted((stop for stop in stops if stop.named), key=lambda stop: labels_and_reason(stop.named))
    return {stop.id: stop.named for stop in ordered}


def labels_and_reason(named: Json) -> Json:
    """Give what Rego compares of two objects."""
    return sorted(named["labels"].items()), named["reason"]


def severity(action: str, denied: list[Json], *, undecidable: bool) -> str:
    """Give the worst of what is denied; what cannot be judged is as bad as an open port."""
    if action == "allow":
        return "none"
    grades: set[str] = {"high" if undecidable else "medium", *(entry["severity"] for entry in denied)}
    return min(grades, key=["critical", "high", "medium"].index)


def grade(one: Exposed, low: int, high: int, world: World) -> str:
    """Give how bad a denied range is."""
    if one.source != "unknown" and not one.source.endswith("/0"):
        return "medium"
    administrative = any(low <= port <= high for port in world.administrative[one.exposure["protocol"]])
    return "critical" if administrative or (low, high) == (0, 65535) else "high"


def unrepeated(entries: Iterable[Json]) -> list[Json]:
    """Sort by protocol, from_port, source and security_group, then by what else can differ; say nothing twice.

    What is said of two ways to one port may differ in the cause alone, or in whom it names.
    """

    def order(entry: Json) -> tuple[Json, ...]:
        group = entry.get("security_group")
        return (
            *(entry[key] for key in ("protocol", "from_port", "source")),
            (group is not None, group or ""),
            entry["to_port"],
            entry.get("rules", []),
            entry.get("by", []),
            *((entry.get(key) is not None, entry.get(key) or "") for key in ("cause", "nearest", "prohibition")),
        )

    ordered = sorted(entries, key=order)
    return [entry for index, entry in enumerate(ordered) if index == 0 or entry != ordered[index - 1]]
