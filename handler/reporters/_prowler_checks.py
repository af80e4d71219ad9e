"""Prowler's checks about open ports: the name of a check is all that a report says of them.

Ids and ports: `check_ports` in prowler 3 to 5.46, `providers/aws/services/ec2`. A check that names several ports fails
as soon as one of them is open to 0.0.0.0/0 or ::/0, and does not say which.
"""

from typing import Any

from handler.finding import Protocol
from handler.reporters import _fields as fields

_PREFIXES = (
    "ec2_instance_port_",
    "ec2_securitygroup_allow_",
    "ec2_confidential_workload_host_unrestricted_ingress",
    "ec2_confidential_workload_host_vsock_proxy_exposed",
)
_INSTANCE = "ec2_instance_port_{}_exposed_to_internet"
_GROUP = "ec2_securitygroup_allow_ingress_from_internet_to_{}"
_TCP_OF_INSTANCE = {
    "cassandra": (7000, 7001, 7199, 9042, 9160),
    "cifs": (139, 445),
    "elasticsearch_kibana": (5601, 9200, 9300),
    "ftp": (20, 21),
    "kafka": (9092,),
    "kerberos": (88, 464, 749, 750),
    "ldap": (389, 636),
    "memcached": (11211,),
    "mongodb": (27017, 27018),
    "mysql": (3306,),
    "oracle": (1521, 2483, 2484),
    "postgresql": (5432,),
    "rdp": (3389,),
    "redis": (6379,),
    "sqlserver": (1433, 1434),
    "ssh": (22,),
    "telnet": (23,),
}
_TCP_OF_GROUP = {
    "port_mongodb_27017_27018": (27017, 27018),
    "tcp_ftp_port_20_21": (20, 21),
    "tcp_port_22": (22,),
    "tcp_port_3389": (3389,),
    "tcp_port_cassandra_7199_9160_8888": (7199, 8888, 9160),
    "tcp_port_elasticsearch_kibana_9200_9300_5601": (5601, 9200, 9300),
    "tcp_port_ftp_20_21": (20, 21),
    "tcp_port_kafka_9092": (9092,),
    "tcp_port_memcached_11211": (11211,),
    "tcp_port_mongodb_27017_27018": (27017, 27018),
    "tcp_port_mysql_3306": (3306,),
    "tcp_port_oracle_1521_2483": (1521, 2483),
    "tcp_port_postgres_5432": (5432,),
    "tcp_port_redis_6379": (6379,),
    "tcp_port_sql_server_1433_1434": (1433, 1434),
    "tcp_port_telnet_23": (23,),
}
_PORTS: dict[str, tuple[tuple[Protocol, int, int], ...]] = {
    form.format(word): tuple(("tcp", port, port) for port in ports)
    for form, words in ((_INSTANCE, _TCP_OF_INSTANCE), (_GROUP, _TCP_OF_GROUP))
    for word, ports in words.items()
} | {_GROUP.format("all_ports"): (("tcp", 0, 65535), ("udp", 0, 65535))}

SOURCES = ("0.0.0.0/0", "::/0")
"""From where every check of the table finds a port open: at least one of the two."""

NOT_WHICH = (
    "Prowler does not say which of the ports of its check is open, nor whether to 0.0.0.0/0 or ::/0: all is judged"
)


def is_check(name: str) -> bool:
    """Say whether a text has the form of a check's id: `service_what_it_is_about`."""
    return name.isidentifier() and name.islower() and "_" in name


def is_about_ports(check: str) -> bool:
    """Say whether a check (its id without `prowler-`) is about an open port of an instance or a group, known or not."""
    return check.startswith(_PREFIXES)


def is_checked(verdict: Any) -> bool:
    """Say whether a group that passed was looked at: one whose ports are all open passes every check of some of them.

    `verdict` is Prowler's sentence: `... and therefore was not checked against a specific port.`
    """
    return "not checked" not in fields.folded(verdict)


def ports_of(check: str) -> tuple[tuple[Protocol, int, int], ...] | None:
    """Give the ports (protocol, from, to) of which at least one is open when a check fails; null if they are not known.

    Not known: `any_port`, those whose ports are the auditor's setting (`high_risk_tcp_ports`), and checks not yet here.
    """
    return _PORTS.get(check)
