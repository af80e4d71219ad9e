"""The contract: what the gate says about a finding (`data.gate.decision`). `schema/decision.json` comes from here."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from handler.finding import Port

Cause = Literal["prohibited", "expired", "short", "uncovered"]
Grade = Literal["critical", "high", "medium"]
Severity = Grade | Literal["none"]


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ports of a denied range, and a network inside its source that may reach them."""

    from_port: Port
    to_port: Port
    source: str


class Denied(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A maximal port range that one source may not reach, for one cause, and the sentence that says why.

    `severity` is that of this range; the decision's is the worst of them.
    `still_allowed` is what networks inside the source may reach, by an allowance that holds them alone. It is null
    where that cannot be listed: the source is unknown, they are more than 60, or a prohibition keeps out a part only.
    """

    protocol: Literal["tcp", "udp"]
    from_port: Port
    to_port: Port
    source: str
    security_group: str | None
    rules: tuple[str, ...]
    cause: Cause
    prohibition: str | None
    nearest: str | None
    reason: str
    still_allowed: tuple[Part, ...] | None
    severity: Grade


class Allowed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A maximal port range that one source may reach, and the sorted ids of all allowances that cover some of it."""

    protocol: Literal["tcp", "udp"]
    from_port: Port
    to_port: Port
    source: str
    by: Annotated[tuple[str, ...], Meta(min_length=1)]


class Problem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wrong with an allowance, a prohibition, a tag or the finding itself; `id` is its id where it has one."""

    kind: Literal["allowance", "prohibition", "tag", "finding"]
    id: str | None
    field: str
    problem: str


class Allowance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose an allowance is, the last day (UTC) on which it holds, and its labels (a ticket, a link)."""

    owner: str
    expires: str
    labels: dict[str, str]


class Prohibition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a prohibition forbids, and its labels."""

    reason: str
    labels: dict[str, str]


class Decision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The verdict on one finding. `severity` is `none` exactly when the action is `allow`.

    `allowances` has every well-formed allowance that applies to the finding, by id, expired ones too; `prohibitions`
    has every well-formed prohibition that does.
    """

    id: str | None
    action: Literal["allow", "deny"]
    severity: Severity
    undecidable: bool
    denied: tuple[Denied, ...]
    allowed: tuple[Allowed, ...]
    allowances: dict[str, Allowance]
    prohibitions: dict[str, Prohibition]
    problems: tuple[Problem, ...]
