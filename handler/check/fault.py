"""What a check has to say, and the list of everything that can be said."""

from pathlib import Path
from typing import Literal

from msgspec import Struct

RULES = {
    "folder": "The folder can be loaded.",
    "unread-file": "OPA reads every file of the folder.",
    "data": "Data files say what OPA reads, and what the engine expects.",
    "repeated-key": "No key is written twice.",
    "compile": "OPA compiles the policies: strictly, against the schema of a finding, with pure builtins only.",
    "format": "Rego is formatted.",
    "unread-rule": "Every rule of allow and forbid, and of a test file, is read.",
    "shared-helper": "No two files define the same helper.",
    "unused-member": "Whatever `some` names is compared with something.",
    "absent-name": "Every name under `data` is there.",
    "unknown-field": "Conditions ask for fields that a finding has.",
    "unknown-word": "Conditions compare with what a finding can hold: words, account ids, text instead of lists.",
    "depends-on-input": "The value of a statement does not depend on the input.",
    "malformed": "The gate can read every allowance and prohibition.",
    "shared-id": "Every allowance and every prohibition has an id of its own.",
    "invisible": "Every character of an id shows.",
    "never-applies": "OPA leaves open, until it sees a finding, whether a statement applies.",
    "forbids-nothing": "A prohibition forbids something.",
    "unconditional": "An allowance asks for account, id, tags or name, or says that it holds everywhere.",
    "undecidable": "Statements can be judged whatever is unknown.",
    "stranger": "No allowance applies to a server of which nothing is known.",
    "allowed-where-unknown": "No allowance holds because nobody knows what it asks for.",
    "open-where-unknown": "A prohibition also holds where nobody knows what it asks for, or says that it does not.",
    "test": "Every test passes.",
    "test-raises": "No builtin raises in a test.",
    "uncovered": "A test reaches every line.",
    "no-tests": "Tests are beside the policies.",
    "expired": "No statement has expired.",
    "expires-soon": "No statement expires soon.",
    "long-lived": "No statement runs longer than the folder permits.",
    "no-account": "What asks for tags or a name asks for the account too.",
    "administrative": "No administrative port is open to anywhere.",
    "every-port": "Not every port is open to anywhere.",
    "one-family": "What is open to all of IPv4 is open to all of IPv6.",
    "unused-accounts": "Every list of accounts is used.",
}
"""What holds when a check has nothing to say, by the stable id of the check."""


class Fault(Struct, frozen=True, kw_only=True):
    """What is wrong and how to mend it, in one sentence.

    `rule` is a key of `RULES`; `line` counts from 1; `id` is the id of the statement that it is about. File and line
    are null where nobody knows them. A warning does not fail the check.
    """

    rule: str
    problem: str
    file: Path | None = None
    line: int | None = None
    id: str | None = None
    level: Literal["error", "warning"] = "error"
