"""What AWS knows of one place that its findings lean on, read in as few calls as can be.

Who can reach a port stands in the rules of every group on the way: first those of the server's own interfaces, then,
where such a rule lets the group of a load balancer in, those of the balancer's groups.
"""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network

from msgspec import Struct
from msgspec.structs import replace

from handler.finding import UNKNOWN, Exposure, Finding, Server
from handler.lookup import interfaces, load_balancers, network_acls, prefix_lists, security_groups
from handler.lookup.inquiry import Inquiry, Place
from handler.lookup.inside import EVERYBODY
from handler.lookup.interfaces import Interface
from handler.lookup.load_balancers import ANYWHERE, Balancer, Balancers, Target
from handler.lookup.network_acls import Acl
from handler.lookup.prefix_lists import PrefixLists
from handler.lookup.security_groups import Rule, Rules, is_cidr, is_private


class Route(Struct, frozen=True):
    """A way into a server: through one of its interfaces, or, where none is known, through no more than groups."""

    groups: tuple[str, ...]
    subnet: str | None = None


class Interfaces(Struct, frozen=True):
    """Interfaces by the instance that has them or the group that they are in, and by that why they are not all."""

    of: dict[str, list[Interface]]
    unread: dict[str, str]


class Acls(Struct, frozen=True):
    """The network ACLs of subnets by subnet, and by subnet why it could not be read."""

    of: dict[str, Acl]
    unread: dict[str, str]


class Balancing(Struct, frozen=True):
    """The addresses that load balancers have, anywhere if they could not be read, and why not (null if they were)."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    problem: str | None = None


class Ground(Struct, frozen=True):
    """What is known of a place.

    `members` are the interfaces in the groups that rules name and balancers are in. `balancing` is empty unless a rule
    names addresses beside private ones.
    """

    inquiry: Inquiry
    place: Place
    interfaces: Interfaces
    rules: Rules
    balancers: Balancers
    members: Interfaces
    lists: PrefixLists
    acls: Acls
    balancing: Balancing


class Scene(Struct, frozen=True):
    """A finding, what is known of its place, the server as target groups know it, and what there is to say so far."""

    finding: Finding
    ground: Ground
    target: Target
    notes: list[str]

    def balancer(self, balancer: Balancer) -> Target:
        """Give a load balancer as the target groups of those in front of it know it."""
        members = self.ground.members
        own = [one for group in balancer.groups for one in members.of.get(group, ()) if one.is_of(balancer.name)]
        problem = next((members.unread[group] for group in balancer.groups if group in members.unread), None)
        told = load_balancers.target(balancer.name, own, problem)
        return replace(told, around=ANYWHERE if told.problem else (*told.around, *self.ground.balancing.networks))

    def fronts(self, source: str) -> list[Balancer]:
        """Give the load balancers that a rule's source stands for, through which the internet comes in."""
        return self.ground.balancers.in_group(source) if self.finding.reach == "internet" else []

    def has_only(self, group: str, balancers: Sequence[Balancer]) -> bool:
        """Say whether nothing is in a group but these load balancers, so that it is no source beside their own."""
        members = self.ground.members
        if not balancers:
            return False
        if group in members.unread:
            self.notes.append(f"{members.unread[group]}: what else is in {group} is unknown")
            return False
        return all(any(one.is_of(balancer.name) for balancer in balancers) for one in members.of.get(group, []))

    def addresses(self, source: str) -> tuple[str, ...]:
        """Give the sources that a rule's source stands for: a prefix list its CIDRs, all others themselves.

        A group is unknown when nobody can tell whether it is a load balancer's, and so lets the internet in.
        """
        problem = self.ground.balancers.problem
        if problem is not None and source.startswith("sg-") and self.finding.reach == "internet":
            self.notes.append(f"{problem}: whether {source} is a load balancer's is unknown")
            return (UNKNOWN,)
        if source in self.ground.lists.unread:
            self.notes.append(f"{self.ground.lists.unread[source]}: whom {source} lets in is unknown")
        return self.ground.lists.of.get(source, (source,))


def scene(finding: Finding, ground: Ground) -> Scene:
    """Give the scene of a finding, of which nothing is said yet."""
    own, server = ground.interfaces, finding.server
    problem = own.unread.get(server.id) if server.kind == "instance" else f"what is in {server.id} is not looked up"
    told = load_balancers.target(server.id, own.of.get(server.id, []), problem)
    return Scene(finding, ground, replace(told, around=(*told.around, *ground.balancing.networks)), [])


