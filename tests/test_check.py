"""`portcullis check` over folders of mistakes and of what must pass: what it says is in a golden file beside each."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handler.bundle import Folder, engine
from handler.check import Checked, check, formats
from handler.check.fault import RULES
from handler.check.workspace import CAPABILITIES
from tests.check_driver import CASES, TODAY, compare

FOLDERS = ["compile", "conflict", "failing", "idioms", "minimal", "mistakes", "types", "unknown_conflict", "warned"]


def checked(folder: Path, opa_path: str, *, coverage: bool = False) -> Checked:
    """Check a folder that holds `policies` and perhaps `policy_tests`, as on the day of the cases."""
    tests = folder / "policy_tests"
    test_folder = Folder(tests, tests=True) if tests.is_dir() else None
    return check(Folder(folder / "policies"), test_folder, opa_path, TODAY, coverage=coverage)


@pytest.fixture(scope="module")
def results(opa_path: str) -> Iterator[dict[str, Checked]]:
    """Give what the check finds in each folder, with paths below the folder of the cases."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(CASES)
        yield {name: checked(Path(name), opa_path) for name in FOLDERS}


@pytest.mark.parametrize("name", FOLDERS)
def test_says_what_is_wrong_and_how_to_mend_it(name: str, results: dict[str, Checked]) -> None:
    """Each fault is a sentence with its place and its remedy, and nothing is said of what is right."""
    compare(f"{name}.txt", formats.text(results[name]))


FOUND_WITHOUT_AN_ID = {
    *("unread", "hidden", "cache-2"),  # the rule, the id itself or the accounts of the row are at fault
    *("member-unused", "member-unused-of-two", "repeated-key", "unformatted", "twin"),  # a line of theirs is wrong
    *("absent-in-a-value", "absent-list", "absent-rule", "absent-import", "absent-member", "absent-member-2"),
    *("in-forbids", "in-capitals", "in-lib", "in-allows"),  # nobody reads their package
    *("absent-variable", "absent-every", "uses"),
}
"""The ids of `mistakes` that are not at fault by themselves."""


def ids(name: str) -> set[str]:
    """Return the ids that are written in the policies of a folder."""
    texts = [file.read_text() for file in (CASES / name / "policies").rglob("*.*")]
    return {name for text in texts for name in re.findall(r'(?:"id": "|\bid: )([\w-]+)', text)}


def test_every_mistake_is_found(results: dict[str, Checked]) -> None:
    """No file of mistakes passes in silence, and no statement in it."""
    faults = results["mistakes"].errors
    files = {file for file in (CASES / "mistakes").rglob("*.*") if file.is_file()}
    named = {CASES / fault.file for fault in faults if fault.file}
    assert {file.name for file in files - named} == {"data.yaml", "helper_of_two_files.rego", "of_data.rego"}
    assert ids("mistakes") - {fault.id for fault in faults} == FOUND_WITHOUT_AN_ID


def test_warnings_name_each_statement_but_those_that_just_pass(results: dict[str, Checked]) -> None:
    """A warning fails nothing, and what passes is close to what does not."""
    faults = results["warned"].faults
    assert {fault.level for fault in faults} == {"warning"}
    unwarned = ids("warned") - {fault.id for fault in faults}
    assert unwarned == {name for name in ids("warned") if name.endswith("-passes")}


def test_every_fault_has_a_file(results: dict[str, Checked]) -> None:
    """A person, an editor and GitHub need a place to show it at."""
    assert [fault for result in results.values() for fault in result.faults if fault.file is None] == []


UNKNOWN = {"id": "i-0abc", "region": "eu-north-1", "tags": {}, "tags_known": False, "security_groups": []}
SAYS_SO = {"declared", "declared-vpc"}
"""The prohibitions of `idioms` that say that they hold only where it is known what they ask for."""


@pytest.mark.parametrize(
    ("name", "file", "forbids"), [("mistakes", "open_where_unknown.rego", False), ("idioms", "mended.rego", True)]
)
def test_the_gate_shows_which_prohibitions_are_open_where_nobody_knows(
    opa_path: str, name: str, file: str, *, forbids: bool
) -> None:
    """What is refused forbids nothing for a server of which only its account is known; what is mended forbids it."""
    policies = CASES / name / "policies"
    query = "{statement.id | some statement in data.forbid.prohibition}"
    server = UNKNOWN | {"account": "111122223333" if forbids else "444455556666"}
    given = json.dumps({"reach": "internet", "server": server})
    command = [
        opa_path,
        "eval",
        "--format",
        "raw",
        "--stdin-input",
        "--data",
        str(engine()),
        "--data",
        str(policies),
        query,
    ]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
    written = set(re.findall('"id": "(.+)"', (policies / "forbid" / file).read_text()))
    assert written & set(json.loads(done.stdout)) == (written - SAYS_SO if forbids else set())


