"""The schemas that the policies are checked against are those of the contract."""

import pytest

from handler.cli import schema


@pytest.mark.parametrize("name", schema.generate())
def test_schema_file_is_the_contract(name: str) -> None:
    """A changed contract needs `python -m handler.cli.schema`."""
    assert (schema.FOLDER / name).read_text() == schema.text(schema.generate()[name])
