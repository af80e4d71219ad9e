"""What a sweep lists: what no event told, what has closed, and what is listed no more, against the loopback AWS."""
# ruff: noqa: SLF001  it looks at what the started function holds

import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from handler import aws
from handler.memory.state import Claim
from handler.settings import ROOT
from handler.sweep.scanners import SCANNERS
from tests.memory.story import Stage, remembering
from tests.memory.tables import make_table
from tests.sweep.aws_loopback import LoopbackAws, RefusedError, instance, network_finding

START = datetime(2026, 11, 24, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLACE = "111122223333#eu-west-1"
GROUP_CASE = json.loads((ROOT / "tests" / "cases" / "security_hub" / "asked" / "event.json").read_text())


@pytest.fixture(scope="module")
def stage(opa_path: str, tmp_path_factory: pytest.TempPathFactory, dynamodb: DynamoDBClient) -> Iterator[Stage]:
    """Start the function once."""
    folder = tmp_path_factory.mktemp("function")
    with remembering(opa_path, folder, dynamodb.meta.endpoint_url, make_table(dynamodb)) as world:
        yield Stage(world, opa_path)


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackAws]:
    """Start the AWS, with a member that has two findings of Inspector, and give the function its address."""
    with LoopbackAws() as world:
        for service in ("INSPECTOR2", "SECURITYHUB"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", world.url)
        aws.lister.cache_clear()
        aws.fetcher.cache_clear()
        world.members = ["111122223333"]
        world.instances = {"i-0a1": instance(START), "i-0b1": instance(START)}
        for name, port in (("a1", 22), ("b1", 8080)):
            finding = network_finding(name, f"i-0{name}", port, START)
            world.findings[finding["findingArn"]] = finding
        yield world
    aws.lister.cache_clear()
    aws.fetcher.cache_clear()


class Sweeps:
    """Sweeps of the function, one an hour; `hour` is how many there were. It starts once, and again for other settings.

    `kinds` are those of the messages of the last one, `notices` are its notices, and `line` is what it has logged.
    """

    def __init__(self, stage: Stage, table: str, loopback: LoopbackAws, caplog: pytest.LogCaptureFixture) -> None:
        self.stage = stage
        stage._sources.by_report.clear()
        self.loopback = loopback
        self.settings: dict[str, Any] = {"sweep_scanners": "inspector2"}
        self.hour = 0
        self.kinds: list[str] = []
        self.notices: list[dict[str, Any]] = []
        self._started_with: dict[str, Any] | None = None
        self._steps: list[dict[str, Any]] = []
        self._played = stage.play({"steps": iter(self._steps.pop, None), "settings": self.settings}, table)
        self._caplog = caplog
        caplog.set_level(logging.INFO)

    @property
    def at(self) -> datetime:
        """The time of the next sweep."""
        return START + self.hour * HOUR

    def sweep(self, *, scanned: bool = True) -> list[tuple[str, str, str]]:
        """Sweep, after Inspector has scanned; return what was told: the server, its state, and why it has closed."""
        self.hour += 1
        if scanned:
            self.loopback.scan(self.at - timedelta(minutes=30))
        return self.step([{"sweep": True}])

    def step(self, events: list[dict[str, Any]], **step: Any) -> list[tuple[str, str, str]]:
        """Let events come."""
        self._caplog.clear()
        if self._started_with not in (None, self.settings):
            step["settings"] = self.settings
        self._started_with = dict(self.settings)
        self._steps.append({"at": self.at.strftime("%Y-%m-%dT%H:%M:%S"), "events": events, **step})
        _, messages, given_back = next(self._played)
        assert given_back == []
        self.kinds = [message["kind"] for message in messages]
        self.notices = [message for message in messages if message["kind"] == "notice"]
        return [
            (entry["server"], entry["state"], _why(message["mail"]) if entry["state"] == "closed" else "")
            for message in messages
            if message["kind"] != "notice"
            for entry in message.get("news", ())
        ]

    @property
    def line(self) -> dict[str, Any]:
        """What the last sweep has logged."""
        [record] = [record for record in self._caplog.records if record.message == "sweep"]
        fields: dict[str, Any] = record.fields  # type: ignore[attr-defined]
        return fields

    def claim(self, server: str) -> Claim:
        """Return the one claim that is remembered of a server."""
        key = PLACE, f"server#{'security_group' if server.startswith('sg-') else 'instance'}#{server}"
        item: Any = self.stage.app._MEMORY.table.read([key], "2026-11-24T06:00:00Z")[key].item
        [claim] = item.claims.values()
        assert isinstance(claim, Claim)
        return claim


def _why(mail: str) -> str:
    return " ".join(mail.partition("Why")[2].partition("Open for")[0].split())


def _suspend(world: LoopbackAws) -> None:
    world.states["111122223333"] = "SUSPENDED"


def _exclude(world: LoopbackAws) -> None:
    world.instances["i-0a1"] |= {"active": False, "reason": "EXCLUDED_BY_TAG"}


@pytest.fixture
def sweeps(stage: Stage, table: str, loopback: LoopbackAws, caplog: pytest.LogCaptureFixture) -> Sweeps:
    """Give sweeps of a fresh table."""
    return Sweeps(stage, table, loopback, caplog)


def test_what_no_event_told_is_told_once(sweeps: Sweeps) -> None:
    """Findings of several pages, of which no event came, are new; the next sweep has nothing to tell."""
    sweeps.loopback.page = 1
    assert sorted(sweeps.sweep()) == [("i-0a1", "new", ""), ("i-0b1", "new", "")]
    assert (sweeps.line["listed"], sweeps.line["judged"], sweeps.line["problems"]) == (2, 0, [])
    assert sweeps.sweep() == []


def test_what_is_listed_as_closed_closes(sweeps: Sweeps) -> None:
    """The closing of which no event came is told, with the scanner's finding as the reason."""
    sweeps.sweep()
    for finding in sweeps.loopback.findings.values():
        if finding["resources"][0]["id"] == "i-0a1":
            finding |= {"status": "CLOSED", "updatedAt": sweeps.at}
    [(server, state, why)] = sweeps.sweep()
    assert (server, state) == ("i-0a1", "closed")
    assert why.startswith("closed at the scanner: arn:aws:inspector2:")
    assert sweeps.sweep() == []


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(_exclude, id="excluded"),
        pytest.param(_suspend, id="suspended"),
    ],
)
def test_what_is_closed_and_not_scanned_is_unconfirmed(sweeps: Sweeps, spoil: Callable[[LoopbackAws], None]) -> None:
    """A scanner that looks no more has no evidence: nothing is told, and the report is marked."""
    sweeps.sweep()
    for finding in sweeps.loopback.findings.values():
        finding |= {"status": "CLOSED", "updatedAt": sweeps.at}
    del sweeps.loopback.findings["arn:aws:inspector2:eu-west-1:111122223333:finding/b1"]
    spoil(sweeps.loopback)
    assert sweeps.sweep() == []
    assert sweeps.claim("i-0a1").unconfirmed is not None


