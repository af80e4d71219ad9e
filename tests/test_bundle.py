"""A team's folder is loaded as it is, without a manifest, and can define nothing that is not its own."""

from pathlib import Path

import pytest

from handler import bundle
from handler.bundle import Folder
from handler.errors import PolicyFolderError
from handler.opa import Opa
from handler.process import Process
from tests.builders import exposure, finding, server, team_folder

LIB = """package lib.roles

is_web if input.server.tags.Role == "web"
"""
ALLOW = """package allow

import data.lib.roles

allowance contains {
	"id": "web",
	"tcp": [443],
	"sources": ["anywhere"],
	"owner": "web-platform",
	"reason": "Public web servers",
	"expires": "2099-12-31",
} if {
	roles.is_web
}
"""


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write files below a folder and return it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_folder_of_a_team_needs_nothing_of_ours(tmp_path: Path, opa_path: str) -> None:
    """A folder with a helper package of its own and no manifest, engine or metadata decides."""
    networks = "anywhere: [0.0.0.0/0, '::/0']\n"
    files = {"allow/web.rego": ALLOW, "lib/roles.rego": LIB, "networks/data.yaml": networks}
    with Opa(Process(str(write(tmp_path, files)), opa_path)) as gate:
        gate.ready()
        decisions = gate.decide([finding(exposure(443), server=server(Role=role)) for role in ("web", "db")])
    assert [decision.action for decision in decisions] == ["allow", "deny"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("authz.rego", "package system.authz\n\nallow := true\n", "defines system, which belongs to OPA itself"),
        (
            "x.rego",
            "# package allow\n\n\n  package gate.extra\n\nx := 1\n",
            "defines gate, which belongs to the engine",
        ),
        ("x.rego", "package data.gate\n\ndefault x := 1\n", "defines gate"),
        ("gate/decision.rego", "package gate\n\ndecision := {}\n", "delete {folder}/gate"),
        ("gate/data.yaml", "batch: 1\n", "defines gate"),
        ("data.yaml", "system: {authz: {allow: true}}\n", "defines system"),
        (
            "allow/x_test.rego",
            "package policy_tests.x\n\ntest_x := true\n",
            "is for tests, which belong into the folder",
        ),
    ],
)
def test_packages_that_are_not_the_teams_are_refused(tmp_path: Path, name: str, text: str, problem: str) -> None:
    """What would answer for OPA or extend the engine is named with its file and the remedy."""
    folder = Folder(write(tmp_path, {"allow/web.rego": ALLOW, name: text}))
    with pytest.raises(PolicyFolderError) as refused:
        folder.check()
    assert str(refused.value).startswith(f"{tmp_path / name} ")
    assert problem.format(folder=tmp_path) in str(refused.value)


def test_copy_of_the_engine_is_not_taken_from_the_folder(tmp_path: Path) -> None:
    """A folder that holds the engine of this version is the same folder without it."""
    with_engine = Folder(bundle.engine().parent)
    without = Folder(team_folder(tmp_path))
    with_engine.check()
    assert (with_engine.files, with_engine.revision) == (without.files, without.revision)


@pytest.mark.parametrize(
    ("version", "name"),
    [
        pytest.param(b"v1.4-3-gabc1234\n", "v1.4-3-gabc1234 (sha256:{})", id="git describe"),
        pytest.param(None, "{}", id="none"),
        pytest.param(b"\n", "{}", id="empty"),
        pytest.param(b"v1 and more", "{}", id="several words"),
        pytest.param(b"v1\nv2", "{}", id="several lines"),
        pytest.param(b"\xff", "{}", id="no text"),
        pytest.param(b"v" * 101, "{}", id="too long"),
    ],
)
def test_policies_are_called_by_the_version_of_the_team(tmp_path: Path, version: bytes | None, name: str) -> None:
    """The team's own version comes first, with the revision behind it, which does not depend on it."""
    folder = write(tmp_path, {"allow/web.rego": ALLOW})
    revision = Folder(folder).revision
    if version is not None:
        (folder / ".version").write_bytes(version)
    assert (Folder(folder).name, Folder(folder).revision) == (name.format(revision), revision)


@pytest.mark.parametrize(
    ("target", "problem"),
    [("elsewhere.rego", "is a symbolic link out of the folder"), ("elsewhere", "is a symbolic link to a folder")],
)
def test_symbolic_links_out_of_the_folder_are_refused(tmp_path: Path, target: str, problem: str) -> None:
    """What is not in the folder is not reviewed with it."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere.rego").write_text(ALLOW)
    folder = write(tmp_path / "policies", {"allow/web.rego": ALLOW})
    (folder / "allow" / "link.rego").symlink_to(tmp_path / target)
    with pytest.raises(PolicyFolderError, match=f"link.rego {problem}"):
        Folder(folder).check()


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        pytest.param(lambda _: None, "is no folder: name that of the policies", id="absent"),
        pytest.param(lambda folder: folder.mkdir(), "holds no file of Rego", id="empty"),
        pytest.param(lambda folder: folder.write_text("package allow\n"), "is no folder", id="file"),
        pytest.param(
            lambda folder: write(folder, {"networks/data.json": " " * (8 * 1024 * 1024 + 1)}),
            "networks/data.json is larger than 8 MiB",
            id="large",
        ),
    ],
)
def test_folder_that_cannot_be_loaded_is_said(tmp_path: Path, make: object, problem: str) -> None:
    """Each ends in a sentence with the path and the remedy."""
    make(tmp_path / "policies")  # type: ignore[operator]
    with pytest.raises(PolicyFolderError) as refused:
        Folder(tmp_path / "policies").check()
    assert problem in str(refused.value)


def test_hidden_files_are_not_loaded(tmp_path: Path) -> None:
    """What version control, editors or a mounted volume keep beside the files is no policy."""
    folder = write(tmp_path, {"allow/web.rego": ALLOW, ".git/x.rego": ALLOW, "allow/.web.rego": ALLOW})
    assert set(Folder(folder).files) == {"allow/web.rego"}
