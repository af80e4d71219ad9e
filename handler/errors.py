"""Everything that Portcullis raises. Each class is a name and a sentence; what it is about is in its attributes."""


class PortcullisError(Exception):
    """The root of them all."""


class SettingError(PortcullisError):
    """An environment variable is missing or cannot be read."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem}")
        self.name = name
        self.problem = problem


class UnreadableError(PortcullisError):
    """A field of a report cannot be read. `field` is its path as the report spells it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class PolicyFolderError(PortcullisError):
    """A folder of policies or tests cannot be loaded. `problems` are sentences, each with a path and the remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class PolicyRefusedError(PortcullisError):
    """OPA refuses the policies. The message is OPA's own."""


class OpaMissingError(PortcullisError):
    """There is no OPA of the pinned version here, or this way to get one leads nowhere."""


class OpaTamperedError(PortcullisError):
    """What was built or fetched as OPA is not what go.sum or the published checksum names: it is not used."""


class OpaUnavailableError(PortcullisError):
    """OPA cannot be started or reached, or no time is left: what it was needed for is undecided."""


class OpaRefusedError(PortcullisError):
    """OPA gives no decision: a policy error, a wrong count or id, a contradiction, or no answer to this alone."""


class MemoryUnavailableError(PortcullisError):
    """The table of the memory cannot be read or written: what it was asked for is told as if it were new."""

    def __init__(self, table: str, problem: str) -> None:
        super().__init__(f"MEMORY_TABLE {table}: {problem}")
        self.table = table


class NoRoleError(PortcullisError):
    """An account is another one than the function's own, and no role is named that could be assumed there."""

    def __init__(self, account: str) -> None:
        super().__init__(f"account {account} is not the function's own and LOOK_UP_ROLE_NAME names no role there")
        self.account = account


class OutOfTimeError(PortcullisError):
    """The time that look-ups have is over; the rest belongs to the decision."""

    def __init__(self) -> None:
        super().__init__("no time was left")


class RecordsFailedError(PortcullisError):
    """Some records could not be processed; the others were. Raised so that Lambda delivers the event again."""

    NAMED = 20
    """The most records that the message names: the log has a line for each."""

    def __init__(self, failures: dict[str, str]) -> None:
        sentences = [f"{record}: {problem}" for record, problem in sorted(failures.items())]
        more = [f"and {len(sentences) - self.NAMED} more records"] if len(sentences) > self.NAMED else []
        super().__init__("; ".join([*sentences[: self.NAMED], *more]))
        self.failures = failures