def test_what_two_complete_listings_lack_closes(sweeps: Sweeps) -> None:
    """The first that does not hold it marks it, the second closes it and says so; the other finding is left alone."""
    sweeps.sweep()
    del sweeps.loopback.findings["arn:aws:inspector2:eu-west-1:111122223333:finding/a1"]
    assert sweeps.sweep() == []
    assert sweeps.claim("i-0a1").unlisted == "2026-11-24T08:00:00Z"
    assert sweeps.line["marked"] == 1
    arn = "arn:aws:inspector2:eu-west-1:111122223333:finding/a1"
    [(server, state, why)] = sweeps.sweep()
    assert (server, state) == ("i-0a1", "closed")
    assert why == f"no longer listed in two complete listings: {arn} by inspector2"
    assert sweeps.sweep() == []
    late = {"report": "a1", "server": "i-0a1", "port": 22, "updated": "2026-11-24T06:00:00"}
    [(server, state, _)] = sweeps.step([late])
    assert (server, state) == ("i-0a1", "reopened")


def _tell(sweeps: Sweeps) -> None:
    sweeps.step([{"report": "a1", "server": "i-0a1", "port": 22, "updated": "2026-11-24T08:30:00"}])


def _unscanned(sweeps: Sweeps) -> None:
    sweeps.loopback.instances["i-0a1"] |= {"active": False, "reason": "EC2_INSTANCE_STOPPED"}


