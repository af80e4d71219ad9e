"""How to close what is denied: AWS CLI commands, printed and never run.

A rule may carry more than what is denied. So a rule is only revoked together with a command that first authorizes what
the decisions of this invocation allow of it, and not at all where that cannot be said exactly. This relies on the
contract: the `sources` of an exposure with `rules` are those that the rules themselves name, and so are its ports but
for those behind a load balancer.
"""

import json
import shlex
from collections.abc import Iterable, Sequence

from msgspec import Struct

from handler.alert.case import Case, Judged, identity
from handler.alert.ports import Range, common, merged, without
from handler.alert.text import ROOMS, WIDTH, Block, count, first, ports, printable, short, sources
from handler.decision import Denied
from handler.finding import UNKNOWN, Exposure

Openings = dict[tuple[str, str], list[Range]]
"""Ranges of ports by protocol and source."""


class _Rules(Struct, frozen=True):
    """The denied rules of one group, what they open in this invocation, and what the group's other rules open."""

    group: str
    ids: tuple[str, ...]
    through: tuple[tuple[Judged, Exposure], ...]
    beside: tuple[Exposure, ...]


def commands(case: Case, judged: Iterable[Judged]) -> list[Block]:
    """Give the steps that close what is denied on a server, given everything that was judged in this invocation."""
    by_group: dict[str, set[str]] = {}
    nameless = False
    for entry in case.denied:
        for denied in entry.decision.denied:
            if denied.security_group and denied.rules:
                by_group.setdefault(denied.security_group, set()).update(denied.rules)
            else:
                nameless = True
    same_place = [entry for entry in judged if identity(entry.finding.server)[:2] == identity(case.server)[:2]]
    known = [_revoke(case, _rules(group, ids, same_place)) for group, ids in sorted(by_group.items())]
    unknown = [_find(case)] if nameless or not known else []
    return [block for steps in known for block in steps] + unknown


def _rules(group: str, ids: set[str], judged: Sequence[Judged]) -> _Rules:
    opened = [
        (entry, exposure)
        for entry in judged
        for exposure in entry.finding.exposures
        if exposure.security_group == group and exposure.rules
    ]
    through = tuple((entry, exposure) for entry, exposure in opened if ids & set(exposure.rules))
    beside = tuple(exposure for _, exposure in opened if not ids & set(exposure.rules))
    return _Rules(group, tuple(sorted(ids)), through, beside)


def _revoke(case: Case, rules: _Rules) -> list[Block]:
    return [_look(case, rules), _change(case, rules)]


def _look(case: Case, rules: _Rules) -> Block:
    one = len(rules.ids) == 1
    spelled = f"{'Rule' if one else 'Rules'} {_named(rules.ids)} of {_named([rules.group])}"
    opened = _spell(_denied(case, rules))
    shared = _shared(rules)
    whom = "" if shared else ", for every interface in that group"
    return Block(
        f"{spelled} {'opens' if one else 'open'} this{whom}: {opened}. {shared}"
        f"Look first at all that {'the rule opens' if one else 'the rules open'}:",
        _aws(case.server.region, "describe-security-group-rules", ("--security-group-rule-ids", *rules.ids)),
    )


def _shared(rules: _Rules) -> str:
    """Say how many interfaces a change of the group changes, where that is known."""
    known = [one.group_interfaces for _, one in rules.through if isinstance(one.group_interfaces, int)]
    if not known:
        return ""
    number = known[0]
    whom = "no other there" if number == 1 else "them all"
    interfaces = count(number, "network interface", "network interfaces")
    return f"{_named([rules.group])} is on {interfaces} of this account: a change of it changes {whom}. "


def _change(case: Case, rules: _Rules) -> Block:
    balancers = sorted({one.load_balancer for _, one in rules.through if isinstance(one.load_balancer, str)})
    if balancers:
        return Block(
            f"That is the load balancer {_named(balancers)}: what is revoked there is closed for all behind it, so it "
            "is to be decided there."
        )
    denied = _denied(case, rules)
    here, elsewhere = _allowed(case, rules)
    if any(common(ranges, denied.get(opening, ())) for opening, ranges in elsewhere.items()):
        return Block("The same is allowed on other servers of that group: give this server a group of its own.")
    keep = _keep((here, elsewhere), denied, rules.beside)
    if keep and (any(len(one.rules) > 1 for _, one in rules.through) or any(source == UNKNOWN for _, source in keep)):
        return Block("Part of it is allowed, and by which rule is not known: revoke none before you know.")
    group = ("--group-id", rules.group)
    region = case.server.region
    revoke = _aws(region, "revoke-security-group-ingress", group, ("--security-group-rule-ids", *rules.ids))
    if not keep:
        it = "it" if len(rules.ids) == 1 else "them"
        return Block(f"Then revoke {it}; nothing that is allowed in these reports goes through {it}:", revoke)
    permissions = ("--ip-permissions", json.dumps(_permissions(keep), separators=(",", ":")))
    authorize = _aws(region, "authorize-security-group-ingress", group, permissions)
    return Block(f"Then keep what is allowed ({_spell(keep)}), and revoke the rest:", f"{authorize} &&\n{revoke}")


