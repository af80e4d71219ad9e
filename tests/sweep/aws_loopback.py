"""An AWS on 127.0.0.1 for what moto lacks: what Inspector and Security Hub list, by filters and pages.

The world is plain data that a test changes as it likes, also between two calls (`before`). Times are datetimes.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Item = dict[str, Any]

_CLOSED_DAYS, _GONE_DAYS = timedelta(days=30), timedelta(days=3)
"""For how long Inspector keeps what it has closed, and of a resource that is gone."""

_FIELDS = {"awsAccountId": "awsAccountId", "findingType": "type", "findingStatus": "status", "findingArn": "findingArn"}
"""Of Inspector's filters, where a finding has what they ask for."""


class LoopbackAws:
    """Inspector and Security Hub of any account and Region, until it is left. A context manager.

    `findings` are Inspector's by ARN, as boto3 gives them; `hub` and `hub_v2` those of the two Security Hubs by id.
    `instances` has by id what Inspector covers: `account`, `region`, `active`, `reason` and `scanned`. An account is on
    unless `states` says otherwise; Security Hub is on since `hub_since`, or off. `members` are the accounts of the
    organization, `left` those that Inspector does not know any more. The next calls of an operation answer with the
    errors in `errors`: pairs of status and code. `calls` counts what was asked.
    """

    def __init__(self) -> None:
        self.findings: dict[str, Item] = {}
        self.hub: dict[str, Item] = {}
        self.hub_v2: dict[str, Item] = {}
        self.instances: dict[str, Item] = {}
        self.states: dict[str, str] = {}
        self.left: set[str] = set()
        self.hub_since: str | None = "2026-01-01T00:00:00.000Z"
        self.members: list[str] = []
        self.errors: dict[str, list[tuple[int, str]]] = {}
        self.before: dict[str, Callable[[Item], None]] = {}
        self.calls = Counter[str]()
        self.page = 100
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it listens: for AWS_ENDPOINT_URL_INSPECTOR2 and AWS_ENDPOINT_URL_SECURITYHUB."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def scan(self, at: datetime) -> None:
        """Let Inspector scan every instance that it covers, and delete what it keeps no longer."""
        for instance in self.instances.values():
            if instance["active"]:
                instance |= {"reason": "SUCCESSFUL", "scanned": at}
        for arn, finding in list(self.findings.items()):
            instance = self.instances.get(finding["resources"][0]["id"], {"active": False})
            kept = _CLOSED_DAYS if instance["active"] else _GONE_DAYS
            if finding["status"] == "CLOSED" and at >= finding["updatedAt"] + kept:
                del self.findings[arn]

    def switch_off(self, account: str) -> None:
        """Switch Inspector off in an account: it forgets all of its findings, and what it has scanned."""
        self.states[account] = "DISABLED"
        self.findings = {arn: item for arn, item in self.findings.items() if item["awsAccountId"] != account}
        for instance in self.instances.values():
            if instance["account"] == account:
                instance |= {"active": False, "reason": "PENDING_INITIAL_SCAN", "scanned": None}

    def switch_on(self, account: str) -> None:
        """Switch Inspector on again; it has scanned nothing yet."""
        del self.states[account]
        for instance in self.instances.values():
            if instance["account"] == account:
                instance |= {"active": True}

    def answer(self, operation: str, asked: Item, region: str) -> Item:  # noqa: PLR0911  one a call
        """Answer a call, as the service writes it."""
        items: list[Item]
        match operation:
            case "ListFindings":
                items = [item for item in self.findings.values() if _is_in(item, region) and _is_asked(item, asked)]
                return self._paged(items, "findings", asked, "nextToken")
            case "ListCoverage":
                account = asked["filterCriteria"]["accountId"][0]["value"]
                items = [
                    _covered(name, instance)
                    for name, instance in self.instances.items()
                    if (instance["account"], instance["region"]) == (account, region)
                ]
                return self._paged(items, "coveredResources", asked, "nextToken")
            case "BatchGetAccountStatus":
                failed = [{"accountId": account} for account in asked["accountIds"] if account in self.left]
                known = [account for account in asked["accountIds"] if account not in self.left]
                return {"accounts": [self._state(account) for account in known], "failedAccounts": failed}
            case "ListMembers":
                return {"members": [{"accountId": account} for account in self.members]}
            case "GetFindings":
                items = [item for item in self.hub.values() if _matches(item, asked["Filters"])]
                return self._paged(items, "Findings", asked, "NextToken")
            case "GetFindingsV2":
                items = [item for item in self.hub_v2.values() if _matches_v2(item, asked["Filters"])]
                return self._paged(items, "Findings", asked, "NextToken")
            case "ListMembersOfHub":
                return {"Members": [{"AccountId": account} for account in self.members]}
        if self.hub_since is None:
            raise RefusedError(401, "InvalidAccessException")
        return {"SubscribedAt": self.hub_since}

    def _state(self, account: str) -> Item:
        state = {"status": self.states.get(account, "ENABLED")}
        others = dict.fromkeys(("ecr", "lambda"), state)
        return {"accountId": account, "state": state, "resourceState": {"ec2": state, **others}}

    def _paged(self, items: list[Item], key: str, asked: Item, token: str) -> Item:
        size = min(self.page, int(asked.get("maxResults") or asked.get("MaxResults") or self.page))
        start = int(asked.get(token) or 0)
        rest = {token: str(start + size)} if start + size < len(items) else {}
        return {key: items[start : start + size], **rest}


class RefusedError(Exception):
    """A call is answered with a status and a code; what is in `before` may raise it."""


