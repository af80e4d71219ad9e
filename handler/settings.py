"""The environment, read once at the start into a frozen value. What each variable means is in docs/settings.md."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from handler.errors import SettingError

Kind = TypeVar("Kind", bound=Struct)

ROOT = Path(__file__).resolve().parent.parent
"""The folder that holds `handler` and `policies`."""


class LookUps(Struct, frozen=True, kw_only=True):
    """What is read from AWS beyond a report, and how other accounts are entered. Nothing is, unless it is switched on.

    `look_up_sources`: who can reach a port, from security groups, load balancers and network ACLs. `look_up_tags`: an
    instance's tags, where a report has none or always. `look_up_groups`: which instances are behind a security group.
    `look_up_containers`: which container task has bound a port. `look_up_role_name`: the role to assume in accounts
    other than the function's own; `look_up_external_id`: what that role's trust policy may require.
    """

    look_up_sources: bool = False
    look_up_tags: Literal["never", "missing", "always"] = "never"
    look_up_groups: bool = False
    look_up_containers: bool = False
    look_up_role_name: Annotated[
        str, Meta(pattern="^[A-Za-z0-9_+=,.@/-]*$", description="the name of a role, without its ARN")
    ] = ""
    look_up_external_id: Annotated[
        str, Meta(pattern="^[A-Za-z0-9_+=,.@:/-]*$", description="the external id of the role's trust policy")
    ] = ""

    @property
    def looks_up(self) -> bool:
        """Whether any look-up is on."""
        return self.look_up_sources or self.look_up_tags != "never" or self.look_up_groups or self.look_up_containers

    def all_on(self) -> "LookUps":
        """Give the same accounts with every look-up on."""
        return LookUps(
            look_up_sources=True,
            look_up_tags="missing",
            look_up_groups=True,
            look_up_containers=True,
            look_up_role_name=self.look_up_role_name,
            look_up_external_id=self.look_up_external_id,
        )


class Memory(LookUps, frozen=True, kw_only=True):
    """What is remembered, and for how long; nothing, unless `memory_table` names the table.

    `memory_retention_days`: what has closed is kept for so long. `memory_unread_hours`: a look-up that fails for so
    long is told. `memory_flapping_changes` changes of a port in `memory_flapping_hours` hold back what follows.
    `memory_reminder_days`: what is still open after so many days is told again, in the day's digest; 0 is never.
    """

    memory_table: Annotated[
        str, Meta(pattern="^([A-Za-z0-9_.-]{3,255})?$", description="the name of a DynamoDB table")
    ] = ""
    memory_retention_days: Annotated[int, Meta(ge=1, le=36500)] = 90
    memory_unread_hours: Annotated[int, Meta(ge=0, le=8760)] = 3
    memory_flapping_changes: Annotated[int, Meta(ge=2, le=100)] = 6
    memory_flapping_hours: Annotated[int, Meta(ge=1, le=8760)] = 24
    memory_reminder_days: Annotated[int, Meta(ge=0, le=36500)] = 0


class Sweep(Memory, frozen=True, kw_only=True):
    """What a sweep lists beside what is remembered; nothing, unless `sweep_scanners` names scanners.

    `sweep_regions`: where, beside the function's own Region and those of what is remembered. `sweep_untold_days`: what
    is neither listed nor told for so long counts as unconfirmed; 0 is never. `sweep_expiring_days`: the owner of an
    allowance is told when it ends within so many days; 0 is never. `sweep_unused_days`: the owner of an allowance is
    told when nothing was open by it for so many days; 0 is never. `sweep_queue_url`: the queue that gets a message for
    each account and Region, which this function takes from it; without one they are looked at in turn.
    """

    sweep_scanners: Annotated[
        str,
        Meta(
            pattern="^((inspector2|securityhub|securityhub-v2)(,(?!$)|$))*$",
            description="inspector2, securityhub or securityhub-v2, with commas between several",
        ),
    ] = ""
    sweep_regions: Annotated[
        str, Meta(pattern="^([a-z0-9-]+(,(?!$)|$))*$", description="names of Regions with commas between them")
    ] = ""
    sweep_untold_days: Annotated[int, Meta(ge=0, le=36500)] = 30
    sweep_expiring_days: Annotated[int, Meta(ge=0, le=36500)] = 14
    sweep_unused_days: Annotated[int, Meta(ge=0, le=36500)] = 90
    sweep_queue_url: Annotated[str, Meta(pattern="^(https?://.+)?$", description="the URL of an SQS queue")] = ""


class Settings(Sweep, frozen=True, kw_only=True):
    """What the function can be told.

    `mode`: `observe` remembers, and alerts no more than the digest of the day. `alert_topic_arn` is the SNS topic that
    gets the alerts. `alert_max_messages`: more than so many messages an invocation become one digest.
    `alert_max_bytes`: the topic's MaximumMessageSize. `alert_https_format`: what HTTPS subscribers get.
    `alert_team_tag`: the tag of a server that names its team. `policies_path`: the folder of the policies. `opa_path`:
    the OPA to run, a path or a name on PATH.
    """

    alert_topic_arn: Annotated[
        str, Meta(pattern="^arn:[^:]+:sns:[^:]+:[^:]+:[A-Za-z0-9_-]+$", description="the ARN of a standard SNS topic")
    ]
    mode: Literal["alert", "observe"] = "alert"
    alert_max_messages: Annotated[int, Meta(ge=1)] = 10
    alert_max_bytes: Annotated[int, Meta(ge=16384, le=1048576)] = 262144
    alert_https_format: Literal["json", "amazon-q"] = "json"
    alert_team_tag: str = "Team"
    policies_path: str = str(ROOT / "policies")
    opa_path: str = "opa"


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; a missing or unreadable variable raises `SettingError` with its name."""
    if not environment.get("ALERT_TOPIC_ARN"):
        raise SettingError(
            "ALERT_TOPIC_ARN",
            "is not set: name the SNS topic that gets the alerts, or use `portcullis decide` to judge without sending",
        )
    settings = _read(environment, Settings)
    if settings.mode == "observe" and not settings.memory_table:
        problem = (
            "is 'observe' and MEMORY_TABLE is not set: name the DynamoDB table in which the function remembers what it "
            "observes, or write alert"
        )
        raise SettingError("MODE", problem)
    return settings


