"""The examples, applied for real against moto: a report on the bus becomes an alert, and destroy leaves nothing."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from handler import settings
from handler.metrics import UNITS
from handler.settings import Settings
from tests.deploy.account import IMAGE, OF_LAMBDA, WITHOUT_PERMISSION, Deployed, bundled, case
from tests.deploy.alarms import Sums, is_alarming, keys, sums
from tests.deploy.terraform import Terraform, copy_of_deploy, needs_terraform
from tests.deploy.test_permissions import described, listed
from tests.lookup.cloud import ACCOUNT, OTHER_ACCOUNT, Cloud, tcp
from tests.pages import DOCS, names, table
from tests.sweep.aws_loopback import network_finding

pytestmark = [needs_terraform, pytest.mark.slow]

TICKETS = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:tickets"
VARIABLES = {
    "one-account": {"image_uri": IMAGE, "mail": "security@example.com"},
    "organization": {
        "image_uri": IMAGE,
        "member_role_arn": f"arn:aws:iam::{OTHER_ACCOUNT}:role/terraform",
        "external_id": "example-1",
        "security_queue_arn": TICKETS,
        "netops_mail": "netops@example.com",
        "on_call_mail": "on-call@example.com",
    },
    "several-regions": {"image_uri": IMAGE, "mail": "security@example.com"},
}
TO_A_QUEUE = f"""
module "portcullis" {{
  subscriptions = {{
    tickets = {{ protocol = "sqs", endpoint = "{TICKETS}", teams = ["netops"], severities = ["critical", "high"] }}
  }}
}}
"""
"""In the place of the example's mail address, which a test cannot read."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Start moto's server."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module", params=VARIABLES)
def deployed(
    request: pytest.FixtureRequest, url: str, opa_path: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    """Apply an example, start the function, and take all of it down again."""
    folder = tmp_path_factory.mktemp(request.param)
    example = copy_of_deploy(folder) / "examples" / request.param
    if "mail" in VARIABLES[request.param]:
        (example / "test_override.tf").write_text(TO_A_QUEUE)
    cloud = Cloud(url, ACCOUNT)
    environment = {name.upper(): value for name, value in cloud.keys.items()} | {"AWS_ENDPOINT_URL": url}
    terraform = Terraform(example, VARIABLES[request.param], environment)
    terraform.init()
    deployed = Deployed(cloud, terraform)
    terraform.run("apply", "-parallelism=30", "-auto-approve", "-input=false")
    with deployed.started(opa_path, folder):
        yield deployed
    terraform.run("destroy", "-parallelism=30", "-auto-approve", "-input=false")
    assert "values" not in json.loads(terraform.run("show", "-json"))
    assert remains(cloud) == {"queues": [deployed.alert_queue]}
    elsewhere = [Cloud(url, OTHER_ACCOUNT), *(Cloud(url, ACCOUNT, region) for region in ("eu-central-1", "us-east-1"))]
    assert [remains(cloud) for cloud in elsewhere] == [{}, {}, {}]


def remains(cloud: Cloud) -> dict[str, Any]:
    """Return what is left in an account, without what is empty."""
    made = {
        "queues": cloud.client("sqs").list_queues().get("QueueUrls", []),
        "topics": cloud.client("sns").list_topics()["Topics"],
        "functions": cloud.client("lambda").list_functions()["Functions"],
        "rules": cloud.client("events").list_rules()["Rules"],
        "roles": [role for role in cloud.client("iam").list_roles()["Roles"] if "portcullis" in role["RoleName"]],
        "tables": cloud.client("dynamodb").list_tables()["TableNames"],
        "log groups": cloud.client("logs").describe_log_groups()["logGroups"],
        "alarms": cloud.client("cloudwatch").describe_alarms()["MetricAlarms"],
        "schedules": cloud.client("scheduler").list_schedules()["Schedules"],
    }
    return {kind: found for kind, found in made.items() if found}


def test_a_report_becomes_an_alert(deployed: Deployed) -> None:
    """What is denied goes from the bus by rule, queue, function and topic to whoever is subscribed."""
    deployed.put(bundled("05-bastion-ssh"))
    assert deployed.invoke() == []
    [alert] = deployed.alerts()
    assert (alert["kind"], alert["severity"], alert["team"]) == ("server", "critical", "netops")
    assert alert["server"] == "i-0aaaaaaaaaaaaaaa5"


def test_the_same_report_again_is_silent(deployed: Deployed) -> None:
    """The table that was deployed is the memory."""
    deployed.put(bundled("05-bastion-ssh"))
    assert deployed.invoke() == []
    assert deployed.alerts() == []


def test_what_is_allowed_is_silent(deployed: Deployed) -> None:
    """It reaches the function, and nobody hears of it."""
    deployed.put(bundled("01-web-443"))
    assert deployed.invoke() == []
    assert deployed.alerts() == []


def test_a_report_of_another_region_becomes_an_alert(deployed: Deployed, url: str) -> None:
    """Where the example sends the events of other Regions to the function's, they go the same way from there."""
    event = bundled("05-bastion-ssh")
    event["detail"] = json.loads(
        json.dumps(event["detail"]).replace("eu-west-1", "eu-central-1").replace("aaa5", "aaa6")
    )
    deployed.put(event, Cloud(url, ACCOUNT, "eu-central-1"))
    assert deployed.invoke() == []
    is_sent = deployed.terraform.folder.name == "several-regions"
    assert [alert["server"] for alert in deployed.alerts()] == (["i-0aaaaaaaaaaaaaaa6"] if is_sent else [])


def test_a_vulnerability_does_not_reach_the_function(deployed: Deployed) -> None:
    """Its rule keeps it out, so nobody pays for it."""
    deployed.put(bundled("10-package-vulnerability"))
    assert deployed.waiting() == 0


def test_an_event_of_a_new_kind_alerts(deployed: Deployed) -> None:
    """What nobody knows is not kept out, and somebody hears of it."""
    deployed.put(case("inspector2/unknown-type"))
    assert deployed.invoke() == []
    alerts = deployed.alerts()
    assert [alert["kind"] for alert in alerts] == ([] if one_team(deployed) else ["undecidable"])


def one_team(deployed: Deployed) -> bool:
    """Say whether the subscription is that of one team, which a report of no known team does not reach."""
    return "member_role_arn" not in deployed.terraform.variables


def test_an_alert_names_the_rule_that_opens_the_port(deployed: Deployed, url: str) -> None:
    """The function reads who reaches the port, in a member's account by the look-up role that was deployed there."""
    account = ACCOUNT if one_team(deployed) else OTHER_ACCOUNT
    there = Cloud(url, account)
    group = there.group(tcp(22, "0.0.0.0/0"))
    event = bundled("05-bastion-ssh")
    resource = event["detail"]["resources"][0]
    resource["id"] = there.instance(group, Name="bastion-02", Team="netops")
    event["detail"]["awsAccountId"] = account
    deployed.put(event)
    assert deployed.invoke() == []
    [alert] = deployed.alerts()
    [finding] = alert["findings"]
    denied = {(entry["source"], *entry["rules"]) for entry in finding["decision"]["denied"]}
    assert denied == {("0.0.0.0/0", there.rules(group)["0.0.0.0/0"])}


def test_a_sweep_tells_a_rule_that_was_widened(deployed: Deployed, url: str) -> None:
    """No event says so: what was allowed and silent is judged again by the second function, and is news once."""
    account = ACCOUNT if one_team(deployed) else OTHER_ACCOUNT
    there = Cloud(url, account)
    group = there.group(tcp(22, "10.0.0.0/8"))
    event = bundled("05-bastion-ssh")
    event["detail"] |= {"awsAccountId": account, "findingArn": event["detail"]["findingArn"].replace("05", "06")}
    server = event["detail"]["resources"][0]["id"] = there.instance(group, Name="bastion-03", Team="netops")
    deployed.put(event)
    assert (deployed.invoke(), deployed.sweep(), deployed.alerts()) == ([], [], [])
    there.open(group, tcp(22, "0.0.0.0/0"))
    assert deployed.sweep() == []
    [alert] = deployed.alerts()
    [news] = alert["news"]
    assert (news["state"], news["server"]) == ("new", server)
    seen_at = datetime(2026, 11, 24, 6, tzinfo=UTC)
    listed = network_finding("06", server, 22, seen_at, account=account) | {"findingArn": event["detail"]["findingArn"]}
    deployed.scanners.findings[listed["findingArn"]] = listed
    assert (deployed.sweep(), deployed.alerts()) == ([], [])


@pytest.mark.parametrize("region", ["eu-west-1", "eu-central-1"])
def test_a_sweep_tells_what_no_event_told(deployed: Deployed, region: str) -> None:
    """What Inspector lists in a Region that the sweep looks at is judged like an event."""
    at = datetime(2026, 11, 24, 6, tzinfo=UTC)
    finding = network_finding(f"lost-{region}", "i-0aaaaaaaaaaaaaaa7", 23, at, region=region, tags={"Team": "netops"})
    deployed.scanners.findings[finding["findingArn"]] = finding
    assert deployed.sweep() == []
    is_seen = region == "eu-west-1" or deployed.terraform.folder.name == "several-regions"
    assert [alert["server"] for alert in deployed.alerts()] == (["i-0aaaaaaaaaaaaaaa7"] if is_seen else [])


def test_the_canary_ends_in_its_own_queue(deployed: Deployed) -> None:
    """It goes the way of a report, and nobody who is subscribed hears of it."""
    deployed.put({"source": "portcullis.canary", "detail-type": "Canary", "detail": {}})
    assert deployed.invoke() == []
    [alert] = deployed.alerts("portcullis-canary")
    assert alert["server"] == "i-canary"
    assert deployed.alerts() == []


@pytest.fixture
def written(deployed: Deployed, caplog: pytest.LogCaptureFixture) -> Sums:
    """Return the sums of what both functions write of a heartbeat and a sweep."""
    caplog.set_level(logging.INFO)
    deployed.put({"source": "portcullis.heartbeat", "detail-type": "Heartbeat", "detail": {}})
    assert (deployed.invoke(), deployed.sweep()) == ([], [])
    lines = [sums(record.__dict__["fields"]) for record in caplog.records if record.message == "done"]
    return {key: sum(line.get(key, 0) for line in lines) for key in chain(*lines)}


@pytest.mark.parametrize(
    ("changes", "alarming"),
    [
        ({}, set()),
        ({("portcullis", "heartbeats"): 0, ("portcullis-sweep", "sweeps"): 0}, {"silence", "no-sweep"}),
        ({("portcullis-sweep", "sweep_problems"): 2}, {"incomplete-sweeps"}),
        ({("portcullis", "received"): 7}, {"nothing-decided"}),
        ({("portcullis", "received"): 7, ("portcullis", "decided"): 1}, set()),
        ({("portcullis", "alerts"): 1}, {"nobody-hears"}),
        ({("portcullis-sweep", "alerts"): 1}, {"nobody-hears"}),
    ],
)
def test_alarms_by_what_the_functions_write(
    deployed: Deployed, written: Sums, changes: dict[tuple[str, str], int], alarming: set[str]
) -> None:
    """Each alarm on a metric of ours is about one that is written; what is missing or too much is an alarm."""
    changed = {("Portcullis", name, "function", function): value for (function, name), value in changes.items()}
    assert changed.keys() <= written.keys()
    alarms = {
        name: alarm for name, alarm in deployed.alarms().items() if any(key[0] == "Portcullis" for key in keys(alarm))
    }
    assert alarms.keys() == {"silence", "no-sweep", "incomplete-sweeps", "nobody-hears", "nothing-decided"}
    assert {key for alarm in alarms.values() for key in keys(alarm) if key[0] == "Portcullis"} <= written.keys()
    assert {name for name, alarm in alarms.items() if is_alarming(alarm, written | changed)} == alarming


def test_alarms_where_nothing_is_written(deployed: Deployed) -> None:
    """What must be heard is an alarm when it is not."""
    assert {name for name, alarm in deployed.alarms().items() if is_alarming(alarm, {})} == {
        "silence",
        "no-sweep",
        "canary",
    }


def test_alerts_that_the_canary_alone_was_delivered_of_are_an_alarm(deployed: Deployed) -> None:
    """Somebody must hear what was sent, beside the queue of the canary."""
    alarm = deployed.alarms()["nobody-hears"]
    alerts, delivered, canary = (
        next(
            key
            for key in keys(alarm)
            if key[1] == name and key[3] in {"portcullis", "portcullis-alerts", "portcullis-canary"}
        )
        for name in ("alerts", "NumberOfNotificationsDelivered", "NumberOfMessagesSent")
    )
    assert is_alarming(alarm, {alerts: 1, delivered: 1, canary: 1})
    assert not is_alarming(alarm, {alerts: 1, delivered: 2, canary: 1})


def test_the_dashboard_shows_what_the_function_writes(deployed: Deployed) -> None:
    """It names no metric of ours that there is not."""
    body = deployed.cloud.client("cloudwatch").get_dashboard(DashboardName="portcullis")["DashboardBody"]
    shown = [metric for widget in json.loads(body)["widgets"] for metric in widget["properties"]["metrics"]]
    assert {metric[1] for metric in shown if metric[0] == "Portcullis"} <= set(UNITS)
    assert {metric[3] for metric in shown if metric[1] == "sweeps"} == {"portcullis-sweep"}


def test_the_page_says_where_aws_describes_each_metric_of_an_alarm(deployed: Deployed) -> None:
    """Its table has the metrics of AWS that the alarms look at, by namespace."""
    watched: dict[str, set[str]] = {}
    for namespace, name, *_ in (key for alarm in deployed.alarms().values() for key in keys(alarm)):
        watched.setdefault(f"`{namespace}`", set()).add(name)
    rows = table(DOCS / "deploy.md", "AWS's metric")
    assert watched.pop("`Portcullis`") <= set(UNITS)
    assert {namespace: set(names([cell])) for cell, (namespace, _) in rows.items()} == watched


def test_what_is_put_into_the_queue_by_hand_is_told(deployed: Deployed) -> None:
    """An event that no pattern was meant for is not lost: it could not be judged."""
    url = deployed.sqs.get_queue_url(QueueName="portcullis-events")["QueueUrl"]
    deployed.sqs.send_message(QueueUrl=url, MessageBody='{"source": "aws.ec2", "detail-type": "new", "detail": {}}')
    assert deployed.invoke() == []
    assert [alert["kind"] for alert in deployed.alerts()] == ([] if one_team(deployed) else ["undecidable"])


def test_a_finding_that_is_only_named_is_asked_for(deployed: Deployed) -> None:
    """Inspector has nothing of that name in moto, so it alerts, where Security Hub is judged at all."""
    deployed.put(case("security_hub/inspector-named-only"))
    assert deployed.invoke() == []
    assert [alert["kind"] for alert in deployed.alerts()] == ([] if one_team(deployed) else ["undecidable"])


def test_a_closing_is_told_once(deployed: Deployed) -> None:
    """What was told is told as closed; the table then drops what it kept of the report."""
    event = bundled("05-bastion-ssh")
    event["detail"] |= {"status": "CLOSED", "updatedAt": "Wed Nov 25 05:58:10.334 UTC 2026"}
    for _ in range(2):
        deployed.put(event)
        assert deployed.invoke() == []
    states = [entry["state"] for alert in deployed.alerts() for entry in alert["news"]]
    assert states == ["closed"] or (one_team(deployed) and states == [])


def test_the_role_is_enough_and_no_more(deployed: Deployed) -> None:
    """What the tests above have recorded is what the role permits, but for other look-ups and what Lambda does."""
    look_ups = {action for actions in described("look-ups.md", "Setting").values() for action in actions}
    assert deployed.calls >= {"sns:Publish", "ec2:DescribeNetworkInterfaces", "dynamodb:PutItem"}
    assert deployed.calls - WITHOUT_PERMISSION <= deployed.actions()
    assert deployed.actions() - deployed.calls - OF_LAMBDA <= look_ups


def test_the_role_in_another_account_is_enough_and_no_more(deployed: Deployed) -> None:
    """What is asked for by it is what it permits, but for other look-ups; nothing is, where no example makes it."""
    if one_team(deployed):
        assert deployed.calls_elsewhere == set()
        return
    look_ups = {action for actions in described("look-ups.md", "Setting").values() for action in actions}
    assert deployed.calls_elsewhere >= {"ec2:DescribeSecurityGroupRules", "inspector2:ListFindings"}
    assert deployed.calls_elsewhere <= deployed.actions_elsewhere()
    assert deployed.actions_elsewhere() - deployed.calls_elsewhere <= look_ups


def test_the_role_has_what_the_pages_describe(deployed: Deployed) -> None:
    """The actions of the deployed role are those of the tables in docs/, for the settings of the example."""
    variables = deployed.configuration()["Environment"]["Variables"]
    on = {name for name, value in variables.items() if value not in {"false", "never"}}
    look_ups = {action for name in on for action in described("look-ups.md", "Setting").get(f"`{name}`", set())}
    scanners = {rule["Name"].removeprefix("portcullis-") for rule in deployed.events.list_rules()["Rules"]}
    fetched = {"inspector2:ListFindings"} if "security-hub" in scanners else set()
    fetched |= listed(variables["SWEEP_SCANNERS"].split(","))
    always = {action for actions in described("deploy.md", "what for").values() for action in actions}
    assert deployed.actions() == always | look_ups | fetched


def test_the_function_knows_every_setting_that_it_is_given(deployed: Deployed) -> None:
    """What an example does not choose is as without the module, but for the memory."""
    variables = deployed.configuration()["Environment"]["Variables"]
    assert {name.lower() for name in variables} <= set(Settings.__struct_fields__)
    chosen = {
        name: value for name, value in variables.items() if name.startswith(("LOOK_UP_", "SWEEP_", "ALERT_TOPIC_"))
    }
    assert settings.read(variables) == settings.read({**chosen, "MEMORY_TABLE": "portcullis-memory"})


def test_queues_are_polled_as_the_module_says(deployed: Deployed) -> None:
    """Single records are given back, and the queues limit how many invocations there are."""
    for function in ("portcullis", "portcullis-sweep"):
        assert deployed.mapping(function)["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert deployed.mapping(function)["ScalingConfig"] == {"MaximumConcurrency": 5}
