"""The wheel, built from this checkout and installed by pip into an empty environment; and what `init` makes with it."""

import errno
import json
import os
import re
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

import handler
from handler import opa_binary
from handler.cli import COMMANDS, main
from handler.cli.init import PLACEHOLDER
from handler.settings import ROOT

EVENT = ROOT / "handler" / "cli" / "demo_events" / "01-web-443.json"
ACCOUNT = "111122223333"


def pip(*arguments: str | Path) -> None:
    """Run the pip of the development environment."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments), "--quiet"]
    subprocess.run(command, check=True)


def locked() -> set[str]:
    """Return the names of the distributions that the image installs, and rich with what it needs."""
    names = re.findall(r"^([\w-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    return {"rich", "markdown-it-py", "mdurl", "pygments", *names}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the programs of an environment that holds what is locked, and then the wheel.

    What is locked is linked from the development environment, which was installed from the same locks. The wheel is
    installed without an index: what it depends on must be there, or pip refuses it.
    """
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT)
    [wheel] = folder.glob("*.whl")
    venv.create(folder / "venv")
    [packages] = folder.glob("venv/lib/python*/site-packages")
    for distribution in metadata.distributions():
        if distribution.name.lower().replace("_", "-") in locked():
            for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
                (packages / top).symlink_to(str(distribution.locate_file(top)))
    python = folder / "venv" / "bin" / "python"
    pip("--python", python, "install", "--no-compile", "--no-index", wheel)
    return python.parent


def files(folder: Path) -> Iterator[Path]:
    """Yield the path of every file below a folder, but for byte code."""
    for file in folder.rglob("*"):
        if file.is_file() and file.suffix != ".pyc":
            yield file.relative_to(folder)


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """Give a folder of policies that `init` has made, with an account filled in."""
    assert main(["init", str(tmp_path / "team")]) == 0
    accounts = tmp_path / "team" / "policies" / "accounts" / "data.yaml"
    accounts.write_text(accounts.read_text().replace(PLACEHOLDER, ACCOUNT))
    return tmp_path / "team"


