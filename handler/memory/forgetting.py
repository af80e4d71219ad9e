"""Takes a server out of the memory, and leaves a word of that in its history."""

from datetime import timedelta

from msgspec.structs import replace

from handler.memory.causes import by_cause
from handler.memory.observing import digest
from handler.memory.state import Cause, Episode, Server
from handler.memory.store import Key, Table


def forget(table: Table, key: Key, server: Server, at: str, retention: timedelta) -> None:
    """Delete a server's item and reports, and its places in causes; put an episode in its place.

    The causes are left first, so that nothing of the server counts as told when it comes again.
    """
    keys = [(key[0], f"cause#{cause}") for cause in by_cause(server.told)]
    for cause_key, row in table.read(keys, at).items():

        def without(cause: Cause | None) -> Cause | None:
            if cause is None:
                return None
            members = {name: parts for name, parts in cause.members.items() if name != key[1]}
            counted = {name: known for name, known in cause.counted.items() if name != key[1]}
            return replace(cause, members=members, counted=counted)

        table.update(cause_key, row, at, without, keep=lambda cause: None if cause.members else retention)
    episode = Episode(
        opened=server.since or at, closed=at, parts=server.told, messages=server.messages, by="portcullis forget"
    )
    table.put((key[0], f"episode#{key[1].removeprefix('server#')}#{at}#forgotten"), episode, at, retention)
    for claim in server.claims:
        table.delete((key[0], f"report#{digest(claim)}"))
    table.delete(key)
