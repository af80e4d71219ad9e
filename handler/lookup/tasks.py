"""Container tasks: which one has bound which ports of which instance, and where its service registers them.

Shapes: Amazon ECS API reference, `ContainerInstance`, `Task`, `NetworkBinding`, `Service`. An instance is a container
instance of one cluster at most, and nothing tells which but the cluster. A task with an interface of its own (awsvpc)
binds no port of the instance.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from msgspec import Struct

from handler.finding import Protocol
from handler.lookup.inquiry import Answer, Inquiry, batches, grouped

_INSTANCES = 100
"""Container instances and tasks of one call, the most that the API takes."""

_FEW_INSTANCES = 5
"""Of more in one cluster, tasks are listed together with those of the cluster's other instances."""

_SERVICES = 10
"""Services of one call, the most that the API takes."""

_CLUSTERS = 100
"""Clusters that are searched for an instance; AWS answers the question only one cluster at a time."""


class Binding(Struct, frozen=True):
    """Ports of an instance that a task has bound, both ends included, with the target groups (ARNs) of its service.

    `task` is the family and the revision of its definition (`frontend:12`).
    """

    protocol: Protocol
    from_port: int
    to_port: int
    task: str
    target_groups: tuple[str, ...] = ()


class Host(Struct, frozen=True):
    """A container instance: what its tasks have bound, and why that may not be all."""

    bindings: tuple[Binding, ...] = ()
    problems: tuple[str, ...] = ()


class _Cluster(Struct, frozen=True):
    """A cluster that is asked."""

    inquiry: Inquiry
    arn: str

    def ask(self, operation: str, field: str, **arguments: Any) -> Answer:
        return self.inquiry.ask("ecs", operation, field, cluster=self.arn, **arguments)

    def describe(self, operation: str, field: str, values: Iterable[str], size: int) -> Answer:
        """Ask for what the API describes by lists of at most this many, and names in the question as in the answer."""
        answers = [self.ask(operation, field, **{field: batch}) for batch in batches(values, size)]
        problem = next((answer.problem for answer in answers if answer.problem), None)
        return Answer(tuple(item for answer in answers for item in answer.items), problem)


def on_instances(inquiry: Inquiry, instances: Iterable[str]) -> dict[str, Host]:
    """Return what has bound the ports of instances; one that is no container instance is left out."""
    wanted = set(instances)
    clusters = inquiry.ask("ecs", "list_clusters", "clusterArns")
    hosts: dict[str, Host] = {}
    problems = [clusters.problem]
    if len(clusters.items) > _CLUSTERS:
        problems.append(f"{' '.join(inquiry.place)} has more than {_CLUSTERS} clusters")
    for arn in _arns(clusters)[:_CLUSTERS]:
        cluster = _Cluster(inquiry, arn)
        container_instances, unread = _container_instances(cluster, wanted - hosts.keys())
        hosts |= _hosts(cluster, container_instances)
        problems += unread
    known = tuple(dict.fromkeys(problem for problem in problems if problem))
    return hosts | {instance: Host((), known) for instance in wanted - hosts.keys() if known}


def _container_instances(cluster: _Cluster, instances: set[str]) -> tuple[dict[str, str], list[str | None]]:
    """Return the ARNs of the container instances that instances are, and why those may not be all."""
    queries = [f"ec2InstanceId in [{', '.join(batch)}]" for batch in batches(sorted(instances), _INSTANCES)]
    listed = [cluster.ask("list_container_instances", "containerInstanceArns", filter=query) for query in queries]
    arns = chain.from_iterable(map(_arns, listed))
    described = cluster.describe("describe_container_instances", "containerInstances", arns, _INSTANCES)
    by_id = {item.get("ec2InstanceId", ""): item.get("containerInstanceArn", "") for item in described.items}
    problems = [*(answer.problem for answer in listed), described.problem]
    return {instance: arn for instance, arn in by_id.items() if instance in instances}, problems


def _hosts(cluster: _Cluster, container_instances: dict[str, str]) -> dict[str, Host]:
    """Return what the tasks of a cluster's instances have bound."""
    listed = _listed(cluster, container_instances)
    described = cluster.describe(
        "describe_tasks", "tasks", chain.from_iterable(map(_arns, listed.values())), _INSTANCES
    )
    by_arn = {task.get("taskArn", ""): task for task in described.items}
    by_container_instance = grouped((task.get("containerInstanceArn", ""), task) for task in by_arn.values())
    tasks = {instance: by_container_instance.get(arn, []) for instance, arn in container_instances.items()}
    services = _services(cluster, chain.from_iterable(tasks.values()))
    groups = {f"service:{item.get('serviceName', '')}": _target_groups(item) for item in services.items}
    hosts: dict[str, Host] = {}
    for instance, answer in listed.items():
        bindings = [binding for task in tasks[instance] for binding in _bindings(task, groups)]
        stopped = [arn.rpartition("/")[2] for arn in _arns(answer) if arn not in by_arn]
        gone = [f"task {task} has stopped meanwhile" for task in stopped if not described.problem]
        problems = filter(None, (answer.problem, described.problem, *gone, services.problem))
        hosts[instance] = Host(tuple(dict.fromkeys(bindings)), tuple(dict.fromkeys(problems)))
    return hosts


def _listed(cluster: _Cluster, container_instances: dict[str, str]) -> dict[str, Answer]:
    """List by instance its tasks, and perhaps others of the cluster."""
    if len(container_instances) > _FEW_INSTANCES:
        return dict.fromkeys(container_instances, cluster.ask("list_tasks", "taskArns"))
    return {
        instance: cluster.ask("list_tasks", "taskArns", containerInstance=arn)
        for instance, arn in container_instances.items()
    }


def _services(cluster: _Cluster, tasks: Iterable[dict[str, Any]]) -> Answer:
    """Describe the services of the tasks that have bound ports."""
    groups = (task.get("group", "") for task in tasks if any(_bindings(task, {})))
    names = {name for group in groups if (name := group.partition("service:")[2])}
    return cluster.describe("describe_services", "services", sorted(names), _SERVICES)


def _target_groups(service: dict[str, Any]) -> tuple[str, ...]:
    """Return the target groups in which a service, or one of its task sets, registers its tasks."""
    registered = [
        each for holder in (service, *service.get("taskSets", [])) for each in holder.get("loadBalancers", [])
    ]
    arns = [each.get("targetGroupArn") for each in registered]
    spare = [each.get("advancedConfiguration", {}).get("alternateTargetGroupArn") for each in registered]
    return tuple(dict.fromkeys(arn for arn in (*arns, *spare) if arn))


def _bindings(task: dict[str, Any], groups: dict[str, tuple[str, ...]]) -> Iterator[Binding]:
    """Yield what the containers of a task have bound. A range of ports is text, IPv4 and IPv6 are told apart."""
    definition = task.get("taskDefinitionArn", "").rpartition("/")[2]
    bound = (binding for container in task.get("containers", []) for binding in container.get("networkBindings", []))
    for item in bound:
        low, _, high = str(item.get("hostPortRange") or item.get("hostPort") or "").partition("-")
        protocol = item.get("protocol", "tcp")
        if low.isdecimal() and (high or low).isdecimal() and protocol in {"tcp", "udp"}:
            yield Binding(protocol, int(low), int(high or low), definition, groups.get(task.get("group", ""), ()))


def _arns(answer: Answer) -> list[str]:
    """Return the ARNs of an answer that lists nothing else."""
    return [str(arn) for arn in answer.items]
