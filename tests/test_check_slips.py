"""Slips in Rego that OPA passes over in silence are refused, and what teams reasonably write is not."""

import shutil
from pathlib import Path

import pytest

from handler.cli.check import Check

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """Give a copy of the shipped policies to break."""
    return Path(shutil.copytree(REPOSITORY / "policies", tmp_path / "policies"))


def read(check: Check) -> list[tuple[str, int | None, str]]:
    """Give file, line and problem of what the gate does not ask for as it is written."""
    return [(fault.file.name if fault.file else "", fault.line, fault.problem) for fault in check.read()]


DATABASES = """package forbid

prohibition contains {
	"id": "no-databases",
	"tcp": [1433],
	"tcp": [27017],
	"sources": ["anywhere"],
	"reason": "Databases are for machines of our own",
}
"""


def test_refuses_a_key_that_an_object_has_twice(policies: Path, tmp_path: Path, opa_path: str) -> None:
    """Of two lists of ports OPA takes the last, so that the first is not prohibited; a test is read alike."""
    problem = "the key tcp is repeated (it is on line 5 too) and only the last one counts; join or rename them"
    (policies / "forbid" / "databases.rego").write_text(DATABASES)
    tests = tmp_path / "policy_tests"
    tests.mkdir()
    (tests / "x_test.rego").write_text('package policy_tests.x\n\ntest_x if _is({1: "a", "1": "b", 1: "b"})\n')
    assert read(Check(policies, tests, opa_path)) == [
        ("databases.rego", 6, problem),
        ("x_test.rego", 3, problem.replace("tcp", "1", 1).replace("line 5", "line 3")),
    ]


KUBERNETES = """package allow

_is_kubernetes(_) if input.server.tags.Role == "kubernetes"

_is_kubernetes(name) if startswith(name, "k8s-")

default %(name)s := false

%(name)s if _is_kubernetes(input.server.name)
"""


def test_refuses_a_helper_that_two_files_of_a_team_define(policies: Path, opa_path: str) -> None:
    """OPA would make one rule of both, so that what one team's helper means widens what another allows."""
    (policies / "allow" / "ecs.rego").write_text('package allow\n\n_is_host if input.server.tags.Role == "host"\n')
    (policies / "allow" / "kubernetes.rego").write_text(KUBERNETES % {"name": "_is_host"})
    taken = f"`_is_host` of {policies / 'allow' / 'ecs.rego'}:3 has this name too"
    remedy = "give each a name of its own, or define it in one file and use it in the other"
    problem = f"{taken}, and OPA makes one rule of both; {remedy}"
    assert read(Check(policies, None, opa_path)) == [("kubernetes.rego", 7, problem)]


def test_passes_a_helper_with_several_definitions_in_one_file(policies: Path, opa_path: str) -> None:
    """That is how Rego says `or`; and what the two teams define is apart."""
    written = KUBERNETES % {"name": "_is_node"}
    (policies / "allow" / "kubernetes.rego").write_text(written)
    (policies / "forbid" / "kubernetes.rego").write_text(written.replace("allow", "forbid"))
    assert read(Check(policies, None, opa_path)) == []


def stated(policies: Path, opa_path: str, file: str, text: str) -> list[str]:
    """Give line and problem of the allowances and prohibitions, once a file is written."""
    (policies / file).write_text(text)
    found = list(Check(policies, None, opa_path).statements())
    assert {fault.file for fault in found} <= {policies / file}
    return [f"{fault.line}: {fault.problem}" for fault in found]


FTP = """package forbid

prohibition contains {
	"id": "no-ftp",
	"tcp": [21],
	"sources": ["anywhere"],
	"reason": "Files go over sftp",
} if {
	%s
}
"""


