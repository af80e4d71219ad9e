"""Bears with look-ups that fail: what is known of a report without ports stays, and is told when it lasts."""

from datetime import timedelta
from functools import partial

from msgspec.structs import replace

from handler.finding import Undecidable
from handler.invocation import WITHOUT_PORTS, Judged
from handler.memory.observing import claim_of, key_of
from handler.memory.state import Server, later
from handler.memory.store import Key, Table
from handler.outcome import Outcome


def borne(judged: Judged, table: Table, at: str, patience: timedelta) -> Judged:
    """Leave out the reports without ports that no look-up could tell, but are known and were told not long ago.

    Since when that is so is remembered with the claim, until a look-up tells its ports again.
    """
    unread = [outcome for outcome in judged.outcomes if _is_unread(outcome)]
    if not unread:
        return judged
    claims: dict[Key, set[str]] = {}
    for outcome in unread:
        for report in outcome.claims:
            claims.setdefault(key_of(report.server), set()).add(claim_of(report.reporters[0]))
    known: set[str] = set()
    for key, row in table.read(claims, at).items():
        server = table.update(key, row, at, partial(_marked, names=claims[key], at=at))
        if isinstance(server, Server):
            known |= {name for name in claims[key] if _is_recent(server, name, at, patience)}
    kept = tuple(outcome for outcome in judged.outcomes if not (_is_unread(outcome) and _names(outcome) <= known))
    return replace(judged, outcomes=kept)


def _is_unread(outcome: Outcome) -> bool:
    return isinstance(outcome.report, Undecidable) and outcome.report.shape == WITHOUT_PORTS and bool(outcome.claims)


def _names(outcome: Outcome) -> set[str]:
    return {claim_of(report.reporters[0]) for report in outcome.claims}


def _marked(server: Server | None, names: set[str], at: str) -> Server | None:
    """Return a server whose claims say since when they could not be read."""
    if server is None:
        return None
    claims = {
        name: replace(claim, unread_since=claim.unread_since or at) if name in names and claim.open else claim
        for name, claim in server.claims.items()
    }
    return replace(server, claims=claims)


def _is_recent(server: Server, name: str, at: str, patience: timedelta) -> bool:
    claim = server.claims.get(name)
    return claim is not None and claim.open and at < later(claim.unread_since or at, patience)
