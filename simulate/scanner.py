"""Amazon Inspector as far as it matters here: looks at each server twice a day, and tells what has changed.

One finding is one port range of one group on one server. It is told when it opens, when it closes, and anew whenever
the server is restarted or a tag changes. A closed finding opens again within seven days under its old ARN. Without its
scanner an account has no findings, and nobody says that they are gone.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from random import Random
from types import SimpleNamespace
from typing import Any

from msgspec import Struct

from simulate.world import ACCOUNTS, DAY, HOUR, REGION, Port, Server, World, moment

PERIOD = 12 * HOUR
_REOPENS, _KEPT, _KEPT_OF_GONE = 7 * DAY, 30 * DAY, 3 * DAY

Range = tuple[str, int, int]
"""A server's id, and the first and last port."""


class Reported(Struct):
    """A finding as Inspector has it; `account`, `group` and `tags` as they were when it was last told."""

    arn: str
    range: Range
    server: Server
    first: float
    updated: float
    is_open: bool = True


class Scanner:
    """The scanner of all accounts."""

    def __init__(self, world: World, random: Random) -> None:
        self._world = world
        self._random = random
        self.findings: dict[Range, Reported] = {}
        self.off: set[str] = set()
        """The accounts in which it is switched off."""
        self._scanned: dict[str, float] = {}

    def scan(self, server: Server, at: float) -> list[Reported]:
        """Look at a server, be it there or not; return what has changed."""
        if server.fleet.account in self.off:
            return []
        self._scanned[server.id] = at
        is_there = server.id in self._world.servers
        ranges = {(server.id, rule.low, rule.high) for rule in server.fleet.rules.values()} if is_there else set()
        known = {name: finding for name, finding in self.findings.items() if name[0] == server.id}
        changed = [self._opened(server, name, at) for name in sorted(ranges) if not self._is_open(name)]
        for name, finding in known.items():
            if finding.is_open and name not in ranges:
                finding.is_open, finding.updated = False, at
                changed.append(finding)
        return changed

    def _is_open(self, name: Range) -> bool:
        return name in self.findings and self.findings[name].is_open

    def _opened(self, server: Server, name: Range, at: float) -> Reported:
        finding = self.findings.get(name)
        if finding is not None and at - finding.updated < _REOPENS:
            finding.is_open, finding.updated = True, at
            return finding
        arn = f"arn:aws:inspector2:{REGION}:{server.fleet.account}:finding/{self._random.getrandbits(128):032x}"
        self.findings[name] = Reported(arn, name, server, at, at)
        return self.findings[name]

    def touch(self, server: Server, at: float) -> list[Reported]:
        """Tell anew what is open on a server, as after a restart or a change of its tags."""
        if server.fleet.account in self.off:
            return []
        touched = [finding for finding in self.findings.values() if finding.server is server and finding.is_open]
        for finding in touched:
            finding.updated = at
        return touched

    def switch_off(self, account: str) -> None:
        """Forget every finding of an account and what was scanned, without a word."""
        self.off.add(account)
        self._scanned = {
            name: at
            for name, at in self._scanned.items()
            if name in self._world.servers and self._world.servers[name].fleet.account != account
        }
        for name, finding in [*self.findings.items()]:
            if finding.server.fleet.account == account:
                del self.findings[name]

    def forget(self, at: float) -> None:
        """Delete what has been closed for long."""
        for name, finding in [*self.findings.items()]:
            kept = _KEPT if finding.server.id in self._world.servers else _KEPT_OF_GONE
            if not finding.is_open and at - finding.updated > kept:
                del self.findings[name]

    def seen(self, server: str) -> set[Port]:
        """Return the ports that it says are open on a server."""
        return set(self._ports(server))

    def _ports(self, server: str) -> Iterator[Port]:
        for (name, low, high), finding in self.findings.items():
            if name == server and finding.is_open:
                for port in range(low, high + 1):
                    yield "tcp", port

    # What boto3's client answers to a sweep.

    def batch_get_account_status(self, **call: Any) -> Any:
        """Say whether it is on in accounts."""
        states = {account: "DISABLED" if account in self.off else "ENABLED" for account in call["accountIds"]}
        return {
            "accounts": [
                {"accountId": account, "resourceState": {"ec2": {"status": state}}} for account, state in states.items()
            ]
        }

    def get_paginator(self, name: str) -> Any:
        """Return what gives everything in one page."""
        answer = {"list_findings": self._list, "list_coverage": self._list_coverage, "list_members": self._list_members}
        return SimpleNamespace(paginate=lambda **call: iter([answer[name](call)]))

    def _list(self, call: Any) -> Any:
        [account] = call["filterCriteria"]["awsAccountId"]
        return {
            "findings": [
                detail(finding, moment)
                for finding in self.findings.values()
                if finding.server.fleet.account == account["value"]
            ]
        }

    def _list_coverage(self, call: Any) -> Any:
        [account] = call["filterCriteria"]["accountId"]
        servers = [server for server in self._world.servers.values() if server.fleet.account == account["value"]]
        return {"coveredResources": [self._covered(server.id) for server in servers]}

    def _covered(self, server: str) -> Any:
        if server not in self._scanned:
            return {"resourceId": server, "scanStatus": {"statusCode": "INACTIVE", "reason": "PENDING_INITIAL_SCAN"}}
        status = {"statusCode": "ACTIVE", "reason": "SUCCESSFUL"}
        return {"resourceId": server, "scanStatus": status, "lastScannedAt": moment(self._scanned[server])}

    def _list_members(self, _: Any) -> Any:
        return {"members": [{"accountId": account} for account in ACCOUNTS]}