@pytest.mark.parametrize(
    "condition",
    [
        'some list in ["prodution", "staging"]\n\tinput.server.account in data.accounts[list]',
        'some _, list in {"prodution", "staging"}\n\tinput.server.account in data.accounts[list]',
        'list := "prodution"\n\tnot input.server.account in data.accounts[list]',
        'every list in ["staging", "prodution"] {\n\t\tnot input.server.account in data.accounts[list]\n\t}',
    ],
)
def test_refuses_a_name_of_data_behind_a_variable(policies: Path, opa_path: str, condition: str) -> None:
    """A misspelt list of accounts is none, wherever it is written; here ftp would be allowed in production."""
    said, *_ = stated(policies, opa_path, "forbid/ftp.rego", FTP % condition)
    line, _, problem = said.partition(": ")
    assert int(line) in {10, 11}
    assert problem.startswith("data.accounts has no prodution, so OPA takes it for undefined, in silence; write a name")
    assert ", perhaps production, or" in problem


@pytest.mark.parametrize(
    "condition",
    [
        'some list in ["production", "staging"]\n\tinput.server.account in data.accounts[list]',
        'some key in ["Role", "Team"]\n\tsome value in ["a"]\n\tinput.server.tags[key] == value',
        """ports := {port | some name in ["office"]; some port in data.networks[name]}
	lists := {list | some name in ["staging"]; list := data.accounts[name]}
	count(ports) + count(lists) > 0""",
        "some list, _ in data.accounts\n\tinput.server.account in data.accounts[list]",
        'some list in [input.server.region, "x"]\n\tnot list in {"x"}',
    ],
)
def test_passes_names_that_are_there_behind_a_variable(policies: Path, opa_path: str, condition: str) -> None:
    """A name that is declared in two places of a rule stands for something else in each."""
    assert stated(policies, opa_path, "forbid/ftp.rego", FTP % condition) == []


@pytest.mark.parametrize(
    "condition",
    [
        'some accounts in [{"region": "eu-west-1"}]\n\tinput.server.region == accounts.region',
        'accounts := {"region": "eu-west-1"}\n\tinput.server.region == accounts.region',
        '_is_in({"region": "eu-west-1"})\n}\n\n_is_in(accounts) if {\n\tinput.server.region == accounts.region',
    ],
)
def test_passes_a_variable_or_a_parameter_with_the_name_of_an_import(
    policies: Path, opa_path: str, condition: str
) -> None:
    """Where it is declared it is not the import; in another rule of the file the name is."""
    text = (FTP % condition).replace("package forbid\n", "package forbid\n\nimport data.accounts\n")
    assert stated(policies, opa_path, "forbid/ftp.rego", text) == []
    text += "\n_is_staged if input.server.account in accounts.stagin\n"
    (said,) = stated(policies, opa_path, "forbid/ftp.rego", text)
    assert "data.accounts has no stagin, so OPA" in said


SPARING = """package forbid

prohibition contains {
	"id": "no-ftp",
	"tcp": [21],
	"sources": %s,
	"except": %s,
	"reason": "Files go over sftp",
} if input.server.account in data.accounts.staging
"""


@pytest.mark.parametrize(
    ("sources", "spared"),
    [
        pytest.param('["anywhere"]', '["office", "anywhere"]', id="a network"),
        pytest.param('["203.0.113.0/24", "sg-*"]', '["office", "private"]', id="networks that hold the sources"),
        pytest.param('["anywhere"]', '["0.0.0.0/1", "128.0.0.0/1", "::/0"]', id="its halves"),
    ],
)
def test_refuses_a_prohibition_that_spares_all_that_it_forbids(
    policies: Path, opa_path: str, sources: str, spared: str
) -> None:
    """It would be there to read and forbid nothing."""
    problem = "prohibition no-ftp: except holds all of its sources, so it forbids nothing; mend or remove it"
    assert stated(policies, opa_path, "forbid/ftp.rego", SPARING % (sources, spared)) == [f"4: {problem}"]


