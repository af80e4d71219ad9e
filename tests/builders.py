"""Findings for tests: a real shape, of which a test names only what it is about."""

import shutil
from pathlib import Path
from typing import Any

from handler.finding import Exposure, Finding, Reporter, Server, identity
from handler.settings import ROOT

ACCOUNT = "111122223333"
REGION = "eu-west-1"
NOW = "2026-11-24T06:12:00Z"

CONFLICT = """package allow

_guilty if input.server.name == "guilty"

_port := 1 if _guilty

_port := 2 if _guilty

allowance contains {"id": "conflict", "tcp": [_port]}
"""
"""A policy file that contradicts itself for the server `guilty`, in its line 7."""

PANIC = """package allow

allowance contains {"id": net.cidr_merge(["::1/128", "::1/128"])} if input.server.name == "fatal"
"""
"""A policy file on which OPA 1.22.2 panics for the server `fatal`: it answers nothing."""


def waiting_policy(name: str, port: int) -> str:
    """Return a policy file that never judges a server of this name, and takes no processor time for it.

    OPA waits for an answer from a port of this host, where a socket has to listen and say nothing.
    """
    request = f'{{"method": "GET", "url": "http://127.0.0.1:{port}", "timeout": "600s"}}'
    return f"""package allow

allowance contains {{}} if {{
	input.server.name == "{name}"
	http.send({request})
}}
"""


def team_folder(parent: Path) -> Path:
    """Copy the shipped example as a team's folder, without the engine, and return it."""
    return shutil.copytree(ROOT / "policies", parent / "policies", ignore=shutil.ignore_patterns("gate"))


def exposure(port: int, *, to: int | None = None, protocol: Any = "tcp", sources: tuple[str, ...] = ()) -> Exposure:
    """Give one exposure, to the whole internet if no sources are named."""
    return Exposure(
        protocol=protocol,
        from_port=port,
        to_port=port if to is None else to,
        sources=sources or ("0.0.0.0/0", "::/0"),
        security_group="sg-0f615897558ace817",
    )


def server(number: int = 1, *, name: str = "web-prod-01", **tags: str) -> Server:
    """Give an instance of the production account."""
    return Server(
        kind="instance",
        id=f"i-{number:017x}",
        name=name,
        tags={"Name": name, **tags},
        tags_known=True,
        account=ACCOUNT,
        region=REGION,
    )


def finding(*exposures: Exposure, server: Server = server(), now: str = NOW) -> Finding:  # noqa: B008  it is frozen
    """Give a finding of Inspector with these exposures."""
    ports: set[tuple[str, int, int]] = {(one.protocol, one.from_port, one.to_port) for one in exposures}
    name = identity(server, "internet", ports)
    report = Reporter(name="inspector2", id=f"arn:aws:inspector2:{REGION}:{ACCOUNT}:finding/{name}")
    return Finding(
        id=name, reporters=(report,), now=now, reach="internet", reach_known=True, server=server, exposures=exposures
    )
