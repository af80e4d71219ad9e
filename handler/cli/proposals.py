"""Groups what is denied into allowances that somebody may answer for, and writes them, and the rest as comments."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from msgspec import Struct
from msgspec.structs import replace

from handler.alert import policies
from handler.alert.case import title
from handler.alert.opening import Opening, identifier, rego, wanted
from handler.alert.text import SUMMARY, first, ports, quoted, short
from handler.bundle import Folder
from handler.check.data_files import Data
from handler.cli.summary import Line, number
from handler.decision import Denied
from handler.finding import UNKNOWN, Server

_COLUMNS = 118
_REASONS, _WAYS = 3, 10
_EVERYBODY = ["0.0.0.0/0", "::/0"]

_PROHIBITED = "Not proposed: a prohibition forbids it."
_UNREAD = "Not proposed: it is not known from where it is open. With --look-up that is read from AWS."
_UNDECIDABLE = "Not proposed: it could not be judged. Treat it as open."
_LAST = (
    "Administrative ports, or every port, open to anywhere: close these rather than allow them. What you delete here "
    "stays denied."
)


class Proposal(Struct, frozen=True, kw_only=True):
    """An allowance for servers of one account, of whom one team can answer for what is open.

    `critical` is whether administrative ports, or every port, are open to anywhere. `ways` are the security groups
    through which it is open, with their rules, and `reasons` say which allowances come near.
    """

    id: str = ""
    account: str
    team: str
    critical: bool
    opening: Opening
    servers: tuple[Server, ...]
    ways: tuple[str, ...]
    reasons: tuple[str, ...]


class Baseline:
    """What is denied today, judged line by line. `tag` is that by whose value servers are kept apart: their team's."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._servers: dict[tuple[str, str], Server] = {}
        self._denied: dict[tuple[str, str], list[tuple[str, Denied]]] = {}
        self.left_out: dict[str, dict[str, None]] = {_PROHIBITED: {}, _UNREAD: {}, _UNDECIDABLE: {}}
        """What no allowance is proposed for, by the reason."""

    def add(self, line: Line) -> None:
        """Add what is denied of an outcome, or could not be judged."""
        finding, decision = line.told.finding, line.told.decision
        name = title(finding.server, SUMMARY.characters) if finding is not None else ""
        if line.told.outcome == "undecidable":
            place = name or f"{line.file}: record {line.record}"
            self._leave_out(_UNDECIDABLE, f"{place}: {line.told.reason}")
        if finding is None or decision is None or decision.undecidable:
            return
        key = (finding.server.account, finding.server.id)
        if key not in self._servers or finding.server.tags_known:
            self._servers[key] = finding.server
        for entry in decision.denied:
            opened = f"{name}: {ports(entry.protocol, entry.from_port, entry.to_port)}"
            if entry.cause == "prohibited":
                self._leave_out(_PROHIBITED, f"{opened} from {entry.source}: {entry.prohibition}")
            elif entry.source == UNKNOWN:
                self._leave_out(_UNREAD, opened)
            else:
                self._denied.setdefault(key, []).append((finding.reach, entry))

    def proposals(self, taken: Iterable[str]) -> list[Proposal]:
        """Return the allowances that together permit what is denied and can be allowed: critical ones last.

        `taken` are ids that they may not have.
        """
        alike: dict[tuple[str, str, bool, Opening], list[tuple[Server, list[Denied]]]] = {}
        for key, denied in self._denied.items():
            server = self._servers[key]
            team = server.tags.get(self._tag, "").strip()
            for critical, opening, entries in _openings(denied):
                alike.setdefault((server.account, team, critical, opening), []).append((server, entries))
        unnamed = [
            Proposal(
                account=account,
                team=team,
                critical=critical,
                opening=opening,
                servers=tuple(server for _, server in sorted({server.id: server for server, _ in same}.items())),
                ways=_each_once(_way(entry) for _, entries in same for entry in entries),
                reasons=_each_once(entry.reason for _, entries in same for entry in entries if entry.nearest),
            )
            for (account, team, critical, opening), same in alike.items()
        ]
        ids, named = set(taken), []
        for proposal in sorted(unnamed, key=_order):
            named.append(replace(proposal, id=identifier(_words(proposal), proposal.opening, ids)))
            ids.add(named[-1].id)
        return named

    def _leave_out(self, why: str, sentence: str) -> None:
        self.left_out[why][short(sentence, 500)] = None


