"""What the outcomes of an invocation say of each server: observations for the memory."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from msgspec import UNSET, Struct
from msgspec.structs import replace

from handler.decision import Decision
from handler.finding import UNKNOWN, Closed, Finding, Reporter, Server, are_tags_unread, to_json
from handler.memory.claims import Observation
from handler.memory.parts import Part, inside
from handler.memory.store import Key
from handler.outcome import Outcome

_SHORT = 16


class Observed(Struct, frozen=True, kw_only=True):
    """What an invocation says of one server: observations, its newest description, the outcomes and their records."""

    server: Server
    observations: tuple[Observation, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    evidence: dict[str, Finding] = {}

    @property
    def records(self) -> frozenset[str]:
        """The records that told it."""
        return frozenset(record for outcome in self.outcomes for record in outcome.records)


def key_of(server: Server) -> Key:
    """Return the key of a server's item."""
    return partition(server.account, server.region), f"server#{server.kind}#{server.id}"


def partition(account: str | None, region: str | None) -> str:
    """Return the partition key of an account and a Region."""
    return f"{account or 'unknown'}#{region or 'unknown'}"


def claim_of(reporter: Reporter) -> str:
    """Return the key of a report: its ARN, whoever passes it on, else its id beside the reporter's name."""
    return reporter.id if reporter.id.startswith("arn:") else f"{reporter.name} {reporter.id}"


def evidence_key(server: Server, claim: str) -> Key:
    """Return the key of the item that has a claim's report."""
    return partition(server.account, server.region), f"report#{digest(claim)}"


def digest(*words: str) -> str:
    """Return what stands for some words in a key."""
    return sha256("\n".join(words).encode("utf-8", "surrogatepass")).hexdigest()[:_SHORT]


def observed(
    outcomes: Sequence[Outcome], policy: str, elsewhere: Iterable[Outcome] = (), *, again: bool = False
) -> dict[Key, Observed]:
    """Return by server what was decided and what has closed; what could not be judged says nothing of what is open.

    `elsewhere` are outcomes of the same reports that are not among these. `again` is that of `Observation`.
    """
    servers: dict[Key, Observed] = {}
    missing = [*elsewhere, *(outcome for outcome in outcomes if outcome.kind == "undecidable")]
    partly = {claim_of(report.reporters[0]) for outcome in missing for report in outcome.claims}
    for outcome in outcomes:
        match outcome.report:
            case Finding() as finding if outcome.kind == "decided" and outcome.decision is not None:
                for server, observation, report in _opened(outcome, finding, outcome.decision, policy):
                    partial = observation.claim in partly
                    _add(servers, server, replace(observation, again=again, partial=partial), outcome, report)
            case Closed() as closed:
                _add(servers, closed.server, closing(closed), outcome, None)
    return servers


def _opened(
    outcome: Outcome, finding: Finding, decision: Decision, policy: str
) -> Iterable[tuple[Server, Observation, Finding | None]]:
    """Return what each report behind a finding says of its server, and of the one that it reports if it is another.

    The report itself is beside what it says of the server that it reports.
    """
    server = key_of(finding.server)[1]
    parts = judged(finding, decision)
    unreached = tuple(
        Part(exposure.protocol, exposure.from_port, exposure.to_port, UNKNOWN)
        for exposure in finding.exposures
        if exposure.unreached is True
    )
    for report in outcome.claims:
        reporter, reported = report.reporters[0], key_of(report.server)[1]
        observation = Observation(
            claim=claim_of(reporter),
            reporter=reporter.name,
            report=reporter.id,
            observed=reporter.updated_at,
            parts=parts,
            unreached=unreached,
            reported=reported,
            policy=policy,
            evidence=_content(report),
        )
        yield finding.server, observation, report if reported == server else None
        if reported != server:
            yield report.server, replace(observation, parts=(), expanded=(server,)), report


def judged(finding: Finding, decision: Decision) -> tuple[Part, ...]:
    """Return what a decision says of each range and source."""
    allowed = [
        Part(entry.protocol, entry.from_port, entry.to_port, entry.source, "allowed", "", entry.by)
        for entry in decision.allowed
    ]
    denied = [
        Part(
            entry.protocol,
            entry.from_port,
            entry.to_port,
            entry.source,
            entry.cause,
            entry.severity,
            tuple(filter(None, (entry.prohibition or entry.nearest,))),
            _cause(finding, entry.security_group, entry.rules),
        )
        for entry in decision.denied
    ]
    return (*allowed, *denied)


