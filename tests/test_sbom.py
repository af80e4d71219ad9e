"""The bill of materials has what the image is made of, by the locked files."""

import json
import re
import runpy
from typing import Any

import handler
from handler.opa_binary import pinned
from handler.settings import ROOT


def bill() -> dict[str, Any]:
    """Return what the tool prints, by way of JSON."""
    bill: dict[str, Any] = json.loads(json.dumps(runpy.run_path(str(ROOT / "tools" / "sbom"))["bill"]()))
    return bill


def test_every_package_and_module_is_in_it() -> None:
    """Each line of requirements.txt and of go.mod is one component, by its purl."""
    parts = bill()["components"]
    packages = re.findall(r"^([a-z0-9.-]+==[^ ]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    modules = re.findall(r"^\t(\S+ v\S+)", (ROOT / "handler/opa_binary/go.mod").read_text(), re.MULTILINE)
    expected = [f"pkg:pypi/{line.replace('==', '@')}" for line in packages]
    assert [part["purl"] for part in parts] == expected + [f"pkg:golang/{line.replace(' ', '@')}" for line in modules]
    assert f"pkg:golang/github.com/open-policy-agent/opa@v{pinned()}" in {part["purl"] for part in parts}


def test_it_is_of_this_version_and_names_nothing_twice() -> None:
    """The product depends on every component, and each has a reference of its own."""
    made = bill()
    references = [part["bom-ref"] for part in made["components"]]
    assert made["metadata"]["component"]["version"] == handler.__version__
    assert made["dependencies"] == [{"ref": "portcullis", "dependsOn": references}]
    assert len(set(references)) == len(references)
