"""The boto3 clients: one a service, account and Region, impatient, since Lambda's time is bounded.

Nothing is made before it is asked for, so a function that looks nothing up makes the client of SNS alone.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from handler.errors import NoRoleError, OutOfTimeError

if TYPE_CHECKING:
    import boto3

_CONFIG: dict[str, Any] = {"read_timeout": 2, "retries": {"mode": "standard", "total_max_attempts": 2}}
"""Of SNS, for which the last 6 seconds of 30 are kept. Seconds; two attempts in all, at most a second apart."""

_FETCHES: dict[str, Any] = {"read_timeout": 3, "retries": {"mode": "standard", "total_max_attempts": 2}}
"""Of a report that is only named, and alerts if it cannot be fetched in time. Seconds; two attempts in all."""

_LOOK_UPS: dict[str, Any] = {"read_timeout": 3, "retries": {"mode": "adaptive", "total_max_attempts": 3}}
"""Of what only makes a decision better. Seconds; three attempts in all, slower ones when AWS throttles."""

LISTINGS: dict[str, Any] = {"read_timeout": 10, "retries": {"mode": "adaptive", "total_max_attempts": 6}}
"""Of a sweep, which has the time. Seconds; six attempts in all, and slower ones when AWS throttles."""

_SPARE = timedelta(minutes=5)
"""A session is renewed when less of it is left: no invocation takes longer that looks anything up."""


@cache
def client(service: str, region: str) -> Any:
    """Give the client of a service in a Region, with the function's own permissions."""
    return _made(service, region, _CONFIG)


@cache
def fetcher(service: str, region: str) -> Any:
    """Give a less patient client, for reports that are only named: others wait meanwhile."""
    return _made(service, region, _FETCHES)


def _made(service: str, region: str, config: Mapping[str, Any], **keys: str) -> Any:
    """Make a client, with the function's own permissions if there are no keys.

    boto3 is imported with the first one, since `portcullis decide` mostly needs none.
    """
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    make: Any = boto3.client  # its type names every service
    return make(service, region_name=region, config=Config(connect_timeout=1, **config), **keys)


@cache
def lister(service: str, region: str) -> Any:
    """Give a client that waits until it is its turn, for what a sweep lists."""
    return _made(service, region, LISTINGS)


class _Session(Struct):
    """What an account is asked with: the keys of its role (none for the function's own), and the clients made so."""

    expires: datetime | None
    keys: dict[str, str]
    clients: dict[tuple[str, str], Any]


class Accounts:
    """The clients of the look-ups, in each account by its role; kept from one invocation to the next.

    The account that the function runs in is asked with the function's own permissions. `role_name` is the name of the
    role in every other account, `external_id` what its trust policy may require.
    """

    def __init__(
        self,
        role_name: str = "",
        external_id: str = "",
        clock: Callable[[], datetime] | None = None,
        config: Mapping[str, Any] = _LOOK_UPS,
    ) -> None:
        self._config = config
        self._role_name = role_name
        self._external_id = external_id
        self.clock = clock or (lambda: datetime.now(UTC))
        self._home = _Session(None, {}, {})
        self._sessions: dict[str, _Session] = {}
        self._own: str | None = None
        self.deadline: float | None = None
        """The time of `time.monotonic()` after which no request is sent any more, not even another attempt."""

    def client(self, service: str, account: str, region: str) -> Any:
        """Give the client of a service. Raises what boto3 raises, and `NoRoleError`."""
        return self._client(self._session(account, region), service, region)

    def _client(self, session: _Session, service: str, region: str) -> Any:
        """Give the client of a service in a session, made once."""
        if (service, region) not in session.clients:
            session.clients[service, region] = self._make(service, region, session.keys)
        return session.clients[service, region]

    def _session(self, account: str, region: str) -> _Session:
        """Give the session of an account, a new one where there is none; those about to expire are dropped."""
        soon = self.clock() + _SPARE
        self._sessions = {
            name: session for name, session in self._sessions.items() if not session.expires or session.expires >= soon
        }
        if account not in self._sessions:
            self._sessions[account] = self._assume(account, region)
        return self._sessions[account]

    def _assume(self, account: str, region: str) -> _Session:
        """Assume the role of an account, or be content with the function's own.

        STS is asked in the function's own Region: another may not be enabled in its account.
        """
        sts = self._client(self._home, "sts", self._boto.region_name or region)
        if self._own is None:
            self._own = sts.get_caller_identity()["Account"]
        if account == self._own:
            return self._home
        if not self._role_name:
            raise NoRoleError(account)
        partition = self._boto.get_partition_for_region(region)
        external = {"ExternalId": self._external_id} if self._external_id else {}
        arn = f"arn:{partition}:iam::{account}:role/{self._role_name}"
        credentials = sts.assume_role(RoleArn=arn, RoleSessionName="portcullis", **external)["Credentials"]
        keys = {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"],
        }
        return _Session(credentials["Expiration"], keys, {})

    @cached_property
    def _boto(self) -> "boto3.Session":
        import boto3  # noqa: PLC0415

        return boto3.DEFAULT_SESSION or boto3.Session()

    def _make(self, service: str, region: str, keys: dict[str, str]) -> Any:
        made = _made(service, region, self._config, **keys)
        made.meta.events.register("before-send", self._hurry)
        return made

    def _hurry(self, **_: Any) -> None:
        """Send nothing when the time is over; botocore asks before each attempt."""
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise OutOfTimeError