_OPERATIONS = {
    "POST /findings/list": "ListFindings",
    "POST /coverage/list": "ListCoverage",
    "POST /status/batch/get": "BatchGetAccountStatus",
    "POST /members/list": "ListMembers",
    "POST /findings": "GetFindings",
    "POST /findingsv2": "GetFindingsV2",
    "GET /accounts": "DescribeHub",
    "GET /hubv2": "DescribeSecurityHubV2",
    "GET /members": "ListMembersOfHub",
}


def _handler(aws: LoopbackAws) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one segment a reply: else the acknowledgement that the client delays adds 40 ms

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or "{}")
            with lock:
                self._answer(asked)

        def do_GET(self) -> None:
            with lock:
                self._answer({})

        def _answer(self, asked: Item) -> None:
            operation = _OPERATIONS[f"{self.command} {self.path.partition('?')[0]}"]
            region = self.headers["Authorization"].split("/")[2]
            aws.calls[operation] += 1
            try:
                if operation in aws.before:
                    aws.before[operation](asked)
                if aws.errors.get(operation):
                    raise RefusedError(*aws.errors[operation].pop(0))  # noqa: TRY301  as the call itself may
                status, code, body = 200, "", aws.answer(operation, asked, region)
            except RefusedError as refused:
                status, code = refused.args
                body = {"message": "as the test has it"}
            text = json.dumps(body, default=datetime.timestamp).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            if code:
                self.send_header("x-amzn-ErrorType", code)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def _is_in(finding: Item, region: str) -> bool:
    return bool(finding["findingArn"].split(":")[3] == region)


def _is_asked(finding: Item, asked: Item) -> bool:
    criteria = asked.get("filterCriteria", {})
    return all(
        any(finding[_FIELDS[key]] == condition["value"] for condition in conditions)
        for key, conditions in criteria.items()
    )


def _covered(name: str, instance: Item) -> Item:
    status = {"statusCode": "ACTIVE" if instance["active"] else "INACTIVE", "reason": instance["reason"]}
    scanned = {"lastScannedAt": instance["scanned"]} if instance["scanned"] is not None else {}
    where = {"accountId": instance["account"], "resourceId": name, "resourceType": "AWS_EC2_INSTANCE"}
    return {**where, "scanType": "NETWORK", "scanStatus": status, **scanned}


def _matches(finding: Item, filters: Item) -> bool:
    """Compare a finding in ASFF with filters: one value of each field, and none of those that are not wanted."""
    values = {
        "AwsAccountId": [finding["AwsAccountId"]],
        "Region": [finding["Region"]],
        "Type": finding["Types"],
        "ResourceType": [resource["Type"] for resource in finding["Resources"]],
    }
    for key, conditions in filters.items():
        wanted = [entry["Value"] for entry in conditions if entry["Comparison"] == "EQUALS"]
        unwanted = [entry["Value"] for entry in conditions if entry["Comparison"] == "PREFIX_NOT_EQUALS"]
        if wanted and not set(values[key]) & set(wanted):
            return False
        if any(value.startswith(prefix) for value in values[key] for prefix in unwanted):
            return False
    return True


def _matches_v2(finding: Item, filters: Item) -> bool:
    """Compare a finding in OCSF with filters: all of the composites, one filter of each."""
    return all(
        any(entry["Filter"]["Value"] in _values(finding, entry["FieldName"]) for entry in composite["StringFilters"])
        for composite in filters["CompositeFilters"]
    )


def _values(finding: Any, field: str) -> Iterator[Any]:
    """Give what stands under a path of names, of each entry of a list."""
    if isinstance(finding, list):
        for entry in finding:
            yield from _values(entry, field)
    elif not field:
        yield finding
    elif isinstance(finding, dict):
        first, _, rest = field.partition(".")
        yield from _values(finding.get(first), rest)


def network_finding(  # noqa: PLR0913  what a finding says
    name: str,
    instance: str,
    port: int,
    at: datetime,
    *,
    status: str = "ACTIVE",
    account: str = "111122223333",
    region: str = "eu-west-1",
    tags: dict[str, str] | None = None,
) -> Item:
    """Make a finding of Inspector: a TCP port of an instance that the internet reaches."""
    steps = [("igw-0164390e83f9a0f6b", "InternetGateway"), ("sg-0f615897558ace817", "SecurityGroup")]
    steps += [("eni-07db2a50cfa018a03", "NetworkInterface"), (instance, "Instance")]
    path = [{"componentId": step, "componentType": f"AWS::EC2::{kind}"} for step, kind in steps]
    server: Item = {"id": instance, "type": "AWS_EC2_INSTANCE", "partition": "aws", "region": region}
    return {
        "findingArn": f"arn:aws:inspector2:{region}:{account}:finding/{name}",
        "awsAccountId": account,
        "type": "NETWORK_REACHABILITY",
        "status": status,
        "severity": "MEDIUM",
        "title": f"Port {port} is reachable from an Internet Gateway - TCP",
        "description": "as the test has it",
        "remediation": {},
        "firstObservedAt": at,
        "lastObservedAt": at,
        "updatedAt": at,
        "networkReachabilityDetails": {
            "openPortRange": {"begin": port, "end": port},
            "protocol": "TCP",
            "networkPath": {"steps": path},
        },
        "resources": [{**server, "tags": tags if tags is not None else {"Name": instance}}],
    }


def instance(at: datetime, account: str = "111122223333", region: str = "eu-west-1") -> Item:
    """Make an instance that Inspector covers, scanned at a time."""
    return {"account": account, "region": region, "active": True, "reason": "SUCCESSFUL", "scanned": at}
