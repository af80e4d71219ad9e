"""The JSON Schemas of the contract: `python -m handler.cli.schema` writes them anew into `handler/schema/`."""

import json
from pathlib import Path
from typing import Any

import msgspec

from handler.decision import Decision
from handler.finding import Batch, Finding

FOLDER = Path(__file__).resolve().parent.parent / "schema"


def generate() -> dict[str, dict[str, Any]]:
    """Give each schema by its file's name."""
    return {f"{kind.__name__.lower()}.json": msgspec.json.schema(kind) for kind in (Finding, Batch, Decision)}


def text(schema: dict[str, Any]) -> str:
    """Spell a schema as it stands in its file."""
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    for name, schema in generate().items():
        (FOLDER / name).write_text(text(schema))
