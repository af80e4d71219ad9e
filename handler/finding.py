"""The contract: what a report becomes before a policy judges it.

Four values can come out of a report. A *finding* is an open exposure and goes to the policy. *Closed* says that the
report has ended. *Ignored* is a kind that is not ours, with the reason. *Undecidable* is what could not be read: it
alerts. A fifth, *reference*, names a report that must be fetched from AWS before it is one of those four.

`schema/finding.json` is generated from `Finding`; the policies are type-checked against it.
"""

import json
from hashlib import sha256
from typing import Annotated, Any, Literal, TypeGuard

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

UNKNOWN = "unknown"
"""The one source that stands for any address: what the report and the look-ups could not tell."""

PORTS_ASSUMED = "The report names a security group and no ports: they are known only as far as its rules were looked up"
"""The note on a finding of every port, none of which the report told. A look-up puts what the rules open in place, and
where none does the finding is undecidable.
"""

TAGS_READ = "tags of {} read at {}"
TAGS_UNREAD = ("its tags are unknown", "its tags are the report's")
"""What the notes on a finding say where a look-up has read the tags of its server, and how one ends where it has not.
"""

Port = Annotated[int, Meta(ge=0, le=65535)]
Protocol = Literal["tcp", "udp"]
Reach = Literal["internet", "peered_vpc", "vpn"]


class Reporter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who told us.

    `id` is the reporter's own id of its report (for AWS's scanners an ARN), `severity` and `title` are its words,
    `updated_at` is RFC 3339 in UTC, to the second, with a Z, or null when the report carries no readable date;
    `first_seen_at`, since when the reporter sees it, is so too where the report says it. `asked` is true when a person
    asked for the verdict and waits: it is answered, allowed or not.
    """

    name: str
    id: str
    severity: str | None = None
    title: str | None = None
    updated_at: str | None = None
    first_seen_at: str | UnsetType = UNSET
    asked: bool = False


class Server(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is exposed: an instance, or a security group when the report names no instance.

    What the report does not say stays absent, so that a policy cannot mistake it for a value. `tags_known` is false
    when the report carried no tags at all, which is not the same as an empty set of them.
    """

    kind: Literal["instance", "security_group"]
    id: str
    name: str | UnsetType = UNSET
    tags: dict[str, str]
    tags_known: bool
    account: str
    region: str
    vpc: str | UnsetType = UNSET
    subnet: str | UnsetType = UNSET
    security_groups: tuple[str, ...] = ()
    platform: str | UnsetType = UNSET


