"""Whatever ECS and the load balancers answer, a high port is never taken for one that a task has bound."""

from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from handler.finding import Exposure, Finding
from handler.settings import LookUps
from tests.lookup.cloud import ACCOUNT, looked_up, reported, server
from tests.lookup.endpoint import Endpoint, Fault, Told

ON = LookUps(look_up_containers=True)
ARN = f"arn:aws:ecs:eu-west-1:{ACCOUNT}"
CLUSTER, INSTANCE, TASK = f"{ARN}:cluster/apps", f"{ARN}:container-instance/apps/1", f"{ARN}:task/apps/1"
ELB = f"arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}"
BALANCER, GROUP = f"{ELB}:loadbalancer/app/web/50dc", f"{ELB}:targetgroup/web/73e2"
HOST = "i-0123456789abcdef0"
EXPOSED = Exposure(
    protocol="tcp",
    from_port=32768,
    to_port=60999,
    sources=("0.0.0.0/0",),
    security_group="sg-0b",
    rules=("sgr-1",),
    load_balancer="app/web/50dc",
)
ACCESS_DENIED = Fault("AccessDeniedException")

WHAT_HAS_BOUND = f"which task has bound a port of {HOST} is unknown"
WHERE_REGISTERED = f"where the ports of {HOST} are registered is unknown"


def service(**fields: Any) -> dict[str, Any]:
    """Give the service of the task."""
    return {"serviceName": "web", "loadBalancers": [registered(GROUP)], **fields}


def registered(group: str, **fields: Any) -> dict[str, Any]:
    """Give a target group in which a service registers a port of its container."""
    return {"targetGroupArn": group, "containerName": "web", "containerPort": 80, **fields}


def task(arn: str = TASK, port: int = 40000) -> dict[str, Any]:
    """Give a task that has bound a port."""
    binding = {"bindIP": "0.0.0.0", "containerPort": 80, "hostPort": port, "protocol": "tcp"}  # noqa: S104  as ECS does
    return {
        "taskArn": arn,
        "containerInstanceArn": INSTANCE,
        "taskDefinitionArn": f"{ARN}:task-definition/frontend:12",
        "group": "service:web",
        "containers": [{"name": "web", "networkBindings": [binding]}],
    }


@pytest.fixture
def aws(endpoint: Endpoint) -> Endpoint:
    """Give an AWS in which a task has bound 40000 of the host, registered behind a load balancer."""
    group = {"TargetGroupArn": GROUP, "TargetGroupName": "web", "Protocol": "HTTP", "LoadBalancerArns": [BALANCER]}
    endpoint.tells |= {
        "ListClusters": {"clusterArns": [CLUSTER]},
        "ListContainerInstances": {"containerInstanceArns": [INSTANCE]},
        "DescribeContainerInstances": {
            "containerInstances": [{"containerInstanceArn": INSTANCE, "ec2InstanceId": HOST}]
        },
        "ListTasks": {"taskArns": [TASK]},
        "DescribeTasks": {"tasks": [task()]},
        "DescribeServices": {"services": [service()]},
        "DescribeTargetGroups": {"TargetGroups": [group]},
    }
    return endpoint


def high() -> Finding:
    """Give a finding whose high ports are reached through the load balancer."""
    return replace(reported(server(HOST), ("tcp", 32768, 60999)), exposures=(EXPOSED,))


def look(*findings: Finding, deadline: float | None = None) -> Finding:
    """Look the findings up; the first of them."""
    return looked_up(*(findings or (high(),)), settings=ON, deadline=deadline)[0]


