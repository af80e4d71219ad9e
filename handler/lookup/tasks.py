"""Container tasks: which one has bound which ports of which instance, and where its service registers them.

Shapes: Amazon ECS API reference, `ContainerInstance`, `Task`, `NetworkBinding`, `Service`. An instance is a container
instance of one cluster at most, and nothing tells which but the cluster. A task with an interface of its own (awsvpc)
binds no port of the instance.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from handler.finding import Protocol
from handler.lookup.inquiry import Answer, Inquiry, Place

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

    bindings: tuple[Binding, ...]
    problems: tuple[str, ...]


def on_instances(inquiry: Inquiry, place: Place, instances: Iterable[str]) -> dict[str, Host]:
    """Give what has bound the ports of instances; one that is no container instance is left out."""
    wanted = set(instances)
    found, problems = _container_instances(inquiry, place, wanted)
    hosts: dict[str, Host] = {}
    for cluster in dict.fromkeys(cluster for cluster, _ in found.values()):
        own = {instance: arn for instance, (where, arn) in found.items() if where == cluster}
        hosts |= _hosts(inquiry, place, cluster, own)
    if problems:
        hosts |= {instance: Host((), problems) for instance in wanted - hosts.keys()}
    return hosts


def _container_instances(
    inquiry: Inquiry, place: Place, wanted: set[str]
) -> tuple[dict[str, tuple[str, str]], tuple[str, ...]]:
    """Give cluster and ARN of the container instance that an instance is, and why those may not be all."""
    told = inquiry.ask(place, "ecs", "list_clusters", "clusterArns")
    clusters = _arns(told)
    problems = [told.problem] if told.problem else []
    found: dict[str, tuple[str, str]] = {}
    for cluster in clusters[:_CLUSTERS]:
        missing = sorted(wanted - found.keys())
        for some in _chunks(missing, _INSTANCES):
            chosen = f"ec2InstanceId in [{', '.join(some)}]"
            listed = inquiry.ask(
                place, "ecs", "list_container_instances", "containerInstanceArns", cluster=cluster, filter=chosen
            )
            problems += [listed.problem] if listed.problem else []
            for arns in _chunks(_arns(listed), _INSTANCES):
                known = inquiry.ask(
                    place,
                    "ecs",
                    "describe_container_instances",
                    "containerInstances",
                    cluster=cluster,
                    containerInstances=arns,
                )
                problems += [known.problem] if known.problem else []
                found |= {
                    one.get("ec2InstanceId", ""): (cluster, one.get("containerInstanceArn", "")) for one in known.items
                }
    if len(clusters) > _CLUSTERS:
        problems.append(f"{place.account} {place.region} has more than {_CLUSTERS} clusters")
    return {instance: where for instance, where in found.items() if instance in wanted}, tuple(dict.fromkeys(problems))


def _hosts(inquiry: Inquiry, place: Place, cluster: str, own: dict[str, str]) -> dict[str, Host]:
    """Give what the tasks of a cluster's instances have bound."""
    listed = _listed(inquiry, place, cluster, own)
    wanted = {instance: _arns(answer) for instance, answer in listed.items()}
    tasks, problems = _tasks(
        inquiry, place, cluster, list(dict.fromkeys(one for arns in wanted.values() for one in arns))
    )
    on: dict[str, list[dict[str, Any]]] = {arn: [] for arn in own.values()}
    for task in tasks.values():
        on.get(task.get("containerInstanceArn", ""), []).append(task)
    groups, more = _services(inquiry, place, cluster, (task for here in on.values() for task in here))
    hosts: dict[str, Host] = {}
    for instance, arns in wanted.items():
        bindings = [one for task in on[own[instance]] for one in _bindings(task, groups)]
        gone = [f"task {arn.rpartition('/')[2]} has stopped meanwhile" for arn in arns if arn not in tasks]
        told = [listed[instance].problem, *(problems or gone), *more]
        hosts[instance] = Host(tuple(dict.fromkeys(bindings)), tuple(dict.fromkeys(one for one in told if one)))
    return hosts


def _listed(inquiry: Inquiry, place: Place, cluster: str, own: dict[str, str]) -> dict[str, Answer]:
    """List by instance its tasks, and perhaps others of the cluster."""
    if len(own) > _FEW_INSTANCES:
        return dict.fromkeys(own, inquiry.ask(place, "ecs", "list_tasks", "taskArns", cluster=cluster))
    return {
        instance: inquiry.ask(place, "ecs", "list_tasks", "taskArns", cluster=cluster, containerInstance=arn)
        for instance, arn in own.items()
    }


def _tasks(
    inquiry: Inquiry, place: Place, cluster: str, arns: Sequence[str]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Give tasks by their ARN, and why these are not all; one that has stopped meanwhile is not among them."""
    answers = [
        inquiry.ask(place, "ecs", "describe_tasks", "tasks", cluster=cluster, tasks=some)
        for some in _chunks(arns, _INSTANCES)
    ]
    tasks = {task.get("taskArn", ""): task for answer in answers for task in answer.items}
    return tasks, [answer.problem for answer in answers if answer.problem]


def _services(
    inquiry: Inquiry, place: Place, cluster: str, tasks: Iterable[dict[str, Any]]
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Give the target groups of the services of tasks by the tasks' group, and why these are not all."""
    binding = (task for task in tasks if any(_bindings(task, {})))
    names = sorted({name for task in binding if (name := task.get("group", "").partition("service:")[2])})
    answers = [
        inquiry.ask(place, "ecs", "describe_services", "services", cluster=cluster, services=some)
        for some in _chunks(names, _SERVICES)
    ]
    services = (service for answer in answers for service in answer.items)
    groups = {f"service:{one.get('serviceName', '')}": tuple(dict.fromkeys(_target_groups(one))) for one in services}
    return groups, [answer.problem for answer in answers if answer.problem]


def _target_groups(service: dict[str, Any]) -> Iterator[str]:
    """Give the target groups in which a service, or one of its task sets, registers its tasks."""
    for told in (one for holder in (service, *service.get("taskSets", [])) for one in holder.get("loadBalancers", [])):
        spare = told.get("advancedConfiguration", {}).get("alternateTargetGroupArn")
        yield from (arn for arn in (told.get("targetGroupArn"), spare) if arn)


def _bindings(task: dict[str, Any], groups: dict[str, tuple[str, ...]]) -> Iterator[Binding]:
    """Give what the containers of a task have bound. A range of ports is text, IPv4 and IPv6 are told apart."""
    definition = task.get("taskDefinitionArn", "").rpartition("/")[2]
    for told in (one for container in task.get("containers", []) for one in container.get("networkBindings", [])):
        low, _, high = str(told.get("hostPortRange") or told.get("hostPort") or "").partition("-")
        protocol = told.get("protocol", "tcp")
        if low.isdecimal() and (high or low).isdecimal() and protocol in {"tcp", "udp"}:
            yield Binding(protocol, int(low), int(high or low), definition, groups.get(task.get("group", ""), ()))


def _arns(answer: Answer) -> list[str]:
    """Give an answer that lists ARNs and nothing else."""
    return [str(arn) for arn in answer.items]


def _chunks(values: Sequence[str], most: int) -> Iterator[list[str]]:
    return (list(values[start : start + most]) for start in range(0, len(values), most))
