"""What a sweep has done, and what it could not see: for the log, and for a person."""

from collections import Counter
from typing import Any

from handler.memory.state import Run


class Summary:
    """Counts of a sweep, and by sentence how often something went wrong."""

    def __init__(self) -> None:
        self.started = ""
        self.places = 0
        self.left = 0
        self.unseen = 0
        self.listed = 0
        self.judged = 0
        self.told = 0
        self.closed = 0
        self.marked = 0
        self.absent = 0
        self.unconfirmed = 0
        self.noticed = 0
        self.messages = 0
        self.place = ""
        self.note = ""
        self.problems: Counter[str] = Counter()

    def show(self, run: Run) -> None:
        """Say how far a sweep is."""
        self.started, self.places, self.left = run.started, run.places, len(run.waiting)

    def counts(self) -> dict[str, int]:
        """Count it for CloudWatch: a sweep once it has looked at every account and Region, and what went wrong.

        What has a note has looked at none, which is all of them where there are none.
        """
        is_complete = not self.left and not (self.note and self.places)
        return {"sweeps": int(is_complete), "sweep_problems": self.problems.total()}

    def fields(self) -> dict[str, Any]:
        """Return the fields of its log line."""
        said = {key: value for key, value in vars(self).items() if key != "problems" and value != ""}
        return {**said, "problems": self.sentences()}

    def sentences(self) -> list[str]:
        """Say what went wrong, the most frequent first."""
        return [
            problem if number == 1 else f"{problem} ({number} times)" for problem, number in self.problems.most_common()
        ]

    def lines(self) -> list[str]:
        """Say all of it to a person."""
        looked = f"has looked at {self.places - self.left} of {self.places} accounts and Regions."
        told = f"{self.told} servers as open, {self.closed} as closed, {self.noticed} other things"
        done = [
            f"The sweep that began at {self.started} {looked}",
            f"Seen: {self.listed} findings listed, {self.judged} remembered reports judged again.",
            f"Told: {told}, in {self.messages} messages.",
            f"Not listed any more: {self.marked} reports; {self.absent} for the second time, which closes them.",
            f"Unconfirmed: {self.unconfirmed} reports, which nobody lists or tells. They stay open.",
        ]
        problems = ["What it could not see or tell:", *(f"- {problem}" for problem in self.sentences())]
        return [*([self.note] if self.note else done), *(problems if self.problems else [])]