def test_all_is_well(aws: Endpoint) -> None:
    """The AWS of these tests tells what it should, each in one call; who reaches the ports is not looked up."""
    found = look()
    assert [(one.port, one.task, one.load_balancer) for one in found.listeners] == [
        (40000, "frontend:12", "app/web/50dc")
    ]
    assert found.exposures == (EXPOSED,)
    assert Counter(aws.actions()) == Counter(set(aws.tells))


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        ("ListClusters", ACCESS_DENIED),
        ("ListTasks", ACCESS_DENIED),
        ("DescribeTasks", ACCESS_DENIED),
        ("ListTasks", Fault("ThrottlingException")),
        ("ListTasks", Fault("ServerException", 500)),
    ],
)
def test_without_tasks_there_is_no_listener(aws: Endpoint, operation: str, fault: Told) -> None:
    """Denied, throttled or failing: the port may be anybody's, and the action is named."""
    aws.tells[operation] = fault
    found = look()
    assert found.listeners == ()
    [note] = [note for note in found.notes if note.endswith(WHAT_HAS_BOUND)]
    assert note.startswith(f"ecs:{operation} ")


def test_a_port_of_a_container_that_its_service_registers_nowhere_is_behind_nothing(aws: Endpoint) -> None:
    """A task may bind a port for its load balancer and another one beside it."""
    binding = {"containerPort": 9000, "hostPort": 40001, "protocol": "tcp"}
    aws.tells["DescribeTasks"] = {"tasks": [{**task(), "containers": [{"name": "web", "networkBindings": [binding]}]}]}
    assert [(one.port, one.load_balancer) for one in look().listeners] == [(40001, None)]


@pytest.mark.parametrize("answer", [b"{", b"[]", b"null"])
@pytest.mark.parametrize("operation", ["ListClusters", "ListTasks", "DescribeTasks"])
def test_an_answer_that_is_none_binds_nothing(aws: Endpoint, operation: str, answer: bytes) -> None:
    """What boto3 takes for an empty answer, and what it fails on."""
    aws.tells[operation] = answer
    found = look()
    assert found.listeners == ()
    assert found.notes


@pytest.mark.parametrize("operation", ["ListContainerInstances", "DescribeContainerInstances"])
def test_a_host_that_cannot_be_found_has_no_listener(aws: Endpoint, operation: str) -> None:
    """It is not said that it is no container instance."""
    aws.tells[operation] = ACCESS_DENIED
    found = look()
    assert found.listeners == ()
    assert [note for note in found.notes if HOST in note and "app/web" not in note] == [
        f"ecs:{operation} was denied in {ACCOUNT}: {WHAT_HAS_BOUND}"
    ]


@pytest.mark.parametrize(
    "fault", [pytest.param(Fault("AccessDenied", 403), id="denied"), pytest.param(Fault("Throttling"), id="throttled")]
)
def test_without_target_groups_a_bound_port_is_registered_nowhere(aws: Endpoint, fault: Fault) -> None:
    """It has a task and no load balancer, so no policy can take it for one that is reached through one."""
    aws.tells["DescribeTargetGroups"] = fault
    found = look()
    assert found.exposures == (EXPOSED,)
    assert [(one.task, one.load_balancer) for one in found.listeners] == [("frontend:12", None)]
    [note] = [note for note in found.notes if note.endswith(WHERE_REGISTERED)]
    assert note.startswith("elasticloadbalancing:DescribeTargetGroups was ")


def test_without_the_service_a_bound_port_is_registered_nowhere(aws: Endpoint) -> None:
    """Nothing else tells where its tasks are registered."""
    aws.tells["DescribeServices"] = ACCESS_DENIED
    found = look()
    assert [(one.port, one.load_balancer) for one in found.listeners] == [(40000, None)]
    assert f"ecs:DescribeServices was denied in {ACCOUNT}: {WHAT_HAS_BOUND}" in found.notes


def test_a_host_that_has_left_its_cluster_is_no_container_instance(aws: Endpoint) -> None:
    """Empty answers are no failures."""
    for empty in ({"containerInstances": [], "failures": [{"arn": INSTANCE, "reason": "MISSING"}]}, {}):
        aws.tells["DescribeContainerInstances"] = empty
        found = look()
        assert found.listeners == ()
        assert f"{HOST} is no container instance of {ACCOUNT} eu-west-1" in found.notes


