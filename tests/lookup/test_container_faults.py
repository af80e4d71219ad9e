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
    return {"serviceName": "web", "loadBalancers": [{"targetGroupArn": GROUP}], **fields}


def task(arn: str = TASK, port: int = 40000) -> dict[str, Any]:
    """Give a task that has bound a port."""
    binding = {"bindIP": "0.0.0.0", "containerPort": 80, "hostPort": port, "protocol": "tcp"}  # noqa: S104  as ECS does
    return {
        "taskArn": arn,
        "containerInstanceArn": INSTANCE,
        "taskDefinitionArn": f"{ARN}:task-definition/frontend:12",
        "group": "service:web",
        "containers": [{"networkBindings": [binding]}],
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
        "DescribeNetworkInterfaces": {"NetworkInterfaces": [{"Attachment": {"InstanceId": HOST}}]},
        "DescribeTargetGroups": {"TargetGroups": [group]},
        "DescribeTargetHealth": {"TargetHealthDescriptions": [{"Target": {"Id": HOST, "Port": 40000}}]},
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
    ("operation", "fault"),
    [
        ("DescribeTargetGroups", Fault("AccessDenied", 403)),
        ("DescribeTargetHealth", Fault("AccessDenied", 403)),
        ("DescribeTargetHealth", Fault("Throttling")),
    ],
)
def test_without_target_groups_everything_stays_exposed(aws: Endpoint, operation: str, fault: Fault) -> None:
    """Where a bound port is registered is not known then."""
    aws.tells[operation] = fault
    found = look()
    assert found.exposures == (EXPOSED,)
    [note] = [note for note in found.notes if note.endswith(WHERE_REGISTERED)]
    assert note.startswith(f"elasticloadbalancing:{operation} was ")


def test_without_the_service_the_load_balancer_on_the_way_is_known(aws: Endpoint) -> None:
    """Its own target groups tell what is registered behind it."""
    aws.tells["DescribeServices"] = ACCESS_DENIED
    found = look()
    assert [one.load_balancer for one in found.listeners] == ["app/web/50dc"]
    assert f"ecs:DescribeServices was denied in {ACCOUNT}: {WHAT_HAS_BOUND}" in found.notes


def test_without_target_groups_a_bound_port_is_registered_nowhere(aws: Endpoint) -> None:
    """It has a task and no load balancer, so no policy can take it for one that is reached through one."""
    aws.tells["DescribeTargetHealth"] = Fault("AccessDenied", 403)
    found = look(replace(high(), exposures=(replace(EXPOSED, load_balancer="app/api/1"),)))
    assert [(one.task, one.load_balancer) for one in found.listeners] == [("frontend:12", None)]
    assert any(note.endswith(WHERE_REGISTERED) for note in found.notes)


def test_a_task_that_has_stopped_meanwhile_is_named(aws: Endpoint) -> None:
    """ECS answers that it is missing, and no error."""
    aws.tells["DescribeTasks"] = {"tasks": [], "failures": [{"arn": TASK, "reason": "MISSING"}]}
    found = look()
    assert found.listeners == ()
    assert f"task 1 has stopped meanwhile: {WHAT_HAS_BOUND}" in found.notes


def test_a_host_that_has_left_its_cluster_is_no_container_instance(aws: Endpoint) -> None:
    """Empty answers are no failures."""
    for empty in ({"containerInstances": [], "failures": [{"arn": INSTANCE, "reason": "MISSING"}]}, {}):
        aws.tells["DescribeContainerInstances"] = empty
        found = look()
        assert found.listeners == ()
        assert f"{HOST} is no container instance of {ACCOUNT} eu-west-1" in found.notes


def test_an_instance_without_interfaces_may_be_registered_by_an_address(aws: Endpoint) -> None:
    """A target group of addresses cannot be matched then."""
    aws.tells["DescribeNetworkInterfaces"] = {}
    groups: Any = aws.tells["DescribeTargetGroups"]
    groups["TargetGroups"][0]["TargetType"] = "ip"
    found = look()
    assert found.exposures == (EXPOSED,)
    assert f"{HOST} has no network interface now: {WHERE_REGISTERED}" in found.notes


def test_an_ipv6_address_is_the_same_in_any_spelling(aws: Endpoint) -> None:
    """A target is as it was registered."""
    interface = {"Attachment": {"InstanceId": HOST}, "Ipv6Addresses": [{"Ipv6Address": "2001:db8::7"}]}
    aws.tells["DescribeNetworkInterfaces"] = {"NetworkInterfaces": [interface]}
    target = {"Id": "2001:0DB8:0:0::0007", "Port": 40000}
    aws.tells["DescribeTargetHealth"] = {"TargetHealthDescriptions": [{"Target": target}]}
    assert [one.load_balancer for one in look().listeners] == ["app/web/50dc"]


@pytest.mark.parametrize(
    "registered",
    [
        {"loadBalancers": [], "taskSets": [{"loadBalancers": [{"targetGroupArn": GROUP}]}]},
        {
            "loadBalancers": [
                {"targetGroupArn": f"{GROUP}0", "advancedConfiguration": {"alternateTargetGroupArn": GROUP}}
            ]
        },
    ],
    ids=["task set", "blue and green"],
)
def test_a_target_group_of_a_deployment_counts(aws: Endpoint, registered: dict[str, Any]) -> None:
    """However a service is deployed, its target groups are known."""
    aws.tells["DescribeServices"] = {"services": [service(**registered)]}
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


def test_more_clusters_than_can_be_searched_are_said(aws: Endpoint) -> None:
    """The host may be in one of the others."""
    aws.tells["ListClusters"] = {"clusterArns": [f"{CLUSTER}{number}" for number in range(101)]}
    aws.tells["ListContainerInstances"] = {}
    found = look()
    assert f"{ACCOUNT} eu-west-1 has more than 100 clusters: {WHAT_HAS_BOUND}" in found.notes
    assert aws.actions().count("ListContainerInstances") == 100


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
    assert {note.partition(" was denied")[0] for note in found.notes} == {
        "ecs:ListClusters",
        "elasticloadbalancing:DescribeTargetGroups",
    }


def test_a_port_of_a_pod_is_one_of_its_host(aws: Endpoint) -> None:
    """A load balancer sends to the pod's address, which lies in a prefix that is delegated to the host's interface."""
    interface = {"Attachment": {"InstanceId": HOST}, "Ipv4Prefixes": [{"Ipv4Prefix": "10.0.0.208/28"}]}
    group = {"TargetGroupArn": GROUP, "TargetGroupName": "pods", "TargetType": "ip", "LoadBalancerArns": [BALANCER]}
    targets = [{"Target": {"Id": address, "Port": 40000 + n}} for n, address in enumerate(("10.0.0.210", "10.0.0.224"))]
    aws.tells |= {
        "DescribeNetworkInterfaces": {"NetworkInterfaces": [interface]},
        "DescribeTargetGroups": {"TargetGroups": [{**group, "Protocol": "HTTP"}]},
        "DescribeTargetHealth": {"TargetHealthDescriptions": targets},
    }
    aws.tells["DescribeTasks"] = {"tasks": [task(), task(f"{TASK}1", 40001)]}
    assert [(one.port, one.load_balancer) for one in look().listeners] == [(40000, "app/web/50dc"), (40001, None)]
