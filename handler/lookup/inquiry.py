"""Asks AWS on behalf of all look-ups of one invocation: each thing once, within the time, and never raising.

What AWS does not tell is a problem: a sentence that names the action as IAM does, and the account.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from textwrap import shorten
from typing import Any, Generic, NamedTuple, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, PaginationError, UnknownRegionError
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError
from msgspec import Struct

from handler import metrics
from handler.aws import Accounts
from handler.errors import NoRoleError, OutOfTimeError

_LOGGER = logging.getLogger(__name__)

_VALUES = 200
"""The most values of one filter (EC2 user guide, "List and filter your resources")."""

_AT_ONCE = 10
"""Questions in flight where each thing has to be asked for by itself; boto3 keeps as many connections."""

_PAGES = 50
"""The most pages of one answer; what has more is taken for endless."""

_DENIED = ("AccessDenied", "Unauthorized", "AuthFailure", "ExplicitDeny")
_THROTTLED = ("Throttl", "RequestLimitExceeded", "TooManyRequests", "RequestThrottled", "SlowDown")
_LONGEST = 200
"""Characters of AWS's own words in a problem."""

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)

Items = tuple[Any, ...]

_FAILURES = (BotoCoreError, ClientError, ResponseParserError, NoRoleError, OutOfTimeError, ValueError)


class Place(NamedTuple):
    """The account and the Region in which something is asked."""

    account: str
    region: str


class Read(Struct, Generic[Item], frozen=True):
    """Values by the id of what they describe, and, by that id, why one was not read in full; "" stands for all."""

    items: dict[str, Item] = {}
    unread: dict[str, str] = {}

    def get(self, key: str | None) -> Item | None:
        """Return the value of an id, null where there is none."""
        return self.items.get(key or "")

    def problem(self, key: str | None = None) -> str | None:
        """Return why the value of an id may be missing or incomplete; null where it is neither."""
        return self.unread.get(key or "") or self.unread.get("")

    def joined(self, other: "Read[Item]") -> "Read[Item]":
        """Return all values of both."""
        return Read(self.items | other.items, other.unread | self.unread)


class Answer(Struct, frozen=True):
    """What AWS answered, over all pages, and why that is not all of it (null if it is)."""

    items: Items
    problem: str | None = None

    def read(self, values: dict[str, Item]) -> Read[Item]:
        """Return values that were made of this answer to a question for everything there is."""
        return Read(values, {"": self.problem} if self.problem else {})


def grouped(pairs: Iterable[tuple[Key, Item]]) -> dict[Key, list[Item]]:
    """Return the items of each key, in their order."""
    groups: dict[Key, list[Item]] = {}
    for key, item in pairs:
        groups.setdefault(key, []).append(item)
    return groups


def batches(values: Iterable[str], size: int) -> list[list[str]]:
    """Return values in lists of at most this many, none twice."""
    wanted = list(dict.fromkeys(values))
    return [wanted[start : start + size] for start in range(0, len(wanted), size)]


