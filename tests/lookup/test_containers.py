"""A high port of a container host is explained: which task has bound it, and which load balancer sends to it."""

from collections import Counter
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from handler.finding import Exposure, Finding, Listener
from handler.settings import LookUps
from tests.lookup.cloud import ANYWHERE, OFFICE, Cloud, looked_up, opens, problems, reported, server, tcp
from tests.lookup.cluster import Cluster, forward, target_group

ON = LookUps(look_up_sources=True, look_up_containers=True)
HIGH = ("tcp", 32768, 60999)


class Site(NamedTuple):
    """A container host behind a load balancer: what the tests begin with."""

    cloud: Cloud
    cluster: Cluster
    front: str
    own: str
    balancer: str
    host: str

    @property
    def name(self) -> str:
        """Name the load balancer as an exposure does."""
        return self.balancer.partition(":loadbalancer/")[2]

    def serve(self, port: int, name: str = "web", family: str = "frontend") -> str:
        """Run a task of a service on a port of the host, registered behind the load balancer; its target group."""
        group = target_group(self.cloud, name, (self.host, port))
        forward(self.cloud, self.balancer, 443 if name == "web" else 8443, group)
        self.cluster.service(name, group, family=family)
        self.cluster.run(self.host, ("tcp", port), service=name, family=family)
        return group

    def listener(self, port: int, task: str = "frontend:1", name: str = "web") -> Listener:
        """Give a listener behind the load balancer."""
        return Listener(protocol="tcp", port=port, task=task, target_group=name, load_balancer=self.name)


@pytest.fixture
def site(cloud: Cloud) -> Site:
    """Give a host that only its load balancer, which is open to the world, reaches on high ports."""
    front = cloud.group(tcp(443, *ANYWHERE), tcp(8443, OFFICE))
    own = cloud.group(opens("tcp", 32768, 65535, front))
    balancer = cloud.balancer(front)
    cluster = Cluster(cloud)
    return Site(cloud, cluster, front, own, balancer, cluster.host(own))


def spans(finding: Finding) -> set[tuple[int, int, tuple[str, ...], Any]]:
    """Give ports, sources and load balancer of each exposure."""
    return {
        (one.from_port, one.to_port, one.sources, one.load_balancer if isinstance(one.load_balancer, str) else None)
        for one in finding.exposures
    }


def test_a_bound_port_behind_a_load_balancer_is_a_listener(site: Site) -> None:
    """It stays exposed to whom the balancer lets in; the other ports are exposed to the balancer's group alone."""
    site.serve(32771)
    [found] = looked_up(reported(server(site.host), HIGH), settings=ON)
    assert found.listeners == (site.listener(32771),)
    assert spans(found) == {
        (32771, 32771, ("0.0.0.0/0",), site.name),
        (32768, 32770, (site.front,), site.name),
        (32772, 60999, (site.front,), site.name),
    }


def test_each_service_has_its_own_port_and_target_group(site: Site) -> None:
    """Each is exposed to whom the listener in front of it lets in."""
    site.serve(32771)
    site.serve(32772, "admin", "backend")
    [found] = looked_up(reported(server(site.host), HIGH), settings=ON)
    assert found.listeners == (site.listener(32771), site.listener(32772, "backend:1", "admin"))
    assert spans(found) >= {(32771, 32771, ("0.0.0.0/0",), site.name), (32772, 32772, (OFFICE,), site.name)}


def test_a_registered_port_that_no_task_has_bound_is_no_listener(site: Site) -> None:
    """It stays exposed through the load balancer."""
    site.serve(32771)
    forward(site.cloud, site.balancer, 8443, target_group(site.cloud, "stray", (site.host, 40000)))
    [found] = looked_up(reported(server(site.host), HIGH), settings=ON)
    assert found.listeners == (site.listener(32771),)
    assert (40000, 40000, (OFFICE,), site.name) in spans(found)


def test_a_way_around_the_load_balancer_stays_open_to_its_addresses(site: Site) -> None:
    """Which of the ports tasks have bound, and which load balancer that bypasses, is said."""
    site.serve(32771)
    debug = site.cloud.group(opens("tcp", 32768, 60999, "0.0.0.0/0"))
    instance = site.cluster.host(site.own, debug)
    site.cluster.run(instance, ("tcp", 40001), ("tcp", 40002))
    site.cloud.ec2.modify_instance_attribute(InstanceId=site.host, Groups=[site.own, debug])
    bound, unbound = looked_up(*(reported(server(one), HIGH) for one in (site.host, instance)), settings=ON)
    assert (32768, 60999, ("0.0.0.0/0",), None) in spans(bound)
    assert problems(bound)[-1] == (
        f"tcp 32768-60999 open to 0.0.0.0/0: bound by frontend:1 (32771), past load balancer {site.name}"
    )
    assert problems(unbound)[-1] == (
        "tcp 32768-60999 open to 0.0.0.0/0: bound by frontend:1 (40001), frontend:1 (40002)"
    )


