"""How to close what is denied: AWS CLI commands, printed and never run.

A rule may carry more than what is denied. So a rule is only revoked together with a command that first authorizes what
is to stay open of it (see `rules`), and not at all where that cannot be said exactly.
"""

import json
import shlex
from collections.abc import Iterable, Sequence

from msgspec import Struct

from handler.alert.case import Case, Judged
from handler.alert.rules import (
    Group,
    Openings,
    Rest,
    Rule,
    allowed_elsewhere,
    groups,
    inseparable,
    joined,
    rest,
    unlisted,
)
from handler.alert.text import ROOMS, Block, count, first, ports, short, sources
from handler.decision import Denied
from handler.finding import UNKNOWN, Server
from handler.printable import printable

_NOT_FOUND = "The mail about another server may change this group too: where AWS answers NotFound, that rule is gone."

_COMMAND = 140
"""Columns of a command: whoever copies it wants few line breaks in it."""

_MOST = 60
"""AWS's default quota, "Inbound or outbound rules per security group"."""


class _Refusal(Struct, frozen=True):
    """Why a rule is not to be revoked: a sentence around the name of the rule."""

    before: str
    after: str


def commands(case: Case, judged: Iterable[Judged]) -> list[Block]:
    """Give the steps that close what is denied on a server, given everything that was judged in this invocation."""
    region = case.server.region
    known = [block for group in groups(case, judged) for block in (_look(region, group), *_changes(case.server, group))]
    return known + ([_find(case)] if _nameless(case) or not known else [])


def _nameless(case: Case) -> list[Denied]:
    """Give what is denied by a rule that is not known."""
    denied = (denial for entry in case.denied for denial in entry.decision.denied)
    return [denial for denial in denied if not (denial.security_group and denial.rules)]


def _look(region: str, group: Group) -> Block:
    """Say how many network interfaces a change of the group changes, and how to see what it opens."""
    exposures = (exposure for rule in group.rules for _, exposure in rule.through)
    counted = [known.group_interfaces for known in exposures if isinstance(known.group_interfaces, int)]
    on = f"is on {count(counted[0], 'interface', 'interfaces')}" if counted else "may be on many interfaces"
    return Block(f"{_named([group.id])} {on}. Look first at what it opens:", rules_of(region, [group.id]))


def _changes(server: Server, group: Group) -> list[Block]:
    """Give the reasons for which rules stay, then the commands that revoke the others."""
    refused: dict[_Refusal, list[str]] = {}
    revoked: list[tuple[Rule, Rest]] = []
    there = group.sound
    for rule in group.rules:
        kept = rest(rule, there)
        refusal = _refusal(server, rule) or _too_many(kept)
        if refusal:
            refused.setdefault(refusal, []).append(rule.id)
        else:
            revoked.append((rule, kept))
            there = joined((there, kept.allowed, kept.unjudged))
    alone = len(group.rules) == 1
    reasons = [
        Block(f"{why.before} {'this rule' if alone else _named(ids)}{why.after}") for why, ids in refused.items()
    ]
    return reasons + (_revoke(server.region, group, revoked) if revoked else [])


def _refusal(server: Server, rule: Rule) -> _Refusal | None:
    """Say why a rule is not to be revoked, if it is not."""
    opens = rule.opens
    exposures = [exposure for _, exposure in rule.through]
    balancers = sorted({known.load_balancer for known in exposures if isinstance(known.load_balancer, str)})
    if balancers:
        return _Refusal(
            "What comes in through",
            f" comes to the load balancer {_named(balancers)}: what is revoked there is closed for all behind it, so "
            "it is to be decided there.",
        )
    if UNKNOWN in rule.sources or (opens and opens.source == UNKNOWN):
        return _Refusal("Who is let in by", " could not be read: revoke nothing before you know.")
    others = allowed_elsewhere(rule)
    if others:
        way = "give this server a group of its own"
        if server.kind == "security_group":
            way = "allow it on this group too, or split the group"
        return _Refusal("Some of it is allowed through", f" on {_named(others)}: {way}.")
    if opens and inseparable(rule):
        every = "all traffic" if opens.protocol == "all" else ports(opens.protocol, opens.from_port, opens.to_port)
        more = f"{every} from {sources([opens.source], ROOMS[0])}"
        return _Refusal(
            "More is open through", f" than was judged: {more}. Revoke nothing before you know who needs the rest."
        )
    return _unkept(rule)


