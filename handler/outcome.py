"""What became of the reports of one invocation: what the alert, the log and the command line speak of."""

from typing import Literal

from msgspec import Struct

from handler.decision import Decision
from handler.finding import Closed, Finding, Ignored, Undecidable

Kind = Literal["decided", "closed", "ignored", "undecidable"]


class Outcome(Struct, frozen=True, kw_only=True):
    """One report, and the decision on it where it is a finding.

    `records` are the ids of all records that told it, the one whose report is here first; `reports` is that of
    `Folded`, and so are `claims`. A finding that OPA refused to judge is here as `Undecidable`, with it as `raw`.
    """

    records: tuple[str, ...]
    report: Finding | Closed | Ignored | Undecidable
    decision: Decision | None = None
    reports: tuple[str, ...] = ()
    claims: tuple[Finding, ...] = ()

    @property
    def kind(self) -> Kind:
        """What became of it; a decision that says that it is undecidable makes it so."""
        match self.report:
            case Closed():
                return "closed"
            case Ignored():
                return "ignored"
            case Finding() if self.decision is not None and not self.decision.undecidable:
                return "decided"
        return "undecidable"

    @property
    def asked(self) -> bool:
        """Whether a person asked for the verdict, and waits."""
        match self.report:
            case Finding(reporters=reporters):
                return any(reporter.asked for reporter in reporters)
            case Closed(reporter=reporter):
                return reporter.asked
            case Ignored(asked=asked):
                return asked
            case Undecidable(asked=asked):
                return asked is True
        return False

    @property
    def alerts(self) -> bool:
        """Whether somebody must hear of it: it is denied, it is undecidable, or a person asked."""
        return (
            self.asked or self.kind == "undecidable" or (self.decision is not None and self.decision.action == "deny")
        )

    @property
    def reporter(self) -> str | None:
        """The name of the reporter, the first where several told it; null when nobody knew the report."""
        match self.report:
            case Finding(reporters=reporters):
                return reporters[0].name
            case Closed(reporter=reporter):
                return reporter.name
        return self.report.reporter

    @property
    def reason(self) -> str | None:
        """Why it was not decided, as a sentence; null when it was."""
        match self.report:
            case Closed(confirmed=True):
                return "the scanner says that the exposure is gone"
            case Closed():
                return "the report has ended, without evidence that the exposure is gone"
            case Ignored(reason=reason):
                return reason
            case Undecidable(field=field, problem=problem):
                return f"{field}: {problem}" if field else problem
        problems = self.decision.problems if self.decision is not None and self.decision.undecidable else ()
        return "; ".join(f"{fault.field}: {fault.problem}" for fault in problems if fault.kind == "finding") or None

    def told(self) -> "Told":
        """Give it without the report as AWS sent it."""
        return Told(
            outcome=self.kind,
            reporter=self.reporter,
            reason=self.reason,
            finding=self.report if isinstance(self.report, Finding) else None,
            decision=self.decision,
            **self._place(),
        )

    def _place(self) -> dict[str, str | None]:
        """Give what a report that could not be read says of where it is from."""
        if not isinstance(self.report, Undecidable):
            return {}
        return {"account": self.report.account, "region": self.report.region, "server": self.report.server}


class Told(Struct, frozen=True, kw_only=True):
    """An outcome as the function answers it and as `portcullis decide --json` prints it; absent parts are null.

    `account`, `region` and `server` are those of a report without a finding, where it could be read so far.
    `portcullis decide` has `repeated` of a report that is folded into the outcome of another.
    """

    outcome: Kind | Literal["repeated"]
    reporter: str | None
    reason: str | None
    finding: Finding | None
    decision: Decision | None
    account: str | None = None
    region: str | None = None
    server: str | None = None


class Engine(Struct, frozen=True, kw_only=True):
    """What judged: the policies (`v1.4-3-gabc1234 (sha256:1f2e3d4)`, or `1f2e3d4`) and the version of OPA."""

    policy: str
    opa: str
