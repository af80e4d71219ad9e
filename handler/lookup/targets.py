"""Target groups: to which ports of a server its load balancers send.

Shapes: Elastic Load Balancing API reference, version 2015-12-01, `TargetGroup`, `TargetHealthDescription`. AWS tells
the targets of one group at a time, never the groups of a target.
"""

from collections.abc import Iterable

from msgspec import Struct

from handler.finding import Protocol
from handler.lookup import load_balancers
from handler.lookup.inquiry import Inquiry, Place
from handler.lookup.load_balancers import Target


class TargetGroup(Struct, frozen=True):
    """A target group. `balancers` are the ARNs of the load balancers that send to it.

    `kind` says what its targets are: `instance`, `ip`, `alb` (another load balancer), `lambda`.
    """

    arn: str
    name: str
    kind: str
    protocols: tuple[Protocol, ...]
    balancers: tuple[str, ...]


class TargetGroups(Struct, frozen=True):
    """All target groups of a place, and why these are not all."""

    inquiry: Inquiry
    place: Place
    all: tuple[TargetGroup, ...]
    problem: str | None

    def named(self, arns: Iterable[str]) -> list[TargetGroup]:
        """Give those of these ARNs."""
        wanted = set(arns)
        return [group for group in self.all if group.arn in wanted]

    def behind(self, balancer: str) -> tuple[list[TargetGroup], list[str]]:
        """Give those to which a load balancer (an ARN) sends, if need be through another, and why these are not all."""
        own = [group for group in self.all if balancer in group.balancers]
        health = [
            load_balancers.target_health(self.inquiry, self.place, group.arn) for group in own if group.kind == "alb"
        ]
        inner = {told.get("Target", {}).get("Id") for answer in health for told in answer.items}
        further = [group for group in self.all if inner & set(group.balancers) and group not in own]
        problems = (self.problem, *(answer.problem for answer in health))
        return own + further, [problem for problem in problems if problem]

    def ports(self, group: TargetGroup, server: Target) -> tuple[set[int], list[str]]:
        """Give the ports of a server that are registered in a group, and why these are not all."""
        answer = load_balancers.target_health(self.inquiry, self.place, group.arn)
        registered = [told.get("Target", {}) for told in answer.items]
        found = {one["Port"] for one in registered if "Port" in one and server.has(one.get("Id", ""))}
        problems = (answer.problem, server.problem if group.kind == "ip" else None)
        return found, [problem for problem in problems if problem]


def read(inquiry: Inquiry, place: Place) -> TargetGroups:
    """List the target groups of a place."""
    answer = inquiry.ask(place, "elbv2", "describe_target_groups", "TargetGroups")
    groups = tuple(
        TargetGroup(
            told.get("TargetGroupArn", ""),
            told.get("TargetGroupName", ""),
            told.get("TargetType", "instance"),
            load_balancers.taken(told.get("Protocol", "")),
            tuple(told.get("LoadBalancerArns", [])),
        )
        for told in answer.items
    )
    return TargetGroups(inquiry, place, groups, answer.problem)