def _denied(case: Case, rules: _Rules) -> Openings:
    return _openings(
        denied
        for entry in case.denied
        for denied in entry.decision.denied
        if denied.security_group == rules.group and set(denied.rules) & set(rules.ids)
    )


def _openings(denied: Iterable[Denied]) -> Openings:
    openings: Openings = {}
    for entry in denied:
        openings.setdefault((entry.protocol, entry.source), []).append((entry.from_port, entry.to_port))
    return {opening: merged(ranges) for opening, ranges in sorted(openings.items())}


def _allowed(case: Case, rules: _Rules) -> tuple[Openings, Openings]:
    """Give what is allowed through the rules on this server, and on others of the group."""
    here: Openings = {}
    elsewhere: Openings = {}
    for entry, exposure in rules.through:
        openings = here if identity(entry.finding.server) == identity(case.server) else elsewhere
        for allowed in entry.decision.allowed:
            if allowed.protocol == exposure.protocol and allowed.source in exposure.sources:
                shared = common([(allowed.from_port, allowed.to_port)], [(exposure.from_port, exposure.to_port)])
                openings.setdefault((allowed.protocol, allowed.source), []).extend(shared)
    return here, elsewhere


def _keep(allowed: Iterable[Openings], denied: Openings, beside: Sequence[Exposure]) -> Openings:
    """Give what must be authorized anew: AWS refuses a permission that the group has already by another rule."""
    kept: Openings = {}
    for openings in allowed:
        for opening, ranges in openings.items():
            kept.setdefault(opening, []).extend(ranges)
    for (protocol, source), ranges in kept.items():
        other = [
            (exposure.from_port, exposure.to_port)
            for exposure in beside
            if exposure.protocol == protocol and source in exposure.sources
        ]
        kept[protocol, source] = without(merged(ranges), [*denied.get((protocol, source), ()), *other])
    return {opening: ranges for opening, ranges in sorted(kept.items()) if ranges}


def _permissions(openings: Openings) -> list[dict[str, object]]:
    return [
        {"IpProtocol": protocol, "FromPort": low, "ToPort": high, **_source(source)}
        for (protocol, source), ranges in openings.items()
        for low, high in ranges
    ]


def _source(source: str) -> dict[str, list[dict[str, str]]]:
    """Spell a source as `IpPermission` of the EC2 API has it."""
    account, _, group = source.rpartition("/")
    if group.startswith("sg-"):
        return {"UserIdGroupPairs": [{"GroupId": group} | ({"UserId": account} if account else {})]}
    if source.startswith("pl-"):
        return {"PrefixListIds": [{"PrefixListId": source}]}
    return {"Ipv6Ranges": [{"CidrIpv6": source}]} if ":" in source else {"IpRanges": [{"CidrIp": source}]}


def _spell(openings: Openings) -> str:
    """Name openings in a sentence."""
    spelled = [
        f"{ports(protocol, low, high)} from {sources([source], ROOMS[0])}"
        for (protocol, source), ranges in openings.items()
        for low, high in ranges
    ]
    return "; ".join(first(spelled, 5))


def _named(ids: Sequence[str]) -> str:
    return ", ".join(first(ids, 5, lambda name: short(name, 60)))


def _find(case: Case) -> Block:
    server = case.server
    nameless = [
        denied
        for entry in case.denied
        for denied in entry.decision.denied
        if not (denied.security_group and denied.rules)
    ]
    opened = ", ".join(first(sorted({ports(entry.protocol, entry.from_port, entry.to_port) for entry in nameless}), 5))
    named = [denied.security_group for denied in nameless]
    own = [server.id] if server.kind == "security_group" else server.security_groups
    groups = list(dict.fromkeys(group for group in (*named, *own) if group))
    if groups:
        return Block(
            f"Which rule opens {opened or 'it'} is not in the report. Find it, and see what else it opens:",
            rules_of(server.region, groups),
        )
    return Block(
        f"What opens {opened or 'it'} is not in the report. Find the security groups:",
        _aws(
            server.region,
            "describe-instances",
            ("--instance-ids", server.id),
            ("--query", "Reservations[].Instances[].NetworkInterfaces[].Groups[]"),
        ),
    )


def rules_of(region: str, groups: Iterable[str]) -> str:
    """Give the command that shows the rules of security groups."""
    return _aws(region, "describe-security-group-rules", ("--filters", f"Name=group-id,Values={','.join(groups)}"))


def _aws(region: str, command: str, *options: tuple[str, ...]) -> str:
    """Spell a command for a POSIX shell, on lines of their own where it is long; no word can be read as two."""
    words = [shlex.join(map(printable, option)) for option in (("aws", "ec2", command), ("--region", region), *options)]
    line = " ".join(words)
    return line if len(line) <= WIDTH else " \\\n  ".join([" ".join(words[:2]), *words[2:]])
