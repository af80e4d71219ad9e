"""Every log line is one JSON object: time, level, event and whatever fields the event has."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any

from handler.decision import Denied
from handler.finding import Closed, Finding, Server, Undecidable, to_json
from handler.outcome import Outcome


class Lines(logging.Formatter):
    """Spells a record as a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Spell it; a text that UTF-8 cannot carry is escaped."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return to_json(line).decode()


def configure() -> None:
    """Write JSON lines to standard output, in the place of whatever the root logger did; of libraries warnings only."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(Lines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("handler").setLevel(logging.INFO)


def fields(outcome: Outcome) -> dict[str, Any]:
    """Give what the log line of an outcome says of it."""
    fields: dict[str, Any] = {"records": outcome.records, "reporter": outcome.reporter}
    if outcome.reason:
        fields["reason"] = outcome.reason
    match outcome.report:
        case Finding(id=name, reporters=reporters, server=server, notes=notes):
            fields |= {"finding": name, "reports": [reporter.id for reporter in reporters], **_server(server)}
            fields |= {"notes": notes} if notes else {}
        case Closed(id=name, reporter=reporter, server=server):
            fields |= {"finding": name, "reports": [reporter.id], **_server(server)}
        case Undecidable() as report:
            fields |= {key: getattr(report, key) for key in ("shape", "id", "account", "region", "server")}
    if outcome.decision is not None:
        fields |= {
            "action": outcome.decision.action,
            "severity": outcome.decision.severity,
            "denied": [_spelled(entry) for entry in outcome.decision.denied],
            "allowed_by": sorted({name for entry in outcome.decision.allowed for name in entry.by}),
        }
        fields |= {"problems": outcome.decision.problems} if outcome.decision.problems else {}
    return fields


def _server(server: Server) -> dict[str, Any]:
    return {"account": server.account, "region": server.region, "server": server.id, "name": server.name or None}


def _spelled(entry: Denied) -> str:
    ports = f"{entry.from_port}-{entry.to_port}" if entry.from_port != entry.to_port else str(entry.from_port)
    return f"{entry.protocol} {ports} from {entry.source}: {entry.cause}"
