"""Random policies and findings for the gate, well-formed and malformed, small enough that they meet each other."""

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

Json = Any
TODAY = "2026-11-24"
TAG = "portcullis:allow"
ODD: list[Json] = [
    None,
    True,
    False,
    -1,
    0,
    80.5,
    1e400,
    1e3,
    10**40,
    "",
    " ",
    "\u00a0\u2028",
    "NaN",
    "1e3",
    [],
    {},
    ["80"],
    {"a": 1},
    [[]],
]
CIDRS = [
    *("0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "10.1.0.0/16"),
    *("203.0.113.0/24", "203.0.113.0/25", "203.0.113.128/25", "203.0.113.64/26", "203.0.113.7/32", "198.51.100.0/31"),
    *("255.255.255.255/32", "255.255.255.254/32", "128.0.0.0/2", "192.0.0.0/2", "9.255.255.255/32"),
    *("::/0", "::/1", "8000::/1", "2001:db8::/32", "2001:db8::/33", "2001:db8:8000::/33", "2001:DB8::/32", "0::/0"),
    *("2001:db8::1/128", "fc00::/7", "::/64", "::1.2.3.4/128", "ffff:ffff:ffff:ffff::/64", "0:0:0:0:0:0:0:1/128"),
]
NAMES = ["sg-1", "sg-0a", "222233334444/sg-1", "111122223333/sg-0a", "pl-1", "pl-63a5400a"]
NO_CIDRS = [
    *("10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/08", "10.0.0/8", "10.0.0.0", "::1/64", "::/129", "::ffff:10.0.0.0/104"),
    *("0:0:0:0:0:ffff:cb00:7100/120", "010.0.0.0/8", "10.0.0.0/8 ", "10.0.0.0/-1", "10.0.0.0/+8", "1.2.3.4/0", "/8"),
    *("256.0.0.0/8", "10.0.0.0/8\n", "::/0/0", "fe80::%eth0/64", "::ffff:0:0/96", "anywhere/0", ":/0", "10.0.0.0/a"),
    "::/00",
]
NO_NAMES = ["sg-", "pl-*", "sg-1 ", "SG-1", "22223333444/sg-1", "x/sg-1", "222233334444/pl-1", "nowhere", "sg-1/32"]
NETWORKS = {"anywhere": ["0.0.0.0/0", "::/0"], "v4": ["0.0.0.0/0"], "v6": ["::/0"], "groups": ["sg-*"]}
PORTS: list[Json] = [0, 1, 2, 3, 5, 7, 8, 9, 10, 22, 23, 65534, 65535]
RANGES = ["0-1", "2-3", "3-5", "6-9", "0-9", "5-5", "8-22", "10-30", "0-65535", "1-65535", "60000-65535", "0-0"]
NO_RANGES = [
    *("9-8", "-5", "5-", "+5-9", "5-+9", "05-9", "5-09", "5 - 9", "5-65536", "65536-65537", "5-9 ", " 5-9", "5-9-10"),
    *("5", "80", "5-9\n", "\uff11-\uff19", "5-99999999999999999999", "5_9", "0x5-0x9", "1e1-2e1", "5.0-9.0", "--", "-"),
]
DATES = [TODAY, "2026-11-25", "2027-02-28", "2028-02-29", "9999-12-31", "2026-11-23", "2020-02-29", "0001-01-01"]
NO_DATES = [
    *("2027-6-30", "2027-02-29", "2100-02-29", "2026-11-31", "2027-13-01", "2027-00-10", "0000-01-01", "2027-06-30 "),
    *(
        "20270630",
        "2027-06-30T00:00:00Z",
        "2027-06-31",
        "27-06-30",
        "2027-06-00",
        "never",
        "2027-06-30\n",
        "2027/06/30",
    ),
]
TAGS = [
    "tcp/7 udp/2-5",
    "tcp/0-9",
    "udp/8-22 \t udp/3",
    "tcp/9-8 tcp/5",
    "tcp/05 tcp/5,6 icmp/8 tcp/",
    "",
    "tcp/0-65535",
]
BALANCERS: list[Json] = [*["app/web/1"] * 4, "net/web/2", "", None]
NOWS = [
    "2026-11-24",
    "2026-11-24T06:12:00",
    "2026-02-30T06:12:00Z",
    "2026-11-24T25:12:00Z",
    "2026-11-24T06:12:00+00:00",
]


class Case(NamedTuple):
    """A finding and what applies to it. With `sets`, lists of ports and words reach the gate as Rego sets."""

    finding: Json
    allowances: list[Json]
    prohibitions: list[Json]
    sets: bool


def networks(random: Random) -> dict[str, Json]:
    """Give the named networks of a world, some of them unreadable."""
    drawn = {f"n{number}": _some(random, [*CIDRS, *NAMES, "sg-*"], 4) for number in range(6)}
    broken = {
        "empty": [],
        "text": "10.0.0.0/8",
        "mixed": ["10.0.0.0/8", random.choice(NO_CIDRS)],
        "nested": ["anywhere"],
    }
    return (
        NETWORKS | drawn | broken | {"unknown": ["10.0.0.0/8"], "pl-1": ["203.0.113.0/24"], "odd": [random.choice(ODD)]}
    )


def case(random: Random, named: dict[str, Json]) -> Case:
    """Give a random case; about a third of them has something malformed in it."""
    finding, badly = _finding(random), random.random() < 0.25
    allowances = [_policy(random, named, allowance=True) for _ in range(random.choice([0, 1, 1, 1, 2, 2, 3, 4]))]
    prohibitions = [_policy(random, named, allowance=False) for _ in range(random.choice([0, 0, 0, 1, 1, 2]))]
    if allowances and random.random() < 0.6:
        finding["exposures"] = [_meeting(random, random.choice(allowances), named) for _ in finding["exposures"]]
    if random.random() < 0.15:
        finding = _broken(random, finding, FINDING_BREAKS)
    if badly:
        allowances = [_perhaps_broken(random, value, 0.5) for value in allowances]
        prohibitions = [_perhaps_broken(random, value, 0.3) for value in prohibitions]
    return Case(finding, allowances, prohibitions, random.random() < 0.2)


def _some(random: Random, values: list[Json], most: int) -> list[Json]:
    return [random.choice(values) for _ in range(random.randint(1, most))]


def _policy(random: Random, named: dict[str, Json], *, allowance: bool) -> Json:
    good = [*NETWORKS, *(f"n{number}" for number in range(6)), "pl-1"]
    words = [*NETWORKS, *NETWORKS, *good, *good, *CIDRS, *NAMES, "sg-*"]
    value: dict[str, Json] = {
        "id": random.choice("abcdef"),
        "reason": random.choice(["because", "why not"]),
        "sources": _some(random, words, 3),
    }
    for protocol in random.choice([["tcp"], ["tcp"], ["udp"], ["tcp", "udp"]]):
        value[protocol] = _some(random, [*PORTS, *RANGES], 3)
    if random.random() < 0.2:
        value["labels"] = random.choice([{}, {"ticket": "NET-12"}, {"a b": "c", "link": "https://example.com/é"}])
    if allowance:
        value |= {"owner": random.choice(["x", "y"]), "expires": random.choice([*DATES, *["2027-06-30"] * 8])}
        if random.random() < 0.15:
            value["declared_in"] = random.choice([TAG, TAG, "other"])
        if random.random() < 0.3:
            value["bound"] = "behind a load balancer"
        if random.random() < 0.1:
            value["everywhere"] = True
        return value
    if random.random() < 0.1:
        value["where_unknown"] = "allowed"
    if random.random() < 0.5:
        value["except"] = _some(random, [*words, *named], 3) if random.random() < 0.9 else random.choice([[], *ODD])
    return value


def _finding(random: Random) -> Json:
    tags = {TAG: random.choice(TAGS)} if random.random() < 0.6 else {}
    return {
        "id": random.choice(["f1", "f2", "f3"]),
        "now": f"{TODAY}T06:12:00Z" if random.random() < 0.9 else f"{TODAY}T23:59:59.999Z",
        "reach": "internet",
        "server": {"kind": "instance", "id": "i-1", "tags": tags, "account": "111122223333"},
        "exposures": [_exposure(random) for _ in range(random.choice([1, 1, 1, 2, 3]))],
        "listeners": [_listener(random) for _ in range(random.choice([0, 1, 9, 50]))],
    }


def _listener(random: Random) -> Json:
    return {
        "protocol": random.choice(["tcp", "tcp", "udp"]),
        "port": random.choice(PORTS),
        "task": "web:1",
        "target_group": random.choice(["web", None]),
        "load_balancer": random.choice(BALANCERS),
    }


def _exposure(random: Random) -> Json:
    low = random.choice(PORTS)
    high = low if random.random() < 0.5 else random.choice([port for port in PORTS if port >= low])
    value: dict[str, Json] = {
        "protocol": random.choice(["tcp", "tcp", "udp"]),
        "from_port": low,
        "to_port": high,
        "sources": _some(random, [*CIDRS, *CIDRS, *NAMES, "0.0.0.0/0", "::/0", "unknown", "unknown"], 3),
    }
    if random.random() < 0.2:
        value["prefix_list"] = random.choice(["pl-1", "pl-63a5400a", "pl-63a5400a", "pl-2", None, 7])
    if random.random() < 0.7:
        value["load_balancer"] = random.choice(BALANCERS)
    if random.random() < 0.7:
        value |= {"security_group": random.choice([None, "sg-1", "sg-2"]), "rules": random.choice([[], ["sgr-1"]])}
    return value


def _meeting(random: Random, allowance: Json, named: dict[str, Json]) -> Json:
    """Give an exposure on ports and from sources of a well-formed allowance."""
    protocol = random.choice([protocol for protocol in ("tcp", "udp") if protocol in allowance])
    ends = str(random.choice(allowance[protocol])).split("-")
    literals = [literal for word in allowance["sources"] for literal in named.get(word, [word]) if literal != "sg-*"]
    within = {"from_port": int(ends[0]), "to_port": int(ends[-1]), "sources": _some(random, literals or ["sg-1"], 2)}
    return _exposure(random) | {"protocol": protocol} | within


Break = Callable[[Random, dict[str, Json]], None]


def _set(key: str, values: list[Json]) -> Break:
    return lambda random, value: value.__setitem__(key, random.choice(values))


def _spoil(key: str, values: list[Json]) -> Break:
    def spoil(random: Random, value: dict[str, Json]) -> None:
        if isinstance(value.get(key), list):
            value[key] = [*value[key], random.choice(values)]

    return spoil


def _drop(random: Random, value: dict[str, Json]) -> None:
    if value:
        value.pop(random.choice(list(value)))


def _odd(random: Random, value: dict[str, Json]) -> None:
    if value:
        value[random.choice(list(value))] = random.choice(ODD)


POLICY_BREAKS: list[Break] = [
    *(_drop, _odd, _odd),
    *(_spoil(protocol, [*NO_RANGES, *NO_RANGES, *ODD, 65536]) for protocol in ("tcp", "udp")),
    *(_set(protocol, [80, "80", [], "0-9", {"a": 80}, {}]) for protocol in ("tcp", "udp")),
    *(_spoil(key, [*NO_CIDRS, *NO_NAMES, *ODD, "unknown", "empty", "mixed"]) for key in ("sources", "except")),
    *(_set("sources", ["anywhere", []]), _set("expires", [*NO_DATES, *ODD]), _set("declared_in", [" ", *ODD])),
    _set("labels", [{"a": 5}, {"": "x"}, {"a": " "}, *ODD]),
    *(_set("everywhere", [True, False, "true"]), _set("where_unknown", ["allowed", "denied", *ODD])),
    _set("bound", ["behind a load balancer ", "task", *ODD]),
    *(_set("port", [80]), _set("protocol", ["tcp"]), _set("accounts", [["production"]]), _set("", [1])),
]
EXPOSURE_BREAKS: list[Break] = [
    *(_drop, _odd, _odd, _set("protocol", ["icmp", "TCP", "-1", "sources"])),
    *(_set(key, [-1, 65536, "80", 9.5, 443.0, 0.0, 1e3, -0.0]) for key in ("from_port", "to_port")),
    *(_set("sources", [[], "0.0.0.0/0", {"a": "0.0.0.0/0"}]), _spoil("sources", [*NO_CIDRS, *NO_NAMES, *ODD, "sg-*"])),
    *(_set("security_group", ODD), _set("rules", [*ODD, ["sgr-1", 5]]), _set("load_balancer", ODD)),
]
LISTENER_BREAKS: list[Break] = [
    *(_drop, _odd, _set("port", [-1, 65536, "80", 9.5, 443.0]), _set("load_balancer", ODD), _set("protocol", ["TCP"])),
]


def _inner(key: str, breaks: list[Break]) -> Break:
    def spoil(random: Random, value: dict[str, Json]) -> None:
        if isinstance(value.get(key), list) and value[key]:
            index = random.randrange(len(value[key]))
            value[key][index] = _broken(random, value[key][index], breaks)

    return spoil


FINDING_BREAKS: list[Break] = [
    *(_drop, _odd, *[_inner("exposures", EXPOSURE_BREAKS)] * 6, *[_inner("listeners", LISTENER_BREAKS)] * 2),
    *(
        _set("now", [*NOWS, *ODD]),
        _set("exposures", [[], {}, None]),
        _set("listeners", ODD),
        _set("server", ODD),
        _set("id", ODD),
    ),
    _set("server", [{"tags": tags} for tags in [*ODD, {TAG: 5}, {TAG: None}, {TAG: "tcp/0-9 \x00"}]]),
]


def _broken(random: Random, value: Json, breaks: list[Break]) -> Json:
    if random.random() < 0.05 or not isinstance(value, dict):
        return random.choice(ODD)
    broken = dict(value)
    random.choice(breaks)(random, broken)
    return broken


def _perhaps_broken(random: Random, value: Json, share: float) -> Json:
    return _broken(random, value, POLICY_BREAKS) if random.random() < share else value