def test_one_unexpected_port_is_named(site: Site) -> None:
    """A single port that nobody has bound, and one that a task has bound."""
    group = site.cloud.group(tcp(49999, "0.0.0.0/0"), tcp(40001, OFFICE))
    instance = site.cluster.host(group)
    site.cluster.run(instance, ("tcp", 40001))
    [found] = looked_up(reported(server(instance), 40001, 49999), settings=ON)
    assert problems(found)[-2:] == [
        f"tcp 40001 open to {OFFICE}: bound by frontend:1 (40001)",
        "tcp 49999 open to 0.0.0.0/0: bound by nobody known",
    ]


def test_what_only_groups_reach_is_not_open(site: Site) -> None:
    """Who has bound it is not said then."""
    other = site.cloud.group()
    site.cloud.instance(other)
    instance = site.cluster.host(site.cloud.group(opens("tcp", 32768, 60999, other)))
    [found] = looked_up(reported(server(instance), HIGH), settings=ON)
    assert not any(" open to " in note or " bound by " in note for note in found.notes)


def test_an_instance_that_is_no_container_instance_has_no_listeners(site: Site) -> None:
    """Its exposures stay as they are."""
    finding = reported(server(site.cloud.instance(site.cloud.group(tcp(40000, OFFICE)))), 40000)
    [found] = looked_up(finding, settings=ON)
    assert found.listeners == ()
    assert [one.sources for one in found.exposures] == [(OFFICE,)]
    assert problems(found) == [
        f"{finding.server.id} is no container instance of 111122223333 eu-west-1",
        f"tcp 40000 open to {OFFICE}: bound by nobody known",
    ]


def test_a_range_of_host_ports_is_all_its_ports(site: Site) -> None:
    """UDP is told apart from TCP, and IPv6 tells nothing again."""
    site.cluster.run(site.host, ("tcp", "40000-40002"), ("udp", 40001))
    finding = reported(server(site.host), ("tcp", 40001, 50000), ("udp", 40001, 40001))
    [found] = looked_up(finding, settings=LookUps(look_up_containers=True))
    assert [(one.protocol, one.port) for one in found.listeners] == [("tcp", 40001), ("tcp", 40002), ("udp", 40001)]


def test_a_task_with_an_interface_of_its_own_binds_no_port_of_the_host(site: Site) -> None:
    """Neither does one that has not started yet."""
    site.cluster.run(site.host)
    [found] = looked_up(reported(server(site.host), HIGH), settings=LookUps(look_up_containers=True))
    assert found.listeners == ()


def test_a_load_balancer_behind_another_is_seen_through(site: Site) -> None:
    """What the outer one lets in reaches the ports that are registered behind the inner one, and no others."""
    outer = site.cloud.group(tcp(80, ANYWHERE[0]))
    inner = site.cloud.group(tcp(443, outer))
    own = site.cloud.group(opens("tcp", 32768, 65535, inner))
    host = site.cluster.host(own)
    balancer, network = site.cloud.balancer(inner, name="in"), site.cloud.balancer(outer, name="out", kind="network")
    group = target_group(site.cloud, "web", (host, 32771))
    forward(site.cloud, balancer, 443, group)
    forward(site.cloud, network, 80, target_group(site.cloud, "in", (balancer, 443), kind="alb", Protocol="TCP"), "TCP")
    site.cluster.service("web", group)
    site.cluster.run(host, ("tcp", 32771), service="web")
    [found] = looked_up(reported(server(host), HIGH), settings=ON)
    name = balancer.partition(":loadbalancer/")[2]
    assert {span for span in spans(found) if "0.0.0.0/0" in span[2]} == {(32771, 32771, ("0.0.0.0/0",), name)}
    assert {one.load_balancer for one in found.listeners if one.port == 32771} == {name}


def test_a_load_balancer_behind_another_is_found_by_its_addresses(site: Site) -> None:
    """What the outer one sends to addresses that are not the server's does not close the port behind the inner one."""
    outer = site.cloud.group(tcp(80, ANYWHERE[0]))
    inner = site.cloud.group(tcp(443, outer))
    host = site.cluster.host(site.cloud.group(opens("tcp", 32768, 65535, inner)))
    balancer, network = site.cloud.balancer(inner, name="in"), site.cloud.balancer(outer, name="out", kind="network")
    forward(site.cloud, balancer, 443, target_group(site.cloud, "web", (host, 32771)))
    outward = target_group(site.cloud, "in", ("10.0.0.99", 443), kind="ip", Protocol="TCP", Port=443)
    forward(site.cloud, network, 80, outward, "TCP")
    [found] = looked_up(reported(server(host), HIGH), settings=ON)
    name = balancer.partition(":loadbalancer/")[2]
    assert (32771, 32771, ("0.0.0.0/0",), name) in spans(found)


def test_a_port_below_is_not_looked_up(site: Site, requests: list[str]) -> None:
    """A port that a task definition names is judged like any other."""
    requests.clear()
    [found] = looked_up(reported(server(site.host), 8080), settings=LookUps(look_up_containers=True))
    assert found.listeners == ()
    assert requests == []


