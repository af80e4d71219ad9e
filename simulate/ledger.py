"""Keeps, exposure by exposure, what was true beside what people were told.

An exposure is a server, a port, an address and a longest time in which that address is let in and not allowed to be.
It is due once the scanner sees its port. Servers of one fleet are behind the same rules: one that opens while people
believe another to be open counts as told by the rule, until a digest names it; and the closing of the last one closes
all that have ended.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from simulate.world import ADDRESSES, DAY, HOUR, Denied, Fleet, Port

Key = tuple[str, Port, str]
"""A server's id, a port, and an address."""

Shared = tuple[str, Port, str]
"""A fleet's name, a port, and an address."""

GRACE = 2 * HOUR
"""What is over sooner need not be told, and what is not told after it is late."""


class Exposure(Struct, eq=False):
    """What is known of one; times are seconds, absent until they have come.

    `by_event` is whether the scanner's seeing it made it due. `kept` is whether people believed it to be open from
    before, `by_rule` since when another of its fleet stood for it, `tellings` when messages named it as open, and
    `is_mentioned` whether one said that it still is. `closable` is when it could be known that it has ended, `closed`
    when that was told. `is_real` is false of what was never denied and told all the same. `by_stream` and `by_script`
    are how often the scanner's events told it, and how often the founding script would have.
    """

    key: Key
    shared: Shared
    start: float
    due: float | None = None
    by_event: bool = False
    end: float | None = None
    kept: bool = False
    by_rule: float | None = None
    tellings: list[float] = []
    closable: float | None = None
    closed: float | None = None
    is_mentioned: bool = False
    is_missed: bool = False
    is_real: bool = True
    by_stream: int = 0
    by_script: int = 0

    @property
    def told(self) -> float | None:
        """When people knew of it, be it by its rule."""
        times = [*self.tellings[:1], *([self.by_rule] if self.by_rule is not None else [])]
        return self.start if self.kept else min(times, default=None)

    def lasted(self, now: float) -> float:
        """Return for how long it could be told."""
        return (now if self.end is None else self.end) - self.due if self.due is not None else 0

    def is_untold(self, now: float) -> bool:
        """Say whether nobody has named it, although there was time; by its rule it stands for a day and more."""
        if self.kept or self.tellings or self.is_mentioned or self.lasted(now) <= GRACE:
            return False
        end = now if self.end is None else self.end
        return self.by_rule is None or end - self.by_rule > DAY + GRACE


