"""Container tasks: which one has bound which ports of which instance, and where its service registers them.

Shapes: Amazon ECS API reference, `ContainerInstance`, `Task`, `NetworkBinding`, `Service`. An instance is a container
instance of one cluster at most, and nothing tells which but the cluster. A task with an interface of its own (awsvpc)
binds no port of the instance.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from msgspec import Struct

from handler.finding import Protocol
from handler.lookup.inquiry import Answer, Inquiry, batches, grouped

_AT_ONCE = {"services": 10}
"""What one call describes at most; 100 of all else."""

_FEW_INSTANCES = 5
"""Of more in one cluster, tasks are listed together with those of the cluster's other instances."""

_Ask = Callable[..., Answer]
"""Asks a cluster: the operation, the field of the answer, and arguments."""


class Binding(Struct, frozen=True):
    """Ports of an instance that a task has bound, both ends included.

    `task` is the family and the revision of its definition (`frontend:12`), `target_groups` are those (ARNs) in which
    its service registers them.
    """

    protocol: Protocol
    from_port: int
    to_port: int
    task: str
    target_groups: tuple[str, ...] = ()


class Host(Struct, frozen=True):
    """A container instance: what its tasks have bound, and why that may not be all."""

    bindings: tuple[Binding, ...] = ()
    problem: str | None = None


def on_instances(inquiry: Inquiry, instances: Iterable[str]) -> dict[str, Host]:
    """Return what has bound the ports of instances; one that is no container instance is left out."""
    wanted = set(instances)
    clusters = inquiry.ask("ecs", "list_clusters", "clusterArns")
    hosts: dict[str, Host] = {}
    problem = clusters.problem
    for cluster in clusters.items:
        ask = partial(inquiry.ask, "ecs", cluster=cluster)
        queries = [f"ec2InstanceId in [{', '.join(batch)}]" for batch in batches(sorted(wanted - hosts.keys()), 100)]
        listed = _joined(ask("list_container_instances", "containerInstanceArns", filter=query) for query in queries)
        described = _described(ask, "describe_container_instances", "containerInstances", listed)
        problem = problem or described.problem
        arns = {item.get("containerInstanceArn", ""): item.get("ec2InstanceId", "") for item in described.items}
        hosts |= _hosts(ask, {arn: instance for arn, instance in arns.items() if instance in wanted})
    return hosts | {instance: Host((), problem) for instance in wanted - hosts.keys() if problem}


def _hosts(ask: _Ask, instances: dict[str, str]) -> dict[str, Host]:
    """Return what the tasks of a cluster's instances, by their ARN as container instances, have bound."""
    few = [{"containerInstance": arn} for arn in instances] if len(instances) <= _FEW_INSTANCES else [{}]
    listed = _joined(ask("list_tasks", "taskArns", **arguments) for arguments in few)
    described = _described(ask, "describe_tasks", "tasks", listed)
    tasks = [task for task in described.items if task.get("containerInstanceArn") in instances]
    names = {task.get("group", "").partition("service:")[2] for task in tasks if any(_bindings(task, {}))} - {""}
    services = _described(ask, "describe_services", "services", Answer((*sorted(names),), described.problem))
    groups = {f"service:{service.get('serviceName', '')}": _target_groups(service) for service in services.items}
    bindings = grouped(
        (task.get("containerInstanceArn", ""), binding) for task in tasks for binding in _bindings(task, groups)
    )
    return {
        instance: Host(tuple(dict.fromkeys(bindings.get(arn, ()))), services.problem)
        for arn, instance in instances.items()
    }


def _described(ask: _Ask, operation: str, field: str, listed: Answer) -> Answer:
    """Describe what an answer lists; why that is not all is why the description is not."""
    answers = [ask(operation, field, **{field: batch}) for batch in batches(listed.items, _AT_ONCE.get(field, 100))]
    return _joined([Answer((), listed.problem), *answers])


def _joined(answers: Iterable[Answer]) -> Answer:
    """Return several answers as one, which is not whole if one of them is not."""
    answered = list(answers)
    problem = next((answer.problem for answer in answered if answer.problem), None)
    return Answer(tuple(item for answer in answered for item in answer.items), problem)


def _target_groups(service: dict[str, Any]) -> dict[Any, list[str]]:
    """Return the target groups in which a service, or one of its task sets, registers ports, by container and port."""
    registered = [
        each for holder in (service, *service.get("taskSets", [])) for each in holder.get("loadBalancers", [])
    ]
    return grouped(
        ((each.get("containerName"), each.get("containerPort")), arn)
        for each in registered
        for arn in (each.get("targetGroupArn"), each.get("advancedConfiguration", {}).get("alternateTargetGroupArn"))
        if arn
    )


def _bindings(task: dict[str, Any], groups: dict[str, dict[Any, list[str]]]) -> Iterator[Binding]:
    """Yield what the containers of a task have bound. A range of ports is text, IPv4 and IPv6 are told apart."""
    definition = task.get("taskDefinitionArn", "").rpartition("/")[2]
    of_service = groups.get(task.get("group", ""), {})
    containers = task.get("containers", [])
    for name, item in ((each.get("name"), item) for each in containers for item in each.get("networkBindings", [])):
        low, _, high = str(item.get("hostPortRange") or item.get("hostPort") or "").partition("-")
        protocol = item.get("protocol", "tcp")
        if low.isdecimal() and (high or low).isdecimal() and protocol in {"tcp", "udp"}:
            arns = tuple(dict.fromkeys(of_service.get((name, item.get("containerPort")), ())))
            yield Binding(protocol, int(low), int(high or low), definition, arns)
