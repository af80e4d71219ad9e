"""Puts together what a report says of a server whose ports are open, or are no longer, and nothing of the path."""

from collections.abc import Iterable

from handler.finding import PORTS_ASSUMED, UNKNOWN, Closed, Exposure, Finding, Protocol, Reporter, Server, identity

Ports = tuple[Protocol, int, int]
"""Protocol, first and last port."""

EVERY_PORT: tuple[Ports, ...] = (("tcp", 0, 65535), ("udp", 0, 65535))


def finding(  # noqa: PLR0913  what a report says, part by part
    server: Server,
    reporter: Reporter,
    now: str,
    *,
    ports: Iterable[Ports],
    sources: tuple[str, ...],
    reach_known: bool,
    notes: Iterable[str] = (),
) -> Finding:
    """Give the finding of ports that the internet reaches, each from all of the sources.

    Where the server is a security group, the group is what opens them.
    """
    opened = dict.fromkeys(ports)
    group = server.id if server.kind == "security_group" else None
    return Finding(
        id=identity(server, "internet", set(opened)),
        reporters=(reporter,),
        now=now,
        reach="internet",
        reach_known=reach_known,
        server=server,
        exposures=tuple(
            Exposure(protocol=protocol, from_port=low, to_port=high, sources=sources, security_group=group)
            for protocol, low, high in opened
        ),
        notes=tuple(notes),
    )


def portless(server: Server, reporter: Reporter, now: str, *notes: str) -> Finding:
    """Give the finding of a report that names a security group and no port: what is open is left to a look-up."""
    return finding(
        server,
        reporter,
        now,
        ports=EVERY_PORT,
        sources=(UNKNOWN,),
        reach_known=False,
        notes=[PORTS_ASSUMED, *notes],
    )


def closed(server: Server, reporter: Reporter, *, confirmed: bool = True) -> Closed:
    """Give the end of a report on a server, whichever ports it told.

    Its id is that of the report on the server. No exposure has it, so that what ends without evidence is folded with
    nothing that is open.
    """
    name = identity(server, f"{reporter.name} {reporter.id}", set())
    return Closed(id=name, reporter=reporter, server=server, confirmed=confirmed)
