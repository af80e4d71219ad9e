"""Random policies and Inspector events from a seed: random ports, ranges, networks and sources.

Each allowance is for one service: by the name of its server, or by a tag. An event tells one port range of one server.
The addresses that can reach it are told beside it, as the look-ups would find them: one exposure for each.
"""

import json
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any, Literal, NamedTuple

import yaml

from handler.cli import main

Json = dict[str, Any]
Form = Literal["rules", "rows"]

SEED = 20261124
ACCOUNT = "111122223333"
NOW = "2026-11-24T06:12:00Z"
POLICIES = Path(__file__).parent.parent / "policies"
NETWORKS = {
    "anywhere": ["0.0.0.0/0", "::/0"],
    "office": ["203.0.113.0/24", "2001:db8:ff1::/48"],
    "partner": ["198.51.100.0/25", "192.0.2.0/26"],
    "private": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "sg-*"],
}


class Event(NamedTuple):
    """An event of EventBridge, and the addresses that can reach the port that it tells."""

    event: Json
    sources: list[str]


def allowances(count: int, random: Random) -> list[Json]:
    """Give `count` allowances of about two ports and one range for every second, until some day of the next years."""
    return [_allowance(number, random) for number in range(count)]


def events(count: int, allowances: list[Json], denied: float, random: Random) -> list[Event]:
    """Give `count` events on ports that an allowance covers, and about the share `denied` on what none covers."""
    return [_event(number, random.choice(allowances), random, deny=random.random() < denied) for number in range(count)]


def write(folder: Path, allowances: list[Json], form: Form) -> None:
    """Write the shipped policies and, as Rego rules or as rows of the table, the allowances."""
    shutil.copytree(POLICIES, folder)
    (folder / "networks" / "data.yaml").write_text(json.dumps(NETWORKS))
    if form == "rules":
        text = "package allow\n" + "".join(map(_rule, allowances))
        (folder / "allow" / "bench.rego").write_text(text)
    else:
        table = folder / "servers" / "data.yaml"
        rows = yaml.safe_load(table.read_text())
        for allowance in allowances:
            key, value = _service(allowance)
            places = rows["by_name"] if key is None else rows["by_tag"].setdefault(key, {})
            places.setdefault(value, []).append(allowance | {"accounts": ["production"]})
        table.write_text(json.dumps(rows))


def check(policies: Path) -> None:
    """Check policies as their image would, so that they have a register."""
    with redirect_stdout(StringIO()):
        main(["check", str(policies)])


def rego(folder: Path) -> dict[str, bytes]:
    """Give the files of an engine."""
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.rglob("*.rego"))}


def _allowance(number: int, random: Random) -> Json:
    ports: list[int | str] = [random.randint(1, 65535) for _ in range(random.randint(1, 3))]
    if random.random() < 0.5:
        low = random.randint(1, 60000)
        ports.append(f"{low}-{low + random.randint(1, 5000)}")
    return {
        "id": f"service-{number}",
        random.choice(["tcp", "tcp", "tcp", "udp"]): ports,
        "sources": random.choice([["anywhere"], random.sample(sorted(NETWORKS), random.randint(1, 2))]),
        "owner": f"team-{random.randint(1, 20)}",
        "reason": f"What service {number} is for",
        "expires": f"20{random.randint(27, 30)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}",
    }


def _service(allowance: Json) -> tuple[str | None, str]:
    """Give the key and value of the tag by which the servers of an allowance are known; null for their name."""
    return (None if int(allowance["id"].removeprefix("service-")) % 2 else "Service"), allowance["id"]


def _rule(allowance: Json) -> str:
    key, value = _service(allowance)
    known = "name" if key is None else f"tags.{key}"
    return (
        f"\nallowance contains {json.dumps(allowance)} if {{\n"
        f'\tinput.server.{known} == "{value}"\n\tinput.server.account in data.accounts.production\n}}\n'
    )


def _event(number: int, allowance: Json, random: Random, *, deny: bool) -> Event:
    protocol = "tcp" if "tcp" in allowance else "udp"
    item = random.choice(allowance[protocol])
    low, high = _ends(item) if deny else _within(item, random)
    sources = [_address(random.choice(allowance["sources"]), random) for _ in range(random.choice([1, 1, 1, 2, 3]))]
    if deny:
        ways = [way for way in BESIDE if way is not _anyone or "anywhere" not in allowance["sources"]]
        low, high, sources = random.choice(ways)(low, high, sources, random)
    tags = {"Environment": "prod", "Service": allowance["id"]}
    name = allowance["id"] if _service(allowance)[0] is None else f"server-{number}"
    return Event(_told(number, (protocol, low, high), tags | {"Name": name}), sorted(set(sources)))


