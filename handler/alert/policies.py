"""What the alert reads from the policies' data files, on the first alert only: whose the accounts are.

It only addresses alerts. A file that cannot be read is logged and names no team; it never costs an alert.
"""

import json
import logging
from functools import lru_cache
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)


def team(policies_path: str, account: str) -> str | None:
    """Give the team of `accounts/data.yaml` whose list has the account; of several, the first by name."""
    teams = _document(policies_path, "accounts").get("teams")
    names = [name for name, accounts in _items(teams) if isinstance(accounts, list) and account in accounts]
    return min(names, default=None)


def _items(value: object) -> list[tuple[str, Any]]:
    return [(key, entry) for key, entry in value.items() if isinstance(key, str)] if isinstance(value, dict) else []


@lru_cache
def _document(policies_path: str, name: str) -> dict[str, Any]:
    import yaml  # noqa: PLC0415  an invocation that alerts nobody does not pay for it

    document: dict[str, Any] = {}
    for file in ("data.json", "data.yaml", "data.yml"):
        path = Path(policies_path, name, file)
        try:
            if path.is_file():
                text = path.read_text(encoding="utf-8")
                document |= json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
        except (OSError, ValueError, TypeError, RecursionError, yaml.YAMLError) as error:
            logger.warning("%s cannot be read, so alerts go without it: %s", path, error)
    return document
