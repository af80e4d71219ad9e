"""An account of moto in which an example has been applied, and the function as it was deployed there."""

import importlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import uuid4

import boto3
import pytest

from handler import aws
from handler.settings import ROOT
from tests.deploy.terraform import Terraform
from tests.lookup.cloud import OTHER_ACCOUNT, Cloud
from tests.sweep.aws_loopback import LoopbackAws
from tests.world import EVENTS, undying_policies

IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/portcullis@sha256:" + 64 * "0"
WITHOUT_PERMISSION = {"sts:GetCallerIdentity"}
"""What AWS lets everybody do."""

OF_LAMBDA = {
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
}
"""What the role is for beside the function's own calls: SNS uses the key for it, Lambda writes the log and polls."""

_AUTHORIZED = {
    "securityhub:GetFindingsV2": "securityhub:GetFindings",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
"""The action that AWS asks for, where it is not called as the operation is (the API references of the two)."""

_PREFIXES = dict.fromkeys(("elastic-load-balancing", "elastic-load-balancing-v2"), "elasticloadbalancing")
"""How IAM calls a service, where botocore calls it otherwise."""


class Deployed:
    """What an example has made in an account: the bus, the queue, the function, and a queue that gets the alerts."""

    def __init__(self, cloud: Cloud, terraform: Terraform) -> None:
        self.cloud = cloud
        self.terraform = terraform
        self.events, self.sqs, self.functions = (cloud.client(name) for name in ("events", "sqs", "lambda"))
        self.alert_queue = self.sqs.create_queue(QueueName="tickets")["QueueUrl"]
        self.app: ModuleType
        self.scanners: LoopbackAws
        """What Inspector and Security Hub answer; moto does not filter, and does not say what is covered."""
        self.calls: set[str] = set()
        """The actions that the function has asked AWS for in its own account."""
        self.calls_elsewhere: set[str] = set()
        """The actions that it has asked for by the role in another account."""

    def configuration(self, function: str = "portcullis") -> dict[str, Any]:
        """Return what Lambda has of a function."""
        configuration: dict[str, Any] = self.functions.get_function_configuration(FunctionName=function)
        return configuration

    def mapping(self, function: str = "portcullis") -> dict[str, Any]:
        """Return what Lambda has of a function's queue."""
        arn = self.configuration(function)["FunctionArn"]
        mappings = self.functions.list_event_source_mappings()["EventSourceMappings"]
        [mapping] = [dict(mapping) for mapping in mappings if mapping["FunctionArn"] == arn]
        return mapping

    def role(self) -> list[dict[str, Any]]:
        """Return the statements of the function's role."""
        name = self.configuration()["Role"].rpartition("/")[2]
        iam = self.cloud.client("iam")
        [policy] = iam.list_role_policies(RoleName=name)["PolicyNames"]
        statements: list[dict[str, Any]] = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"][
            "Statement"
        ]
        return statements

    def actions_elsewhere(self) -> set[str]:
        """Return the actions of the role in the other account."""
        iam = Cloud(self.terraform.environment["AWS_ENDPOINT_URL"], OTHER_ACCOUNT).client("iam")
        policy = iam.get_role_policy(RoleName="portcullis-look-ups", PolicyName="look-ups")["PolicyDocument"]
        return {action for statement in policy["Statement"] for action in statement["Action"]}

    def actions(self) -> set[str]:
        """Return the actions of the function's role."""
        return {action for statement in self.role() for action in statement["Action"]}

    def alarms(self) -> dict[str, dict[str, Any]]:
        """Return the alarms by their names, without that of the function."""
        alarms = self.cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
        return {alarm["AlarmName"].removeprefix("portcullis-"): alarm for alarm in alarms}

    def put(self, event: dict[str, Any], cloud: Cloud | None = None) -> None:
        """Put an event on the bus, or on that of another account or Region."""
        entry = {"Source": event["source"], "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"])}
        (cloud or self.cloud).client("events").put_events(Entries=[entry])

    def waiting(self, function: str = "portcullis") -> int:
        """Return how many messages are in a function's queue."""
        url = self.sqs.get_queue_url(QueueName=self.mapping(function)["EventSourceArn"].rpartition(":")[2])["QueueUrl"]
        asked = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(asked["Attributes"]["ApproximateNumberOfMessages"])

    def sweep(self) -> list[str]:
        """Put what the schedule of the sweep sends where it sends it, and invoke the function until nothing waits.

        The first message becomes one for each account and Region, and those become no others.
        """
        target = self.cloud.client("scheduler").get_schedule(Name="sweep", GroupName="portcullis")["Target"]
        url = self.sqs.get_queue_url(QueueName=target["Arn"].rpartition(":")[2])["QueueUrl"]
        self.sqs.send_message(QueueUrl=url, MessageBody=target["Input"])
        given_back = self.invoke("portcullis-sweep")
        for _ in range(self.waiting("portcullis-sweep")):
            given_back += self.invoke("portcullis-sweep")
        assert self.waiting("portcullis-sweep") == 0
        return given_back

    def invoke(self, function: str = "portcullis") -> list[str]:
        """Invoke a function with what is in its queue, as Lambda does; return the messages that it gave back.

        The others are deleted. Returns without an invocation where the queue is empty.
        """
        mapping, configuration = self.mapping(function), self.configuration(function)
        url = self.sqs.get_queue_url(QueueName=mapping["EventSourceArn"].rpartition(":")[2])["QueueUrl"]
        most = min(mapping["BatchSize"], 10)
        messages = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=most).get("Messages", [])
        if not messages:
            return []
        records = [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "eventSource": "aws:sqs",
                "eventSourceARN": mapping["EventSourceArn"],
            }
            for message in messages
        ]
        milliseconds = 1000 * configuration["Timeout"]
        context = SimpleNamespace(aws_request_id=str(uuid4()), get_remaining_time_in_millis=lambda: milliseconds)
        assert configuration["Environment"] == self.configuration()["Environment"]  # that of the started one
        os.environ["AWS_LAMBDA_FUNCTION_NAME"] = function
        answer = self.app.lambda_handler({"Records": records}, context)
        given_back = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
        for message in messages:
            if message["MessageId"] not in given_back:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return given_back

    def alerts(self, queue: str = "tickets") -> list[dict[str, Any]]:
        """Take the alerts that have arrived in a queue: their JSON, with the attributes of the message in it."""
        url = self.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        arrived = []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                arrived.append(json.loads(json.loads(message["Body"])["Message"]))
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return arrived

    @contextmanager
    def started(self, opa_path: str, folder: Path) -> Iterator["Deployed"]:
        """Start the function with the environment that was deployed, on a copy of the policies."""
        for mapping in self.functions.list_event_source_mappings()["EventSourceMappings"]:
            self.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)  # the tests are what polls
        configuration = self.configuration()
        with pytest.MonkeyPatch.context() as environment, LoopbackAws() as self.scanners:
            variables: dict[str, str] = {
                **configuration["Environment"]["Variables"],
                **{key.upper(): value for key, value in self.cloud.keys.items()},
                "AWS_ENDPOINT_URL": self.terraform.environment["AWS_ENDPOINT_URL"],
                "AWS_ENDPOINT_URL_INSPECTOR2": self.scanners.url,
                "AWS_ENDPOINT_URL_SECURITYHUB": self.scanners.url,
                "AWS_REGION": "eu-west-1",
                "AWS_DEFAULT_REGION": "eu-west-1",
                "AWS_LAMBDA_FUNCTION_NAME": configuration["FunctionName"],
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration["MemorySize"]),
                "POLICIES_PATH": str(undying_policies(folder)),
                "OPA_PATH": opa_path,
            }
            for name, value in variables.items():
                environment.setenv(name, value)
            session = boto3.Session()
            session.events.register("before-send", self._keep)
            environment.setattr(boto3, "DEFAULT_SESSION", session)
            _forget_clients()
            self.app = importlib.import_module("handler.app")
            try:
                yield self
            finally:
                self.app.GATE.close()
                del sys.modules["handler.app"]
                _forget_clients()

    def _keep(self, event_name: str, request: Any, **_: Any) -> None:
        service, operation = event_name.split(".")[1:]
        action = f"{_PREFIXES.get(service, service)}:{operation}"
        is_own = self.cloud.keys["aws_access_key_id"] in str(request.headers["Authorization"])
        (self.calls if is_own else self.calls_elsewhere).add(_AUTHORIZED.get(action, action))


def _forget_clients() -> None:
    """Let clients be made again, for another address."""
    for clients in (aws.client, aws.fetcher, aws.lister):
        clients.cache_clear()


def bundled(name: str) -> dict[str, Any]:
    """Return a bundled event."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def case(name: str) -> dict[str, Any]:
    """Return the event of a case."""
    event: dict[str, Any] = json.loads((ROOT / "tests" / "cases" / name / "event.json").read_text())
    return event
