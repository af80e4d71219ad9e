"""Statements that ask for what no finding has, and allowances that take absence for consent, are refused."""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from handler.cli.check import Check

REPOSITORY = Path(__file__).resolve().parent.parent

ALLOWANCE = """allowance contains {
	"id": "x",
	"tcp": [443],
	"sources": ["office"],
	"owner": "o",
	"reason": "r",
	"expires": "2027-06-30",
}"""

HELPERS = """package allow

default _is_test := false

_is_test if input.server.tags.Env == "test"

default _is_elsewhere := false

_is_elsewhere if {
	not input.server.tags.Env == "prod"
	input.server.region == "eu-west-1"
}

_has(key, value) if input.server.tags[key] == value

_is_prod(server) if lower(server.tags.Env) in {"prod", "production"}

_is_said_to_be_prod if {
	some key, value in input.server.tags
	lower(key) == "env"
	value == "prod"
}

_is_not_prod if not _is_prod(input.server)

_has_no_owner if not input.server.tags.Owner

_has_no_owner_in_production if {
	_has_no_owner
	input.server.account in data.accounts.production
}

_owner := object.get(input.server.tags, "Owner", "nobody")

_is_for(tags, wanted) if tags.Use == wanted

default _is_frozen := false

_is_frozen if {
	input.server.name == "web-01"
	"frozen" in data.accounts.staging
}

_is_no_twin if not _is_test

_is_no_twin if input.reach == "vpn"

_is_web_or_near if input.server.tags.Role == "web"

_is_web_or_near if input.reach == "vpn"

default _stage := "none"

_stage := input.server.tags.Stage

_tier := "public" if input.server.tags.Tier == "public"

else := "private"

_grade(server) := "high" if server.kind == "instance"

else := "low"

_is_tagged(server, key, value) if {
	some found, tagged in server.tags
	lower(found) == key
	lower(tagged) == value
}

_is_web(server) if server.tags.Role == "web"

_is_said_to_be_web(server) if "web" in server.tags

_is_nearly_web(server) if lower(object.get(server.tags, "Role", "")) in {"web", "www"}

default _is_some_web := false

_is_some_web if _is_web(input.server)

_misspells(server) if server.tgas.Use == "web"

_misspells_in_capitals(server) if upper(server.tgas.Use) == "WEB"

_misreads(exposures) if exposures.protocol == "tcp"

"""


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """Give a copy of the shipped policies to break."""
    return Path(shutil.copytree(REPOSITORY / "policies", tmp_path / "policies"))


def told(policies: Path, opa_path: str, conditions: Iterable[str]) -> dict[str, str]:
    """Give what is said against an allowance on each condition; nothing is said against others."""
    file = policies / "allow" / "told.rego"
    terms = '"tcp": [443], "sources": ["office"], "owner": "o", "reason": "r", "expires": "2027-06-30"'
    asked = list(conditions)
    statements = [f'allowance contains {{"id": "a{n}", {terms}}} if {{ {what} }}\n' for n, what in enumerate(asked)]
    file.write_text(HELPERS + "".join(statements))
    first = HELPERS.count("\n") + 1
    said: dict[str, str] = {}
    for fault in Check(policies, None, opa_path).statements():
        found = re.fullmatch(r"allowance a(\d+) (.*)", fault.problem)
        assert found
        assert (fault.file, fault.line) == (file, first + int(found[1]))
        assert said.setdefault(asked[int(found[1])], found[2]) == found[2]
    return said


UNASKED = """
not input.server.tags.Env == "prod"
not input.server.name == "db-01"
not "prod" in input.server.tags
not input.server.tags["aws:autoscaling:groupName"]; input.server.account in data.accounts.staging
tags := input.server.tags; not tags.Env == "prod"
some key in ["Env", "Stage"]; not input.server.tags[key] == "prod"
not _is_prod(input.server)
_is_not_prod
not _is_said_to_be_prod
not _is_test
_is_test == false
_is_elsewhere
not _has("Env", "prod")
_has_no_owner
object.get(input.server.tags, "Env", "") != "prod"
not object.get(input.server, ["tags", "Env"], "") in {"prod"}
not startswith(object.get(input.server.tags, "Env", ""), "prod")
lower(object.get(input.server, "name", "none")) != "db-01"
_owner != "web"
input.server.tags == {}
count(input.server.tags) == 0
count({key | some key in ["Env"]; input.server.tags[key]}) == 0
every key in ["Env", "Stage"] { not input.server.tags[key] == "prod" }
not object.subset(input.server.tags, {"Env": "prod"})
not trim(object.get(input.server.tags, "Env", ""), " ") == "prod"
not startswith(object.get(input.server, "name", ""), "db-")
startswith(object.get(input.server, "name", "web-"), "web-")
object.get(input.server, "name", "none") in {"none", "web-01"}
object.get(input, ["server", "tags", "Env"], "test") == "test"
_is_no_twin
not _is_tagged(input.server, "env", "prod")
not _is_some_web
not _is_nearly_web(input.server)
server := input.server; not server.tags.Env == "prod"
_stage != "prod"
_stage == "none"
_tier == "private"
not _has_no_owner_in_production
""".strip().splitlines()

