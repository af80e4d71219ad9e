"""The Terraform modules are formatted, valid, described, and wired as their own tests say."""

from pathlib import Path

import pytest

from tests.deploy import readmes
from tests.deploy.terraform import Terraform, copy_of_deploy, needs_terraform


@pytest.fixture(scope="module")
def deploy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of `deploy/`."""
    return copy_of_deploy(tmp_path_factory.mktemp("terraform"))


@needs_terraform
@pytest.mark.slow
def test_files_are_formatted(deploy: Path) -> None:
    """`terraform fmt` has nothing to change."""
    Terraform(deploy).run("fmt", "-check", "-recursive", "-diff")


@needs_terraform
@pytest.mark.slow
@pytest.mark.parametrize(
    "folder", ["examples/one-account", "examples/organization", "examples/several-regions", "modules/repository"]
)
def test_examples_and_modules_are_valid(deploy: Path, folder: str) -> None:
    """Terraform accepts every example, and with them every module."""
    terraform = Terraform(deploy / folder)
    terraform.init()
    terraform.run("validate")


@needs_terraform
@pytest.mark.slow
@pytest.mark.parametrize("module", [module.name for module in readmes.MODULES])
def test_modules_pass_their_own_tests(deploy: Path, module: str) -> None:
    """Wiring, least privilege and refusals, with a provider that makes nothing."""
    terraform = Terraform(deploy / "modules" / module)
    terraform.init()
    terraform.run("test")


@pytest.mark.parametrize("module", readmes.MODULES, ids=lambda module: module.name)
def test_readme_has_what_the_module_takes_and_gives(module: Path) -> None:
    """The tables are those of the code: `python -m tests.deploy.readmes` writes them anew."""
    assert (module / "README.md").read_text() == readmes.written(module)