def _cause(finding: Finding, group: str | None, rules: Sequence[str]) -> str:
    """Return the key of what opens a port, for servers with equal tags; none where a rule or a tag was not read.

    Tags that were read before may have changed: their server is told by itself.
    """
    server = finding.server
    if not rules or not server.tags_known or are_tags_unread(finding):
        return ""
    tags = sorted(f"{key}={tag}" for key, tag in server.tags.items() if key != "Name" and not key.startswith("aws:"))
    return digest(server.account, server.region, group or "", *sorted(rules), "", *tags)


def closing(closed: Closed) -> Observation:
    """Return what a closed report says."""
    return Observation(
        claim=claim_of(closed.reporter),
        reporter=closed.reporter.name,
        report=closed.reporter.id,
        observed=closed.reporter.updated_at,
        confirmed=closed.confirmed,
        unlisted=None if closed.unlisted is UNSET else closed.unlisted,
        reported=key_of(closed.server)[1],
    )


def _add(
    servers: dict[Key, Observed], server: Server, observation: Observation, outcome: Outcome, report: Finding | None
) -> None:
    """Add an observation; what a report says of a server in several outcomes is united, if one time says all of it."""
    key = key_of(server)
    known = servers.get(key) or Observed(server=server)
    same = next((other for other in known.observations if _same_telling(other, observation)), None)
    if same is not None:
        observation = replace(
            observation,
            parts=(*(same.parts or ()), *(observation.parts or ())),
            unreached=(*same.unreached, *observation.unreached),
            expanded=tuple(sorted({*same.expanded, *observation.expanded})),
        )
    servers[key] = replace(
        known,
        server=server if server.tags_known or not known.server.tags_known else known.server,
        observations=(*(other for other in known.observations if other is not same), observation),
        outcomes=(*(other for other in known.outcomes if other is not outcome), outcome),
        evidence=_with_newer(known.evidence, observation.claim, report),
    )


def _with_newer(evidence: dict[str, Finding], claim: str, report: Finding | None) -> dict[str, Finding]:
    """Return the reports with another one, where it is not older than the one of the same claim."""
    if report is None or (claim in evidence and _date(report) < _date(evidence[claim])):
        return evidence
    return {**evidence, claim: report}


def _date(report: Finding) -> str:
    return report.reporters[0].updated_at or ""


def _same_telling(first: Observation, second: Observation) -> bool:
    """Return whether two observations are of one report, open in both, or closed in both, and neither is the newer."""
    same = first.claim == second.claim and (first.parts is None) == (second.parts is None)
    return same and (first.observed == second.observed or None in {first.observed, second.observed})


def _content(report: Finding) -> str:
    """Return the digest of what a report says, its dates aside."""
    reporters = tuple(replace(reporter, updated_at=None, asked=False) for reporter in report.reporters)
    return digest(to_json(replace(report, now="", reporters=reporters)).decode())


def narrowed(outcome: Outcome, opened: tuple[Part, ...]) -> Outcome | None:
    """Return the outcome with what is news of its denied ranges; nothing where none of it is.

    Where the sources could not be read this time, what is remembered of them is news of the ports that were judged.
    """
    if not isinstance(outcome.report, Finding) or outcome.decision is None:
        return None
    ports = tuple(replace(part, source=UNKNOWN) for part in opened)
    denied = tuple(
        replace(entry, from_port=part.from_port, to_port=part.to_port)
        for entry in outcome.decision.denied
        for part in inside(
            [Part(entry.protocol, entry.from_port, entry.to_port, entry.source)],
            ports if entry.source == UNKNOWN else opened,
        )
    )
    return replace(outcome, decision=replace(outcome.decision, denied=denied)) if denied else None


def judged_here(observed: Observed) -> tuple[Part, ...]:
    """Return what this invocation denied on a server: of anything else its own record tells."""
    return tuple(part for observation in observed.observations for part in observation.parts or () if part.denied)
