"""Broken policies are refused, each with its place, before they can decide anything."""

import re
import shutil
from pathlib import Path

import pytest

from handler.cli.check import Check, main
from handler.cli.tool import Tool

REPOSITORY = Path(__file__).resolve().parent.parent

SLIPS = """by_name:
  www:
    - id: www
      accounts: [production]
      tcp: ["443"]
      sources: [anywere]
      reason: Public
      expires: "2027-6-30"
      ticket: 7
"""


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """Give a copy of the shipped policies to break."""
    return Path(shutil.copytree(REPOSITORY / "policies", tmp_path / "policies"))


@pytest.fixture
def tests(tmp_path: Path) -> Path:
    """Give a folder for tests of the policies, empty but for its manifest."""
    folder = tmp_path / "policy_tests"
    folder.mkdir()
    shutil.copy(REPOSITORY / "policy_tests" / ".manifest", folder)
    return folder


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that is there."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_passes_the_shipped_policies(opa_path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is in the repository passes every check, and each says so."""
    folders = [str(REPOSITORY / "policies"), str(REPOSITORY / "policy_tests")]
    status = main([*folders, "--every-line", "--opa", opa_path])
    told = capsys.readouterr()
    assert (status, told.err) == (0, "")
    assert told.out.splitlines() == [
        "ok: data files hold what the engine expects",
        "ok: OPA compiles the policies: strictly, against the contract",
        "ok: Rego is formatted",
        "ok: the gate asks for every rule of the teams",
        "ok: the gate can read every row of the table",
        "ok: the gate can read every allowance and prohibition",
        "ok: tests pass and reach every line",
    ]


def refused(capsys: pytest.CaptureFixture[str], opa_path: str, *folders: Path) -> str:
    """Give what the command says against policies that it refuses."""
    assert main([*map(str, folders), "--opa", opa_path]) == 1
    return capsys.readouterr().err


def test_refuses_a_row_that_the_gate_would_refuse(policies: Path, opa_path: str) -> None:
    """Each slip in a row is said in the gate's own words where it was made; what is missing, at the row."""
    (policies / "servers" / "data.yaml").write_text(SLIPS)
    assert [
        (fault.line, fault.problem.partition(";")[0]) for fault in Check(policies, None, opa_path).refused.rows()
    ] == [
        (8, "expires '2027-6-30' is not a date like 2027-06-30"),
        (3, "owner is missing, blank or not text"),
        (6, "sources anywere is no network of data.networks and no CIDR without host bits"),
        (5, 'tcp ["443"] is no list of ports (0-65535) and ranges like "8000-8100"'),
        (9, "ticket is not a key that is known here"),
    ]