@pytest.mark.parametrize(
    ("happens", "says"),
    [
        pytest.param(lambda sweeps: _suspend(sweeps.loopback), "is SUSPENDED, so that nothing closes", id="off"),
        pytest.param(
            lambda sweeps: sweeps.loopback.left.add("111122223333"),
            "is not on: it does not know the account, so that nothing closes",
            id="account that left",
        ),
        pytest.param(
            lambda sweeps: sweeps.loopback.errors.update({"BatchGetAccountStatus": [(403, "AccessDeniedException")]}),
            "did not say whether it is on, so that nothing closes: AccessDeniedException",
            id="no status",
        ),
        pytest.param(
            lambda sweeps: sweeps.loopback.errors.update({"ListCoverage": [(403, "AccessDeniedException")]}),
            "did not say what it scans",
            id="no coverage",
        ),
        pytest.param(
            lambda sweeps: sweeps.loopback.errors.update({"ListFindings": [(403, "AccessDeniedException")]}),
            "was not listed: AccessDeniedException",
            id="refused",
        ),
        pytest.param(_tell, "", id="told meanwhile"),
        pytest.param(_unscanned, "", id="not scanned"),
    ],
)
def test_what_lacks_evidence_does_not_close(sweeps: Sweeps, happens: Callable[[Sweeps], None], says: str) -> None:
    """Between two listings that lack a finding something happens that leaves the second without evidence."""
    sweeps.sweep()
    del sweeps.loopback.findings["arn:aws:inspector2:eu-west-1:111122223333:finding/a1"]
    assert sweeps.sweep() == []
    happens(sweeps)
    assert sweeps.sweep() == []
    assert sweeps.claim("i-0a1").open
    assert says in " ".join(sweeps.line["problems"])
    assert bool(sweeps.line["problems"]) == bool(says)


def test_listing_that_is_not_scanned_between_does_not_close(sweeps: Sweeps) -> None:
    """The scanner has not looked at the server since the mark: what it does not list may be open."""
    sweeps.sweep()
    del sweeps.loopback.findings["arn:aws:inspector2:eu-west-1:111122223333:finding/a1"]
    assert [sweeps.sweep(scanned=False) for _ in range(3)] == [[], [], []]
    assert [state for _, state, _ in sweeps.sweep()] == ["closed"]


def test_interrupted_listing_closes_nothing(sweeps: Sweeps) -> None:
    """Of two pages the second is refused: what it may hold stays, and the line says how far the listing came."""
    sweeps.loopback.page = 1
    sweeps.sweep()
    sweeps.loopback.findings.pop("arn:aws:inspector2:eu-west-1:111122223333:finding/b1")
    other = network_finding("c1", "i-0c1", 443, START)
    third = network_finding("d1", "i-0d1", 443, START)
    sweeps.loopback.findings |= {other["findingArn"]: other, third["findingArn"]: third}
    sweeps.sweep()

    def refuse(asked: dict[str, Any]) -> None:
        if asked.get("nextToken"):
            raise RefusedError(403, "AccessDeniedException")

    sweeps.loopback.before["ListFindings"] = refuse
    assert [sweeps.sweep(), sweeps.sweep()] == [[], []]
    assert sweeps.claim("i-0b1").open
    [problem] = sweeps.line["problems"]
    assert problem.startswith("inspector2 in 111122223333 eu-west-1 was listed in part, 1 pages: AccessDeniedException")


@pytest.mark.parametrize("scanner", ["inspector2", "securityhub"])
def test_listing_that_is_suddenly_empty_closes_nothing(sweeps: Sweeps, scanner: str) -> None:
    """Whatever the scanner covers: the line says so, until nobody has told of it for long."""
    sweeps.settings |= {"sweep_scanners": scanner, "sweep_untold_days": 2}
    _control(sweeps)
    sweeps.step([], sees={"a1b2c3d4": {"sources": ["0.0.0.0/0"]}})
    assert sweeps.sweep() != []
    sweeps.loopback.findings.clear()
    sweeps.loopback.hub.clear()
    assert [sweeps.sweep(), sweeps.sweep(), sweeps.sweep()] == [[], [], []]
    assert sweeps.line["problems"] == [
        f"{scanner} in 111122223333 eu-west-1 lists nothing, so that nothing of it closes",
    ]
    sweeps.hour += 48
    sweeps.sweep()
    assert [sweeps.sweep(), sweeps.line["problems"]] == [[], []]


