"""What the alert reads from the policies' data files, on the first alert only: whose the accounts are, and their names.

It only addresses alerts. A file that cannot be read is logged and names nobody; it never costs an alert.
"""

import json
import logging
from functools import lru_cache
from pathlib import Path
from typing import Any

from handler.alert.text import short

logger = logging.getLogger(__name__)

_CHARACTERS = 80
"""Of the name of an account."""


def team(policies_path: str, account: str) -> str | None:
    """Give the team of `accounts/data.yaml` whose list has the account; of several, the first by name."""
    ids_by_team = _under(policies_path, "teams").items()
    teams = (team for team, ids in ids_by_team if isinstance(team, str) and isinstance(ids, list) and account in ids)
    return min(teams, default=None)


def account(policies_path: str, account: str) -> str:
    """Call an account by the name that `accounts/data.yaml` gives it, with its id; by its id where it has none."""
    name = _under(policies_path, "names").get(account)
    return f"{short(name.strip(), _CHARACTERS)} ({account})" if isinstance(name, str) and name.strip() else account


def _under(policies_path: str, key: str) -> dict[Any, Any]:
    """Give what stands under a key of `accounts/data.yaml`, as YAML has it."""
    value = _document(policies_path).get(key)
    return value if isinstance(value, dict) else {}


@lru_cache
def _document(policies_path: str) -> dict[str, Any]:
    import yaml  # noqa: PLC0415  an invocation that alerts nobody does not pay for it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: dict[str, Any] = {}
    for file in ("data.json", "data.yaml", "data.yml"):
        path = Path(policies_path, "accounts", file)
        try:
            if path.is_file():
                text = path.read_text(encoding="utf-8")
                document |= json.loads(text) if path.suffix == ".json" else yaml.load(text, loader)  # noqa: S506
        except (OSError, ValueError, TypeError, RecursionError, yaml.YAMLError) as error:
            logger.warning("%s cannot be read, so alerts go without it: %s", path, error)
    return document