def _ends(item: int | str) -> tuple[int, int]:
    low, _, high = str(item).partition("-")
    return int(low), int(high or low)


def _within(item: int | str, random: Random) -> tuple[int, int]:
    """Give the port, or a part of the range that is often one port."""
    low, high = _ends(item)
    start = random.randint(low, high)
    return start, random.choice([start, random.randint(start, high)])


def _address(network: str, random: Random) -> str:
    if network == "anywhere":
        return random.choice(["0.0.0.0/0", "::/0", "unknown", f"198.18.{random.randint(0, 255)}.0/24"])
    if network == "office":
        return f"203.0.113.{random.randint(0, 255)}/32"
    if network == "partner":
        return f"198.51.100.{random.randint(0, 127)}/32"
    return random.choice([f"10.{random.randint(0, 255)}.0.0/16", f"sg-{random.randint(0, 0xFFFF):017x}"])


Beside = tuple[int, int, list[str]]


def _wider(low: int, high: int, sources: list[str], random: Random) -> Beside:
    return max(0, low - random.randint(1, 50)), min(65535, high + random.randint(1, 50)), _public(sources)


def _elsewhere(low: int, high: int, sources: list[str], random: Random) -> Beside:
    del low
    port = (high + random.randint(6000, 50000)) % 65536
    return port, port, _public(sources)


def _prohibited(low: int, high: int, sources: list[str], random: Random) -> Beside:
    del low, high
    port = random.choice([23, 3389])
    return port, port, ["0.0.0.0/0", *sources]


def _anyone(low: int, high: int, sources: list[str], random: Random) -> Beside:
    return low, high, [random.choice(["0.0.0.0/0", "::/0", "unknown", "192.0.2.128/25"]), *sources]


def _public(sources: list[str]) -> list[str]:
    """Give those to which the shipped allowances for private networks do not open every port."""
    return [source for source in sources if not source.startswith(("10.", "sg-"))] or ["0.0.0.0/0"]


BESIDE: list[Callable[[int, int, list[str], Random], Beside]] = [_wider, _elsewhere, _prohibited, _anyone]


def _told(number: int, ports: tuple[str, int, int], tags: dict[str, str]) -> Json:
    protocol, low, high = ports
    arn, instance = f"arn:aws:inspector2:eu-west-1:{ACCOUNT}:finding/{number:032x}", f"i-{number:017x}"
    types = ("InternetGateway", "NetworkAcl", "SecurityGroup", "NetworkInterface", "Instance")
    ids = ("igw-0a1", "acl-0a1", f"sg-{number % 1000:017x}", f"eni-{number:017x}", instance)
    steps = [{"componentId": name, "componentType": f"AWS::EC2::{kind}"} for name, kind in zip(ids, types, strict=True)]
    seen = "Tue Nov 24 05:58:10.334 UTC 2026"
    machine = {
        "type": "t3.medium",
        "imageId": "ami-0a1",
        "ipV4Addresses": ["203.0.113.20", "10.0.2.148"],
        "ipV6Addresses": [],
        "launchedAt": "Mon Nov 02 15:25:03.000 UTC 2026",
        "platform": "AMAZON_LINUX_2023",
        "subnetId": "subnet-0a1",
        "vpcId": "vpc-0a1",
    }
    return {
        "version": "0",
        "id": f"{number:08x}-53a3-ecf7-b4c8-0a9ffc19a8ec",
        "detail-type": "Inspector2 Finding",
        "source": "aws.inspector2",
        "account": ACCOUNT,
        "time": "2026-11-24T05:58:12Z",
        "region": "eu-west-1",
        "resources": [instance],
        "detail": {
            "awsAccountId": ACCOUNT,
            "findingArn": arn,
            "type": "NETWORK_REACHABILITY",
            "status": "ACTIVE",
            "severity": "MEDIUM",
            "title": f"Port {low} is reachable from an Internet Gateway - {protocol.upper()}",
            "description": f"On the instance {instance}, the port range {low}-{high} is reachable from igw-0a1.",
            "firstObservedAt": seen,
            "lastObservedAt": seen,
            "updatedAt": seen,
            "networkReachabilityDetails": {
                "openPortRange": {"begin": low, "end": high},
                "protocol": protocol.upper(),
                "networkPath": {"steps": steps},
            },
            "resources": [
                {
                    "type": "AWS_EC2_INSTANCE",
                    "id": instance,
                    "partition": "aws",
                    "details": {"awsEc2Instance": machine},
                    "tags": tags,
                }
            ],
        },
    }
