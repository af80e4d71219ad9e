"""What became of the reports of one invocation: what the alert, the log and the command line speak of."""

from msgspec import Struct

from handler.decision import Decision
from handler.finding import Closed, Finding, Ignored, Undecidable


class Outcome(Struct, frozen=True, kw_only=True):
    """One report, and the decision on it where it is a finding.

    `records` are the ids of all records that told it, the one whose report is here first. A finding that the gate
    refused to judge is here as `Undecidable`, with the finding as `raw`.
    """

    records: tuple[str, ...]
    report: Finding | Closed | Ignored | Undecidable
    decision: Decision | None = None


class Engine(Struct, frozen=True, kw_only=True):
    """What judged: the revision of the policies (7 hexadecimal digits) and the version of OPA."""

    policy: str
    opa: str
