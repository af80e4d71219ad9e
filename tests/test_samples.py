"""Public samples of what AWS sends have the outcome that their index states."""

import json
from pathlib import Path

import pytest

from handler import events, reporters
from handler.finding import Closed, Finding, Ignored, Reference, Report, Server, Undecidable
from tests import mutations

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "../shared/samples"
NOW = "2026-11-24T06:12:00Z"

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"{SAMPLES.relative_to(ROOT)} is not there")

OUTCOMES = {
    "classic-describe-findings-network-exposure": [
        (
            "open i-0c10c2c7863d1a356 web-prod-01 internet sg-0af64c8a5eb30ca75 tcp 22 tcp 80 tcp 443 tcp 8000 tcp 9999"
            " tcp 32768-60999 udp 53 udp 500 udp 4500 udp 60000-61000"
        )
    ],
    "classic-describe-findings-no-tags-failed": [
        "open i-0c10c2c7863d1a356 tags unknown internet sg-0af64c8a5eb30ca75 tcp 443",
        "undecidable failedItems",
    ],
    "classic-describe-findings-recognized-port": [
        "open i-0c10c2c7863d1a356 kubectl internet sg-0af64c8a5eb30ca75 tcp 22"
    ],
    "classic-sns-finding-reported": [
        (
            "to fetch arn:aws:inspector:us-east-1:123456789012:target/0-a12b3c4d/template/0-5e6f7g8h/run/0-9i0j1k2l"
            "/finding/0-B458MQWe"
        )
    ],
    "classic-sns-run-completed": ["ignored ASSESSMENT_RUN_COMPLETED"],
    "config-eb-authorized-ports-compliant": ["closed sg-0a1b2c3d4e5f60001 tags unknown"],
    "config-eb-authorized-ports-noncompliant": [
        "open sg-0a1b2c3d4e5f60001 tags unknown internet sg-0a1b2c3d4e5f60001 tcp 0-65535 udp 0-65535"
    ],
    "guardduty-eb-port-probe": [
        "open i-036cb01d26bb09166 stackarmor Tools internet no group tcp 22",
        "open i-036cb01d26bb09166 stackarmor Tools internet no group tcp 81",
    ],
    "prowler-ocsf-instance-ssh": ["open i-0cc555cfcdf60a48f Database Server for AZ1 internet no group tcp 22"],
    "guardduty-sechub-port-probe": ["ended i-08a922f31de4801d5 sample-name"],
    "ocsf-compliance-ec2-18": [
        "open sg-0a1b2c3d4e5f60001 tags unknown internet sg-0a1b2c3d4e5f60001 tcp 0-65535 udp 0-65535"
    ],
    "ocsf-exposure-lambda-docs": ["ignored A Detection Finding"],
    "ocsf-inspector-reachability-unverified": [
        "to fetch arn:aws:inspector2:eu-west-1:111122223333:finding/9abc5f3a76093eeb2ad420fdf9c011ab"
    ],
    "prowler-sechub-sg-3389": ["open sg-0a1b2c3d4e5f60001 prod-payments-api internet sg-0a1b2c3d4e5f60001 tcp 3389"],
    "sechub-classic-alb-no-listener": ["open i-0f312faa35bda6e20 sample-name internet sg-07a0d8ec5597c263d tcp 80"],
    "sechub-classic-legacy-indexed-attributes": ["open i-12345abcdfe123 sample-name internet sg-12345abcdfe123 tcp 22"],
    "sechub-classic-network-exposure": ["open i-0f5a08d88dbba4fdc sample-name internet sg-066e481a61335f572 tcp 22"],
    "sechub-classic-peered-vpc": ["open i-0f5a08d88dbba4fdc sample-name peered_vpc sg-066e481a61335f572 tcp 22"],
    "sechub-classic-recognized-port": ["open i-0f5a08d88dbba4fdc sample-name internet sg-066e481a61335f572 tcp 22"],
    "sechub-classic-unrecognized-resolved": ["ended i-0c573f5ddc669df95 sample-name"],
    "sechub-custom-action-ec2-19": [
        "open sg-0a1b2c3d4e5f60001 prod-payments-api internet sg-0a1b2c3d4e5f60001 tcp 22",
        "open sg-0a1b2c3d4e5f60001 prod-payments-api internet sg-0a1b2c3d4e5f60001 tcp 443",
        "open sg-0a1b2c3d4e5f60001 prod-payments-api internet sg-0a1b2c3d4e5f60001 tcp 5432",
        "open sg-0a1b2c3d4e5f60001 prod-payments-api internet sg-0a1b2c3d4e5f60001 tcp 8443",
    ],
    "sechub-ec2-13-no-details": ["open sg-0a1b2c3d4e5f60001 tags unknown internet sg-0a1b2c3d4e5f60001 tcp 22"],
    "sechub-ec2-18-passed": ["closed sg-0a1b2c3d4e5f60003 tags unknown"],
    "sechub-inspector-v2-archived": ["closed i-0cc555cfcdf60a48f Database Server for AZ1"],
    "sechub-inspector-v2-reachability": [
        "open i-0cc555cfcdf60a48f Database Server for AZ1 internet sg-0f615897558ace817 tcp 22"
    ],
    "trusted-advisor-eb-specific-ports": [
        "open sg-0a1b2c3d4e5f60001 tags unknown internet sg-0a1b2c3d4e5f60001 tcp 3389"
    ],
    "v2-api-list-findings": [
        "open i-0a12121212121212a web-prod-01 internet sg-0f615897558ace817 tcp 22",
        "ignored SUPPRESSED",
        "ignored nextToken",
    ],
    "v2-eb-behind-alb": ["open i-0abbbbbbbbbbbbbbe web-prod-01 internet sg-0f615897558ace817 tcp 80"],
    "v2-eb-closed": ["closed i-0a77777777777777a web-prod-01"],
    "v2-eb-docs-ssh-no-tags": ["open i-12345678901234567 tags unknown internet sg-0d34debf87410f2d9 tcp 22"],
    "v2-eb-ecs-ephemeral-32768-60999": [
        "open i-0a99999999999999c ecs-cluster-prod internet sg-0f615897558ace817 tcp 32768-60999"
    ],
    "v2-eb-empty-tags": ["open i-0a66666666666666f no name internet sg-0f615897558ace817 tcp 5432"],
    "v2-eb-ipv6": ["open i-0accccccccccccccf web-prod-01 internet sg-0f615897558ace817 tcp 22"],
    "v2-eb-no-name-tag": ["open i-0a55555555555555e no name internet sg-0f615897558ace817 tcp 3389"],
    "v2-eb-package-vulnerability": ["ignored PACKAGE_VULNERABILITY"],
    "v2-eb-peering": ["open i-0aaaaaaaaaaaaaaad web-prod-01 peered_vpc sg-066e481a61335f572 tcp 22"],
    "v2-eb-scan-complete": ["ignored Inspector2 Scan"],
    "v2-eb-suppressed": ["ignored SUPPRESSED"],
    "v2-eb-tcp-443-allowed-web": ["open i-0a11111111111111a web-prod-01 internet sg-0f615897558ace817 tcp 443"],
    "v2-eb-tcp-all-0-65535": ["open i-0a44444444444444d dev-sandbox internet sg-0f615897558ace817 tcp 0-65535"],
    "v2-eb-tcp-range-8000-8100": ["open i-0a22222222222222b app-prod-02 internet sg-0f615897558ace817 tcp 8000-8100"],
    "v2-eb-two-resources": [
        "open i-0adddddddddddddd1 web-prod-01 internet sg-0f615897558ace817 tcp 8443",
        "open i-0adddddddddddddd2 web-prod-02 internet no group tcp 8443",
    ],
    "v2-eb-udp-1194": ["open i-0a33333333333333c vpn-01 internet sg-0f615897558ace817 udp 1194"],
    "v2-s3-report-export": ["open i-0a12121212121212a web-prod-01 internet sg-0f615897558ace817 tcp 22"],
    "v2-sns-wrapped": ["open i-0aeeeeeeeeeeeeee1 cache-01 internet sg-0f615897558ace817 tcp 6379"],
    "v2-sqs-batch-mixed": [
        "open i-0afffffffffffff11 bastion-01 internet sg-0f615897558ace817 tcp 22",
        "open i-0afffffffffffff12 search-01 internet sg-0f615897558ace817 tcp 9200-9300",
        "undecidable Records[2].body",
    ],
    "weird-sns-input-transformer-text": ["undecidable Records[0].Sns.Message"],
    "weird-v2-inverted-range": ["undecidable detail.networkReachabilityDetails.openPortRange"],
    "weird-v2-string-ports-lowercase": ["open i-0a14141414141414a no name internet sg-0f615897558ace817 tcp 22"],
}


