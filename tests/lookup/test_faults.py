"""Whatever AWS does, a look-up ends in what is unknown and in a note that says why, and never in an error."""

import logging
import time
from typing import Any

import pytest
from msgspec.structs import replace

from handler.finding import Finding
from handler.settings import LookUps
from tests.lookup.cloud import looked_up, problems, reported, server, sources
from tests.lookup.endpoint import DENIED, THROTTLED, Endpoint, Fault

GROUP = "sg-0aaaaaaaaaaaaaaa1"
RULES = "ec2:DescribeSecurityGroupRules"
EVERYTHING = LookUps(look_up_sources=True, look_up_tags="always", look_up_groups=True)


def rule(number: int, cidr: str, group: str = GROUP) -> dict[str, Any]:
    """Give a rule that opens 22."""
    known = {"SecurityGroupRuleId": f"sgr-{number}", "GroupId": group, "IpProtocol": "tcp"}
    return {**known, "FromPort": 22, "ToPort": 22, "CidrIpv4": cidr}


def of_group(**fields: Any) -> Finding:
    """Give a finding of the group."""
    return reported(server(GROUP, **fields), 22)


def values(form: dict[str, str]) -> list[str]:
    """Give the values of a request's filter."""
    return [value for key, value in form.items() if key.startswith("Filter.1.Value")]


