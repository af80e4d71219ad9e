"""Finds what nobody reads: a statement under another name than the one that the gate asks for never holds, in silence.

Shape: what `opa parse --format json --json-include locations` prints of a file, OPA's abstract syntax tree.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from handler.cli.data_files import Fault

READ = {"allow": "allowance", "forbid": "prohibition"}
"""What the gate asks for, by package."""


def unread(file: Path, module: dict[str, Any]) -> Iterator[Fault]:
    """Find the rules of a file of `allow` or `forbid` that nobody asks for; its package, if it is another by a slip."""
    package = module["package"]
    name = ".".join(step["value"] for step in package["path"][1:])
    team = next(team for team in READ if name.startswith(team))
    if name != team:
        problem = f"nobody reads package {name}; it must be `package {team}`"
        yield Fault(file=file, line=package["location"]["row"], problem=problem)
        return
    wanted = READ[team]
    for rule in module.get("rules", []):
        ref = ".".join(str(step["value"]) for step in rule["head"]["ref"])
        if ref != wanted and not ref.startswith("_"):
            example = f"as in `{wanted} contains {{...}} if {{...}}`; what only helps begins with `_`"
            problem = f"nobody reads `{ref}`; it must be called `{wanted}`, {example}"
            yield Fault(file=file, line=rule["location"]["row"], problem=problem)
