"""The verdicts, as rows that a table has in a terminal, and that `grep`, `cut` and `sort` read in a pipe."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from handler.cli.summary import Line
from handler.decision import Allowed, Decision, Denied
from handler.outcome import Told
from handler.printable import printable

if TYPE_CHECKING:
    from handler.memory.parts import Part

_RANKS = ["critical", "high", "medium", "UNREAD", "allow"]
"""From the worst."""


class Row(Struct, frozen=True, kw_only=True):
    """One verdict: ports of a server that fare alike. `record` is the file and the number of the record in it."""

    severity: str = "-"
    server: str = "-"
    name: str = "-"
    port: str = "-"
    source: str = "-"
    verdict: str
    reason: str
    account: str = "-"
    region: str = "-"
    record: str

    @property
    def rank(self) -> int:
        """How bad it is; 0 is the worst."""
        return _RANKS.index(self.severity if self.verdict == "DENY" else self.verdict)

    @property
    def title(self) -> str:
        """The server, or what could not be read."""
        names = [self.name, self.server] if self.server != "-" else [Path(self.record).name]
        return " ".join(printable(name) for name in names if name != "-")


def rows(line: Line) -> Iterator[Row]:
    """Give the rows of a line: what is denied, then what is allowed; none for what is closed, ignored or repeated."""
    finding, decision = line.told.finding, line.told.decision
    record = f"{line.file}:{line.record}"
    known = {"record": record, **_server(line.told)}
    if finding is not None and decision is not None:
        yield from _verdicts(decision, known)
    if line.told.outcome == "undecidable":
        reason = line.told.reason or "it could not be judged"
        place = f"{line.file}: record {line.record}: " if "server" in known else ""
        yield Row(verdict="UNREAD", reason=f"{place}{reason}", **known)


def _server(told: Told) -> dict[str, str]:
    """Give what is known of the server, of a report too that could not be judged."""
    server = told.finding.server if told.finding is not None else None
    known = {
        "server": server.id if server else told.server,
        "name": server.name if server else None,
        "account": server.account if server else told.account,
        "region": server.region if server else told.region,
    }
    return {field: value for field, value in known.items() if value}


def _verdicts(decision: Decision, known: dict[str, str]) -> Iterator[Row]:
    """Give what is denied, then what is allowed; ports that fare alike share a row."""
    both: tuple[tuple[Sequence[Denied | Allowed], str], ...] = (decision.denied, "DENY"), (decision.allowed, "allow")
    for entries, verdict in both:
        alike: dict[tuple[str, str, str], list[Denied | Allowed]] = {}
        for _, same in groupby(entries, key=lambda entry: (ports([entry]), *_judged(entry, decision))):
            group = list(same)
            alike.setdefault((sources(group), *_judged(group[0], decision)), []).append(group[0])
        for (source, severity, reason), together in alike.items():
            yield Row(severity=severity, port=ports(together), source=source, verdict=verdict, reason=reason, **known)


def ports(entries: "Iterable[Denied | Allowed | Part]") -> str:
    """Spell the ports of entries: `tcp 443, 8000-8100; udp 53`."""
    spelled: dict[str, list[str]] = {}
    for entry in entries:
        span = f"-{entry.to_port}" if entry.to_port != entry.from_port else ""
        spelled.setdefault(entry.protocol, []).append(f"{entry.from_port}{span}")
    return "; ".join(f"{protocol} {', '.join(ranges)}" for protocol, ranges in spelled.items())


def sources(entries: Iterable[Denied | Allowed]) -> str:
    """Spell the sources of entries; both families' whole is `anywhere`."""
    named = [entry.source for entry in entries]
    everything = {"0.0.0.0/0", "::/0"}
    if everything <= set(named):
        named = ["anywhere", *(source for source in named if source not in everything)]
    return ", ".join(dict.fromkeys(named))


def _judged(entry: Denied | Allowed, decision: Decision) -> tuple[str, str]:
    """Give the severity and the reason of an entry."""
    if isinstance(entry, Denied):
        opened = " ".join(part for part in (entry.security_group, *entry.rules) if part)
        return entry.severity, f"{entry.reason} [{opened}]" if opened else entry.reason
    return "-", "; ".join(
        f"{name} ({decision.allowances[name].owner}, until {decision.allowances[name].expires})" for name in entry.by
    )


SORTS: dict[str, Callable[[Row], Any]] = {
    "severity": lambda row: (row.rank, row.title),
    "server": lambda row: (row.title, row.rank),
    "input": lambda _: (),
}
"""What rows can be sorted by."""


def print_fields(rows: Iterable[Row]) -> None:
    """Print a row as one line, its fields in their order with a tab between them."""
    for row in rows:
        print(*(printable(getattr(row, name)) for name in Row.__struct_fields__), sep="\t")