def explore(inquiry: Inquiry, place: Place, findings: Sequence[Finding]) -> Ground:
    """Read what the findings of a place lean on."""
    exposed = [(finding, exposure) for finding in findings for exposure in finding.exposures]
    instances = [finding.server.id for finding in findings if finding.server.kind == "instance"]
    own = Interfaces(*interfaces.of_instances(inquiry, place, instances))
    routes = [route for finding, exposure in exposed for route in routes_to(finding.server, exposure, own)[0]]
    rules = security_groups.read(inquiry, place, (group for route in routes for group in route.groups))
    entered = [rule for finding, exposure in exposed for _, rule, _ in openings(finding.server, exposure, own, rules)]
    balancers, more = _in_front(inquiry, place, exposed, own, rules)
    rules = Rules(rules.of | more.of, rules.unread | more.unread)
    named = {rule.source for rule in (*entered, *(rule for some in more.of.values() for rule in some))}
    shared = {group for one in balancers.all for group in one.groups if group in named or group in more.of}
    lists = prefix_lists.read(inquiry, place, (source for source in named if source.startswith("pl-")))
    let_in = {cidr for source in named for cidr in lists.of.get(source, (source,))}
    subnets = {route.subnet for route in routes if route.subnet}
    return Ground(
        inquiry,
        place,
        own,
        rules,
        balancers,
        Interfaces(*interfaces.of_groups(inquiry, place, shared)),
        lists,
        Acls(*network_acls.of_subnets(inquiry, place, subnets)),
        _balancing(inquiry, place, let_in) if any(_unexplained(*one) for one in exposed) else Balancing(),
    )


def _balancing(inquiry: Inquiry, place: Place, let_in: Iterable[str]) -> Balancing:
    """Give the addresses of all load balancers, if one may hide in what is let in beside private networks."""
    if not any(is_cidr(source) and not is_private(source) for source in {*let_in} - EVERYBODY):
        return Balancing()
    own, problem = interfaces.of_load_balancers(inquiry, place)
    return Balancing(ANYWHERE if problem else tuple(load_balancers.addresses(own)), problem)


def routes_to(server: Server, exposure: Exposure, own: Interfaces) -> tuple[list[Route], str | None]:
    """Give the ways into a server on which an exposure may lie, and why these are not all (null if they are).

    That is the interface that the report names, while it is the server's; else every interface that the server has.
    """
    if server.kind == "security_group":
        return [Route((server.id,))], None
    found = own.of.get(server.id, [])
    problem = own.unread.get(server.id) or (None if found else f"{server.id} has no network interface now")
    if found:
        named = [interface for interface in found if interface.id == exposure.interface]
        return [Route(interface.groups, interface.subnet) for interface in named or found], problem
    groups = (exposure.security_group,) if exposure.security_group else server.security_groups
    return [Route(groups)], problem


def openings(
    server: Server, exposure: Exposure, own: Interfaces, rules: Rules
) -> Iterator[tuple[Route, Rule, tuple[int, int]]]:
    """Give every rule on the ways into a server that opens a part of an exposure, and which part."""
    for route in routes_to(server, exposure, own)[0]:
        for rule in (rule for group in route.groups for rule in rules.of.get(group, ())):
            part = rule.within(exposure.protocol, exposure.from_port, exposure.to_port)
            if part is not None:
                yield route, rule, part


def _unexplained(finding: Finding, exposure: Exposure) -> bool:
    """Say whether who of the internet reaches an exposure is not told."""
    return finding.reach == "internet" and UNKNOWN in exposure.sources


def _in_front(
    inquiry: Inquiry, place: Place, exposed: Iterable[tuple[Finding, Exposure]], own: Interfaces, rules: Rules
) -> tuple[Balancers, Rules]:
    """Read the load balancers that let the internet in to the exposures, if there can be any, and their groups."""
    groups: set[str] = set()
    names: set[str] = set()
    for finding, exposure in exposed:
        if _unexplained(finding, exposure):
            groups |= {rule.source for _, rule, _ in openings(finding.server, exposure, own, rules)}
            names |= {exposure.load_balancer} if isinstance(exposure.load_balancer, str) else set()
    groups = {group for group in groups if group.startswith("sg-")}
    if not groups and not names:
        return Balancers((), None), Rules({}, {})
    balancers = load_balancers.read(inquiry, place)
    more = Rules({}, {})
    front = {named for name in names if (named := balancers.named(name))}
    while True:
        front |= {one for group in groups for one in balancers.in_group(group)}
        wanted = {group for one in front for group in one.groups} - more.of.keys()
        if not wanted:
            return balancers, more
        read = security_groups.read(inquiry, place, wanted)
        more = Rules(more.of | read.of, more.unread | read.unread)
        groups = {rule.source for some in read.of.values() for rule in some if rule.source.startswith("sg-")}
