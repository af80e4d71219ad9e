"""Nothing is looked up unless a setting says so, and a setting that cannot be read is named."""

import pytest

from handler import settings
from handler.errors import SettingError
from handler.settings import LookUps

TOPIC = {"ALERT_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:alerts"}


def test_nothing_is_on_by_itself() -> None:
    """A function that is only told its topic needs no permission to read AWS."""
    assert not settings.read(TOPIC).looks_up
    assert settings.read_look_ups({}) == LookUps()


@pytest.mark.parametrize(
    "variable",
    [
        {"LOOK_UP_SOURCES": "true"},
        {"LOOK_UP_TAGS": "missing"},
        {"LOOK_UP_TAGS": "always"},
        {"LOOK_UP_GROUPS": "1"},
        {"LOOK_UP_CONTAINERS": "true"},
    ],
    ids=str,
)
def test_each_look_up_is_switched_on_by_its_variable(variable: dict[str, str]) -> None:
    """The function and the command line read the same ones."""
    assert settings.read_look_ups(variable).looks_up
    assert settings.read(TOPIC | variable).looks_up


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("LOOK_UP_SOURCES", "yes", "true or false"),
        ("SWEEP_SCANNERS", "inspector", "inspector2, securityhub or securityhub-v2, with commas between several"),
        ("SWEEP_SCANNERS", "inspector2,", "inspector2, securityhub or securityhub-v2, with commas between several"),
        ("SWEEP_REGIONS", "eu-west-1, eu-central-1", "names of Regions with commas between them"),
        ("SWEEP_UNUSED_DAYS", "36501", "a whole number from 0 to 36500"),
        ("LOOK_UP_TAGS", "true", "always or missing or never"),
        ("LOOK_UP_ROLE_NAME", "arn:aws:iam::111122223333:role/reader", "the name of a role, without its ARN"),
        ("LOOK_UP_EXTERNAL_ID", "with blanks", "the external id of the role's trust policy"),
        ("ALERT_TOPIC_ARN", "alerts", "the ARN of a standard SNS topic"),
        ("ALERT_TOPIC_ARN", "arn:aws:sns:eu-west-1:111122223333:alerts.fifo", "the ARN of a standard SNS topic"),
        ("MODE", "quiet", "alert or observe"),
        ("ALERT_MAX_MESSAGES", "many", "a whole number, 1 or more"),
        ("ALERT_MAX_BYTES", "5", "a whole number from 16384 to 1048576"),
        ("MEMORY_RETENTION_DAYS", "9999999", "a whole number from 1 to 36500"),
        ("MEMORY_FLAPPING_CHANGES", "1000", "a whole number from 2 to 100"),
    ],
)
def test_a_value_that_cannot_be_read_is_named(name: str, value: str, remedy: str) -> None:
    """With what was given, and what is to be written, in the words of its reader."""
    with pytest.raises(SettingError) as raised:
        settings.read(TOPIC | {name: value})
    assert str(raised.value) == f"{name} is '{value}': write {remedy}"


def test_observing_needs_a_memory() -> None:
    """What is observed would be forgotten without one: the start ends with what to write."""
    assert settings.read(TOPIC | {"MODE": "observe", "MEMORY_TABLE": "portcullis"}).mode == "observe"
    with pytest.raises(SettingError, match="MODE is 'observe' and MEMORY_TABLE is not set: name the DynamoDB table"):
        settings.read(TOPIC | {"MODE": "observe"})


def test_all_on_keeps_how_accounts_are_entered() -> None:
    """`decide --look-up` looks everything up, with the role that is set."""
    given = LookUps(look_up_role_name="reader", look_up_external_id="shared")
    found = given.all_on()
    assert found.looks_up
    assert (found.look_up_role_name, found.look_up_external_id) == ("reader", "shared")
    assert found.look_up_tags == "missing"
    assert found.look_up_sources
    assert found.look_up_groups
    assert found.look_up_containers