ASKED = """
input.server.tags_known; not input.server.tags.Env == "prod"
input.server.tags_known == true; not input.server.name == "db-01"
input.server.tags_known; _is_not_prod
object.get(input.server, "tags_known", false); not input.server.tags.Env == "prod"
not _is_frozen; input.server.tags.Role == "web"
input.server.tags_known; not _is_said_to_be_prod
not input.server.tags_known
input.server.tags.Role == "web"; not input.server.tags.Env == "prod"
input.server.tags.Env != "prod"
input.server.name == "web-01"; not input.server.tags.Env == "prod"
startswith(input.server.name, "web-"); not input.server.name in {"web-03"}
_has("Role", "web"); not _has("Env", "prod")
_is_test; not input.server.tags.Role == "db"
_is_for(input.server.tags, "web"); _is_not_prod
not _has_no_owner
not _has_no_owner; _is_not_prod
not startswith(input.server.name, "db-")
not input.server.name in {"db-01", "db-02"}
not lower(input.server.tags.Env) == "prod"
count(input.server.tags) > 0; not input.server.tags.Env == "prod"
"Role" in object.keys(input.server.tags); not input.server.tags.Env == "prod"
object.get(input, ["server", "tags", "Role"], "") == "web"
object.get(object.get(input.server, "tags", {}), "Role", "") == "web"
object.get(input.server, "name", "") in {"web-01", "web-02"}
startswith(object.get(input.server, "name", ""), "web-")
_is_web_or_near
_is_tagged(input.server, "role", "web"); not _is_prod(input.server)
_is_web(input.server); not _is_prod(input.server)
_is_nearly_web(input.server)
_is_some_web
server := input.server; server.name == "web-01"; not server.tags.Env == "prod"
_is_said_to_be_web(input.server)
_stage == "prod"
_tier == "public"
_grade(input.server) == "low"
object.get(input.server.tags, "Role", "") == "web"; object.get(input.server.tags, "Env", "") != "prod"
startswith(object.get(input.server.tags, "Role", ""), "web"); object.get(input.server.tags, "Env", "") != "prod"
lower(object.get(input.server.tags, "Role", "none")) == "web"; not input.server.tags.Env == "prod"
_owner == "web"; not input.server.tags.Env == "prod"
lower(input.server.tags.Role) == "web"; _is_not_prod
not input.server.account in data.accounts.production; not input.server.region == "us-east-1"
not input.server.platform == "windows"; input.server.kind != "security_group"
count([value | some value in input.server.tags]) > 1
every exposure in input.exposures { exposure.protocol == "tcp" }
some exposure in input.exposures; not exposure.load_balancer; exposure.protocol in {"tcp", "udp"}
some reporter in input.reporters; reporter.name == "inspector2"; reporter.severity != "HIGH"
object.get(input.server, "platform", "") != "windows"; not input.reach in ["vpn", "peered_vpc"]
input.exposures[0].rule_opens.protocol == "all"; input.listeners[_].protocol == input.exposures[_].protocol
""".strip().splitlines()


def test_refuses_an_allowance_that_takes_absence_for_consent(policies: Path, opa_path: str) -> None:
    """Many reports carry no tags, so that a `not` over them would allow what they say nothing about.

    The last is refused though it holds in other accounts whatever the tags: OPA does not say why a `not` holds.
    """
    problem = (
        "holds too where no tags are known, since a `not`, `!=` or default takes absence for consent; "
        "ask for `input.server.tags_known` too, or for what the tag or the name must be"
    )
    assert told(policies, opa_path, UNASKED) == dict.fromkeys(UNASKED, problem)


