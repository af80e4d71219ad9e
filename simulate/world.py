"""The truth: servers in fleets, the rules of each fleet's security group, and the allowances of the policies.

A fleet's servers have one security group and one role. What is open and what is denied is reckoned here by sets of
addresses, apart from the gate. Times are seconds since the beginning.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from msgspec import Struct
from msgspec.structs import replace

BEGINNING = datetime(2027, 1, 1, tzinfo=UTC)
HOUR, DAY = 3600, 86400
REGION = "eu-west-1"
ACCOUNTS = ("111122223333", "222233334444", "333344445555", "444455556666")

OFFICE, PARTNER, ANYWHERE = "203.0.113.0/24", "198.51.100.0/25", "0.0.0.0/0"
NETWORKS = {"office": OFFICE, "partner": PARTNER, "anywhere": ANYWHERE}
ADDRESSES = {
    OFFICE: frozenset({"office"}),
    PARTNER: frozenset({"partner"}),
    ANYWHERE: frozenset({"office", "partner", "elsewhere"}),
    "unknown": frozenset({"office", "partner", "elsewhere"}),
}
"""What each source stands for: the networks are told apart by an address in each."""

Port = tuple[str, int]
Denied = dict[Port, frozenset[str]]
"""By port the addresses of the sources that are open there and not allowed."""

ROLES: dict[str, list[tuple[int, int, str]]] = {
    "shop": [(80, 80, "anywhere"), (443, 443, "anywhere")],
    "gateway": [(443, 443, "anywhere"), (8000, 8005, "partner")],
    "login": [(22, 22, "office")],
    "ledger": [(5432, 5432, "office"), (5432, 5432, "partner")],
    "build": [(8080, 8080, "office"), (9000, 9003, "office")],
    "mail": [(25, 25, "anywhere"), (587, 587, "anywhere")],
}
"""What the servers of a role are for: ports that are open and allowed from the beginning."""

RISKS = [(22, 22), (21, 21), (5432, 5432), (6379, 6379), (8000, 8005), (8003, 8003), (8080, 8080), (9000, 9003)]
LIFETIMES = [HOUR / 2, 4 * HOUR, 20 * HOUR, 3 * DAY, 9 * DAY, 40 * DAY]


class Rule(Struct, frozen=True):
    """A rule of a security group: TCP ports, both ends included, and who is let in."""

    id: str
    low: int
    high: int
    source: str

    @property
    def ports(self) -> list[Port]:
        """Each port by itself."""
        return [("tcp", port) for port in range(self.low, self.high + 1)]


class Server(Struct):
    """An instance."""

    id: str
    fleet: "Fleet"
    tags: dict[str, str]


class Fleet(Struct, eq=False):
    """Servers behind one security group."""

    name: str
    account: str
    role: str
    group: str
    rules: dict[str, Rule] = {}
    servers: dict[str, Server] = {}


class Allowance(Struct, frozen=True):
    """What servers of a role may have open, until the end of a day (its number since the beginning)."""

    id: str
    role: str
    low: int
    high: int
    network: str
    last_day: int


class World:
    """The organization as it is now. `days` is how long it will be watched."""

    def __init__(self, random: Random, servers: int, days: int) -> None:
        self._random = random
        self._days = days
        self._numbers = count(1)
        self.now = 0.0
        self.fleets: list[Fleet] = []
        self.groups: dict[str, Fleet] = {}
        self.servers: dict[str, Server] = {}
        self.allowances: dict[str, Allowance] = {
            f"{role}-{low}-{network}": Allowance(
                f"{role}-{low}-{network}", role, low, high, network, random.randint(3, max(3, days))
            )
            for role, uses in ROLES.items()
            for low, high, network in uses
        }
        while len(self.servers) < servers:
            self._add_fleet(min(random.choice([1, 1, 2, 3, 5, 8, 12]), servers - len(self.servers)))

    def _name(self, prefix: str) -> str:
        return f"{prefix}-{next(self._numbers):017x}"

    def _add_fleet(self, size: int) -> None:
        number = len(self.fleets) + 1
        role = self._random.choice([*ROLES])
        fleet = Fleet(f"{role}-{number:02}", self._random.choice(ACCOUNTS), role, self._name("sg"))
        for low, high, network in ROLES[role]:
            self.open(fleet, low, high, NETWORKS[network])
        for _ in range(size):
            self.launch(fleet)
        self.fleets.append(fleet)
        self.groups[fleet.group] = fleet

    def launch(self, fleet: Fleet) -> Server:
        """Add a server to a fleet."""
        name = self._name("i")
        server = Server(name, fleet, {"Name": f"{fleet.name}-{name[-4:]}", "Role": fleet.role, "Team": fleet.role})
        fleet.servers[name] = self.servers[name] = server
        return server

    def terminate(self, server: Server) -> None:
        """Take a server away."""
        del self.servers[server.id], server.fleet.servers[server.id]

    def open(self, fleet: Fleet, low: int, high: int, source: str) -> Rule:
        """Add a rule to a fleet's group."""
        rule = Rule(self._name("sgr"), low, high, source)
        fleet.rules[rule.id] = rule
        return rule

    def day(self) -> int:
        """Return the number of the day."""
        return int(self.now // DAY)

    def has_just_expired(self) -> bool:
        """Say whether yesterday was the last day of an allowance."""
        return any(allowance.last_day == self.day() - 1 for allowance in self.allowances.values())

    def denied(self, fleet: Fleet) -> Denied:
        """Return what of a fleet's rules no allowance covers now."""
        denied: Denied = {}
        for rule in fleet.rules.values():
            for port in rule.ports:
                if not ADDRESSES[rule.source] <= self._allowed(fleet.role, port[1]):
                    denied[port] = denied.get(port, frozenset()) | ADDRESSES[rule.source]
        return denied

    def _allowed(self, role: str, port: int) -> frozenset[str]:
        addresses: frozenset[str] = frozenset()
        for allowance in self.allowances.values():
            if allowance.role == role and allowance.low <= port <= allowance.high and self.day() <= allowance.last_day:
                addresses |= ADDRESSES[NETWORKS[allowance.network]]
        return addresses

    def lists(self, role: str, low: int, high: int) -> bool:
        """Say whether each port is allowed on servers of a role, from wherever: all that a list of ports says."""
        listed = {
            port
            for allowance in self.allowances.values()
            if allowance.role == role
            for port in range(allowance.low, allowance.high + 1)
        }
        return listed.issuperset(range(low, high + 1))

    def release_policies(self) -> None:
        """Change the policies: most of what has expired or is about to is renewed, and something else is allowed."""
        random, today = self._random, self.day()
        for allowance in [*self.allowances.values()]:
            if allowance.id.startswith("for-a-while"):
                if allowance.last_day < today or random.random() < 0.2:
                    del self.allowances[allowance.id]
            elif allowance.last_day <= today + 20 and random.random() < 0.7:
                renewed = today + random.randint(30, max(31, self._days))
                self.allowances[allowance.id] = replace(allowance, last_day=renewed)
        role, (low, high) = random.choice([*ROLES]), random.choice(RISKS)
        name = self._name("for-a-while")
        until = today + random.randint(2, 40)
        self.allowances[name] = Allowance(name, role, low, high, random.choice([*NETWORKS]), until)

    def spelled_allowances(self) -> Iterator[dict[str, object]]:
        """Yield the allowances as rows of a policy's table, with their roles."""
        for allowance in self.allowances.values():
            yield {
                "role": allowance.role,
                "id": allowance.id,
                "tcp": [f"{allowance.low}-{allowance.high}"],
                "sources": [allowance.network],
                "owner": allowance.role,
                "reason": f"What {allowance.role} is for",
                "expires": (BEGINNING + timedelta(days=allowance.last_day)).date().isoformat(),
            }


def moment(seconds: float) -> datetime:
    """Return the time of the calendar, to the second."""
    return BEGINNING + timedelta(seconds=int(seconds))