class Opened(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a security-group rule lets in, which may be more than the exposure: `source` is spelled as there."""

    protocol: Literal["tcp", "udp", "all"]
    from_port: Port
    to_port: Port
    source: str


class Exposure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One protocol, one port range (both ends included, 0 to 65535), and the addresses that can reach it.

    `sources` are CIDRs, security groups (`sg-...`, a peer account's as `222233334444/sg-...`), prefix lists (`pl-...`)
    or `unknown`; never empty. `rules` are the ids of the security-group rules that open it, where known, and
    `rule_opens` is all that the rule opens, where it is a single one that was read. `prefix_list` is the customer's
    list (`pl-...`) that the rule names, of which `sources` are the addresses, `unknown` among them where it was not
    read in full. `group_interfaces` is on how many
    network interfaces of the server's account and Region `security_group` is, where they were counted. `interface` is
    the server's network interface (`eni-...`) and `load_balancer` the one in front of it (`app/web/50dc6c495c0c9188`, a
    DNS name from Inspector Classic), where the way to the port is known to lead through them. Behind a load balancer
    that a look-up has read, `security_group`, `group_interfaces`, `rules` and `rule_opens` are the balancer's own, and
    the ports are the server's. `unreached` is true where everything was read, and nobody is known to come in: the
    source is `unknown`, since the scanner says that it is open and may know better.
    """

    protocol: Protocol
    from_port: Port
    to_port: Port
    sources: Annotated[tuple[str, ...], Meta(min_length=1)]
    security_group: str | None = None
    rules: tuple[str, ...] = ()
    rule_opens: Opened | UnsetType = UNSET
    prefix_list: str | UnsetType = UNSET
    group_interfaces: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    interface: str | UnsetType = UNSET
    load_balancer: str | UnsetType = UNSET
    unreached: bool | UnsetType = UNSET

    def __post_init__(self) -> None:
        if self.from_port > self.to_port:
            msg = f"from_port {self.from_port} is above to_port {self.to_port}"
            raise ValueError(msg)


class Listener(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A port of the server that a known container task has bound, and the load balancer in front of it, if any."""

    protocol: Protocol
    port: Port
    task: str
    target_group: str | None = None
    load_balancer: str | None = None


class Finding(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One server and what is exposed on it: the input of the policy.

    `id` is the exposure's identity (see `identity`), not the report's. `now` is the time of the invocation, RFC 3339 in
    UTC with a Z; policies never read the clock. `reach_known` is false when the report does not say from where and the
    worst (`internet`) is assumed. `notes` say what was looked up, and what could not be.
    """

    id: str
    reporters: tuple[Reporter, ...]
    now: str
    reach: Reach
    reach_known: bool
    server: Server
    exposures: Annotated[tuple[Exposure, ...], Meta(min_length=1)]
    listeners: tuple[Listener, ...] = ()
    notes: tuple[str, ...] = ()


def are_tags_unread(report: object) -> TypeGuard[Finding]:
    """Return whether it is a finding about a server whose tags a look-up has failed to read."""
    return isinstance(report, Finding) and any(note.endswith(TAGS_UNREAD) for note in report.notes)


class Batch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The input of `data.gate.batch.decisions`."""

    findings: tuple[Finding, ...]


class Closed(Struct, frozen=True, kw_only=True):
    """A report of this server has ended: that of `reporter.id`, whichever ports it told.

    `id` is that of its finding where its ports are read, else one that no finding has. `confirmed` is false when the
    report ended without evidence that the ports are closed: they may still be open. `unlisted` is since when its
    scanner lists it no more, where that is what closes it.
    """

    id: str
    reporter: Reporter
    server: Server
    confirmed: bool = True
    unlisted: str | UnsetType = UNSET


class Ignored(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A listed kind of report that is not for us. `reason` is a sentence for a person; equal kinds have equal ones.

    `asked` is that of `Reporter`: the answer is then that there is nothing to judge. `id` (the report's own), `account`
    and `region` are given for it.
    """

    reporter: str
    reason: str
    asked: bool = False
    id: str | None = None
    account: str | None = None
    region: str | None = None


class Undecidable(Struct, frozen=True, kw_only=True):
    """What should be a finding and cannot be read, or a shape that is on no list. It alerts with `raw` attached.

    `field` is the path of what could not be read as the report spells it (`detail.resources[0].id`), `problem` says
    what is wrong with it. `shape` names the kind of report (`aws.inspector2 Inspector2 Finding`). `reporter`, `id`
    (the report's own), `account`, `region` and `server` are given where they could be read. `asked` is that of
    `Reporter`, where it is true.
    """

    shape: str
    field: str
    problem: str
    raw: Any
    reporter: str | None = None
    id: str | None = None
    account: str | None = None
    region: str | None = None
    server: str | None = None
    asked: bool | UnsetType = UNSET


class Reference(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A report that only names a finding, which `service` (a boto3 client name) has under `arn` in `region`.

    `told_by` is who named it, where that is not the finding's own reporter: it is named beside that one.
    """

    reporter: str
    service: str
    arn: str
    account: str
    region: str
    raw: Any
    told_by: Reporter | None = None


Report = Finding | Closed | Ignored | Undecidable | Reference


def to_json(value: Any) -> bytes:
    """Spell a value as JSON: in UTF-8, or with escapes where it holds a lone surrogate, which UTF-8 cannot carry."""
    try:
        return msgspec.json.encode(value, enc_hook=repr)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value, str_keys=True, enc_hook=repr)).encode()


def identity(server: Server, reach: str, ports: set[tuple[str, int, int]]) -> str:
    """Digest of account, region, server, reach and exposed ports (protocol, from, to): 32 hexadecimal digits.

    Neither the report's id, nor its dates, nor the group on the path take part: told again, by whomever, an exposure
    has the same id.
    """
    spelled = " ".join(f"{protocol}/{low}-{high}" for protocol, low, high in sorted(ports))
    parts = (server.account, server.region, server.kind, server.id, reach, spelled)
    return sha256("\n".join(parts).encode()).hexdigest()[:32]
