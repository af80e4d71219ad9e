"""Container hosts in moto's AWS: what the tests make there, and what only moto's own state can be told."""

import json
from typing import Any

from moto.ecs.models import ecs_backends

from tests.lookup.cloud import ACCOUNT, REGION, Cloud

Binding = tuple[str, int | str]
"""Protocol and host port, or a range of them as ECS spells it (`40000-40009`)."""


class Cluster:
    """An ECS cluster on instances of a cloud."""

    def __init__(self, cloud: Cloud, name: str = "apps") -> None:
        self.cloud = cloud
        self.name = name
        self.ecs = cloud.client("ecs")
        self.ecs.create_cluster(clusterName=name)
        self._definition("frontend")

    def host(self, *groups: str, **tags: str) -> str:
        """Start an instance that is a container instance; its id."""
        instance = self.cloud.instance(*groups, **tags)
        self.join(instance)
        return instance

    def join(self, instance: str) -> str:
        """Make an instance a container instance; its ARN as such."""
        document = json.dumps({"instanceId": instance, "region": REGION})
        made = self.ecs.register_container_instance(cluster=self.name, instanceIdentityDocument=document)
        return str(made["containerInstance"]["containerInstanceArn"])

    def run(self, instance: str, *bindings: Binding, family: str = "frontend", service: str = "") -> str:
        """Run a task on a container instance that binds ports of it, on IPv4 and IPv6; its ARN."""
        self._definition(family)
        listed = self.ecs.list_container_instances(cluster=self.name)["containerInstanceArns"]
        told = self.ecs.describe_container_instances(cluster=self.name, containerInstances=listed)
        [arn] = [one["containerInstanceArn"] for one in told["containerInstances"] if one["ec2InstanceId"] == instance]
        made = self.ecs.start_task(cluster=self.name, taskDefinition=family, containerInstances=[arn])["tasks"][0]
        task: Any = ecs_backends[ACCOUNT][REGION].tasks[self.name][made["taskArn"]]
        task.group = f"service:{service}" if service else f"family:{family}"
        task.containers[0].network_bindings = [
            {"bindIP": address, "containerPort": 80, "protocol": protocol, _key(port): port}
            for protocol, port in bindings
            for address in ("0.0.0.0", "::")  # noqa: S104  it is what ECS tells
        ]
        return str(made["taskArn"])

    def service(self, name: str, *target_groups: str, family: str = "frontend") -> None:
        """Make a service whose tasks are registered in target groups."""
        self._definition(family)
        balancers = [{"targetGroupArn": arn, "containerName": "web", "containerPort": 80} for arn in target_groups]
        self.ecs.create_service(
            cluster=self.name, serviceName=name, taskDefinition=family, desiredCount=0, loadBalancers=balancers
        )

    def _definition(self, family: str) -> None:
        if not self.ecs.list_task_definitions(familyPrefix=family)["taskDefinitionArns"]:
            container = {"name": "web", "image": "web", "cpu": 1, "memory": 1, "portMappings": [{"containerPort": 80}]}
            self.ecs.register_task_definition(family=family, containerDefinitions=[container])


def target_group(cloud: Cloud, name: str, *targets: tuple[str, int], kind: str = "instance", **fields: Any) -> str:
    """Make a target group with these targets, an id or an address and a port each; its ARN."""
    elbv2 = cloud.client("elbv2")
    known = {"Protocol": "HTTP", "Port": 80, "VpcId": cloud.vpc, "TargetType": kind, **fields}
    arn = elbv2.create_target_group(Name=name, **known)["TargetGroups"][0]["TargetGroupArn"]
    if targets:
        elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": target, "Port": port} for target, port in targets])
    return str(arn)


def forward(cloud: Cloud, balancer: str, port: int, group: str, protocol: str = "HTTP") -> None:
    """Let a load balancer listen on a port and send to a target group."""
    cloud.client("elbv2").create_listener(
        LoadBalancerArn=balancer,
        Protocol=protocol,
        Port=port,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )


def _key(port: int | str) -> str:
    return "hostPort" if isinstance(port, int) else "hostPortRange"