def test_a_denial_is_told_once_an_account(endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    """Every finding that it touches says which permission is missing; it is asked for once, and logged once."""
    endpoint.tells["DescribeInstances"] = {}
    findings = [reported(server(f"sg-0{number}"), 22) for number in range(3)]
    with caplog.at_level(logging.WARNING):
        found = looked_up(*findings)
    for one in found:
        assert [exposure.sources for exposure in one.exposures] == [("unknown",)]
        assert one.notes == (f"{RULES} was denied in 111122223333: whom {one.server.id} lets in is unknown",)
    assert endpoint.actions().count("DescribeSecurityGroupRules") == 1
    assert [record.__dict__["fields"]["problem"] for record in caplog.records] == [
        f"{RULES} was denied in 111122223333"
    ]


def test_every_look_up_denied_loses_nothing(endpoint: Endpoint) -> None:
    """Without any permission a finding is judged as it came, and each missing permission is named once."""
    instance = reported(server("i-1"), 22)
    [found, group] = looked_up(instance, of_group(), settings=EVERYTHING)
    assert (found.exposures, found.server, found.id) == (instance.exposures, instance.server, instance.id)
    assert {note.split(" ")[0] for note in (*found.notes, *group.notes)} == {
        "ec2:DescribeInstances",
        "ec2:DescribeNetworkInterfaces",
        RULES,
    }
    assert len(endpoint.asked) == len(set(endpoint.actions())) == 4


def test_throttling_is_waited_for_and_then_told(endpoint: Endpoint) -> None:
    """It is tried three times, ever more slowly."""
    endpoint.tells["DescribeSecurityGroupRules"] = THROTTLED
    [found] = looked_up(of_group())
    assert found.notes == (f"{RULES} was throttled in 111122223333: whom {GROUP} lets in is unknown",)
    assert endpoint.actions().count("DescribeSecurityGroupRules") == 3


def test_throttling_that_ends_is_no_problem(endpoint: Endpoint) -> None:
    """The second try is answered."""
    tries: list[Any] = [THROTTLED, {"SecurityGroupRules": [rule(1, "198.51.100.7/32")]}]
    endpoint.tells["DescribeNetworkInterfaces"] = {}
    endpoint.tells["DescribeLoadBalancers"] = {}
    endpoint.tells["DescribeSecurityGroupRules"] = lambda _: tries.pop(0)
    [found] = looked_up(of_group())
    assert problems(found) == []
    assert set.union(*sources(found).values()) == {"198.51.100.7/32"}


def test_an_endpoint_that_hangs_takes_no_more_than_its_time(endpoint: Endpoint) -> None:
    """Once the time of look-ups is over no request is sent, not even another try; the decision's time is left."""
    endpoint.tells["DescribeSecurityGroupRules"] = None
    [found] = looked_up(of_group(), settings=EVERYTHING, deadline=time.monotonic() + 9)
    assert [one.sources for one in found.exposures] == [("unknown",)]
    assert found.notes[-1] == f"no time was left for {RULES}: whom {GROUP} lets in is unknown"
    assert endpoint.actions().count("DescribeSecurityGroupRules") == 1


def test_a_service_that_did_not_answer_is_not_asked_again(endpoint: Endpoint) -> None:
    """Nothing listens there: three tries, and none for what else that service might tell."""
    endpoint.stop()
    [found] = looked_up(of_group(), settings=EVERYTHING)
    assert [one.sources for one in found.exposures] == [("unknown",)]
    assert all("111122223333 eu-west-1 cannot be asked: Could not connect" in note for note in found.notes)


def test_without_time_nothing_is_asked(endpoint: Endpoint) -> None:
    """The decision needs what is left."""
    [found] = looked_up(of_group(), deadline=time.monotonic() + 8)
    assert found.notes == (f"no time was left for look-ups: whom {GROUP} lets in is unknown",)
    assert endpoint.asked == []


def test_an_answer_that_is_none_is_told(endpoint: Endpoint) -> None:
    """A proxy's page is not AWS's word."""
    endpoint.tells["DescribeSecurityGroupRules"] = b"<!doctype html><p>Please log in"
    [found] = looked_up(of_group())
    assert [one.sources for one in found.exposures] == [("unknown",)]
    assert found.notes[0].startswith(f"{RULES} failed in 111122223333: Unable to parse response")
    assert len(found.notes[0]) < 400


def test_empty_pages_end_nothing(endpoint: Endpoint) -> None:
    """What matters may stand on the third."""
    pages: dict[str, Any] = {
        "": {"SecurityGroupRules": [], "NextToken": "2"},
        "2": {"NextToken": "3"},
        "3": {"SecurityGroupRules": [rule(1, "0.0.0.0/0")]},
    }
    endpoint.tells["DescribeSecurityGroupRules"] = lambda form: pages[form.get("NextToken", "")]
    endpoint.tells |= {"DescribeVpcs": {}, "DescribeLoadBalancers": {}}
    [found] = looked_up(of_group())
    assert problems(found) == []
    assert set.union(*sources(found).values()) == {"0.0.0.0/0"}


@pytest.mark.parametrize(
    ("tokens", "asked"),
    [
        pytest.param({"": "a", "a": "a"}, 2, id="the same"),
        pytest.param({"": "a", "a": "b", "b": "a"}, 51, id="in turn"),
    ],
)
def test_tokens_that_go_in_circles_end(endpoint: Endpoint, tokens: dict[str, str], asked: int) -> None:
    """What was read until then counts, and that it is not all does too."""
    endpoint.tells["DescribeSecurityGroupRules"] = lambda form: {
        "SecurityGroupRules": [rule(1, "198.51.100.7/32")],
        "NextToken": tokens[form.get("NextToken", "")],
    }
    [found] = looked_up(of_group())
    assert set.union(*sources(found).values()) == {"198.51.100.7/32", "unknown"}
    assert found.notes[0].startswith(f"{RULES} failed in 111122223333: Error during pagination")
    assert endpoint.actions().count("DescribeSecurityGroupRules") == asked


def test_a_filter_that_aws_refuses_is_asked_once(endpoint: Endpoint) -> None:
    """Reports hold placeholders as ids; what was asked together is unknown then."""
    endpoint.tells["DescribeSecurityGroupRules"] = Fault("InvalidGroupId.Malformed")
    found = looked_up(*(reported(server(name), 22) for name in ("sg-0123456789abcdef0", "sg-EXAMPLE")))
    assert all(set.union(*sources(one).values()) == {"unknown"} for one in found)
    assert all("InvalidGroupId.Malformed" in one.notes[0] for one in found)
    assert endpoint.actions().count("DescribeSecurityGroupRules") == 1


def test_a_denial_in_one_account_is_none_in_another(endpoint: Endpoint) -> None:
    """Nor in another Region."""
    asked: list[str] = []

    def tell(form: dict[str, str]) -> Any:
        asked.append(form["Action"])
        return DENIED if len(asked) == 1 else {"SecurityGroupRules": [rule(1, "198.51.100.7/32")]}

    endpoint.tells["DescribeNetworkInterfaces"] = {}
    endpoint.tells["DescribeLoadBalancers"] = {}
    endpoint.tells["DescribeSecurityGroupRules"] = tell
    first, second = looked_up(of_group(), of_group(region="us-east-1"))
    assert set.union(*sources(first).values()) == {"unknown"}
    assert set.union(*sources(second).values()) == {"198.51.100.7/32"}


def test_a_group_with_a_thousand_rules_is_read_whole(endpoint: Endpoint) -> None:
    """Over all its pages; each rule can be named."""
    rules = [rule(number, f"10.{number // 250}.{number % 250}.0/24") for number in range(1000)]

    def tell(form: dict[str, str]) -> Any:
        start = int(form.get("NextToken", "0"))
        more = {"NextToken": str(start + 100)} if start < 900 else {}
        return {"SecurityGroupRules": rules[start : start + 100], **more}

    endpoint.tells["DescribeSecurityGroupRules"] = tell
    [found] = looked_up(replace(of_group(), reach="vpn"))
    assert {(one.rules, one.sources) for one in found.exposures} == {
        ((told["SecurityGroupRuleId"],), (told["CidrIpv4"],)) for told in rules
    }


@pytest.mark.parametrize("whole", [pytest.param(True, id="whole"), pytest.param(False, id="cut short")])
def test_a_prefix_list_of_a_thousand_entries_is_read_whole(endpoint: Endpoint, whole: Any) -> None:
    """Over all its pages; where they break off, the rest is unknown."""

    def tell(form: dict[str, str]) -> Any:
        start = int(form.get("NextToken", "0"))
        if start == 500 and not whole:
            return DENIED
        more = {"NextToken": str(start + 100)} if start < 900 else {}
        return {"Entries": [{"Cidr": f"10.0.{n // 100}.{2 * (n % 100)}/32"} for n in range(start, start + 100)], **more}

    opening = rule(1, "") | {"PrefixListId": "pl-1"}
    del opening["CidrIpv4"]
    endpoint.tells |= {
        "DescribeSecurityGroupRules": {"SecurityGroupRules": [opening]},
        "DescribeManagedPrefixLists": {"PrefixLists": [{"PrefixListId": "pl-1", "OwnerId": "111122223333"}]},
        "GetManagedPrefixListEntries": tell,
    }
    [found] = looked_up(replace(of_group(), reach="vpn"))
    [exposure] = found.exposures
    assert len(exposure.sources) == (1000 if whole else 501)
    assert ("unknown" in exposure.sources) == (not whole)
    assert problems(found) == (
        [] if whole else ["ec2:GetManagedPrefixListEntries was denied in 111122223333: whom pl-1 lets in is unknown"]
    )


def test_a_bug_of_ours_loses_no_finding(endpoint: Endpoint) -> None:
    """It is said, and the finding is judged as it came."""
    finding = of_group()
    broken = replace(finding, reporters=(replace(finding.reporters[0], updated_at="no date"),))
    endpoint.tells |= {
        "DescribeSecurityGroupRules": {},
        "DescribeSecurityGroups": {"SecurityGroups": [{"GroupId": GROUP}]},
    }
    [found] = looked_up(broken)
    assert found.exposures == finding.exposures
    assert found.notes[0].startswith("Portcullis failed to look it up (ValueError: ")