def test_throttled_listing_goes_on(sweeps: Sweeps) -> None:
    """A page that is throttled is asked for again, by botocore, and the listing is complete."""
    sweeps.loopback.errors["ListFindings"] = [(429, "ThrottlingException")]
    assert len(sweeps.sweep()) == 2
    assert sweeps.line["problems"] == []


def test_scanner_that_was_off_for_a_day_closes_nothing(sweeps: Sweeps) -> None:
    """Switched off it has forgotten all; switched on again it lists nothing until it has scanned, and then the same."""
    sweeps.sweep()
    kept = dict(sweeps.loopback.findings)
    sweeps.loopback.switch_off("111122223333")
    assert [sweeps.sweep() for _ in range(24)] == [[]] * 24
    sweeps.loopback.switch_on("111122223333")
    assert [sweeps.sweep(scanned=False) for _ in range(12)] == [[]] * 12
    sweeps.loopback.findings = {arn: finding | {"updatedAt": sweeps.at} for arn, finding in kept.items()}
    assert [sweeps.sweep(), sweeps.sweep(), sweeps.sweep()] == [[], [], []]
    assert sweeps.claim("i-0a1").unlisted is None


def test_terminated_instance_closes(sweeps: Sweeps) -> None:
    """Whatever event was lost: what Inspector does not cover any more, while it scans the others, is gone."""
    sweeps.sweep()
    del sweeps.loopback.instances["i-0a1"]
    del sweeps.loopback.findings["arn:aws:inspector2:eu-west-1:111122223333:finding/a1"]
    assert sweeps.sweep() == []
    assert [(server, state) for server, state, _ in sweeps.sweep()] == [("i-0a1", "closed")]


def test_suppressed_finding_stays_open(sweeps: Sweeps) -> None:
    """Suppressed at the scanner is no closing, however often it is listed."""
    sweeps.sweep()
    for finding in sweeps.loopback.findings.values():
        finding |= {"status": "SUPPRESSED", "updatedAt": sweeps.at}
    assert [sweeps.sweep(), sweeps.sweep(), sweeps.sweep()] == [[], [], []]
    claim = sweeps.claim("i-0a1")
    assert (claim.open, claim.unlisted, claim.unconfirmed) == (True, None, None)


def test_listing_that_changes_between_pages_marks_and_unmarks(sweeps: Sweeps) -> None:
    """A finding that slips from the second page to the first is marked, and the next listing clears the mark."""
    sweeps.loopback.page = 1
    sweeps.sweep()
    first = sweeps.loopback.findings["arn:aws:inspector2:eu-west-1:111122223333:finding/a1"]

    def slip(asked: dict[str, Any]) -> None:
        if asked.get("nextToken"):
            sweeps.loopback.findings.pop(first["findingArn"], None)

    sweeps.loopback.before["ListFindings"] = slip
    assert sweeps.sweep() == []
    assert sweeps.claim("i-0b1").unlisted is not None
    sweeps.loopback.before.clear()
    sweeps.loopback.findings[first["findingArn"]] = first
    assert sweeps.sweep() == []
    assert sweeps.claim("i-0b1").unlisted is None


def test_what_nobody_tells_is_unconfirmed_at_last(sweeps: Sweeps) -> None:
    """A claim of a scanner that is not listed, and that was not told for days, is marked; nothing is told of it."""
    sweeps.settings["sweep_untold_days"] = 2
    sweeps.loopback.findings.clear()
    sweeps.step([{"report": "g", "group": "sg-0a1"}])
    sweeps.hour = 46
    sweeps.sweep()
    assert sweeps.claim("sg-0a1").unconfirmed is None
    sweeps.hour = 47
    assert sweeps.sweep() == []
    assert sweeps.claim("sg-0a1").unconfirmed == "2026-11-26T06:00:00Z"
    assert sweeps.line["unconfirmed"] == 1