def test_the_same_slip_in_a_row_and_in_rego_is_said_of_both(
    policies: Path, opa_path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rule does not go unnamed because a row of the table has the same fault."""
    (policies / "servers" / "data.yaml").write_text(SLIPS)
    edit(policies / "allow" / "vpn.rego", '"owner": "', '"owner": " ", "ticket": "')
    said = refused(capsys, opa_path, policies)
    assert said.count("owner is missing, blank or not text") == 2
    assert said.count("sources anywere is no network") == 1


def test_refuses_a_function_that_reaches_out(policies: Path, opa_path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A policy reads its input and its data, not the network: OPA says so itself."""
    edit(
        policies / "allow" / "vpn.rego",
        'input.server.name == "vpn.example.com"',
        'http.send({"url": "https://example.com", "method": "get"}).body == input.server.name',
    )
    assert f"{policies / 'allow' / 'vpn.rego'}:12: rego_type_error: undefined function http.send" in refused(
        capsys, opa_path, policies
    )


@pytest.mark.parametrize("name", ["rego.v2", "future.keywords.or", "future.keywords.and", "future.keywords.not"])
def test_refuses_words_that_statements_are_not_judged_by(
    policies: Path, opa_path: str, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """OPA says so itself, as of a word that it does not know."""
    edit(policies / "allow" / "vpn.rego", "package allow\n", f"package allow\n\nimport {name}\n")
    assert f"{policies / 'allow' / 'vpn.rego'}:3: rego_parse_error" in refused(capsys, opa_path, policies)


def test_refuses_the_second_rego(policies: Path, opa_path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A manifest that asks for it is refused as an import is."""
    edit(policies / ".manifest", '"rego_version": 1', '"rego_version": 2')
    assert "OPA refuses the policies; mend what it names:" in refused(capsys, opa_path, policies)


def test_refuses_a_misspelt_field_of_the_input(
    policies: Path, opa_path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """OPA knows the contract, so it names what the server has instead."""
    edit(policies / "allow" / "vpn.rego", "input.server.name", "input.server.nmae")
    said = refused(capsys, opa_path, policies)
    assert f"{policies / 'allow' / 'vpn.rego'}:12: rego_type_error: undefined ref: input.server.nmae" in said
    assert '"name"' in said


def test_refuses_a_package_that_hides_its_input(
    policies: Path, opa_path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the schema a misspelt field in a prohibition would be a hole, so a package has to name it."""
    (policies / "forbid" / "remote_desktop.rego").unlink()
    said = refused(capsys, opa_path, policies)
    assert said.startswith(f"{policies / 'forbid' / 'telnet.rego'}: no file of package forbid tells OPA the schema")


@pytest.mark.parametrize(
    ("written", "line", "problem"),
    [
        ("package forbid\n\nprohibitions contains {}", 3, "`prohibitions`; it must be called `prohibition`, as in"),
        ("package forbid\n\nallowance contains {}", 3, "`allowance`; it must be called `prohibition`, as in"),
        ("package allow\n\nprohibition contains {}", 3, "`prohibition`; it must be called `allowance`, as in"),
        ("package forbid\n\ndefault forbidden := true", 3, "`forbidden`; it must be called `prohibition`, as in"),
        ("package forbid.web\n\nprohibition contains {}", 1, "package forbid.web; it must be `package forbid`"),
        ("package allow.web.shop\n\nallowance contains {}", 1, "package allow.web.shop; it must be `package allow`"),
    ],
)
def test_refuses_what_nobody_reads(policies: Path, opa_path: str, written: str, line: int, problem: str) -> None:
    """A prohibition under a slip of its name would never hold, and nobody would hear of it."""
    file = policies / written.split()[1].partition(".")[0] / "slip.rego"
    file.write_text(f"{written}\n")
    (found,) = Check(policies, None, opa_path).read()
    assert (found.file, found.line, found.grave) == (file, line, True)
    assert found.problem.startswith(f"nobody reads {problem}")


def test_command_refuses_what_nobody_reads(policies: Path, opa_path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The command names the file, the line and the name that is read."""
    file = policies / "forbid" / "telnet.rego"
    edit(file, "prohibition contains", "prohibitions contains")
    assert refused(capsys, opa_path, policies).startswith(f"{file}:3: nobody reads `prohibitions`; it must be called")


def test_refuses_what_is_not_formatted(policies: Path, opa_path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The file is named with the command that formats it."""
    file = policies / "allow" / "vpn.rego"
    edit(file, "\t", "  ")
    assert (
        refused(capsys, opa_path, policies)
        == f"{file}: is not formatted; run `{Tool(opa_path).name} fmt --write {file}`\n"
    )


def test_refuses_a_test_that_fails(
    policies: Path, tests: Path, opa_path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The test is named with its line and the command that shows why."""
    (tests / "x_test.rego").write_text("package policy_tests.x\n\ntest_x if data.networks.office == []\n")
    command = f"{Tool(opa_path).name} test --bundle {policies} {tests} --explain full --run test_x"
    expected = f"{tests / 'x_test.rego'}:3: test_x does not pass; see why with `{command}`\n"
    assert refused(capsys, opa_path, policies, tests) == expected


def test_a_line_of_a_test_that_nothing_reaches_is_where_it_is(
    policies: Path, tests: Path, opa_path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A test that is misnamed is named with a path that exists."""
    (tests / "x_test.rego").write_text("package policy_tests.x\n\ntest_x := true\n\ncheck_y if 1 == 2\n")
    assert f"{tests / 'x_test.rego'}:5: no test reaches this line" in refused(capsys, opa_path, policies, tests)


def test_says_in_words_what_is_no_utf8(policies: Path, opa_path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A file in another encoding is named by OPA, not by a traceback."""
    with (policies / "allow" / "vpn.rego").open("ab") as file:
        file.write(b"# \xfc\n")
    assert "allow/vpn.rego" in refused(capsys, opa_path, policies)


def test_refuses_a_test_that_is_put_off(
    policies: Path, tests: Path, opa_path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """OPA skips a test whose name begins with todo_; it proves nothing."""
    (tests / "x_test.rego").write_text("package policy_tests.x\n\ntodo_test_x := true\n")
    assert f"{tests / 'x_test.rego'}:3: todo_test_x does not pass" in refused(capsys, opa_path, policies, tests)


def test_refuses_a_folder_without_tests(
    policies: Path, tests: Path, opa_path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """OPA is content when nothing ran; we are not."""
    expected = f"{tests}: the tests do not pass; mend what OPA names:\nno tests were run\n"
    assert refused(capsys, opa_path, policies, tests) == expected


def test_refuses_a_line_that_no_test_reaches(
    policies: Path, tests: Path, opa_path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every line of the engine has a test, or it is named; one of the team's is named as a warning."""
    (tests / "x_test.rego").write_text("package policy_tests.x\n\ntest_x := true\n")
    said = refused(capsys, opa_path, policies, tests)
    assert re.search(r"/gate/judge\.rego:\d+: no test reaches this line; add one, or remove the line\n", said)
    assert (
        f"{policies / 'allow' / 'vpn.rego'}:3: warning: no test reaches this line; add one, or remove the line\n"
        in said
    )


PASTED = """package allow

allowance contains {
	"id": "i-0abc-tcp-8443",
	"tcp": [8443],
	"sources": ["198.51.100.7/32"],
	"owner": "%(filled)s",
	"reason": "%(filled)s",
	"expires": "%(expires)s",
} if {
	input.server.id == "i-0abc"
}
"""


def test_passes_a_pasted_allowance_when_its_blanks_are_filled(
    policies: Path, opa_path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an alert offers can be built at night, with a warning, but is refused where every line must have a test."""
    (policies / "allow" / "night.rego").write_text(PASTED % {"filled": "netops", "expires": "2027-01-31"})
    folders = [str(policies), str(REPOSITORY / "policy_tests"), "--opa", opa_path]
    assert main(folders) == 0
    assert "night.rego:3: warning: no test reaches this line" in capsys.readouterr().err
    assert main([*folders, "--every-line"]) == 1


def test_refuses_a_pasted_allowance_with_blanks(
    policies: Path, opa_path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An allowance for a server that no test knows is judged all the same, and each blank is named."""
    (policies / "allow" / "night.rego").write_text(PASTED % {"filled": "", "expires": ""})
    said = refused(capsys, opa_path, policies).splitlines()
    place = f"{policies / 'allow' / 'night.rego'}:4: allowance i-0abc-tcp-8443: "
    assert sorted(
        line.removeprefix(place).removesuffix("; it covers nothing until this is mended") for line in said
    ) == [
        "expires '' is not a date like 2027-06-30",
        "owner is missing, blank or not text",
        "reason is missing, blank or not text",
    ]


def test_refuses_a_prohibition_with_a_slip(policies: Path, opa_path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A prohibition that would deny everything is named before it does."""
    edit(policies / "forbid" / "telnet.rego", '"tcp": [23]', '"tcp": ["23"]')
    said = refused(capsys, opa_path, policies)
    assert "prohibition no-telnet: tcp" in said
    assert "it denies whatever it applies to until this is mended" in said


def test_refuses_an_id_that_a_rule_and_a_row_share(
    policies: Path, opa_path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A decision names an allowance by its id, so each has its own."""
    edit(policies / "allow" / "vpn.rego", '"openvpn"', '"monitoring"')
    said = refused(capsys, opa_path, policies)
    known = f"another allowance has the id monitoring too ({policies / 'allow' / 'vpn.rego'}:4); give each its own"
    assert said.startswith(f"{policies / 'servers' / 'data.yaml'}:22: {known}")


def test_refuses_a_statement_that_depends_on_the_input(
    policies: Path, opa_path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be printed without a finding cannot be reviewed."""
    (policies / "allow" / "x.rego").write_text('package allow\n\nallowance contains {"id": input.server.name}\n')
    assert "its value depends on the input" in refused(capsys, opa_path, policies)


NEVER = """package forbid

prohibition contains {
	"id": "no-443",
	"tcp": %s,
	"sources": ["anywhere"],
	"reason": "Nothing is served here",
} if {
	%s
}
"""


@pytest.mark.parametrize(
    ("ports", "condition", "said"),
    [
        pytest.param(
            "data.gate.administrativ_ports.tcp",
            'input.reach == "internet"',
            "5: data.gate has no administrativ_ports, so OPA takes it for undefined, in silence; "
            "write a name that is there, perhaps administrative_ports, or add it to a data file",
            id="in a value",
        ),
        pytest.param(
            "[443]",
            "input.server.account in data.accounts.prodction",
            "9: data.accounts has no prodction, so OPA takes it for undefined, in silence; "
            "write a name that is there, perhaps production, or add it to a data file",
            id="after if",
        ),
        pytest.param(
            "[443]",
            "not data.server.by_name[input.server.name]",
            "9: data has no server, so OPA takes it for undefined, in silence; "
            "write a name that is there, perhaps servers, or add it to a data file",
            id="of which another part is a variable",
        ),
        pytest.param(
            "[443]",
            "data.allow.allowances",
            "9: data.allow has no allowances, so OPA takes it for undefined, in silence; "
            "write a name that is there, perhaps allowance, or add it to a data file",
            id="of a rule",
        ),
    ],
)
def test_refuses_a_name_of_data_that_is_not_there(
    policies: Path, opa_path: str, ports: str, condition: str, said: str
) -> None:
    """A prohibition that asks for what is not there would never hold, and nobody would hear of it."""
    file = policies / "forbid" / "never.rego"
    file.write_text(NEVER % (ports, condition))
    found = next(Check(policies, None, opa_path).statements())
    assert (found.file, f"{found.line}: {found.problem}", found.grave) == (file, said, True)


def test_command_refuses_a_prohibition_that_never_applies(
    policies: Path, opa_path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named also where only its evaluation shows that it asks for what is not there."""
    file = policies / "forbid" / "never.rego"
    condition = 'some list in split("prodction", " ")\n\tinput.server.account in data.accounts[list]'
    file.write_text(NEVER % ("[443]", condition))
    said = "prohibition no-443 never applies: something that it asks for is not there; mend or remove it"
    assert refused(capsys, opa_path, policies) == f"{file}:4: {said}\n"


def test_passes_imports_and_lists_and_tables_that_are_empty(
    policies: Path, opa_path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name may be imported, a list of accounts empty, and the table without rows."""
    (policies / "servers" / "data.yaml").unlink()
    edit(policies / "accounts" / "data.yaml", 'staging:\n  - "444455556666"', "staging: []")
    written = NEVER.replace("forbid\n", "forbid\n\nimport data.accounts as known\nimport data.gate\n")
    written %= ("gate.administrative_ports.tcp", "input.server.account in known.staging")
    (policies / "forbid" / "imports.rego").write_text(written)
    assert (main([str(policies), "--opa", opa_path]), capsys.readouterr().err) == (0, "")
    (policies / "forbid" / "imports.rego").write_text(written.replace("known.staging", "known.stagng"))
    assert "imports.rego:12: data.accounts has no stagng, so OPA" in refused(capsys, opa_path, policies)


@pytest.mark.parametrize("slip", ["\\n", "\\u200b", "\u202e", "\u00a0"])
def test_refuses_an_id_that_does_not_show(policies: Path, opa_path: str, slip: str) -> None:
    """What looks like another id, or breaks a line, is not what a person finds when an alert names it."""
    edit(policies / "forbid" / "telnet.rego", "no-telnet", f"no-telnet{slip}")
    (found,) = Check(policies, None, opa_path).statements()
    assert (found.file, found.line) == (policies / "forbid" / "telnet.rego", 4)
    assert found.problem.startswith("prohibition 'no-telnet\\")
    assert "': the id holds a character that does not show" in found.problem


@pytest.mark.parametrize("key", ['["tcp"]', '{"tcp"}', '{"tcp": 1}'])
def test_refuses_a_statement_with_a_key_that_is_no_text(policies: Path, opa_path: str, key: str) -> None:
    """Rego has keys that JSON has not, and what cannot be printed cannot be reviewed."""
    (policies / "allow" / "x.rego").write_text(f"package allow\n\nallowance contains {{{key}: 1}}\n")
    assert [fault.problem for fault in Check(policies, None, opa_path).statements()] == [
        "a value of data.allow.allowance: one of its keys is a list or an object; write text such as `id` or `tcp`"
    ]


def test_needs_a_folder_and_an_opa(policies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is missing is named, with what to do."""
    with pytest.raises(SystemExit, match="1"):
        main([str(policies / "nowhere")])
    assert "nowhere is no folder: name the folder of the policies" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="1"):
        main([str(policies), "--opa", str(policies / "opa")])
    assert "is no executable; name the `opa` to run with --opa" in capsys.readouterr().err