@pytest.mark.parametrize(
    ("sources", "spared"),
    [
        pytest.param('["anywhere"]', '["office", "private"]', id="networks"),
        pytest.param('["anywhere"]', '["0.0.0.0/0"]', id="one family of addresses"),
        pytest.param('["sg-0aaa", "office"]', '["203.0.113.0/24"]', id="all addresses, but no group"),
        pytest.param('["anywhere"]', "[]", id="nothing"),
    ],
)
def test_passes_a_prohibition_that_spares_some(policies: Path, opa_path: str, sources: str, spared: str) -> None:
    """What is left of its sources is forbidden."""
    assert stated(policies, opa_path, "forbid/ftp.rego", SPARING % (sources, spared)) == []


def test_refuses_an_except_that_cannot_be_read(policies: Path, opa_path: str) -> None:
    """The prohibition still forbids what it names, and no more."""
    problem = "prohibition no-ftp: except offcie cannot be read, so it excepts nothing; mend or remove it"
    text = SPARING % ('["anywhere"]', '["offcie"]')
    assert stated(policies, opa_path, "forbid/ftp.rego", text) == [f"4: {problem}"]


METRICS = """package allow

allowance contains {
	"id": "metrics",
	"tcp": [9000],
	"sources": ["private"],
	"owner": "netops",
	"reason": "Metrics are read from inside",
	"expires": "2027-06-30",
} if {
	some exposure in input.exposures
	some source in exposure.sources
	%snet.cidr_contains("10.0.0.0/8", source)
	input.server.account in data.accounts.production
}
"""

METRICS_TEST = """package policy_tests.allow.metrics

import data.policy_tests.verdict

test_denies_metrics_from_an_unknown_address if count(verdict({}, "tcp 9000", ["unknown"])) == 1

test_denies_logs_from_an_unknown_address if count(verdict({}, "tcp 9001", ["unknown"])) == 1
"""


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            "",
            [
                f"net.cidr_contains: not a valid textual representation of an IP address or CIDR: {source}"
                for source in ("pl-0bbb", "sg-0bbb", "unknown")
            ],
        ),
        ("net.cidr_is_valid(source)\n\t", []),
    ],
)
def test_refuses_a_builtin_that_raises_in_a_test(
    policies: Path, tmp_path: Path, opa_path: str, asked: str, said: list[str]
) -> None:
    """`opa test` takes it for undefined, and in the function every finding that it meets would be undecidable."""
    (policies / "allow" / "metrics.rego").write_text(METRICS % asked)
    tests = tmp_path / "policy_tests"
    (tests / "allow").mkdir(parents=True)
    for name in (".manifest", "defaults.rego"):
        shutil.copy(REPOSITORY / "policy_tests" / name, tests)
    shutil.copytree(REPOSITORY / "policy_tests" / "gate" / "helper", tests / "gate" / "helper")
    (tests / "allow" / "metrics_test.rego").write_text(METRICS_TEST)
    faults = [fault for fault in Check(policies, tests, opa_path).tested() if "no test reaches" not in fault.problem]
    assert sorted((fault.file, fault.line, fault.problem.partition(";")[0]) for fault in faults) == [
        (policies / "allow" / "metrics.rego", 13, problem) for problem in said
    ]


ANY_ACCOUNT = """package allow

allowance contains {
	"id": "status-page",
	"tcp": [443],
	"sources": ["anywhere"],
	"owner": "web",
	"reason": "Status",
	"expires": "2027-06-30",
} if {
	input.server.name == "status-01"
	some account in data.accounts.production
	%s
}
"""


def test_refuses_a_member_that_nothing_is_compared_with(policies: Path, opa_path: str) -> None:
    """It was to pin the account, and any account would do."""
    status = policies / "allow" / "status.rego"
    status.write_text(ANY_ACCOUNT % "input.server.account == account")
    assert read(Check(policies, None, opa_path)) == []
    status.write_text(ANY_ACCOUNT % 'input.reach == "internet"')
    remedy = "compare it, as in `input.server.account in data.accounts.production`"
    problem = f"`some account in ...` asks nothing of the finding, so it holds for all; {remedy}"
    assert read(Check(policies, None, opa_path)) == [("status.rego", 12, problem)]
    status.write_text((ANY_ACCOUNT % 'input.reach == "internet"').replace("some account", "some _"))
    assert read(Check(policies, None, opa_path)) == []
