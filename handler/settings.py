"""The environment, read once at the start into a frozen value. Each variable's meaning stands in the README."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from handler.errors import SettingError

ROOT = Path(__file__).resolve().parent.parent
"""The folder that holds `handler` and `policies`."""


class Settings(Struct, frozen=True, kw_only=True):
    """What the function can be told.

    `alert_topic_arn` is the SNS topic that gets the alerts. `alert_max_messages`: more than so many messages an
    invocation become one digest. `alert_max_bytes`: the topic's MaximumMessageSize. `alert_https_format`: what HTTPS
    subscribers get. `alert_team_tag`: the tag of a server that names its team. `policies_path`: the folder of the
    policies. `opa_path`: the OPA to run, a path or a name on PATH.
    """

    alert_topic_arn: Annotated[str, Meta(pattern="^arn:[^:]+:sns:[^:]+:[^:]+:[^:]+$")]
    alert_max_messages: Annotated[int, Meta(ge=1)] = 10
    alert_max_bytes: Annotated[int, Meta(ge=16384, le=1048576)] = 262144
    alert_https_format: Literal["json", "amazon-q"] = "json"
    alert_team_tag: str = "Team"
    policies_path: str = str(ROOT / "policies")
    opa_path: str = "opa"


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; a missing or unreadable variable raises `SettingError` with its name."""
    given = {name: environment[name.upper()] for name in Settings.__struct_fields__ if environment.get(name.upper())}
    if "alert_topic_arn" not in given:
        raise SettingError(
            "ALERT_TOPIC_ARN",
            "is not set: name the SNS topic that gets the alerts, or use `portcullis decide` to judge without sending",
        )
    try:
        return msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        problem, _, field = str(error).rpartition(" - at `$.")
        name = field.rstrip("`").upper()
        raise SettingError(name, f"is {given[name.lower()]!r}: {problem}") from error
