"""How to allow what is denied: the narrowest allowances, ready to paste, with owner, reason and expiry left blank.

With them comes the command that judges the same reports by a folder that holds them, before anybody merges it.
"""

import json
from collections.abc import Sequence

from handler.alert.case import Case, name
from handler.alert.close import shell
from handler.alert.opening import Opening, identifier, rego, wanted
from handler.alert.text import Block, first, short
from handler.finding import UNKNOWN, Server
from handler.settings import LookUps, Settings

PASTE = 'Paste this below "package allow" in policies/allow/, fill the blanks:'
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

BLANKS = ['"owner": "", "reason": "", "expires": "",']
"""What a person fills in."""

UNREADABLE = "What could not be read in full cannot be allowed: mend the report first."


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
    offers = _offers(case.server, wanted(lifted), _taken(case))
    number = sum(bool(offer.code) for offer in offers)
    return [*said, *offers, _verification(case, settings, number, whole=not said)] if offers else said


def _verification(case: Case, settings: Settings, number: int, *, whole: bool) -> Block:
    """Give the command that judges the reports anew by the policies of the folder in which it is run.

    So many allowances must be named in its verdicts: that nothing is denied is true, too, where there is no report any
    more. `whole` is false where something stays denied whatever is allowed.
    """
    reporters = [reporter for entry in case.denied for reporter in entry.finding.reporters]
    names, ids = {reporter.name for reporter in reporters}, list(dict.fromkeys(reporter.id for reporter in reporters))
    query = _QUERIES.get(names.pop()) if len(names) == 1 else None
    look_up = ["--look-up"] if settings.looks_up else []
    decide = [*_look_ups_on(settings), "portcullis", "decide", *look_up]
    result = "and says `0 denied`" if whole else "beside `allow`"
    verify = f"Verify it in its repository: this shows {'its' if number == 1 else 'each'} id {result}"
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


def _offers(server: Server, openings: Sequence[Opening], taken: set[str]) -> list[Block]:
    words = [] if name(server) == server.id else [name(server)[:40]]
    ids: list[str] = []
    for opening in openings:
        ids.append(identifier([*words, server.id], opening, taken | set(ids)))
    written = [
        rego(offer, opening, _words(opening), [server.id], server.account, BLANKS)
        for offer, opening in zip(ids, openings, strict=True)
    ]
    warning = [Block(EVERYBODY)] if any(UNKNOWN in opening.sources for opening in openings) else []
    return [*warning, *(Block("" if index else PASTE, code) for index, code in enumerate(written))]


def _words(opening: Opening) -> Sequence[str]:
    """Return the networks that hold the sources, as an allowance names them."""
    everybody = UNKNOWN in opening.sources or {"0.0.0.0/0", "::/0"} <= set(opening.sources)
    return ["anywhere"] if everybody else opening.sources