def _control(sweeps: Sweeps, **fields: Any) -> dict[str, Any]:
    [finding] = json.loads(json.dumps(GROUP_CASE["detail"]["findings"]))
    changed: dict[str, Any] = finding | {"UpdatedAt": sweeps.at.strftime("%Y-%m-%dT%H:%M:%S.000Z")} | fields
    sweeps.loopback.hub[changed["Id"]] = changed
    return changed


def test_control_of_security_hub_is_told_and_closes(sweeps: Sweeps) -> None:
    """A failed control that no event told is new, and closes when it has passed; another Region's is left alone."""
    sweeps.settings["sweep_scanners"] = "securityhub"
    _control(sweeps, Region="eu-central-1", Id="elsewhere")
    _control(sweeps)
    sees = {"a1b2c3d4": {"sources": ["0.0.0.0/0"], "rules": ["sgr-1"]}}
    sweeps.step([], sees=sees)
    assert [(server, state) for server, state, _ in sweeps.sweep()] == [("sg-0a1", "new")]
    assert sweeps.line["listed"] == 1
    _control(sweeps, Compliance={"Status": "PASSED", "SecurityControlId": "EC2.13"})
    assert [(server, state) for server, state, _ in sweeps.sweep()] == [("sg-0a1", "closed")]


@pytest.mark.parametrize(
    ("since", "told"),
    [
        pytest.param("2026-01-01T00:00:00.000Z", ["closed"], id="long since on"),
        pytest.param("2026-11-24T00:00:00.000Z", [], id="on since today"),
        pytest.param(None, [], id="off"),
    ],
)
def test_control_that_is_listed_no_more_closes_where_the_hub_is_on(
    sweeps: Sweeps, since: str | None, told: list[str]
) -> None:
    """Two complete listings of a Hub that has been on for long enough close it, and nothing else does."""
    sweeps.settings["sweep_scanners"] = "securityhub"
    _control(sweeps, Id=GROUP_CASE["detail"]["findings"][0]["Id"] + "-other", Resources=[_group("sg-0b2")])
    lost = _control(sweeps)
    sweeps.step([], sees={"a1b2c3d4": {"sources": ["0.0.0.0/0"]}, "a1b2c3d4-other": {"sources": ["0.0.0.0/0"]}})
    sweeps.sweep()
    sweeps.loopback.hub_since = since
    del sweeps.loopback.hub[lost["Id"]]
    assert sweeps.sweep() == []
    assert [state for _, state, _ in sweeps.sweep()] == told


def test_control_that_was_switched_off_closes_nothing(sweeps: Sweeps) -> None:
    """Security Hub archives what it has found, and deletes it after 30 days: of the port nobody knows any more."""
    sweeps.settings["sweep_scanners"] = "securityhub"
    name = GROUP_CASE["detail"]["findings"][0]["Id"]
    other = {"Id": name.replace("EC2.13", "EC2.18"), "Resources": [_group("sg-0b2")]}
    assert other["Id"] != name
    _control(sweeps, **other)
    _control(sweeps)
    _control(sweeps, Id=f"{name}-archived", Resources=[_group("sg-0c3")], RecordState="ARCHIVED")
    sweeps.step([], sees={"a1b2c3d4": {"sources": ["0.0.0.0/0"]}})
    sweeps.sweep()
    _control(sweeps, RecordState="ARCHIVED")
    assert sweeps.sweep() == []
    del sweeps.loopback.hub[name]
    assert [sweeps.sweep() for _ in range(3)] == [[], [], []]
    claim = sweeps.claim("sg-0a1")
    assert (claim.open, claim.unlisted is None, claim.unconfirmed is None) == (True, False, False)