@lru_cache(maxsize=16384)
def united(sources: tuple[str, ...]) -> tuple[str, ...]:
    """Return sources with networks that adjoin or lie in each other as one; beside everything there is nothing else."""
    families: dict[int, list[IPv4Network | IPv6Network]] = {4: [], 6: []}
    others = set()
    for source in sources:
        try:
            network = ip_network(source)
        except ValueError:
            others.add(source)
        else:
            families[network.version].append(network)
    networks = [str(network) for family in families.values() for network in collapse_addresses(family)]  # type: ignore[type-var]
    return tuple(networks if networks == _EVERYBODY else (*networks, *sorted(others)))


def text(
    proposals: Iterable[Proposal],
    left_out: Mapping[str, Iterable[str]],
    folder: Folder,
    heading: Iterable[str],
    expires: str,
) -> str:
    """Write proposals as a file of Rego for `policies/allow`, with owner and reason left blank.

    A network of the folder that has exactly the sources is named. `left_out` is that of the `Baseline`.
    """
    networks = Data(folder).lists("networks")
    names = {united(tuple(members)): name for name, members in sorted(networks.items(), reverse=True)}
    names |= {tuple(_EVERYBODY): "anywhere"} if "anywhere" in networks else {}
    blanks = ['"owner": "",', '"reason": "",', f'"expires": "{expires}",']
    written: dict[bool, list[str]] = {False: [], True: []}
    for proposal in proposals:
        opening = proposal.opening
        words = [names[opening.sources]] if opening.sources in names else opening.sources
        servers = [server.id for server in proposal.servers]
        written[proposal.critical].append(
            "\n".join([*_about(proposal, folder), rego(proposal.id, opening, words, servers, proposal.account, blanks)])
        )
    comments = [
        "\n".join([*_comment(why), *(line for sentence in sentences for line in _comment(sentence, "  "))])
        for why, sentences in left_out.items()
        if sentences
    ]
    sections = [
        "\n".join(line for sentence in heading for line in _comment(sentence)),
        "package allow",
        *written[False],
        "\n#\n".join(comments),
        "\n".join(_comment(_LAST)) if written[True] else "",
        *written[True],
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _openings(denied: Sequence[tuple[str, Denied]]) -> Iterator[tuple[bool, Opening, list[Denied]]]:
    """Yield what is denied on a server, sources united: whether it is critical, the opening, and its entries."""
    for critical in (False, True):
        alike = [(reach, entry) for reach, entry in denied if (entry.severity == "critical") == critical]
        for opening in wanted(alike):
            entries = [entry for reach, entry in alike if reach == opening.reach and entry.source in opening.sources]
            sources = united(opening.sources)
            becomes_everybody = any(source in sources and source not in opening.sources for source in _EVERYBODY)
            yield critical or becomes_everybody, replace(opening, sources=sources), entries


def _way(entry: Denied) -> str:
    """Name the security group through which something is open, and its rules; empty where nobody knows it."""
    rules = f" ({', '.join(entry.rules)})" if entry.rules else ""
    return f"{entry.security_group}{rules}" if entry.security_group else ""


def _each_once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))


def _order(proposal: Proposal) -> tuple[object, ...]:
    return (proposal.critical, proposal.account, proposal.team, proposal.opening.ports, proposal.servers[0].id)


def _words(proposal: Proposal) -> list[str]:
    """Return what an id begins with: the server, or account and team of several."""
    server = proposal.servers[0]
    if len(proposal.servers) > 1:
        return [proposal.team[:40], proposal.account]
    return [server.name[:40], server.id] if isinstance(server.name, str) else [server.id]


def _about(proposal: Proposal, folder: Folder) -> Iterator[str]:
    """Yield the comment above an allowance: on which servers it is open, through what, what is near."""
    names = ", ".join(title(server, SUMMARY.characters) for server in proposal.servers)
    team = f" of team {quoted(proposal.team, SUMMARY.characters)}" if proposal.team else ""
    account = policies.account(str(folder.path), proposal.account)
    yield from _comment(f"Open on {number(len(proposal.servers), 'server')}{team} in account {account}: {names}")
    if proposal.ways:
        ways = first(proposal.ways, _WAYS, lambda way: short(way, SUMMARY.characters))
        yield from _comment(f"through {', '.join(ways)}", "  ")
    for reason in first(proposal.reasons, _REASONS, lambda reason: short(reason, 300)):
        yield from _comment(reason, "  ")


def _comment(sentence: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        sentence,
        _COLUMNS,
        initial_indent=f"# {indent}",
        subsequent_indent=f"# {indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