def read_look_ups(environment: Mapping[str, str] = os.environ) -> LookUps:
    """Read what is looked up; an unreadable variable raises `SettingError` with its name."""
    return _read(environment, LookUps)


def read_memory(environment: Mapping[str, str] = os.environ) -> Memory:
    """Read what is remembered; no table, or an unreadable variable, raises `SettingError` with its name."""
    if not environment.get("MEMORY_TABLE"):
        raise SettingError("MEMORY_TABLE", "is not set: name the DynamoDB table in which the function remembers")
    return _read(environment, Memory)


def megabytes(environment: Mapping[str, str] = os.environ) -> int:
    """Read how many MB of memory Lambda gives the function; 0 where there is no Lambda."""
    return int(environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 0))


def _read(environment: Mapping[str, str], kind: type[Kind]) -> Kind:
    values = {name: environment[name.upper()] for name in kind.__struct_fields__ if environment.get(name.upper())}
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        field = str(error).rpartition(" - at `$.")[2].rstrip("`")
        raise SettingError(field.upper(), f"is {values[field]!r}: write {_takes(kind, field)}") from error


def _takes(kind: type[Struct], name: str) -> str:
    """Say what a variable takes."""
    info: Any = msgspec.inspect.type_info(kind)
    match next(field.type for field in info.fields if field.name == name):
        case msgspec.inspect.BoolType():
            return "true or false"
        case msgspec.inspect.LiteralType(values):
            return " or ".join(map(str, values))
        case msgspec.inspect.IntType(ge=low, le=high):
            return f"a whole number, {low} or more" if high is None else f"a whole number from {low} to {high}"
        case msgspec.inspect.Metadata(extra_json_schema=schema):
            return str((schema or {})["description"])
    return "text"