def test_control_that_was_switched_on_again_closes_nothing_yet(sweeps: Sweeps) -> None:
    """It takes a day to judge everything again, under other ids: what it lacks meanwhile may be open."""
    sweeps.settings["sweep_scanners"] = "securityhub"
    name = GROUP_CASE["detail"]["findings"][0]["Id"]
    _control(sweeps, Id=name.replace("EC2.13", "EC2.18"), Resources=[_group("sg-0b2")])
    _control(sweeps)
    sweeps.step([], sees={"a1b2c3d4": {"sources": ["0.0.0.0/0"]}})
    sweeps.sweep()
    del sweeps.loopback.hub[name]
    assert [sweeps.sweep(), sweeps.sweep()] == [[], []]
    made = sweeps.at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    _control(sweeps, Id=f"{name}-new", Resources=[_group("sg-0c3")], CreatedAt=made)
    assert [state for _ in range(3) for _, state, _ in sweeps.sweep()] == ["new"]
    assert sweeps.claim("sg-0a1").open
    sweeps.hour += 48
    assert [(server, state) for server, state, _ in sweeps.sweep()] == [("sg-0a1", "closed")]


def test_controls_of_the_new_hub_have_the_date_of_their_oldest_finding() -> None:
    """It is in milliseconds."""
    event = json.loads((ROOT / "tests" / "cases" / "security_hub_v2" / "control" / "event.json").read_text())
    control = "arn:aws:securityhub:eu-west-1:111122223333:security-control/EC2.13"
    assert SCANNERS["securityhub-v2"].controls(event["detail"]["findings"]) == {control: "2026-11-19T08:00:00Z"}


def test_look_up_that_fails_for_long_is_told(sweeps: Sweeps) -> None:
    """A control without ports stays as it was known while the look-up fails, for three hours; then it alerts once."""
    sweeps.settings["sweep_scanners"] = "securityhub"
    _control(sweeps, Compliance={"Status": "FAILED", "SecurityControlId": "EC2.18"})
    seen = {"sources": ["0.0.0.0/0"], "rules": ["sgr-1"]}
    sweeps.step([], sees={"a1b2c3d4": seen})
    assert [state for _, state, _ in sweeps.sweep()] == ["new"]
    sources = sweeps.stage._sources.by_report
    sources["a1b2c3d4"] = {}
    assert [(sweeps.sweep(), sweeps.kinds) for _ in range(3)] == [([], [])] * 3
    assert sweeps.claim("sg-0a1").unread_since == "2026-11-24T08:00:00Z"
    sweeps.sweep()
    assert sweeps.kinds == ["undecidable"]
    sweeps.sweep()
    assert sweeps.kinds == []
    sources["a1b2c3d4"] = seen
    assert (sweeps.sweep(), sweeps.kinds) == ([], [])
    claim = sweeps.claim("sg-0a1")
    assert (claim.open, claim.unread_since) == (True, None)


def test_table_that_fails_in_the_middle_ends_the_sweep_early(sweeps: Sweeps) -> None:
    """What was found until then is told, the line names the table, and the next sweep goes on."""
    fault = {"before": "dynamodb.Query", "error": "ProvisionedThroughputExceededException"}
    sweeps.hour += 1
    assert len(sweeps.step([{"sweep": True}], fault=fault)) == 2
    assert "it ended early: MEMORY_TABLE" in " ".join(sweeps.line["problems"])
    assert sweeps.sweep() == []
    assert (sweeps.line["problems"], sweeps.line["left"], sweeps.line["judged"]) == ([], 0, 2)


def test_group_that_is_listed_no_more_closes_on_its_instances(sweeps: Sweeps) -> None:
    """What a control of a group has opened on the instances behind it closes with it, in one sweep."""
    sweeps.settings["sweep_scanners"] = "securityhub"
    _control(sweeps, Id=GROUP_CASE["detail"]["findings"][0]["Id"] + "-other", Resources=[_group("sg-0b2")])
    lost = _control(sweeps)
    behind = {"sources": ["0.0.0.0/0"], "behind": ["i-0c1", "i-0c2"]}
    sweeps.step([], sees={"a1b2c3d4": behind, "a1b2c3d4-other": {"sources": ["0.0.0.0/0"]}})
    assert sorted(server for server, _, _ in sweeps.sweep()) == ["i-0c1", "i-0c2", "sg-0b2"]
    del sweeps.loopback.hub[lost["Id"]]
    assert sweeps.sweep() == []
    assert [sweeps.claim(name).unlisted for name in ("i-0c1", "i-0c2", "sg-0a1")] == ["2026-11-24T08:00:00Z"] * 3
    assert sorted((server, state) for server, state, _ in sweeps.sweep()) == [("i-0c1", "closed"), ("i-0c2", "closed")]
    assert not any(sweeps.claim(name).open for name in ("i-0c1", "i-0c2", "sg-0a1"))


