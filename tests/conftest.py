"""What the tests share: the real OPA that `make test` put beside the interpreter."""

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ["MOTO_AMIS_PATH"] = str(Path(__file__).with_name("amis.json"))
"""The one image of our instances: moto would make 1,300, each with a volume, whenever it is reset."""

os.environ |= {"GOGC": "off", "GOMEMLIMIT": "1GiB"}
"""The commands of OPA that tests run collect their garbage from a gigabyte on, which saves a third of their time."""

gc.set_threshold(100_000)
"""Looking for cycles after each 700 new objects, which is the default, takes a tenth of the time of boto3 and moto."""

pytest_plugins = [
    "tests.made_once",
    "tests.memory.tables",  # not imported by each folder, which would have a DynamoDB Local of its own
]

pytest.register_assert_rewrite("tests.check_driver")  # so that a golden file that differs is shown with the difference


@pytest.fixture(scope="session")
def opa_path() -> str:
    """Give the path of the OPA executable; its absence fails every test that needs it."""
    found = shutil.which("opa", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert found, "opa is neither beside the interpreter nor on PATH: run `make opa-path`"
    return found


@pytest.fixture(scope="session", autouse=True)
def caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the registers of the folders that tests check out of the caches of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOCACHE", os.environ.get("GOCACHE", str(Path("~/.cache/go-build").expanduser())))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than there are cores: for a fifth of their time, tests wait until something times out."""
    return (os.cpu_count() or 1) + 1


SLOW_FIXTURES = {"opa_path", "cloud", "endpoint", "image"}
SLOW_NAMES = {"subprocess", "terminal", "main", "mock_aws", "given"}
"""What the tests of a file that has one of these names do: start processes or an AWS, or fuzz."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow, which `make quick` leaves out, what starts processes or servers, or fuzzes."""
    for item in items:
        assert isinstance(item, pytest.Function)
        if SLOW_FIXTURES & {*item.fixturenames} or SLOW_NAMES & vars(item.module).keys():
            item.add_marker("slow")


@pytest.fixture(autouse=True)
def fast(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test start a process that is not marked as slow."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a test that starts a process is slow: use the fixture opa_path, or mark it")

    if "slow" not in request.keywords:
        monkeypatch.setattr(subprocess, "Popen", refuse)