class Ledger:
    """What is true and what is believed now, and every exposure so far."""

    def __init__(self) -> None:
        self.exposures: list[Exposure] = []
        self.false_closings: list[tuple[float, Key]] = []
        self.needless: list[tuple[float, Key]] = []
        """What was told as open that was not denied any more."""
        self.messages: dict[str, dict[int, int]] = {name: defaultdict(int) for name in ("told", "stream", "script")}
        """By day: of the function, the scanner's events, and what the founding script would have sent."""
        self.believed: set[Key] = set()
        self._fleets: dict[str, Fleet] = {}
        self._servers: dict[str, list[str]] = defaultdict(list)
        self._current: dict[Key, Exposure] = {}
        self._ended: dict[Key, Exposure] = {}
        self._denied: dict[str, Denied] = {}
        self._open: dict[str, set[Port]] = {}
        self._seen: dict[str, set[Port]] = defaultdict(set)
        self._unseen: dict[tuple[str, Port], float] = {}
        """Since when the scanner says no more that a port is open."""

    def truth(self, fleet: Fleet, server: str, denied: Denied, opened: set[Port], at: float) -> None:
        """Take what of a server is denied and what is open."""
        if server not in self._fleets:
            self._fleets[server] = fleet
            self._servers[fleet.name].append(server)
        before = self._denied.get(server, {})
        self._denied[server], self._open[server] = denied, opened
        if before != denied:
            for key in _keys(server, before) - _keys(server, denied):
                self._end(key, at)
            for key in sorted(_keys(server, denied) - _keys(server, before)):
                self._begin(key, at)
        self._close_up(server, at)

    def seen(self, server: str, ports: set[Port], at: float) -> None:
        """Take what the scanner says is open on a server."""
        added = ports - self._seen[server]
        self._unseen |= dict.fromkeys(((server, port) for port in self._seen[server] - ports), at)
        self._seen[server] = ports
        for port in sorted(added):
            for address in sorted(self._denied.get(server, {}).get(port, ())):
                self._fall_due(self._current[server, port, address], at, by_event=True)
        self._close_up(server, at)

    def _begin(self, key: Key, at: float) -> None:
        server, port, address = key
        exposure = Exposure(key, (self._fleets[server].name, port, address), at, kept=key in self.believed)
        self._check_closing(key, at)
        self._ended.pop(key, None)
        self._current[key] = exposure
        self.exposures.append(exposure)
        if port in self._seen[server]:
            self._fall_due(exposure, at, by_event=False)

    def _fall_due(self, exposure: Exposure, at: float, *, by_event: bool) -> None:
        if exposure.due is None:
            exposure.due, exposure.by_event = at, by_event
            if any(other in self.believed for other in self._others(exposure.key)):
                exposure.by_rule = at

    def _end(self, key: Key, at: float) -> None:
        exposure = self._current.pop(key)
        exposure.end = at
        if key in self.believed or exposure.by_rule is not None:
            self._ended[key] = exposure

    def _close_up(self, server: str, at: float) -> None:
        """Note when it could be known that something has ended: while the scanner still says that it is open, not."""
        for key, exposure in self._ended.items():
            is_known = key[1] in self._open.get(server, ()) or key[1] not in self._seen[server]
            if key[0] == server and exposure.closable is None and is_known:
                exposure.closable = at

    def _others(self, key: Key) -> Iterator[Key]:
        """Yield the same port and address on the other servers of a fleet, those that are gone too."""
        for server in self._servers[self._fleets[key[0]].name]:
            if server != key[0]:
                yield server, key[1], key[2]

    def _check_closing(self, key: Key, at: float) -> None:
        """Note that the closing of what ended has not been told, although there was time."""
        exposure = self._ended.get(key)
        if exposure is None or key not in self.believed:
            return
        others = [*self._others(key)]
        times = [self._ended[other].closable for other in others if other in self._ended] + [exposure.closable]
        over = [time for time in times if time is not None]
        withheld = len(over) < len(times) or any(
            other in self._current or key[1] in self._seen[other[0]] - self._open[other[0]] for other in others
        )
        exposure.is_missed = not withheld and at - max([*over, *self._scanned_late(key)]) > GRACE

    def _scanned_late(self, key: Key) -> Iterator[float]:
        """Yield when the scanner noticed that a server of the fleet, as one that is gone, has a port open no more."""
        for server, port, _ in (key, *self._others(key)):
            if port not in self._open[server] and (server, port) in self._unseen:
                yield self._unseen[server, port]

    def take(self, messages: Sequence[Mapping[str, Any]], at: float) -> None:
        """Take what an invocation has sent: what of it people heard before, and what they believe from now on.

        What has opened and closed at once stands in two of its messages, and counts once.
        """
        self.messages["told"][int(at // DAY)] += len(messages)
        entries: list[Mapping[str, Any]] = []
        for entry in (entry for message in messages for entry in message.get("news", ())):
            if entry not in entries:
                entries.append(entry)
        named: set[Key] = set()
        for entry in entries:
            self._take_closed(entry, at)
            self._mention(entry)
            for port, source in _ports(entry["opened"]):
                named |= self._opened(entry["server"], port, source, at)
        for key in sorted(named):
            self._tell(key, at)

    def _mention(self, entry: Mapping[str, Any]) -> None:
        """Note what a message lists as told before and still open: of some of it only its rule may have been told."""
        for port, source in _ports(entry["before"]):
            for address in ADDRESSES[source]:
                if exposure := self._current.get((entry["server"], port, address)):
                    exposure.is_mentioned = True
                    self.believed.add(exposure.key)

    def deliver(self, server: str, ports: Iterable[Port], *, is_open: bool, is_listed: bool, at: float) -> None:
        """Take an event as it would reach people without the function, and by the script unless its list has it."""
        self.messages["stream"][int(at // DAY)] += 1
        self.messages["script"][int(at // DAY)] += is_open and not is_listed
        exposures = [
            self._current[server, port, address]
            for port in ports
            for address in self._denied.get(server, {}).get(port, ())
        ]
        for exposure in exposures if is_open else ():
            exposure.by_stream += 1
            exposure.by_script += not is_listed

    def _opened(self, server: str, port: Port, source: str, at: float) -> set[Key]:
        """Return what a message names as open: of a wide source what is new in it, or else all of it."""
        addresses = ADDRESSES[source]
        if source == "unknown":
            addresses = self._denied[server].get(port) or addresses
        keys = {(server, port, address) for address in addresses}
        if not any(key in self._current for key in keys):
            self.needless.append((at, min(keys)))
        return keys - self.believed or keys

    def _tell(self, key: Key, at: float) -> None:
        self.believed.add(key)
        exposure = self._current.get(key) or self._ended.get(key)
        if exposure is None:
            shared = (self._fleets[key[0]].name, *key[1:])
            exposure = Exposure(key, shared, at, due=at, end=at, is_real=False)
            self.exposures.append(exposure)
            self._ended[key] = exposure
            self._close_up(key[0], at)
        exposure.tellings = [*exposure.tellings, at]
        for other in self._others(key):
            beside = self._current.get(other)
            if beside is not None and beside.told is None and beside.due is not None:
                beside.by_rule = at

    def _take_closed(self, entry: Mapping[str, Any], at: float) -> None:
        server = entry["server"]
        still = {(server, port, address) for port, source in _ports(entry["before"]) for address in ADDRESSES[source]}
        for port, source in _ports(entry["closed"]):
            for address in ADDRESSES[source]:
                key = (server, port, address)
                if key not in still:
                    self._closed(key, at)

    def _closed(self, key: Key, at: float) -> None:
        exposure = self._current.get(key)
        if exposure is not None and key in self.believed:
            if exposure.tellings or not exposure.kept:
                self.false_closings.append((at, key))
            exposure.kept = False
        self.believed.discard(key)
        ended = [self._ended.pop(other) for other in (key, *self._others(key)) if other in self._ended]
        times = [exposure.closable for exposure in ended]
        since = max([*(time for time in times if time is not None), *self._scanned_late(key)], default=at)
        for exposure in ended:
            exposure.closed = at
            exposure.closable = since
            self.believed.discard(exposure.key)

    def finish(self, at: float) -> None:
        """Note at the end whose closing was not told."""
        for key in self._ended:
            self._check_closing(key, at)


def _keys(server: str, denied: Denied) -> set[Key]:
    return {(server, port, address) for port, addresses in denied.items() for address in addresses}


def _ports(parts: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Port, str]]:
    for part in parts:
        for port in range(part["from_port"], part["to_port"] + 1):
            yield (part["protocol"], port), part["source"]
