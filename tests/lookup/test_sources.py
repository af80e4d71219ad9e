"""Who can reach a port is read from every group on the way to it, and what cannot be read stays unknown."""

import pytest
from msgspec.structs import replace

from tests.lookup.cloud import (
    ACCOUNT,
    ANYWHERE,
    OFFICE,
    Cloud,
    looked_up,
    opens,
    problems,
    reported,
    server,
    sources,
    tcp,
)


def test_each_rule_becomes_an_exposure_of_its_own(cloud: Cloud) -> None:
    """An alert can name exactly the rule that is wrong, although it is in a group that the report does not name."""
    office, debug = cloud.group(tcp(22, OFFICE)), cloud.group(tcp(22, *ANYWHERE))
    finding = reported(server(cloud.instance(office, debug)), 22, security_group=office)
    [found] = looked_up(finding)
    assert {(one.sources, one.security_group, one.rules) for one in found.exposures} == {
        ((OFFICE,), office, (cloud.rules(office)[OFFICE],)),
        (("0.0.0.0/0",), debug, (cloud.rules(debug)["0.0.0.0/0"],)),
    }
    assert found.id == finding.id
    assert problems(found) == [f"{found.server.id} has no address that ::/0 could reach"]


def test_only_what_opens_the_exposed_ports_counts(cloud: Cloud) -> None:
    """Ranges are cut to the exposed one; ICMP, egress, the other protocol and other ports are left out."""
    group = cloud.group(
        opens("tcp", 8000, 8099, "198.51.100.0/24"),
        opens("-1", None, None, "10.0.0.0/8"),
        opens("udp", 8000, 9000, OFFICE),
        opens("icmp", 8, -1, "0.0.0.0/0"),
        tcp(8101, "0.0.0.0/0"),
    )
    rules = cloud.rules(group)
    [found] = looked_up(reported(server(cloud.instance(group)), ("tcp", 8050, 8100)))
    assert sources(found) == {
        ("tcp 8050-8099", rules["198.51.100.0/24"]): {"198.51.100.0/24"},
        ("tcp 8050-8100", rules["10.0.0.0/8"]): {"10.0.0.0/8"},
    }


def test_private_networks_and_groups_stay_on_an_internet_finding(cloud: Cloud) -> None:
    """What a rule says is not second-guessed: the policy judges it."""
    other, empty = cloud.group(), cloud.group()
    cloud.instance(other)
    group = cloud.group(tcp(22, "10.0.0.0/8", other, empty))
    [found] = looked_up(reported(server(cloud.instance(group)), 22))
    assert {source for one in found.exposures for source in one.sources} == {"10.0.0.0/8", other}
    assert problems(found)[0] == f"nothing is in {empty} now: nobody comes from it"


def test_only_the_interface_on_the_path_counts(cloud: Cloud) -> None:
    """The groups of an instance's other interfaces do not open this one; without one named, all do."""
    front, back = cloud.group(tcp(22, OFFICE)), cloud.group(tcp(22, "0.0.0.0/0"))
    instance = cloud.instance(front)
    cloud.interface(back, instance=instance)
    [named] = looked_up(reported(server(instance), 22, interface=cloud.first_interface(instance)))
    [unnamed] = looked_up(reported(server(instance), 22))
    assert {one.sources for one in named.exposures} == {(OFFICE,)}
    assert {one.sources for one in unnamed.exposures} == {(OFFICE,), ("0.0.0.0/0",)}


def test_an_interface_that_has_left_is_replaced_by_those_that_are_there(cloud: Cloud) -> None:
    """A path through an interface that is another server's by now says nothing of this one."""
    group, other = cloud.group(tcp(22, OFFICE)), cloud.group(tcp(22, "0.0.0.0/0"))
    elsewhere = cloud.first_interface(cloud.instance(other))
    [found] = looked_up(reported(server(cloud.instance(group)), 22, interface=elsewhere))
    assert {one.sources for one in found.exposures} == {(OFFICE,)}


def test_a_port_that_no_rule_opens_is_still_exposed(cloud: Cloud) -> None:
    """The scanner said that it is open, so it stays unknown, with the time at which it looked."""
    group = cloud.group(tcp(443, "0.0.0.0/0"))
    finding = reported(server(cloud.instance(group)), 22)
    [found] = looked_up(finding)
    assert found.exposures == tuple(replace(exposure, unreached=True) for exposure in finding.exposures)
    closed = f"nobody of the internet is known to come in to tcp 22 by the rules of {group} now"
    assert problems(found) == [f"{closed}; the scanner last looked at 2026-11-24 05:58 UTC"]


def test_a_part_of_a_range_that_no_rule_opens_is_still_exposed(cloud: Cloud) -> None:
    """What is open now is known, and the rest is unknown, port by port."""
    group = cloud.group(tcp(443, OFFICE), opens("tcp", 446, 447, OFFICE))
    [found] = looked_up(reported(server(cloud.instance(group)), ("tcp", 440, 450)))
    unknown = {(one.from_port, one.to_port) for one in found.exposures if one.sources == ("unknown",)}
    assert unknown == {(440, 442), (444, 445), (448, 450)}
    assert len(problems(found)) == 3


