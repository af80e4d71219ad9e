"""How to allow what is denied: the narrowest allowances, ready to paste, with owner, reason and expiry left blank.

With them comes the command that judges the same reports by a folder that holds them, before anybody merges it.
"""

import json
import re
from collections.abc import Sequence

from msgspec import Struct

from handler.alert.case import Case, name
from handler.alert.close import shell
from handler.alert.ports import Range, merged
from handler.alert.text import Block, first, short
from handler.decision import Denied
from handler.finding import UNKNOWN, Server
from handler.settings import LookUps, Settings

PASTE = (
    'Paste this below "package allow" into a file of policies/allow/, and fill in the three blanks; until then it '
    "allows nothing."
)
EVERYBODY = (
    "Only an allowance for everybody covers an unknown address: find out first who reaches it"
    " (LOOK_UP_SOURCES=true asks AWS)."
)
_QUERIES = {
    "inspector2": (("inspector2", "list-findings"), "--filter-criteria", "findingArn", "comparison", "value"),
    "security_hub": (("securityhub", "get-findings"), "--filters", "Id", "Comparison", "Value"),
}
"""By reporter, what asks AWS for a report: command, option, and the names in its JSON."""

_ROLES = {"look_up_role_name", "look_up_external_id"}
"""Settings of the function's role; a person at a shell has credentials of their own."""

_MOST = 10
"""Reports that one question names."""

UNREADABLE = "What could not be read in full cannot be allowed: mend the report first."


class _Wanted(Struct, frozen=True):
    """Ports by protocol that some sources are to reach in one way."""

    reach: str
    ports: tuple[tuple[str, tuple[Range, ...]], ...]
    sources: tuple[str, ...]


def allowances(case: Case, settings: Settings) -> list[Block]:
    """Give the allowances that together permit exactly what is denied, and what no allowance can permit.

    Below them stands how to see that they permit it.
    """
    readable = [entry for entry in case.denied if not entry.decision.undecidable]
    denied = [(entry.finding.reach, denied) for entry in readable for denied in entry.decision.denied]
    lifted = [(reach, entry) for reach, entry in denied if entry.cause != "prohibited"]
    barred = sorted({entry.prohibition for _, entry in denied if entry.prohibition})
    said = [Block(UNREADABLE)] if len(readable) < len(case.denied) else []
    if barred:
        forbids = "the prohibition" if len(barred) == 1 else "the prohibitions"
        said.append(Block(f"No allowance lifts {forbids} {', '.join(first(barred, 5, lambda name: short(name, 60)))}."))
    offers = _offers(case.server, _wanted(lifted), _taken(case))
    return [*said, *offers, _verification(case, settings, whole=not said)] if offers else said


def _verification(case: Case, settings: Settings, *, whole: bool) -> Block:
    """Give the command that judges the reports anew by the policies of the folder in which it is run.

    `whole` is false where something stays denied whatever is allowed.
    """
    reporters = [reporter for entry in case.denied for reporter in entry.finding.reporters]
    names, ids = {reporter.name for reporter in reporters}, list(dict.fromkeys(reporter.id for reporter in reporters))
    query = _QUERIES.get(names.pop()) if len(names) == 1 else None
    look_up = ["--look-up"] if settings.looks_up else []
    decide = [*_look_ups_on(settings), "portcullis", "decide", *look_up, "--denied"]
    result = "says `0 denied`" if whole else "shows none of these ports as DENY"
    reading = "with the look-ups " if settings.looks_up else ""
    verify = f"Verify it in its repository: {reading}this {result}"
    if query is None or len(ids) > _MOST:
        return Block(f"{verify}, where FILE has the report:", shell(*decide, "FILE"))
    command, option, field, comparison, value = query
    filters = json.dumps({field: [{comparison: "EQUALS", value: name} for name in ids]}, separators=(",", ":"))
    fetch = shell("aws", *command, ("--region", case.server.region), (option, filters))
    return Block(f"{verify}:", f"{fetch} |\n  {shell(*decide, '-')}")