def _group(name: str) -> dict[str, Any]:
    return {"Type": "AwsEc2SecurityGroup", "Id": f"arn:aws:ec2:eu-west-1:111122223333:security-group/{name}"}


def test_findings_of_the_new_hub_are_listed(sweeps: Sweeps) -> None:
    """What the new Security Hub lists in OCSF is judged; what Inspector found is fetched by its ARN."""
    sweeps.settings["sweep_scanners"] = "securityhub-v2"
    event = json.loads((ROOT / "tests" / "cases" / "security_hub_v2" / "control" / "event.json").read_text())
    [finding] = event["detail"]["findings"]
    sweeps.loopback.hub_v2["control"] = finding
    sweeps.step([], sees={finding["finding_info"]["uid"].rpartition("/")[2]: {"sources": ["0.0.0.0/0"]}})
    [(_, state, _)] = sweeps.sweep()
    assert (state, sweeps.line["listed"]) == ("new", 1)
    assert sweeps.sweep() == []


def test_one_of_several_scanners_that_is_refused_spoils_no_other(sweeps: Sweeps) -> None:
    """What cannot be listed is named; what the other one lists is told."""
    sweeps.settings["sweep_scanners"] = "securityhub,inspector2"
    sweeps.loopback.before["GetFindings"] = _refuse
    assert len(sweeps.sweep()) == 2
    assert sorted(sweeps.line["problems"]) == [
        f"securityhub in {account} eu-west-1 was not listed: AccessDeniedException: as the test has it"
        for account in ("111122223333", "123456789012")
    ]


def _refuse(_: dict[str, Any]) -> None:
    raise RefusedError(403, "AccessDeniedException")


def test_members_and_regions_are_swept(sweeps: Sweeps) -> None:
    """Each account of the organization is listed by itself, in each Region; what is remembered of others is, too."""
    sweeps.settings["sweep_regions"] = "eu-central-1"
    sweeps.loopback.members.append("444455556666")
    for account, region in (("444455556666", "eu-west-1"), ("444455556666", "eu-central-1")):
        finding = network_finding(f"m{region[3]}", f"i-0{region[3]}1", 22, START, account=account, region=region)
        sweeps.loopback.findings[finding["findingArn"]] = finding
    assert sorted(server for server, _, _ in sweeps.sweep()) == ["i-0a1", "i-0b1", "i-0c1", "i-0w1"]
    assert (sweeps.line["places"], sweeps.line["left"]) == (6, 0)
    sweeps.loopback.before["ListMembers"] = _refuse
    sweeps.sweep()
    assert sweeps.line["places"] == 5
    assert all("did not say whose administrator this is" in problem for problem in sweeps.line["problems"])


