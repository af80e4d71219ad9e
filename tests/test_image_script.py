"""tools/image, with a stand-in for Docker that prints what it is asked for. The real build is in tests/image."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import handler
from handler.bundle import Folder
from handler.settings import ROOT

POLICIES = str(ROOT / "policies")


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    """Give a folder for PATH with a `docker` that answers, and no Podman or buildah."""
    program = tmp_path / "docker"
    program.write_text('#!/bin/sh\n[ "$1" = info ] || printf "%s\\n" "$@"\n')
    program.chmod(0o755)
    for name in ("bash", "dirname"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    return tmp_path


def run(folder: Path, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script with the folder as PATH."""
    given = {"PATH": str(folder), "PYTHON": sys.executable, **environment}
    command = [f"{folder}/bash", f"{ROOT}/tools/image", *flags]
    return subprocess.run(command, env=given, capture_output=True, text=True, check=False)


def test_docker_gets_the_policies_and_the_labels(docker: Path) -> None:
    """One command builds the shipped policies, with the labels filled in, in the one form that Lambda takes."""
    asked = run(docker, "--platform", "linux/arm64").stdout.splitlines()
    assert asked == [
        *("build", "--provenance=false", "--tag", "portcullis:latest"),
        *("--build-arg", f"VERSION={handler.__version__}"),
        *("--build-arg", f"POLICY_REVISION={Folder(POLICIES).revision}", "--build-arg", "POLICY_VERSION="),
        *("--build-context", f"policies={POLICIES}", "--build-context", f"policy_tests={ROOT / 'policy_tests'}"),
        *("--platform", "linux/arm64", str(ROOT)),
    ]


def test_tag_and_policies_are_arguments(docker: Path, tmp_path: Path) -> None:
    """A team names its own policies, their tests and the tag."""
    for name in ("ours", "our_tests"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data.yaml").write_text("networks: {}\n")
    given = {"TAG": "gate:7", "POLICIES": str(tmp_path / "ours"), "POLICY_TESTS": str(tmp_path / "our_tests")}
    asked = run(docker, **given).stdout.splitlines()
    assert asked[asked.index("--tag") + 1] == "gate:7"
    assert f"POLICY_REVISION={Folder(given['POLICIES']).revision}" in asked
    assert {f"policies={given['POLICIES']}", f"policy_tests={given['POLICY_TESTS']}"} <= set(asked)


def test_policies_have_the_version_that_git_describes(docker: Path, tmp_path: Path) -> None:
    """They are named by the team's own tag, dirty where they are not as committed; a folder that git ignores is not."""
    program = str(shutil.which("git"))
    (docker / "git").symlink_to(program)
    policies = tmp_path / "repository" / "policies"
    policies.mkdir(parents=True)
    (policies / "data.yaml").write_text("networks: {}\n")

    def git(*arguments: str) -> None:
        author = ("-c", "user.name=team", "-c", "user.email=team@example.com")
        subprocess.run([program, "-C", policies.parent, *author, *arguments], check=True, capture_output=True)

    def version(folder: Path) -> str:
        asked = run(docker, POLICIES=str(folder)).stdout.splitlines()
        return next(line for line in asked if line.startswith("POLICY_VERSION=")).partition("=")[2]

    assert version(policies) == ""
    git("init")
    git("add", "policies")
    assert version(policies) == ""
    git("commit", "--message", "Begin")
    git("tag", "v1.4")
    assert version(policies) == "v1.4"
    (policies.parent / "README.md").write_text("not of the policies\n")
    assert version(policies) == "v1.4"
    (policies / "more").mkdir()
    (policies / "more" / "data.yaml").write_text("office: {}\n")
    assert version(policies) == "v1.4-dirty"
    (policies.parent / ".gitignore").write_text("ignored\n")
    assert version(Path(shutil.copytree(policies, policies.parent / "ignored"))) == ""


def test_needs_no_package(docker: Path, tmp_path: Path) -> None:
    """The Python that names the version and the revision may be a bare one."""
    bare = tmp_path / "bare"
    bare.write_text(f'#!/bin/bash\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    (tmp_path / "data.yaml").write_text("networks: {}\n")
    asked = run(docker, POLICIES=str(tmp_path), PYTHON=str(bare)).stdout.splitlines()
    assert f"POLICY_REVISION={Folder(tmp_path).revision}" in asked


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        pytest.param({}, "/ours holds no file of Rego and no data.yaml or data.json", id="no-policies"),
        pytest.param(
            {"gate/ports.rego": "package gate\n"},
            "/ours/gate/ports.rego defines gate, which belongs to the engine, which comes with Portcullis: delete ",
            id="another-engine",
        ),
    ],
)
def test_folder_that_cannot_be_loaded_is_refused(
    docker: Path, tmp_path: Path, files: dict[str, str], problem: str
) -> None:
    """A folder that the function would not load is named with the reason, and nothing is built."""
    (tmp_path / "ours").mkdir()
    for name, content in files.items():
        (tmp_path / "ours" / name).parent.mkdir()
        (tmp_path / "ours" / name).write_text(content)
    refused = run(docker, POLICIES=str(tmp_path / "ours"))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"{tmp_path}{problem}")


def test_says_what_is_needed_when_nothing_can_build(docker: Path) -> None:
    """Where none of the three answers, the message names them."""
    (docker / "docker").write_text("#!/bin/sh\nexit 1\n")
    refused = run(docker)
    assert refused.returncode == 1
    assert refused.stderr == "make image needs Docker (running), Podman or buildah, and none of them answers\n"