def test_every_rule_of_the_check_has_a_case(
    results: dict[str, Checked], uncovered: Checked, tmp_path: Path, opa_path: str
) -> None:
    """Each stable rule id is produced by a case, and no other id is."""
    (tmp_path / "policies").mkdir()
    unfit = checked(tmp_path, opa_path)
    faults = [fault for result in [*results.values(), uncovered, unfit] for fault in result.faults]
    assert {fault.rule for fault in faults} == set(RULES)


@pytest.fixture(scope="module")
def uncovered(opa_path: str) -> Checked:
    """Give what the check finds in the failing folder's neighbour when every line must have a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(CASES)
        return checked(Path("uncovered"), opa_path, coverage=True)


def test_names_lines_that_no_test_reaches(uncovered: Checked) -> None:
    """An allowance may be pasted at night without a test; where coverage is asked for, its lines are named."""
    compare("uncovered.txt", formats.text(uncovered))


LEFT_OUT = {
    "bits.lsh",
    "crypto.parse_private_keys",
    "crypto.x509.parse_and_verify_certificates",
    "crypto.x509.parse_and_verify_certificates_with_options",
    "crypto.x509.parse_certificate_request",
    "crypto.x509.parse_certificates",
    "crypto.x509.parse_keypair",
    "crypto.x509.parse_rsa_private_key",
    "graph.reachable",
    "graph.reachable_paths",
    "graphql.is_valid",
    "graphql.parse",
    "graphql.parse_and_verify",
    "graphql.parse_query",
    "graphql.parse_schema",
    "graphql.schema_is_valid",
    "http.send",
    "io.jwt.decode",
    "io.jwt.decode_verify",
    "io.jwt.encode_sign",
    "io.jwt.encode_sign_raw",
    *(f"io.jwt.verify_{name}{bits}" for name in ("es", "hs", "ps", "rs") for bits in (256, 384, 512)),
    "io.jwt.verify_eddsa",
    "json.match_schema",
    "json.verify_schema",
    "net.cidr_expand",
    "net.lookup_ip_addr",
    "numbers.range",
    "numbers.range_step",
    "opa.runtime",
    "providers.aws.sign_req",
    "rand.intn",
    "rego.parse_module",
    "strings.render_template",
    "time.now_ns",
    "trace",
    "uuid.rfc4122",
}
"""What asks the network, the clock, chance or the environment, or can take for ever."""


@pytest.fixture(scope="module")
def builtins(opa_path: str) -> dict[str, dict[str, Any]]:
    """Give the functions of the pinned OPA, as it declares them, by name."""
    command = [opa_path, "capabilities", "--current"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {builtin["name"]: builtin for builtin in json.loads(done.stdout)["builtins"]}


def test_builtins_are_permitted_one_by_one(builtins: dict[str, dict[str, Any]]) -> None:
    """Each is declared as the pinned OPA declares it, and what a new OPA brings is not permitted unseen."""
    permitted = json.loads(CAPABILITIES.read_text())
    assert [builtin for builtin in permitted["builtins"] if builtin != builtins.get(builtin["name"])] == []
    assert set(builtins) - {builtin["name"] for builtin in permitted["builtins"]} == LEFT_OUT
    assert permitted["allow_net"] == []


def test_refuses_every_other_builtin_in_policies_and_tests(
    tmp_path: Path, opa_path: str, builtins: dict[str, dict[str, Any]]
) -> None:
    """What is said names the function, and where it is called; `print` is permitted."""
    names = sorted(LEFT_OUT)
    for file, package in (("policies/allow/x.rego", "allow"), ("policy_tests/x_test.rego", "policy_tests.x")):
        calls = [f"{name}({_arguments(builtins[name])})" for name in names]
        rules = "".join(f"_rule_{number} := {call}\n\n" for number, call in enumerate(calls))
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text(f'package {package}\n\n{rules}_said if print("x")\n')
    faults = checked(tmp_path, opa_path).faults
    said = {(fault.file, fault.line, fault.problem.partition(":")[0]) for fault in faults if fault.rule == "compile"}
    assert said == {
        (tmp_path / file, 3 + 2 * number, f"{name} is not permitted")
        for file in ("policies/allow/x.rego", "policy_tests/x_test.rego")
        for number, name in enumerate(names)
    }


def _arguments(builtin: dict[str, Any]) -> str:
    return ", ".join("1" for _ in builtin["decl"].get("args", []))
