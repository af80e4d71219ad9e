"""The five complaints that began it all, each from Inspector's event to silence or to an alert.

The function is the real one, with real OPA and the shipped policies, and every look-up on; AWS is moto. What opens a
port is made there by each test. The complaints:
https://mig5.net/blog/amazon-inspector-lambda-notifications-findings-allowed-ports-exemption/
"""

import importlib
import json
import re
import shlex
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from moto.server import ThreadedMotoServer
from moto.sns.models import sns_backends

from handler import aws
from handler.settings import ROOT
from tests.builders import team_folder
from tests.lookup.cloud import ACCOUNT, ANYWHERE, OTHER_ACCOUNT, REGION, Cloud, opens, tcp
from tests.lookup.cluster import Cluster, forward, target_group

TEMPLATE = (ROOT / "handler" / "cli" / "demo_events" / "01-web-443.json").read_text()
ONE_ADDRESS = "203.0.113.7/32"
HIGH = ("TCP", 32768, 60999)


class World:
    """The function in its account of moto's AWS, with a topic."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.app: ModuleType
        self.cloud = Cloud(url)
        self.topic = self.cloud.client("sns").create_topic(Name="alerts")["TopicArn"]

    def mails(self, *events: Any) -> list[str]:
        """Invoke the function with each event; what subscribers by email get of it, each its subject and its text."""
        sent: Any = sns_backends[ACCOUNT][REGION].topics[self.topic].sent_notifications
        before = len(sent)
        for event in events:
            context = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 60_000)
            outcomes = self.app.lambda_handler(event, context)["outcomes"]
            assert [outcome["outcome"] for outcome in outcomes] == ["decided"]
        return [f"{subject}\n\n{json.loads(message)['email']}" for _, message, subject, *_ in sent[before:]]


@pytest.fixture(scope="module")
def world(opa_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Start the function once. It has the real clock, so no allowance may expire."""
    policies = team_folder(tmp_path_factory.mktemp("stories"))
    for path in (path for path in policies.rglob("*") if path.is_file()):
        path.write_text(re.sub(r"\b20\d\d-\d\d-\d\d\b", "2999-12-31", path.read_text()))
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    aws.client.cache_clear()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        world = World(f"http://{host}:{port}")
        settings = {
            **world.cloud.keys,
            "aws_default_region": REGION,
            "aws_endpoint_url": world.url,
            "alert_topic_arn": world.topic,
            "policies_path": str(policies),
            "opa_path": opa_path,
            "look_up_sources": "true",
            "look_up_tags": "missing",
            "look_up_groups": "true",
            "look_up_containers": "true",
            "look_up_role_name": "portcullis-reader",
        }
        for name, value in settings.items():
            environment.setenv(name.upper(), value)
        world.app = importlib.import_module("handler.app")
        yield world
        world.app.GATE.close()
    aws.client.cache_clear()
    server.stop()
    del sys.modules["handler.app"]


def event(cloud: Cloud, instance: str, ports: tuple[str, int, int], account: str = ACCOUNT, **tags: str) -> Any:
    """Give the event of an open port, with the path through the instance's first interface and its first group."""
    told = cloud.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    interface = told["NetworkInterfaces"][0]
    text = TEMPLATE
    for old, new in {
        "i-0aaaaaaaaaaaaaaa1": instance,
        "sg-0f615897558ace817": interface["Groups"][0]["GroupId"],
        "eni-07db2a50cfa018a03": interface["NetworkInterfaceId"],
        ACCOUNT: account,
    }.items():
        text = text.replace(old, new)
    made = json.loads(text)
    protocol, low, high = ports
    details = made["detail"]["networkReachabilityDetails"]
    details |= {"protocol": protocol, "openPortRange": {"begin": low, "end": high}}
    made["detail"]["resources"][0]["tags"] = tags
    if not tags:
        del made["detail"]["resources"][0]["tags"]
    return made


def test_web_servers_with_80_and_443(world: World) -> None:
    """Both ports are meant to be open to everybody, so nobody hears of them."""
    cloud = world.cloud
    instance = cloud.instance(cloud.group(tcp(80, *ANYWHERE), tcp(443, *ANYWHERE)))
    tags = {"Name": "web-prod-07", "Role": "web"}
    events = [event(cloud, instance, ("TCP", port, port), **tags) for port in (80, 443)]
    assert world.mails(*events) == []


def test_the_vpn_host(world: World) -> None:
    """UDP 1194 and its portal are silent; TCP 1194 is not."""
    cloud = world.cloud
    group = cloud.group(opens("udp", 1194, 1194, *ANYWHERE), tcp(443, *ANYWHERE), tcp(1194, "0.0.0.0/0"))
    instance, name = cloud.instance(group), "vpn.example.com"
    wanted = [event(cloud, instance, ports, Name=name) for ports in (("UDP", 1194, 1194), ("TCP", 443, 443))]
    assert world.mails(*wanted) == []
    [mail] = world.mails(event(cloud, instance, ("TCP", 1194, 1194), Name=name))
    assert mail.startswith(
        "[high] vpn.example.com: tcp 1194 open to 0.0.0.0/0, account Web production (111122223333)\n"
    )


def test_ssh_from_one_address(world: World) -> None:
    """The report does not say from where; the rules do, and it is the office."""
    cloud = world.cloud
    instance = cloud.instance(cloud.group(tcp(22, ONE_ADDRESS)), Name="bastion-01", Role="bastion")
    assert world.mails(event(cloud, instance, ("TCP", 22, 22))) == []