@pytest.mark.parametrize(("platform", "asked"), [("WINDOWS_SERVER_2022", False), ("AMAZON_LINUX_2023", True)])
def test_the_range_is_that_of_the_platform(site: Site, requests: list[str], platform: str, asked: bool) -> None:  # noqa: FBT001  a case
    """Windows begins at 49152, Linux at 32768."""
    requests.clear()
    looked_up(reported(server(site.host, platform=platform), 49151), settings=LookUps(look_up_containers=True))
    assert bool(requests) == asked


def test_a_range_over_the_high_ports_is_told_of_those(site: Site) -> None:
    """Who has bound the ports below them is not ECS's to tell."""
    site.cluster.run(site.host, ("tcp", 80), ("tcp", 40000))
    finding = reported(server(site.host), ("tcp", 0, 65535), sources=("0.0.0.0/0",))
    [found] = looked_up(finding, settings=LookUps(look_up_containers=True))
    assert [one.port for one in found.listeners] == [80, 40000]
    assert problems(found) == ["tcp 32768-65535 open to 0.0.0.0/0: bound by frontend:1 (40000)"]


def test_groups_of_servers_have_no_tasks(site: Site, requests: list[str]) -> None:
    """A finding of a security group is of no platform and on no host."""
    requests.clear()
    finding = reported(server(site.own), HIGH)
    assert looked_up(finding, settings=LookUps(look_up_containers=True)) == [finding]
    assert requests == []


def test_unknown_sources_stay_unknown(site: Site) -> None:
    """Without the look-up of sources nobody knows that the load balancer is the only way."""
    site.serve(32771)
    finding = reported(server(site.host), HIGH, load_balancer=site.name)
    [found] = looked_up(finding, settings=LookUps(look_up_containers=True))
    assert found.exposures == finding.exposures
    assert found.listeners == (site.listener(32771),)


def test_hosts_of_one_cluster_are_read_together(site: Site, requests: list[str]) -> None:
    """100 findings on 20 hosts: one call of each kind, and one more to count who shares the balancer's groups."""
    site.serve(32771)
    hosts = [site.host, *(site.cluster.host(site.own) for _ in range(19))]
    findings = [reported(server(host), ("tcp", 32768 + number, 60999)) for host in hosts for number in range(5)]
    requests.clear()
    found = looked_up(*findings, settings=ON)
    assert sum(bool(one.listeners) for one in found) == 4
    assert Counter(requests) == Counter(
        {
            "GetCallerIdentity": 1,
            "DescribeNetworkInterfaces": 3,
            "DescribeSecurityGroupRules": 2,
            "DescribeNetworkAcls": 1,
            "DescribeLoadBalancers": 2,
            "DescribeListeners": 1,
            "ListClusters": 1,
            "ListContainerInstances": 1,
            "DescribeContainerInstances": 1,
            "ListTasks": 1,
            "DescribeTasks": 1,
            "DescribeServices": 1,
            "DescribeTargetGroups": 1,
            "DescribeTargetHealth": 1,
            "DescribeSubnets": 1,
            "DescribeVpcs": 1,
        }
    )


def test_tasks_of_few_hosts_are_listed_host_by_host(site: Site, requests: list[str]) -> None:
    """Their cluster may have thousands of others."""
    other = site.cluster.host(site.own)
    site.cluster.run(site.host, ("tcp", 40001))
    site.cluster.run(other, ("tcp", 40002))
    requests.clear()
    found = looked_up(*(reported(server(one), HIGH) for one in (site.host, other)), settings=ON)
    assert [[one.port for one in finding.listeners] for finding in found] == [[40001], [40002]]
    assert (requests.count("ListTasks"), requests.count("DescribeTasks")) == (2, 1)


def test_tasks_of_many_hosts_are_told_apart(site: Site) -> None:
    """A port that is bound on one host is bound by nobody on the others."""
    hosts = [site.host, *(site.cluster.host(site.own) for _ in range(9))]
    for number, host in enumerate(hosts[1:], start=1):
        site.cluster.run(host, ("tcp", 40000 + number))
    found = looked_up(*(reported(server(one), HIGH) for one in hosts), settings=ON)
    assert [[one.port for one in finding.listeners] for finding in found] == [[], *([40000 + n] for n in range(1, 10))]


def test_what_is_told_stays(site: Site) -> None:
    """Identity, and what other look-ups and the report have found."""
    site.serve(32771)
    finding = replace(reported(server(site.host), HIGH), notes=("as told",))
    [found] = looked_up(finding, settings=ON)
    assert (found.id, found.server, found.reporters, found.notes[0]) == (
        finding.id,
        finding.server,
        finding.reporters,
        "as told",
    )


def test_an_exposure_through_an_unknown_load_balancer_stays(site: Site) -> None:
    """Nothing tells to which ports it sends."""
    site.serve(32771)
    exposure = Exposure(protocol="tcp", from_port=32768, to_port=60999, sources=ANYWHERE, load_balancer="app/gone/1")
    finding = replace(reported(server(site.host), HIGH), exposures=(exposure,))
    [found] = looked_up(finding, settings=LookUps(look_up_containers=True))
    assert found.exposures == (exposure,)