def test_passes_an_allowance_that_asks_for_what_it_needs(policies: Path, opa_path: str) -> None:
    """Whether the tags are known may be asked outright, or by asking for any tag, or the name.

    A `not` over a function of the name or a tag asks for it: OPA looks it up before it calls the function.
    """
    assert told(policies, opa_path, ASKED) == {}


def test_refuses_what_opa_cannot_judge_where_no_tags_are_known(policies: Path, opa_path: str) -> None:
    """Every finding without tags would be undecidable."""
    helpers = '_tier := "a" if not input.server.tags.B\n\n_tier := "b" if not input.server.tags.A\n'
    (policies / "allow" / "x.rego").write_text(
        f"package allow\n\n{ALLOWANCE} if _tier == input.server.region\n\n{helpers}"
    )
    (found,) = Check(policies, None, opa_path).statements()
    assert found.problem.startswith("no allowance can be judged where no tags are known; mend what OPA names:\n")
    assert "eval_conflict_error" in found.problem


def test_passes_a_prohibition_with_a_not(policies: Path, opa_path: str) -> None:
    """Where nobody knows the tags it forbids, which is heard."""
    statement = '{"id": "x", "tcp": [21], "sources": ["anywhere"], "reason": "r"}'
    text = f'package forbid\n\nprohibition contains {statement} if not input.server.tags.Env == "test"\n'
    (policies / "forbid" / "x.rego").write_text(text)
    assert list(Check(policies, None, opa_path).statements()) == []


def _field(spelled: str, near: str = "") -> str:
    return f"asks for {spelled}, which no finding has; write a field of handler/schema/finding.json{near}"


def _word(spelled: str, word: str, words: str) -> str:
    return f"compares {spelled} with '{word}', which it never is; write one of {words}"


_REACH = "internet, peered_vpc, vpn"

STRANGE = {
    'input.reach != "Internet"': _word("input.reach", "Internet", _REACH),
    '"Internet" == input.reach': _word("input.reach", "Internet", _REACH),
    'not input.reach in {"internet", "VPN"}': _word("input.reach", "VPN", _REACH),
    'reach := input.reach; not reach == "public"': _word("input.reach", "public", _REACH),
    'object.get(input, "reach", "") == "public"': _word("input.reach", "public", _REACH),
    'input.server.kind != "ec2"': _word("input.server.kind", "ec2", "instance, security_group"),
    'some exposure in input.exposures; exposure.protocol == "TCP"': _word(
        "input.exposures[_].protocol", "TCP", "tcp, udp"
    ),
    'some exposure in input.exposures; not exposure.protocol == "UDP"; not exposure.to_port == 53': _word(
        "input.exposures[_].protocol", "UDP", "tcp, udp"
    ),
    'every exposure in input.exposures { exposure.protocol == "TCP" }': _word(
        "input.exposures[_].protocol", "TCP", "tcp, udp"
    ),
    "not _misspells_in_capitals(input.server)": _field("input.server.tgas", ", perhaps tags"),
    "not _misspells(input.server)": _field("input.server.tgas", ", perhaps tags"),
    'object.get(input.server, "tgas", {}) != {"Use": "prod"}': _field("input.server.tgas", ", perhaps tags"),
    'not object.get(input.server, ["tgas", "Use"], "") in {"prod"}': _field("input.server.tgas", ", perhaps tags"),
    "not _misreads(input.exposures)": _field("input.exposures.protocol"),
}


def test_refuses_a_statement_that_asks_for_what_no_finding_has(policies: Path, opa_path: str) -> None:
    """OPA knows neither the words of the schema nor the fields behind an argument, and both would differ for ever."""
    assert told(policies, opa_path, STRANGE) == STRANGE


def test_refuses_a_prohibition_that_asks_for_what_no_finding_has(policies: Path, opa_path: str) -> None:
    """It would never forbid anything."""
    statement = '{\n\t"id": "x",\n\t"tcp": [21],\n\t"sources": ["anywhere"],\n\t"reason": "r",\n}'
    text = f'package forbid\n\nprohibition contains {statement} if input.reach == "Internet"\n'
    (policies / "forbid" / "x.rego").write_text(text)
    (found,) = Check(policies, None, opa_path).statements()
    problem = f"prohibition x {_word('input.reach', 'Internet', _REACH)}"
    assert (found.file, found.line, found.problem) == (policies / "forbid" / "x.rego", 4, problem)