def test_a_group_without_any_rule_opens_nothing(cloud: Cloud) -> None:
    """AWS answers with an empty list, and the group is there: that is no failure, and no consent."""
    group = cloud.group()
    cloud.ec2.revoke_security_group_egress(
        GroupId=group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    )
    [found] = looked_up(reported(server(cloud.instance(group)), 22))
    assert [one.sources for one in found.exposures] == [("unknown",)]
    assert problems(found)[0].startswith(
        f"nobody of the internet is known to come in to tcp 22 by the rules of {group} now"
    )


@pytest.mark.usefixtures("cloud")
def test_an_unknown_group_opens_everything() -> None:
    """AWS answers with an empty list here too, but the group is not there."""
    missing = "sg-0123456789abcdef0"
    [found] = looked_up(reported(server(missing), 22))
    assert [one.sources for one in found.exposures] == [("unknown",)]
    assert problems(found) == [
        f"AWS gives no rules of {missing} in {ACCOUNT} eu-west-1: whom {missing} lets in is unknown"
    ]


def test_an_instance_that_is_gone_keeps_its_unknown_sources(cloud: Cloud) -> None:
    """The group that the report names is read all the same."""
    group = cloud.group(tcp(22, OFFICE))
    [found] = looked_up(reported(server("i-0123456789abcdef0"), 22, security_group=group))
    assert {one.sources for one in found.exposures} == {(OFFICE,), ("unknown",)}
    assert problems(found) == ["i-0123456789abcdef0 has no network interface now: who reaches tcp 22 is unknown"]


def test_a_group_is_judged_by_its_own_rules(cloud: Cloud) -> None:
    """A finding of a group needs no interface."""
    group = cloud.group(tcp(22, OFFICE))
    [found] = looked_up(reported(server(group), 22))
    assert sources(found) == {("tcp 22-22", cloud.rules(group)[OFFICE]): {OFFICE}}


def test_sources_that_are_told_stay_and_get_their_rules(cloud: Cloud) -> None:
    """A report that carries addresses is believed; the rules that it means are named."""
    group = cloud.group(tcp(22, OFFICE, "0.0.0.0/0"))
    told = reported(server(group), 22, security_group=group, sources=("0.0.0.0/0",))
    other = reported(server(group), 22, security_group=group, sources=("198.51.100.0/24",), reach="vpn")
    known, unmatched = looked_up(told, other)
    assert sources(known) == {("tcp 22-22", cloud.rules(group)["0.0.0.0/0"]): {"0.0.0.0/0"}}
    assert unmatched.exposures == other.exposures


def test_prefix_lists_of_customers_become_their_addresses(cloud: Cloud) -> None:
    """Their CIDRs are united; one of AWS's own stays one source."""
    mine = cloud.prefix_list("203.0.113.0/25", "203.0.113.128/25", "198.51.100.7/32")
    lists = cloud.ec2.describe_managed_prefix_lists()["PrefixLists"]
    amazon = next(one["PrefixListId"] for one in lists if one["OwnerId"] == "AWS")
    group = cloud.group(tcp(443, mine, amazon))
    [found] = looked_up(reported(server(cloud.instance(group)), 443))
    rules = cloud.rules(group)
    assert sources(found) == {
        ("tcp 443-443", rules[mine]): {OFFICE, "198.51.100.7/32"},
        ("tcp 443-443", rules[amazon]): {amazon},
    }


def test_an_unknown_prefix_list_lets_anybody_in(cloud: Cloud) -> None:
    """It is named."""
    missing = "pl-0123456789abcdef0"
    group = cloud.group(tcp(443, missing))
    [found] = looked_up(reported(server(cloud.instance(group)), 443))
    assert [one.sources for one in found.exposures] == [("unknown",)]
    assert problems(found) == [f"{missing} is no prefix list of {ACCOUNT} eu-west-1: whom {missing} lets in is unknown"]


def test_two_reports_of_one_exposure_are_resolved_once(cloud: Cloud) -> None:
    """Two unknown exposures of one folded finding become the same ones, told once."""
    group = cloud.group(tcp(22, OFFICE))
    finding = reported(server(cloud.instance(group)), 22)
    [exposure] = finding.exposures
    [found] = looked_up(replace(finding, exposures=(exposure, replace(exposure, security_group=group))))
    assert len(found.exposures) == 1


@pytest.mark.parametrize("reach", ["internet", "peered_vpc", "vpn"])
def test_what_was_read_is_said(cloud: Cloud, reach: str) -> None:
    """A finding says which groups were read, and when."""
    group = cloud.group(tcp(22, OFFICE))
    [found] = looked_up(reported(server(cloud.instance(group)), 22, reach=reach))
    [note] = found.notes
    assert note.startswith(f"rules of {group} read at 20")
    assert note.endswith(" UTC")
