"""Writes a test for each proposed allowance, which says of each of its servers that what is open there is allowed."""

import json
import re
from collections.abc import Iterable

from handler.alert.opening import listed
from handler.alert.text import ports
from handler.cli.proposals import Proposal

_HEAD = """# Tests of what `portcullis baseline` has proposed. Where you delete an allowance, delete its test too.

package policy_tests.allow.{package}

import data.policy_tests.exposure
import data.policy_tests.finding
import data.policy_tests.told

_said(server, reach, ports, sources) := told(decision) if {{
	opened := finding(server, [exposure(words, sources) | some words in ports])
	decision := data.gate.decision with input as object.union(opened, {{"reach": reach}})
}}
"""


def text(proposals: Iterable[Proposal], package: str) -> str:
    """Write the tests as a file of Rego for `policy_tests/allow`; `package` is the last word of its package."""
    name = re.sub(r"\W", "_", package, flags=re.ASCII)
    name = name if re.match("[A-Za-z_]", name) else f"_{name}"
    return "\n".join([_HEAD.format(package=name), *map(_test, proposals)])


def _test(proposal: Proposal) -> str:
    opening = proposal.opening
    opened = [ports(protocol, low, high) for protocol, ranges in opening.ports for low, high in ranges]
    name = re.sub(r"\W", "_", proposal.id, flags=re.ASCII)
    return (
        f"test_allows_{name} if {{\n"
        f"\tports := {listed(opened)}\n"
        f"\tsources := {listed(opening.sources)}\n"
        f"\tevery id in {listed([server.id for server in proposal.servers])} {{\n"
        f'\t\tserver := {{"id": id, "account": {json.dumps(proposal.account)}}}\n'
        f'\t\tevery line in _said(server, "{opening.reach}", ports, sources) {{ startswith(line, "allow ") }}\n'
        "\t}\n}\n"
    )