def normalized(path: Path) -> list[Report]:
    """Give what a sample becomes."""
    records = events.unwrap(json.loads(path.read_text()), "request").records
    return [
        report for one in records for report in ([one.problem] if one.problem else reporters.normalize(one.event, NOW))
    ]


def called(server: Server) -> str:
    """Give the name of a server, or why it has none."""
    return server.name or ("no name" if server.tags_known else "tags unknown")


def told(report: Report) -> str:
    """Say the facts of a report in one line."""
    match report:
        case Finding(server=server, exposures=exposures):
            groups = " ".join(sorted({exposure.security_group or "no group" for exposure in exposures}))
            ports = [
                f"{one.protocol} {one.from_port}" + (f"-{one.to_port}" if one.to_port > one.from_port else "")
                for one in exposures
            ]
            return " ".join(["open", server.id, called(server), report.reach, groups, *ports])
        case Closed(server=server, confirmed=confirmed):
            return f"{'closed' if confirmed else 'ended'} {server.id} {called(server)}"
        case Ignored(reason=reason):
            return f"ignored {reason}"
        case Undecidable(field=field):
            return f"undecidable {field}"
        case Reference(arn=arn):
            return f"to fetch {arn}"


@pytest.mark.parametrize("name", OUTCOMES)
def test_sample_has_its_stated_outcome(name: str) -> None:
    """Each server, port, route and group that the index names is found, and no other."""
    found = [told(report) for report in normalized(SAMPLES / f"{name}.json")]
    assert len(found) == len(OUTCOMES[name])
    for line, stated in zip(found, OUTCOMES[name], strict=True):
        assert line.startswith(stated) if stated.startswith("ignored") else line == stated


def test_other_samples_are_undecidable() -> None:
    """What no reporter reads yet alerts."""
    others = [path for path in SAMPLES.glob("*.json") if path.stem not in OUTCOMES]
    assert others
    kinds = {path.stem: {type(report) for report in normalized(path)} for path in others}
    assert kinds == {path.stem: {Undecidable} for path in others}


@pytest.mark.slow
def test_damaged_samples_are_answered() -> None:
    """Whatever member of a sample is damaged, nothing is made up and nothing ends in silence."""
    for event in [json.loads(path.read_text()) for path in sorted(SAMPLES.glob("*.json"))]:
        before = mutations.read(event)
        for place in mutations.places(event):
            for _ in mutations.damaged(event, place, (None, "x", {})):
                reports = mutations.read(event)
                if reports != before:
                    mutations.check(event, reports)
