"""Has a server whose tags cannot be read judged by those that were read last; when that lasts, without them, too."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from msgspec import UNSET
from msgspec.structs import replace

from handler.errors import MemoryUnavailableError
from handler.finding import TAGS_READ, Exposure, Finding, are_tags_unread
from handler.folding import Folded
from handler.lookup import LookUp
from handler.lookup.notes import clock, noted
from handler.memory.observing import key_of
from handler.memory.parts import Part, outside
from handler.memory.state import Server, later, moment
from handler.memory.store import Key, Row, Table


def with_remembered_tags(look_up: LookUp, table: Table, patience: timedelta, *, required: bool) -> LookUp:
    """Return a look-up that fills in the tags that were read last, where it fails to read those of a server.

    Where the table cannot be read, nothing may close for want of tags: with `required` the look-up raises, and else
    nothing is asked of the table any more, so that what was looked up is told as if it were new.
    """

    def looked_up(folded: Sequence[Folded], until: float | None) -> list[Folded]:
        exposures = look_up(folded, until)
        unread = [exposure.report for exposure in exposures if are_tags_unread(exposure.report)]
        if not unread:
            return exposures
        try:
            rows = table.read((key_of(finding.server) for finding in unread), unread[0].now)
        except MemoryUnavailableError:
            if required:
                raise
            table.begin(0)
            return exposures
        return [tagged for exposure in exposures for tagged in _tagged(exposure, rows, patience)]

    return looked_up


def _tagged(exposure: Folded, rows: Mapping[Key, Row], patience: timedelta) -> list[Folded]:
    """Return an exposure with the tags that were read last, and without them, so that a deny wins.

    It is without them only where something of it is not known to be allowed, after the patience, or where the report
    has tags of its own, which may be newer or older.
    """
    finding = exposure.report
    if not are_tags_unread(finding):
        return [exposure]
    item = rows[key_of(finding.server)].item
    if not isinstance(item, Server) or item.tags is None:
        return [exposure]
    since = min(item.untagged_since or finding.now, finding.now)
    note = f"tags of {finding.server.id} could not be read since {clock(moment(since))}: it is judged"
    server = replace(finding.server, name=item.tags.get("Name") or UNSET, tags=item.tags, tags_known=True)
    tagged = replace(
        exposure, report=noted(replace(finding, server=server), [f"{note} by those that were read before"])
    )
    is_late = finding.now >= later(since, patience) or finding.server.tags_known
    exposures = finding.exposures if is_late else tuple(_not_allowed(finding.exposures, item))
    if server == finding.server or not exposures:
        return [tagged]
    instead = "by the report's, too" if finding.server.tags_known else "without them, too"
    twin = noted(replace(finding, exposures=exposures), [f"{note} {instead}"])
    return [tagged, replace(exposure, report=twin, reports=())]


def _not_allowed(exposures: Iterable[Exposure], server: Server) -> Iterator[Exposure]:
    """Yield what is not known as open and allowed, or was denied too, source by source."""
    known = outside(server.allowed, server.denied)
    for exposure in exposures:
        parts = [Part(exposure.protocol, exposure.from_port, exposure.to_port, source) for source in exposure.sources]
        for part in outside(parts, known):
            yield replace(exposure, from_port=part.from_port, to_port=part.to_port, sources=(part.source,))


def remember_tags(server: Server, report: object, at: str) -> Server:
    """Return a server with its tags, if a look-up has read them for this report, or since when none could.

    Of a server on which nothing is open they are not kept: nobody would notice that they change.
    """
    if not server.open:
        return replace(server, tags=None, untagged_since=None)
    if not isinstance(report, Finding) or key_of(report.server)[1] != server.key:
        return server
    if any(note.startswith(TAGS_READ.format(server.id, "")) for note in report.notes):
        return replace(server, tags=report.server.tags, untagged_since=None)
    if server.tags is not None and are_tags_unread(report):
        return replace(server, untagged_since=min(server.untagged_since or at, at))
    return server