@pytest.mark.parametrize(
    "deployed",
    [
        {"loadBalancers": [], "taskSets": [{"loadBalancers": [registered(GROUP)]}]},
        {"loadBalancers": [registered(f"{GROUP}0", advancedConfiguration={"alternateTargetGroupArn": GROUP})]},
    ],
    ids=["task set", "blue and green"],
)
def test_a_target_group_of_a_deployment_counts(aws: Endpoint, deployed: dict[str, Any]) -> None:
    """However a service is deployed, its target groups are known."""
    aws.tells["DescribeServices"] = {"services": [service(**deployed)]}
    found = look(replace(high(), exposures=(replace(EXPOSED, load_balancer="app/api/1"),)))
    assert [one.load_balancer for one in found.listeners] == ["app/web/50dc"]


@pytest.mark.parametrize(
    "binding",
    [{}, {"hostPort": 0}, {"hostPortRange": "x-y"}, {"hostPort": 40000, "protocol": "sctp"}, {"hostPortRange": "-"}],
)
def test_a_binding_that_cannot_be_read_binds_nothing(aws: Endpoint, binding: dict[str, Any]) -> None:
    """The port is nobody's then."""
    aws.tells["DescribeTasks"] = {"tasks": [{**task(), "containers": [{"networkBindings": [binding]}, {}]}]}
    assert look().listeners == ()


def test_many_tasks_are_listed_in_pages_and_described_in_hundreds(aws: Endpoint) -> None:
    """None is missed."""
    arns = [f"{TASK}{number}" for number in range(150)]
    aws.tells["ListTasks"] = lambda form: (
        {"taskArns": arns[75:]} if "nextToken" in form else {"taskArns": arns[:75], "nextToken": "more"}
    )
    aws.tells["DescribeTasks"] = lambda form: {"tasks": [task(arn, 40000 + arns.index(arn)) for arn in form["tasks"]]}
    assert len(look().listeners) == 150
    assert [len(form["tasks"]) for action, form in aws.asked if action == "DescribeTasks"] == [100, 50]


def test_a_page_that_never_ends_is_given_up(aws: Endpoint) -> None:
    """What was told until then is known, and the rest is not."""
    aws.tells["ListTasks"] = {"taskArns": [TASK], "nextToken": "again"}
    found = look()
    assert any(note.startswith("ecs:ListTasks failed") and note.endswith(WHAT_HAS_BOUND) for note in found.notes)


def test_clusters_are_searched_until_the_host_is_found(aws: Endpoint) -> None:
    """One that is in the second is not looked for in the third."""
    aws.tells["ListClusters"] = {"clusterArns": [f"{CLUSTER}{number}" for number in range(3)]}
    aws.tells["ListContainerInstances"] = lambda form: (
        {"containerInstanceArns": [INSTANCE]} if form["cluster"] == f"{CLUSTER}1" else {}
    )
    assert len(look().listeners) == 1
    asked = [form for action, form in aws.asked if action == "ListContainerInstances"]
    assert [form["cluster"] for form in asked] == [f"{CLUSTER}0", f"{CLUSTER}1"]
    assert {form["filter"] for form in asked} == {f"ec2InstanceId in [{HOST}]"}


def test_no_time_is_left(aws: Endpoint) -> None:
    """Nothing is asked then, and everything stays exposed."""
    found = look(deadline=0.0)
    assert (found.listeners, found.exposures) == ((), (EXPOSED,))
    assert f"no time was left for look-ups: {WHAT_HAS_BOUND}" in found.notes
    assert aws.asked == []


@pytest.mark.usefixtures("endpoint")
def test_a_region_that_denies_everything_loses_nothing() -> None:
    """Each missing permission is named, and the finding is judged as it came."""
    found = look()
    assert (found.listeners, found.exposures) == ((), (EXPOSED,))
    assert [note.partition(" was denied")[0] for note in found.notes] == ["ecs:ListClusters"]
