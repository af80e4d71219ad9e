"""What is built, and what cannot be built."""

import os
import subprocess
from pathlib import Path

import pytest

import handler
from handler import readings
from handler.bundle import Folder
from handler.cli import main
from handler.cli.init import PLACEHOLDER
from handler.settings import ROOT
from tests.image.conftest import NAME, Topic, build, event
from tests.image.function import Function, Image, buildah

UNWANTED = (
    *("handler/cli", "handler/check", "handler/opa_binary", "handler/engine/helper", "policies/gate"),
    *("tests", "policy_tests", "pytest", "rich", "moto", "Makefile", "requirements.txt"),
)


@pytest.mark.usefixtures("image")
def test_two_builds_on_empty_stores_are_the_same_image(tmp_path: Path) -> None:
    """The same checkout gives the same image id on another, empty store."""
    storage = Path(os.environ["CONTAINERS_STORAGE_CONF"])
    other = tmp_path / "storage.conf"
    other.write_text(storage.read_text().replace(str(storage.parent), str(tmp_path)))
    given = {**os.environ, "CONTAINERS_STORAGE_CONF": str(other)}
    bases = Path(__file__).with_name("bases")
    subprocess.run([bases, "import", os.environ["BASES"]], env=given, check=True)
    built = build(environment=given)
    assert built.returncode == 0, built.stderr[-5000:]
    show = ["buildah", "inspect", "--type", "image", "--format", "{{.FromImageID}}", NAME]
    found = subprocess.run(show, env=given, check=True, capture_output=True, text=True).stdout.strip()
    assert found == buildah(*show[1:])


def test_holds_what_the_function_needs_and_no_more(image: Image) -> None:
    """OPA, the packages with byte code, function and policies; no test, no command line, no compiler."""
    task = image.root / "var" / "task"
    assert (image.root / "opt" / "opa" / "bin" / "opa").stat().st_mode & 0o111
    assert {path.name for path in task.iterdir()} >= {"handler", "policies", "boto3", "opa_client"}
    register = readings._file(Folder(task / "policies")).name  # noqa: SLF001  the file that the function looks for
    assert [path.name for path in (task / "handler" / "engine" / "register").iterdir()] == [register]
    engine = {path.relative_to(ROOT / "policies") for path in (ROOT / "policies" / "gate").rglob("*.rego")}
    assert {path.relative_to(task / "handler" / "engine") for path in task.rglob("gate/**/*.rego")} == engine
    assert [name for name in UNWANTED if (task / name).exists()] == []
    assert [path for path in image.root.rglob("*") if path.name in {"go", "gcc", "cc", "_test.rego"}] == []
    sources = {path for path in task.rglob("*.py") if path.parent.name != "__pycache__"}
    compiled = {path.parent.parent / f"{path.name.split('.')[0]}.py" for path in task.rglob("*.pyc")}
    assert sources == compiled


def test_everybody_can_read_it(image: Image) -> None:
    """Whoever runs the function can read it, however strict the umask of the checkout was."""
    task = image.root / "var" / "task"
    assert [path for path in task.rglob("*") if not path.stat().st_mode & 0o004] == []


def test_it_does_not_run_as_root(image: Image) -> None:
    """Where it is not Lambda that chooses the user, it is nobody."""
    assert image.configuration["User"] == "65534"


def test_labels_name_version_and_policies(image: Image) -> None:
    """The labels name the version and the revision of the policies that are in the image."""
    labels = image.configuration["Labels"]
    assert labels["org.opencontainers.image.version"] == handler.__version__
    assert labels["portcullis.policy"] == Folder(ROOT / "policies").revision
    assert Folder(image.root / "var" / "task" / "policies").revision == labels["portcullis.policy"]
    command = ["git", "-C", str(ROOT), "describe", "--tags", "--always"]
    described = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    assert labels["portcullis.policy.version"].removesuffix("-dirty") == described


def refused(*flags: str, **environment: str) -> str:
    """Return what a build says that must fail and leave no image."""
    failed = build(*flags, environment={**environment, "TAG": "localhost/refused"})
    assert failed.returncode != 0
    assert "localhost/refused" not in buildah("images")
    return failed.stdout + failed.stderr


@pytest.mark.usefixtures("image")
@pytest.mark.parametrize(
    ("file", "right", "wrong", "said"),
    [
        pytest.param("allow/vpn.rego", "allowance contains", "allowance", "vpn.rego:4: OPA refuses it", id="no-rego"),
        pytest.param("allow/vpn.rego", "1194", "1195", "test_allows_openvpn_from_anywhere", id="tests-fail"),
        pytest.param("accounts/data.yaml", '"444455556666"', "044455556666", "accounts/data.yaml:", id="data-file"),
    ],
)
def test_policies_that_fail_make_no_image(policies: Path, file: str, right: str, wrong: str, said: str) -> None:
    """A policy that does not compile, whose tests fail or whose data is not right ends the build with the reason."""
    content = (policies / file).read_text()
    assert right in content
    (policies / file).write_text(content.replace(right, wrong))
    assert said in refused(POLICIES=str(policies))


@pytest.mark.usefixtures("image")
def test_policies_of_another_revision_make_no_image() -> None:
    """A label that does not fit the policies ends the build."""
    said = refused("--build-arg", "POLICY_REVISION=0000000")
    assert "the policies are not those of revision 0000000" in said


@pytest.mark.usefixtures("image")
def test_a_team_builds_its_own_policies_in(tmp_path: Path, topic: Topic) -> None:
    """Policies and their tests come from a folder that `init` made, under any umask, and decide in the image."""
    assert main(["init", str(tmp_path)]) == 0
    policies = tmp_path / "policies"
    accounts = policies / "accounts" / "data.yaml"
    accounts.write_text(accounts.read_text().replace(PLACEHOLDER, "111122223333"))
    (policies / "allow" / "web.rego").chmod(0o600)
    tests = str(tmp_path / "policy_tests")
    built = build(environment={"POLICIES": str(policies), "POLICY_TESTS": tests, "TAG": "localhost/ours"})
    assert built.returncode == 0, built.stderr[-5000:]
    with Image("localhost/ours") as ours:
        labels = ours.configuration["Labels"]
        assert labels["portcullis.policy"] == Folder(ours.root / "var" / "task" / "policies").name
        assert labels["portcullis.policy.version"] == ""
        file = ours.root / "var" / "task" / "policies" / "allow" / "web.rego"
        assert file.stat().st_mode & 0o004
        with Function(ours, topic.environment) as function:
            function.start()
            answers = [function.invoke(event(name)).body["outcomes"] for name in ("01-web-443", "07-telnet")]
    assert [outcome["decision"]["action"] for [outcome] in answers] == ["allow", "deny"]


def test_missing_base_image_is_named() -> None:
    """A base image that is not there ends the build with its name."""
    said = refused("--build-arg", "PYTHON_IMAGE=localhost/no-such-base:1")
    assert "localhost/no-such-base:1: image not known" in said
