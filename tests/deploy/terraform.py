"""Runs Terraform on a copy of `deploy/`, so that nothing is left in the checkout.

The provider comes from the folder that TERRAFORM_PLUGIN_DIR names, else from a mirror below /opt, else from where
Terraform looks by itself.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from msgspec import Struct

from handler.settings import ROOT

_PROVIDER = "hashicorp/aws"

needs_terraform = pytest.mark.skipif(not shutil.which("terraform"), reason="PATH has no terraform")


class Terraform(Struct, frozen=True):
    """Terraform in one folder of the copy: its input variables, and the environment that says which AWS it asks."""

    folder: Path
    variables: dict[str, str] = {}
    environment: dict[str, str] = {}

    def init(self) -> None:
        """Install the provider and the modules; skip the test where no provider can be had."""
        mirror = _mirror()
        options = [f"-plugin-dir={mirror}"] if mirror else []
        run = self._run("init", "-backend=false", "-input=false", *options)
        if run.returncode and not mirror:
            pytest.skip(f"Terraform cannot have {_PROVIDER}: {run.stderr}")
        assert run.returncode == 0, run.stdout + run.stderr

    def run(self, *arguments: str) -> str:
        """Run a command and return what it prints; fail with that when Terraform does."""
        run = self._run(*arguments)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "AWS_"))}
        environment |= {f"TF_VAR_{name}": value for name, value in self.variables.items()}
        environment |= self.environment | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
        command, *options = arguments
        return subprocess.run(
            ["terraform", f"-chdir={self.folder}", command, "-no-color", *options],  # noqa: S607  the one on PATH
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=500,
        )


def _mirror() -> str | None:
    """Return the root of a filesystem mirror of providers."""
    named = os.environ.get("TERRAFORM_PLUGIN_DIR")
    found = (str(path.parents[2]) for path in Path("/opt").glob(f"*/*/{_PROVIDER}"))
    return named or next(found, None)


def copy_of_deploy(folder: Path) -> Path:
    """Copy `deploy/` into a folder; return the copy."""
    ignored = shutil.ignore_patterns(".terraform*", "terraform.tfstate*")
    return shutil.copytree(ROOT / "deploy", folder / "deploy", ignore=ignored)