def _unkept(rule: Rule) -> _Refusal | None:
    """Say why what is allowed of a rule cannot be kept open without it, if it cannot."""
    if unlisted(rule):
        return _Refusal(
            "Part of what comes in by", " is allowed and cannot be listed: revoke nothing before you know who needs it."
        )
    if (rule.here or rule.elsewhere) and any(len(exposure.rules) > 1 for _, exposure in rule.through):
        return _Refusal("Part of it is allowed, and whether through", " is not known: revoke nothing before you know.")
    return None


def _too_many(kept: Rest) -> _Refusal | None:
    """Say that AWS would refuse what is to stay open, if it would."""
    if len(_permissions(joined((kept.allowed, kept.unjudged)))) <= _MOST:
        return None
    more = f" than the {_MOST} rules that a security group takes: let it in by a prefix list first."
    return _Refusal("More is to stay open of", more)


def _revoke(region: str, group: Group, revoked: Sequence[tuple[Rule, Rest]]) -> list[Block]:
    names, it = _named([rule.id for rule, _ in revoked]), "it" if len(revoked) == 1 else "them"
    allowed = joined(kept.allowed for _, kept in revoked)
    unjudged = joined(kept.unjudged for _, kept in revoked)
    stays = [f"what is allowed ({_spell(allowed)})"] if allowed else []
    stays += [f"what was not judged ({_spell(unjudged)})"] if unjudged else []
    then = f"Then revoke {names}"
    if not all(rule.opens for rule, _ in revoked):
        then = f"Then, if nothing else is open through {names}, revoke {it}"
    if stays:
        then = then.replace("revoke", f"keep {' and '.join(stays)}, and revoke the rest of", 1)
        then += " (on Duplicate, leave out what is there already)"
    elif any(rule.here or rule.elsewhere for rule, _ in revoked):
        then += f"; what is allowed of {it} is open by other rules too"
    else:
        then += f"; nothing that is allowed in these reports goes through {it}"
    change = Block(f"{then}:", "\n".join(_command(region, group.id, rule, kept) for rule, kept in revoked))
    return [change, Block(_NOT_FOUND)] if group.shared else [change]


def _command(region: str, group: str, rule: Rule, kept: Rest) -> str:
    """Revoke one rule, once what is to stay of it is open without it: one that is gone keeps no other from going."""
    target = ("--group-id", group)
    revoke = _aws(region, "revoke-security-group-ingress", target, ("--security-group-rule-ids", rule.id))
    permissions = _permissions(joined((kept.allowed, kept.unjudged)))
    if not permissions:
        return revoke
    spelled = ("--ip-permissions", json.dumps(permissions, separators=(",", ":")))
    return f"{_aws(region, 'authorize-security-group-ingress', target, spelled)} &&\n{revoke}"


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
    nameless = _nameless(case)
    opened = ", ".join(first(sorted({ports(entry.protocol, entry.from_port, entry.to_port) for entry in nameless}), 5))
    groups = [denied.security_group for denied in nameless]
    groups += [server.id] if server.kind == "security_group" else []
    groups += [group for entry in case.denied for group in entry.finding.server.security_groups]
    known = list(dict.fromkeys(group for group in groups if group))
    if known:
        return Block(
            f"Which rule opens {opened or 'it'} is not in the report. Find it, and see what else it opens:",
            rules_of(server.region, known),
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
    return shell("aws", "ec2", command, ("--region", region), *options)


def shell(*words: str | tuple[str, ...]) -> str:
    """Spell a command for a POSIX shell; no word can be read as two.

    Where it is long its options, each a tuple, are on further lines.
    """
    spelled = [shlex.join(map(printable, (word,) if isinstance(word, str) else word)) for word in words]
    lines = [spelled[0]]
    for word, text in zip(words[1:], spelled[1:], strict=True):
        if len(f"{lines[-1]} {text}") > _COMMAND and not isinstance(word, str):
            lines.append(text)
        else:
            lines[-1] += f" {text}"
    return " \\\n  ".join(lines)
