"""The register is used for the folder and the engine that it was made of, and for nothing else."""

import json
import shutil
from pathlib import Path

import pytest

from handler import readings
from handler.bundle import Folder, engine_files
from handler.cli import main
from handler.opa import Opa
from handler.process import Process
from tests.builders import exposure, finding, server

WEB = """package allow

allowance contains {
	"id": "web",
	"tcp": [443],
	"sources": ["office"],
	"owner": "web-platform",
	"reason": "Web servers",
	"expires": "2099-12-31",
} if {
	input.server.account in data.accounts.production
	input.server.tags.Role == "web"
}
"""
DATA = {
    "networks/data.yaml": "office: [203.0.113.0/24]\n",
    "accounts/data.yaml": 'production: ["111122223333"]\n',
    "allow/web.rego": WEB,
}
NOW = ["--now", "2099-10-01"]


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory, opa_path: str) -> Path:
    """Give a folder with policies that have passed the check, and with the cache that it filled."""
    place = tmp_path_factory.mktemp("checked")
    for name, text in DATA.items():
        (place / "policies" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "policies" / name).write_text(text)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_CACHE_HOME", str(place / "cache"))
        environment.setenv("OPA_PATH", opa_path)
        assert main(["check", str(place / "policies"), *NOW]) == 0
    return place


@pytest.fixture
def folder(checked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opa_path: str) -> Path:
    """Give a copy of the policies that have passed the check, with a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("OPA_PATH", opa_path)
    shutil.copytree(checked, tmp_path, dirs_exist_ok=True)
    return tmp_path / "policies"


def register(folder: Path) -> dict[str, dict[str, list[dict[str, object]]]]:
    """Give what the check kept."""
    [file] = (folder.parent / "cache" / "portcullis").iterdir()
    parsed: dict[str, dict[str, list[dict[str, object]]]] = json.loads(file.read_bytes().split(b"\n", 1)[1])
    return parsed


def forge(folder: Path) -> None:
    """Keep a register for the folder in which the office is everybody."""
    forged = register(folder)
    networks = {"v4": ["0.0.0.0/0"], "v6": ["::/0"], "names": [], "everything": True, "unreadable": []}
    forged["allowance"]["web"][2]["networks"] = networks
    readings.store(Folder(folder), json.dumps(forged).encode())


def action(folder: Path, opa_path: str) -> str:
    """Give what becomes of a web server that everybody reaches."""
    with Opa(Process(str(folder), opa_path)) as gate:
        gate.ready()
        [decision] = gate.decide([finding(exposure(443), server=server(Role="web"))])
    return decision.action  # type: ignore[union-attr]


def test_check_keeps_the_register_outside_the_folder(folder: Path) -> None:
    """A check without errors keeps each statement with its networks and how the engine reads it."""
    statement, networks, reading = register(folder)["allowance"]["web"]
    assert statement["tcp"] == [443]
    assert networks == {"office": ["203.0.113.0/24"]}
    assert reading["ports"] == {"tcp": [[443, 443]]}
    assert {file.relative_to(folder).as_posix() for file in folder.rglob("*.*")} == set(DATA)


def test_check_with_errors_keeps_no_register(folder: Path) -> None:
    """A folder that fails the check has no register."""
    (folder / "allow" / "web.rego").write_text(WEB.replace("443", '"443"'))
    assert main(["check", str(folder), *NOW]) == 1
    assert readings.load(Folder(folder)) is None


def test_register_of_the_folder_is_used(folder: Path, opa_path: str) -> None:
    """The engine takes the reading of a statement out of the register: a forged one shows that it does."""
    assert action(folder, opa_path) == "deny"
    forge(folder)
    assert action(folder, opa_path) == "allow"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("allow/web.rego", WEB.replace("Web servers", "Web server")),
        ("networks/data.yaml", "office: [203.0.113.0/25]\n"),
        ("accounts/data.yaml", 'production: ["111122223333"] # and no other\n'),
    ],
)
def test_register_of_another_folder_is_ignored(folder: Path, opa_path: str, name: str, text: str) -> None:
    """A folder of which any byte is another has no register until it is checked."""
    forge(folder)
    (folder / name).write_text(text)
    assert readings.load(Folder(folder)) is None
    assert action(folder, opa_path) == "deny"


def test_register_of_another_engine_is_ignored(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another engine may read the same statements in another way."""
    assert readings.load(Folder(folder)) is not None
    monkeypatch.setattr(readings, "engine_files", lambda: engine_files() | {"new.rego": b"package gate\n"})
    assert readings.load(Folder(folder)) is None


def test_register_of_other_statements_or_networks_is_ignored(folder: Path, opa_path: str) -> None:
    """A reading holds for its very statement and for its very networks, even where the register is the folder's."""
    statement, networks, _ = register(folder)["allowance"]["web"]
    forge(folder)
    for part, change in ((0, {"reason": "Other servers"}), (1, {"office": ["203.0.113.0/25"]})):
        forged = register(folder)
        forged["allowance"]["web"][part] |= change
        readings.store(Folder(folder), json.dumps(forged).encode())
        assert action(folder, opa_path) == "deny"
        forged = register(folder)
        forged["allowance"]["web"][:2] = [statement, networks]
        readings.store(Folder(folder), json.dumps(forged).encode())
        assert action(folder, opa_path) == "allow"


@pytest.mark.parametrize("length", [0, 10, 200, -1])
def test_register_that_is_cut_is_ignored(folder: Path, opa_path: str, length: int) -> None:
    """A register of which the end is missing, or that is another folder's under this name, is none."""
    forge(folder)
    [file] = (folder.parent / "cache" / "portcullis").iterdir()
    file.write_bytes(file.read_bytes()[:length])
    assert action(folder, opa_path) == "deny"


def test_register_under_another_name_is_ignored(folder: Path, opa_path: str) -> None:
    """A file says of which folder it is, whatever it is called."""
    forge(folder)
    [file] = (folder.parent / "cache" / "portcullis").iterdir()
    (folder / "allow" / "web.rego").write_text(WEB.replace("Web servers", "Web server"))
    assert main(["check", str(folder), *NOW]) == 0
    [other] = set(file.parent.iterdir()) - {file}
    other.write_bytes(file.read_bytes())
    assert action(folder, opa_path) == "deny"


def test_folder_decides_where_no_register_can_be_kept(
    folder: Path, opa_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache that cannot be written fails no check, and one that cannot be read no decision."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "allow" / "web.rego"))
    assert main(["check", str(folder), *NOW]) == 0
    assert action(folder, opa_path) == "deny"


def test_only_the_latest_registers_are_kept(folder: Path) -> None:
    """The cache does not grow with every edit."""
    for day in range(10, 22):
        (folder / "allow" / "web.rego").write_text(WEB.replace("2099-12-31", f"2099-12-{day}"))
        readings.store(Folder(folder), b"{}")
    assert len(list((folder.parent / "cache" / "portcullis").iterdir())) == 8
    assert readings.load(Folder(folder)) is not None