def run(folder: Path, command: str, programs: Path, opa: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in a folder with nothing on PATH but these programs, OPA and the system's."""
    path = os.pathsep.join([str(programs), str(Path(opa).parent), "/usr/bin", "/bin"])
    environment = {"PATH": path, "HOME": str(folder), "OPA_PATH": opa}
    return subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_works_in_an_empty_environment(installed: Path, opa_path: str, tmp_path: Path) -> None:
    """Each command runs outside the checkout, with what is in the wheel alone."""

    def ran(command: str) -> subprocess.CompletedProcess[str]:
        return run(tmp_path, command, installed, opa_path)

    assert ran("portcullis --version").stdout == f"portcullis {handler.__version__}\n"
    [engine] = ran("portcullis engine").stdout.splitlines()
    assert Path(engine).is_relative_to(installed.parent)
    assert ran("portcullis init .").returncode == 0
    accounts = tmp_path / "policies" / "accounts" / "data.yaml"
    accounts.write_text(accounts.read_text().replace(PLACEHOLDER, ACCOUNT))
    checked = ran("portcullis check --coverage")
    assert (checked.returncode, checked.stdout.splitlines()[-1][:3]) == (0, "ok:"), checked.stdout + checked.stderr
    listed = json.loads(ran("portcullis allowed --format json").stdout)["statements"]
    assert [statement["id"] for statement in listed] == ["web-https", "no-telnet"]
    tested = ran("opa test policies policy_tests $(portcullis engine)")
    assert (tested.returncode, tested.stdout.splitlines()[-1][:5]) == (0, "PASS:"), tested.stdout
    judged = ran(f"portcullis decide --json {EVENT}")
    assert (judged.returncode, judged.stderr) == (0, "")
    assert [entry["by"] for entry in json.loads(judged.stdout)["decision"]["allowed"]] == [["web-https"]]
    assert "\tallow\tweb-https (" in ran(f"portcullis decide {EVENT}").stdout


def test_holds_every_file(installed: Path) -> None:
    """Whatever file the package, the engine and the helper of policy tests have is installed, and nothing else."""
    [package] = installed.parent.glob("lib/python*/site-packages/handler")
    sources = {"": "handler", "engine/gate": "policies/gate", "engine/helper": "policy_tests/gate/helper"}
    expected = {Path(target) / file for target, source in sources.items() for file in files(ROOT / source)}
    assert set(files(package)) == expected


def test_finds_opa_by_itself(installed: Path, opa_path: str, tmp_path: Path) -> None:
    """Without OPA_PATH the installed command takes the pinned version from its cache, below XDG_CACHE_HOME."""
    cached = tmp_path / "cache" / "portcullis" / f"opa-{opa_binary.pinned()}"
    cached.parent.mkdir(parents=True)
    cached.symlink_to(opa_path)
    environment = {"PATH": "/nowhere", "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [str(installed / "python"), "-m", "handler.opa_binary"]
    found = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout == f"{cached}\n"


@pytest.mark.parametrize("command", ["portcullis check --coverage", "opa fmt --list --fail policies policy_tests"])
def test_init_makes_a_folder_that_passes(team: Path, opa_path: str, command: str) -> None:
    """What is made passes its own check, without a warning, and is formatted."""
    done = run(team, command, Path(sys.executable).parent, opa_path)
    assert (done.returncode, done.stderr, "warning" in done.stdout) == (0, "", False), done.stdout


def test_init_makes_a_folder_that_asks_for_the_account(team: Path, opa_path: str) -> None:
    """Until the account is filled in, the check refuses the placeholder and nothing else."""
    accounts = team / "policies" / "accounts" / "data.yaml"
    accounts.write_text(accounts.read_text().replace(ACCOUNT, PLACEHOLDER))
    done = run(team, "portcullis check", Path(sys.executable).parent, opa_path)
    *refused, result = done.stdout.splitlines()
    assert (done.returncode, result.partition(";")[0]) == (1, "failed: 2 errors")
    problem = f"{PLACEHOLDER} stands for an account of yours; write its id"
    assert refused == [f"policies/accounts/data.yaml:{line}: {problem}" for line in (4, 7)]


def test_init_makes_a_workflow_that_runs(team: Path, opa_path: str) -> None:
    """Each step of the workflow passes, but the first, which asks where Portcullis comes from; it writes nothing."""
    workflow = yaml.safe_load((team / ".github" / "workflows" / "policies.yaml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    install, *commands = [step["run"] for step in workflow["jobs"]["check"]["steps"] if "run" in step]
    refused = run(team, install, Path(sys.executable).parent, opa_path)
    assert refused.returncode == 1
    assert refused.stdout.startswith("::error file=.github/workflows/policies.yaml::PORTCULLIS is empty")
    assert commands == [
        "portcullis check --coverage --format github",
        "opa test policies policy_tests $(portcullis engine)",
    ]
    for command in commands:
        done = run(team, command, Path(sys.executable).parent, opa_path)
        assert (done.returncode, "::" in done.stdout) == (0, False), f"{command}\n{done.stdout}{done.stderr}"


def test_init_dates_the_allowance_from_today(team: Path) -> None:
    """The allowance holds for a year, which is less than the check's limit of 400 days."""
    [expires] = re.findall(r'"expires": "(.+)"', (team / "policies" / "allow" / "web.rego").read_text())
    days = date.fromisoformat(expires) - datetime.now(UTC).date()
    assert timedelta(days=364) <= days <= timedelta(days=365)


def test_init_leaves_no_mark(team: Path) -> None:
    """The versions are filled in, and what is left to the reader is named when the folder is made."""
    texts = {file: file.read_text() for file in team.rglob("*") if file.is_file()}
    assert [file for file, text in texts.items() if re.search(r"@[A-Z]+@", text)] == []
    assert f"version: {opa_binary.pinned()}\n" in texts[team / ".github" / "workflows" / "policies.yaml"]


def test_init_says_what_to_fill_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The account ids and the origin of Portcullis are named with their files."""
    assert main(["init", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert f"in the place of {PLACEHOLDER}: {tmp_path}/policies/accounts/data.yaml" in said
    assert f"PORTCULLIS: {tmp_path}/.github/workflows/policies.yaml" in said
    assert PLACEHOLDER in (tmp_path / "policies" / "accounts" / "data.yaml").read_text()


@pytest.mark.parametrize("target", ["README.md", "policies/allow/web.rego"])
def test_init_never_overwrites(tmp_path: Path, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where one file exists, even as a link to nowhere, it is named and nothing is written."""
    (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / target).symlink_to("nowhere")
    before = sorted(tmp_path.rglob("*"))
    assert main(["init", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"nothing is written, for these are there already:\n  {tmp_path / target}\n"
    assert sorted(tmp_path.rglob("*")) == before


def test_init_names_a_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file in the place of the folder is said in a line."""
    (tmp_path / "team").touch()
    assert main(["init", str(tmp_path / "team")]) == 2
    said = capsys.readouterr().err
    assert said == f"{tmp_path}/team/.github/workflows/policies.yaml cannot be written: {os.strerror(errno.ENOTDIR)}\n"


WITHOUT_RICH = """
import sys
from contextlib import suppress
from handler.cli import main
sys.modules["rich"] = None
for command in sys.argv[1:]:
    with suppress(SystemExit):
        main([command, "--help"])
"""


def test_commands_that_judge_no_reports_need_no_rich() -> None:
    """The check in the image has no rich, and none is loaded before it is needed."""
    commands = sorted(COMMANDS.keys() - {"baseline"})
    program = [sys.executable, "-c", WITHOUT_RICH, *commands]
    ran = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert re.findall("^usage: portcullis ([a-z]+)", ran.stdout, re.MULTILINE) == commands


def test_the_image_installs_all_but_rich() -> None:
    """The group that the image's requirements are locked from is the wheel's dependencies without rich."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    dependencies = [name for name in project["project"]["dependencies"] if not name.startswith("rich")]
    assert project["dependency-groups"]["function"] == dependencies
    assert "\nrich==" not in (ROOT / "requirements.txt").read_text()
