"""What a report of a security group says of the servers that it stands for, or stood for and does not any more."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from handler import finding
from handler.memory.claims import Observation, is_outdated
from handler.memory.observing import Observed
from handler.memory.state import Server
from handler.memory.store import Key, Row


def timely(servers: Mapping[Key, Observed], rows: Mapping[Key, Row]) -> dict[Key, Observed]:
    """Return what is said of servers: a group's report that has closed since opens nothing behind the group."""
    return {
        key: replace(observed, observations=tuple(_timely(key, said, rows) for said in observed.observations))
        for key, observed in servers.items()
    }


def _timely(key: Key, observation: Observation, rows: Mapping[Key, Row]) -> Observation:
    """Return what a report says of a server, as closed where the group that it is about is known as that."""
    item = rows.get((key[0], observation.reported), Row()).item if observation.reported != key[1] else None
    known = item.claims.get(observation.claim) if isinstance(item, Server) else None
    if observation.parts is None or known is None or known.open or not is_outdated(known, observation):
        return observation
    return replace(observation, parts=None, observed=known.observed)


def further(servers: Mapping[Key, Observed], rows: Mapping[Key, Row]) -> dict[Key, Observed]:
    """Return what the reports of groups say of the servers that they stood for, and do not any more."""
    passed_on: dict[Key, Observed] = {}
    for key, observed in servers.items():
        item = rows[key].item
        for observation in observed.observations:
            known = item.claims.get(observation.claim) if isinstance(item, Server) else None
            for sort in known.expanded if known is not None else ():
                other = (key[0], sort)
                if not _says_nothing_of(observation, sort):
                    base = (
                        passed_on.get(other) or servers.get(other) or Observed(server=_server_of(observed.server, sort))
                    )
                    outcomes = (
                        *base.outcomes,
                        *(outcome for outcome in observed.outcomes if outcome not in base.outcomes),
                    )
                    observations = (*base.observations, _passed_on(observation))
                    passed_on[other] = replace(base, observations=observations, outcomes=outcomes)
    return passed_on


def _says_nothing_of(observation: Observation, sort: str) -> bool:
    """Return whether an observation of a group leaves a server as it is: it is named, or not all are known."""
    if observation.parts is None:
        return False
    return sort in observation.expanded or bool(observation.parts) or not observation.expanded


def _passed_on(observation: Observation) -> Observation:
    """Return what a group's report says of a server that is behind the group no more: closed, or nothing."""
    return observation if observation.parts is None else replace(observation, expanded=())


def _server_of(reported: finding.Server, sort: str) -> finding.Server:
    """Return the server of a sort key, of which nothing else is known here, in the account and Region of another."""
    _, kind, name = sort.split("#", 2)
    known: dict[str, Any] = {"kind": kind, "id": name, "account": reported.account, "region": reported.region}
    return finding.Server(**known, tags={}, tags_known=False)