class Inquiry:
    """One invocation's questions to AWS. `deadline` is a time of `time.monotonic()` after which nothing is sent."""

    def __init__(self, accounts: Accounts, deadline: float | None = None) -> None:
        accounts.deadline = deadline
        self._accounts = accounts
        self._answers: dict[tuple[Any, ...], Answer] = {}
        self._hopeless: dict[tuple[str, ...], str] = {}
        self._lock = threading.Lock()
        self.place = Place("", "")
        """Where it asks."""
        self.began = accounts.clock()
        """When AWS was read."""
        self.calls: Counter[str] = Counter()
        """How many answers each action gave, as IAM names it; every page is one."""

    def of(self, place: Place) -> "Inquiry":
        """Return this inquiry asking in an account and Region; what was answered before is shared."""
        there = copy(self)
        there.place = place
        return there

    def ask(self, service: str, operation: str, field: str, **arguments: Any) -> Answer:
        """Return the list in the `field` of an answer, over all its pages. The same question is asked once.

        `service` and `operation` are boto3's names. Never raises for anything that AWS answers or does not.
        """
        key = (self.place, service, operation, repr(sorted(arguments.items())))
        if key not in self._answers:
            self._answers[key] = self._ask(service, operation, field, arguments)
        return self._answers[key]

    def ask_filtered(
        self, operation: str, field: str, name: str, values: Iterable[str]
    ) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """Ask EC2 with a filter of many values, in as few calls as can be.

        Return what it answers, and by the value of which that is not all, why: where AWS takes offence at one value,
        that is all of a call.
        """
        items: list[dict[str, Any]] = []
        unread: dict[str, str] = {}
        for batch in batches(sorted(values), _VALUES):
            answer = self.ask("ec2", operation, field, Filters=[{"Name": name, "Values": batch}])
            items += answer.items
            unread |= dict.fromkeys(batch, answer.problem) if answer.problem else {}
        return items, unread

    def read_each(
        self, operation: str, field: str, parameter: str, values: Iterable[str], make: Callable[[Items], Item]
    ) -> Read[Item]:
        """Ask Elastic Load Balancing the same of many things, several at a time, and read each answer by its thing.

        The first is asked alone: where it is denied or not answered, the others are not asked at all.
        """
        wanted = list(dict.fromkeys(values))
        answers = [self.ask("elbv2", operation, field, **{parameter: value}) for value in wanted[:1]]
        if len(wanted) > 1:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                answers += pool.map(lambda value: self.ask("elbv2", operation, field, **{parameter: value}), wanted[1:])
        by_value = dict(zip(wanted, answers, strict=True))
        unread = {value: answer.problem for value, answer in by_value.items() if answer.problem}
        return Read({value: make(answer.items) for value, answer in by_value.items()}, unread)

    def _ask(self, service: str, operation: str, field: str, arguments: dict[str, Any]) -> Answer:
        place = self.place
        scopes = ((), (place.account,), (*place,), (*place, service), (*place, service, operation))
        hopeless = next((self._hopeless[scope] for scope in scopes if scope in self._hopeless), None)
        if hopeless is not None:
            return Answer((), hopeless)
        items: list[dict[str, Any]] = []
        action = ""
        try:
            client = self._accounts.client(service, *place)
            action = f"{client.meta.service_model.signing_name}:{client.meta.method_to_api_mapping[operation]}"
            for page in _pages(client, operation, arguments):
                with self._lock:
                    self.calls[action] += 1
                items += page.get(field) or []
        except _FAILURES as error:
            problem, scope = _explain(error, action, place)
            if scope is not None:
                self._hopeless[scopes[scope]] = problem
            metrics.COUNTED["look_up_failures"] += 1
            _LOGGER.warning("look-up failed", extra={"fields": {"problem": problem}})
            return Answer(tuple(items), problem)
        return Answer(tuple(items))


def _pages(client: Any, operation: str, arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the pages of an answer, as large as the API makes them.

    A token that comes twice in a row makes botocore raise `PaginationError`.
    """
    if not client.can_paginate(operation):
        yield getattr(client, operation)(**arguments)
        return
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
    limits = (model.input_shape.members.get(name) for name in ("MaxResults", "PageSize"))
    paging = {"PageSize": next((limit.metadata.get("max") for limit in limits if limit), None)}
    pages = client.get_paginator(operation).paginate(**arguments, PaginationConfig=paging)
    for number, page in enumerate(pages):
        if number == _PAGES:
            raise PaginationError(message=f"more than {_PAGES} pages")
        yield page


def _explain(error: Exception, action: str, place: Place) -> tuple[str, int | None]:
    """Say what an error means, and what is hopeless after it. Without an action the account could not be entered.

    That is 0 all, 1 the account, 2 the account in this Region, 3 the service, 4 the call.
    """
    words = shorten(str(error), _LONGEST, placeholder="...")
    if isinstance(error, OutOfTimeError):
        return f"{words} for {action or 'look-ups'}", 0
    entered = bool(action)
    if not entered and not isinstance(error, ClientError):
        is_region = isinstance(error, UnknownRegionError | ValueError)
        return f"{' '.join(place)} cannot be asked: {words}", 2 if is_region else 1
    if isinstance(error, NoConnectionError | HTTPClientError):
        return f"{action} got no answer in {place.account} {place.region} ({type(error).__name__})", 3
    if isinstance(error, ClientError):
        action = action or f"sts:{error.operation_name}"
        code = str(error.response.get("Error", {}).get("Code", "")).removeprefix("Client.")  # EC2's old answers have it
        for codes, word in ((_DENIED, "denied"), (_THROTTLED, "throttled")):
            if code.startswith(codes):
                return f"{action} was {word} in {place.account}", 4 if entered else 1
    return f"{action} failed in {place.account}: {words}", None if entered else 1