def _look_ups_on(settings: Settings) -> list[str]:
    """Spell the look-ups that are on for a shell, where they are not all: those `--look-up` has on by itself."""
    values = {name: getattr(settings, name) for name in LookUps.__struct_fields__ if name not in _ROLES}
    if all(getattr(settings.all_on(), name) == value for name, value in values.items()):
        return []
    on = {name: value for name, value in values.items() if value != getattr(LookUps(), name)}
    return [f"{name.upper()}={str(value).lower()}" for name, value in on.items()]


def _taken(case: Case) -> set[str]:
    """Give the ids of the allowances that apply to a server, of those too that are to be mended."""
    applying = {name for judged in case.judged for name in judged.decision.allowances}
    return applying | {problem.id for judged in case.judged for problem in judged.decision.problems if problem.id}


def _offers(server: Server, wanted: Sequence[_Wanted], taken: set[str]) -> list[Block]:
    ids: list[str] = []
    for entry in wanted:
        ids.append(_id(server, entry, taken | set(ids)))
    written = [_rego(server, entry, identifier) for entry, identifier in zip(wanted, ids, strict=True)]
    warning = [Block(EVERYBODY)] if any(UNKNOWN in entry.sources for entry in wanted) else []
    return [*warning, *(Block("" if index else PASTE, code) for index, code in enumerate(written))]


def _wanted(denied: Sequence[tuple[str, Denied]]) -> list[_Wanted]:
    by_source: dict[tuple[str, str], dict[str, list[Range]]] = {}
    for reach, entry in denied:
        protocols = by_source.setdefault((reach, entry.source), {})
        protocols.setdefault(entry.protocol, []).append((entry.from_port, entry.to_port))
    alike: dict[tuple[str, tuple[tuple[str, tuple[Range, ...]], ...]], list[str]] = {}
    for (reach, source), protocols in by_source.items():
        ports = tuple((protocol, tuple(merged(ranges))) for protocol, ranges in sorted(protocols.items()))
        alike.setdefault((reach, ports), []).append(source)
    return [_Wanted(reach, ports, tuple(sorted(sources))) for (reach, ports), sources in alike.items()]


def _rego(server: Server, wanted: _Wanted, identifier: str) -> str:
    """Spell an allowance as `opa fmt` does."""
    ports = {protocol: [_port(low, high) for low, high in ranges] for protocol, ranges in wanted.ports}
    everybody = UNKNOWN in wanted.sources or {"0.0.0.0/0", "::/0"} <= set(wanted.sources)
    fields = {"id": identifier, **ports, "sources": ["anywhere"] if everybody else list(wanted.sources)}
    conditions = {"server.id": server.id, "server.account": server.account}
    if wanted.reach != "internet":
        conditions["reach"] = wanted.reach
    return "\n".join(
        [
            "allowance contains {",
            *(f"\t{json.dumps(field)}: {json.dumps(value)}," for field, value in fields.items()),
            '\t"owner": "", "reason": "", "expires": "",',
            "} if {",
            *(f"\tinput.{path} == {json.dumps(value)}" for path, value in conditions.items()),
            "}",
        ]
    )


def _port(low: int, high: int) -> int | str:
    return low if low == high else f"{low}-{high}"


def _id(server: Server, wanted: _Wanted, taken: set[str]) -> str:
    """Name an allowance after its server and its first ports, and by a number where that id is taken."""
    words = [] if name(server) == server.id else [name(server)[:40]]
    words += [server.id, *(f"{protocol}-{_port(*ranges[0])}" for protocol, ranges in wanted.ports)]
    spelled = re.sub(r"[^0-9A-Za-z]+", "-", " ".join(words)).strip("-").lower()
    return next(
        numbered
        for numbered in (spelled, *(f"{spelled}-{number}" for number in range(2, len(taken) + 3)))
        if numbered not in taken
    )