def test_listing_for_which_no_time_is_left_closes_nothing(sweeps: Sweeps, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is judged as far as it came, the line says so, and the next sweeps go on with what is remembered."""
    sweeps.loopback.members.clear()
    assert len(sweeps.sweep()) == 0
    sweeps.step([{"report": "b1", "server": "i-0b1", "port": 8080, "updated": "2026-11-24T06:00:00"}])
    sweeps.loopback.page = 1
    monkeypatch.setattr(sweeps.stage.app, "_DECIDED", 0.3)
    assert [server for server, _, _ in sweeps.sweep()] == ["i-0a1"]
    assert sweeps.line["problems"] == [
        "inspector2 in 111122223333 eu-west-1 was listed in part: no time was left for more than 1 pages",
        "no time was left for all of it: the next sweep goes on there",
    ]
    assert [sweeps.sweep(), sweeps.line["judged"]] == [[], 2]
    assert sweeps.claim("i-0b1").unlisted is None


def test_sweep_that_goes_on_after_the_listing_takes_nothing_for_untold(
    sweeps: Sweeps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the listing held is not known any more; the listings of old findings are what tells them."""
    sweeps.settings["sweep_untold_days"] = 2
    sweeps.sweep()
    sweeps.hour = 70
    with monkeypatch.context() as patch:
        patch.setattr(sweeps.stage.app, "_DECIDED", 0.3)
        sweeps.sweep()
    assert sweeps.line["left"] == 2
    assert [sweeps.sweep(), sweeps.line["judged"], sweeps.line["unconfirmed"]] == [[], 2, 0]
    assert sweeps.claim("i-0a1").unconfirmed is None


def test_what_is_not_scanned_is_told_once(sweeps: Sweeps) -> None:
    """An instance that Inspector leaves out and an account where it is off are told; a stopped instance is not."""
    _exclude(sweeps.loopback)
    sweeps.loopback.instances["i-0b1"] |= {"active": False, "reason": "EC2_INSTANCE_STOPPED"}
    sweeps.loopback.states["123456789012"] = "DISABLED"
    sweeps.sweep()
    account, server = sweeps.notices
    assert (account["subject"], account["team"]) == ("[notice] 1 account is not scanned", "unassigned")
    assert [entry["text"] for entry in account["news"]] == ["inspector2 in 123456789012 eu-west-1 is DISABLED"]
    assert (server["subject"], server["team"]) == ("[notice] 1 server is not scanned", "web-platform")
    assert [(entry["server"], entry["state"]) for entry in server["news"]] == [("i-0a1", "unscanned")]
    assert "EXCLUDED_BY_TAG" in server["mail"]
    assert sweeps.line["noticed"] == 2
    sweeps.sweep()
    assert sweeps.notices == []
    sweeps.loopback.instances["i-0a1"]["reason"] = "UNMANAGED_EC2_INSTANCE"
    sweeps.sweep()
    assert [entry["server"] for message in sweeps.notices for entry in message["news"]] == ["i-0a1"]


def test_what_is_suppressed_and_denied_is_told_once(sweeps: Sweeps) -> None:
    """It does not alert, and it is said why it is denied; what is allowed may be suppressed."""
    for finding in sweeps.loopback.findings.values():
        finding |= {"status": "SUPPRESSED"}
    https = network_finding("c1", "i-0c1", 443, START, status="SUPPRESSED", tags={"Role": "web"})
    sweeps.loopback.findings[https["findingArn"]] = https
    sweeps.step([], sees={"c1": {"sources": ["0.0.0.0/0"]}})
    assert sweeps.sweep() == []
    [message] = sweeps.notices
    assert message["subject"] == "[notice] 2 denied reports are suppressed"
    assert [(entry["server"], entry["state"]) for entry in message["news"]] == [
        ("i-0a1", "suppressed"),
        ("i-0b1", "suppressed"),
    ]
    sweeps.sweep()
    assert sweeps.notices == []


def test_who_has_noted_something_at_what_is_suppressed_is_named(sweeps: Sweeps) -> None:
    """Security Hub does not say who suppressed a finding, but who wrote the note at it."""
    sweeps.settings["sweep_scanners"] = "securityhub"
    note = {"Text": "known", "UpdatedBy": "jane", "UpdatedAt": "2026-11-24T06:00:00.000Z"}
    _control(sweeps, Workflow={"Status": "SUPPRESSED"}, Note=note)
    sweeps.step([], sees={"a1b2c3d4": {"sources": ["0.0.0.0/0"]}})
    assert sweeps.sweep() == []
    [message] = sweeps.notices
    [entry] = message["news"]
    assert "about sg-0a1 is suppressed in securityhub in 111122223333 eu-west-1 (note by jane): " in entry["text"]


def test_notice_that_sns_does_not_take_comes_again(sweeps: Sweeps) -> None:
    """It is told by the next sweep, and the line of this one says what went wrong."""
    sweeps.loopback.findings.clear()
    sweeps.loopback.states["123456789012"] = "DISABLED"
    sweeps.hour += 1
    sweeps.step([{"sweep": True}], fault={"before": "sns", "error": "InternalErrorException"})
    assert "SNS did not take the alert" in " ".join(sweeps.line["problems"])
    sweeps.sweep()
    assert len(sweeps.notices) == 1