def event(finding: Reported, number: int, account: str) -> dict[str, Any]:
    """Return the event that EventBridge has of a finding in an account: the member's or the administrator's."""
    return {
        "version": "0",
        "id": f"{number:08x}-53a3-ecf7-b4c8-0a9ffc19a8ec",
        "detail-type": "Inspector2 Finding",
        "source": "aws.inspector2",
        "account": account,
        "time": moment(finding.updated).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [finding.server.id],
        "detail": detail(finding, lambda at: moment(at).strftime("%a %b %d %H:%M:%S.000 UTC %Y")),
    }


def detail(finding: Reported, spelled: Callable[[float], str | datetime]) -> dict[str, Any]:
    """Return a finding with its times as an event or boto3 spells them."""
    server, low, high = finding.range
    types = ("InternetGateway", "NetworkAcl", "SecurityGroup", "NetworkInterface", "Instance")
    ids = ("igw-0a1", "acl-0a1", finding.server.fleet.group, f"eni-{server[2:]}", server)
    steps = [{"componentId": name, "componentType": f"AWS::EC2::{kind}"} for name, kind in zip(ids, types, strict=True)]
    resource = {
        "type": "AWS_EC2_INSTANCE",
        "id": server,
        "partition": "aws",
        "region": REGION,
        "details": {"awsEc2Instance": {"subnetId": "subnet-0a1", "vpcId": "vpc-0a1"}},
        "tags": finding.server.tags,
    }
    return {
        "awsAccountId": finding.server.fleet.account,
        "findingArn": finding.arn,
        "type": "NETWORK_REACHABILITY",
        "status": "ACTIVE" if finding.is_open else "CLOSED",
        "severity": "MEDIUM",
        "title": f"Port {low} is reachable from an Internet Gateway - TCP",
        "description": f"On the instance {server}, the port range {low}-{high} is reachable from igw-0a1.",
        "firstObservedAt": spelled(finding.first),
        "lastObservedAt": spelled(finding.updated),
        "updatedAt": spelled(finding.updated),
        "networkReachabilityDetails": {
            "openPortRange": {"begin": low, "end": high},
            "protocol": "TCP",
            "networkPath": {"steps": steps},
        },
        "resources": [resource],
    }
