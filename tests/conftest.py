"""What the tests share: the real OPA that `make test` put beside the interpreter."""

import os
import shutil
import sys
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.check_driver")  # so that a golden file that differs is shown with the difference


@pytest.fixture(scope="session")
def opa_path() -> str:
    """Give the path of the OPA executable; its absence fails every test that needs it."""
    found = shutil.which("opa", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert found, "opa is neither beside the interpreter nor on PATH: run `make opa-path`"
    return found