def test_ssh_from_one_address_and_by_a_second_group_from_everywhere(world: World) -> None:
    """The report names the good group; the mail names the rule that is wrong, and the command in it closes that."""
    cloud = world.cloud
    office, debug = cloud.group(tcp(22, ONE_ADDRESS)), cloud.group(tcp(22, "0.0.0.0/0"))
    instance = cloud.instance(office, debug, Name="bastion-01", Role="bastion")
    reported = event(cloud, instance, ("TCP", 22, 22))
    [mail] = world.mails(reported)
    wrong, good = cloud.rules(debug)["0.0.0.0/0"], cloud.rules(office)[ONE_ADDRESS]
    assert mail.startswith("[critical] bastion-01: tcp 22 open to 0.0.0.0/0, account Web production (111122223333)\n")
    assert f"opened by rule {wrong} of {debug}" in mail
    assert good not in mail
    [command] = [line for line in mail.replace(" \\\n", " ").splitlines() if line.startswith("aws ec2 revoke")]
    words = shlex.split(command)
    assert (words[words.index("--group-id") + 1], words[words.index("--security-group-rule-ids") + 1]) == (debug, wrong)
    cloud.ec2.revoke_security_group_ingress(GroupId=debug, SecurityGroupRuleIds=[wrong])
    assert world.mails(reported) == []


def test_ports_declared_by_tag(world: World) -> None:
    """The report has no tags: they are looked up in the server's own account, and allow what they declare there."""
    cloud = Cloud(world.url, OTHER_ACCOUNT)
    group = cloud.group(opens("tcp", 8000, 9000, *ANYWHERE))
    instance = cloud.instance(group, **{"Name": "checkout", "portcullis:allow": "tcp/8443 tcp/8000-8100 tcp/9000"})
    declared = [event(cloud, instance, ports, OTHER_ACCOUNT) for ports in (("TCP", 8443, 8443), ("TCP", 8010, 8020))]
    assert world.mails(*declared) == []
    [undeclared] = world.mails(event(cloud, instance, ("TCP", 8444, 8444), OTHER_ACCOUNT))
    assert "tcp 8444" in undeclared.partition("\n")[0]
    [beyond] = world.mails(event(cloud, instance, ("TCP", 9000, 9000), OTHER_ACCOUNT))
    assert "tcp 9000" in beyond.partition("\n")[0]


def container_host(cloud: Cloud, name: str) -> str:
    """Give a host with a task on 32771, which only its public load balancer reaches."""
    front = cloud.group(tcp(443, *ANYWHERE))
    own = cloud.group(opens("tcp", 32768, 65535, front))
    cluster = Cluster(cloud, name)
    host = cluster.host(own, Name="apps-01", Role="container-host")
    group = target_group(cloud, name, (host, 32771))
    forward(cloud, cloud.balancer(front, name=name), 443, group)
    cluster.service("web", group)
    cluster.run(host, ("tcp", 32771), service="web")
    return host


def test_the_container_host_behind_a_load_balancer(world: World) -> None:
    """Its whole ephemeral range is reported, and nobody reaches more of it than the load balancer sends to."""
    host = container_host(world.cloud, "silent")
    assert world.mails(event(world.cloud, host, HIGH)) == []


def test_the_container_host_with_an_unexpected_high_port(world: World) -> None:
    """A port that is open around the load balancer is named, and that no task has bound it; the others are not."""
    cloud = world.cloud
    host = container_host(cloud, "unexpected")
    groups = cloud.ec2.describe_instances(InstanceIds=[host])["Reservations"][0]["Instances"][0]["SecurityGroups"]
    debug = cloud.group(tcp(49999, "0.0.0.0/0"))
    cloud.ec2.modify_instance_attribute(InstanceId=host, Groups=[groups[0]["GroupId"], debug])
    [mail] = world.mails(event(cloud, host, HIGH))
    assert mail.startswith("[high] apps-01: tcp 49999 open to 0.0.0.0/0, account Web production (111122223333)\n")
    assert f"opened by rule {cloud.rules(debug)['0.0.0.0/0']} of {debug}" in mail
    assert "tcp 49999 open to 0.0.0.0/0: bound by nobody known" in " ".join(mail.split())
    assert "\nAllowed   3 openings, in the JSON of this message\n" in mail


def test_the_container_host_whose_task_is_open_around_its_load_balancer(world: World) -> None:
    """That a task has bound the port is no excuse, and the mail says what it bypasses."""
    cloud = world.cloud
    host = container_host(cloud, "around")
    groups = cloud.ec2.describe_instances(InstanceIds=[host])["Reservations"][0]["Instances"][0]["SecurityGroups"]
    cloud.open(groups[0]["GroupId"], opens("tcp", 32768, 60999, "198.51.100.0/24"))
    [mail] = world.mails(event(cloud, host, HIGH))
    told = " ".join(mail.split())
    assert mail.startswith(
        "[medium] apps-01: tcp 32768-60999 open to 198.51.100.0/24, account Web production (111122223333)\n"
    )
    assert (
        "tcp 32768-60999 open to 198.51.100.0/24: bound by frontend:1 (32771), past load balancer app/around/" in told
    )


def test_a_tag_writer_gains_no_more_than_the_ceiling(world: World) -> None:
    """Who may write every tag of a production server opens neither ssh nor an unbound high port to the world."""
    cloud = world.cloud
    tags = {"Role": "container-host", "portcullis:allow": "tcp/0-65535", "Name": "vpn.example.com"}
    instance = cloud.instance(cloud.group(opens("tcp", 0, 65535, "0.0.0.0/0")), **tags)
    for port in (22, 8443, 40000):
        [mail] = world.mails(event(cloud, instance, ("TCP", port, port)))
        assert f"vpn.example.com: tcp {port} open to 0.0.0.0/0, account Web production (111122223333)\n" in mail
