"""Data files that OPA would read otherwise than they are written, or the engine cannot use, are refused."""

import json
import shutil
from pathlib import Path

import pytest

from handler.cli.check import Check
from handler.cli.tool import Tool

REPOSITORY = Path(__file__).resolve().parent.parent

ROW = """
by_name:
  www:
    - id: www
      accounts: [production]
      tcp: [443]
      sources: [anywhere]
      owner: web-platform
      reason: Public
      expires: "2027-06-30"
"""


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """Give a copy of the shipped policies to break."""
    policies = Path(shutil.copytree(REPOSITORY / "policies", tmp_path / "policies"))
    (policies / "ports").mkdir()
    return policies


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that is there."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def faults(policies: Path) -> list[tuple[str, int | None, str]]:
    """Give file, line and problem of everything that is wrong with the data files."""
    found = Check(policies, None, "opa").data()
    return [(str(fault.file and fault.file.relative_to(policies)), fault.line, fault.problem) for fault in found]


@pytest.mark.parametrize(
    ("file", "text", "line", "problem"),
    [
        pytest.param(
            "networks/data.yaml",
            "office: [203.0.113.0/24]\nanywhere: [0.0.0.0/0, '::/0']\noffice: [0.0.0.0/0]\n",
            3,
            "the key office is repeated (it is on line 1 too) and only one counts; join or rename them",
            id="repeated key",
        ),
        pytest.param(
            "networks/data.json",
            '{\n\t"office": ["203.0.113.0/24"],\n\t"office": ["0.0.0.0/0"]\n}\n',
            3,
            "the key office is repeated (it is on line 2 too) and only one counts; join or rename them",
            id="repeated key in JSON",
        ),
        pytest.param(
            "servers/data.yaml",
            ROW + "      owner: netops\n",
            11,
            "the key owner is repeated (it is on line 8 too) and only one counts; join or rename them",
            id="repeated key in a row",
        ),
        pytest.param(
            "accounts/data.yaml",
            "staging: []\nproduction:\n  - 012345670123\n",
            3,
            "012345670123 is no account id; write twelve digits in quotes",
            id="unquoted account",
        ),
        pytest.param(
            "accounts/data.yaml",
            "staging: []\nproduction:\n  - 089122223333\n",
            3,
            "089122223333 is no account id; write twelve digits in quotes",
            id="unquoted account that only OPA takes for a number",
        ),
        pytest.param(
            "accounts/data.json",
            '{"staging": [], "production": [111122223333]}',
            1,
            "111122223333 is no account id; write twelve digits in quotes",
            id="account as a number in JSON",
        ),
        pytest.param(
            "data.yaml",
            'accounts: ["111122223333"]\n',
            1,
            "0 is not a list; write `- ` before each account",
            id="accounts without the name of a list",
        ),
        pytest.param(
            "accounts/data.yaml",
            'staging: []\nproduction: ["11112222333"]\n',
            2,
            "11112222333 is no account id; write twelve digits in quotes",
            id="account of eleven digits",
        ),
        pytest.param(
            "accounts/data.yaml",
            "staging: []\nproduction: []\nteams:\n  netops: [111122223333]\n",
            4,
            "111122223333 is no account id; write twelve digits in quotes",
            id="unquoted account of a team",
        ),
        pytest.param(
            "accounts/data.yaml",
            "staging: []\nproduction: []\nteams:\n  111122223333: netops\n",
            4,
            "the key 111122223333 is not text; write it in quotes",
            id="unquoted account as a key",
        ),
        pytest.param(
            "accounts/data.yaml",
            'staging: []\nproduction: []\nteams:\n  "111122223333": netops\n',
            4,
            "111122223333 is not a list; write `- ` before each account",
            id="team that is not a list",
        ),
        pytest.param(
            "accounts/data.yaml",
            "staging: []\nproduction: []\nteams: []\n",
            3,
            "teams needs a list of accounts for each team",
            id="teams that are a list",
        ),
        pytest.param(
            "accounts/data.yaml",
            'staging: []\nproduction: []\npartners: "111122223333"\n',
            3,
            "partners is not a list; write `- ` before each account",
            id="accounts that are not a list",
        ),
        pytest.param(
            "accounts/data.yaml",
            "staging: []\nproduction: []\nany: []\n",
            3,
            "`any` stands for all accounts; give the list another name",
            id="list of accounts called any",
        ),
        pytest.param(
            "partners/data.yaml",
            "logistics:\n  account: 111122223333\n",
            2,
            "111122223333 looks like an account id; write it in quotes",
            id="unquoted account in data of a team's own",
        ),
        pytest.param(
            "networks/data.yaml",
            "office:\n  - 203.0.113.0/24\n  - 203.0.113.1/24\n",
            3,
            "203.0.113.1/24 cannot be read; write a CIDR without host bits, sg-..., pl-... or sg-*",
            id="member of a network with host bits",
        ),
        pytest.param(
            "networks/data.yaml",
            "office: []\n",
            1,
            "office is not a list of addresses; write `- ` and a CIDR, or remove it",
            id="empty network",
        ),
        pytest.param(
            "networks/data.yaml",
            "office: 203.0.113.0/24\n",
            1,
            "office is not a list of addresses; write `- ` and a CIDR, or remove it",
            id="network that is not a list",
        ),
        pytest.param(
            "ports/data.yaml",
            'administrative:\n  tcp: [22, "5985-5986"]\n  udp: [69]\n',
            2,
            "5985-5986 is no port; write a whole number of 0-65535 without quotes, each port of a range",
            id="range of administrative ports",
        ),
        pytest.param(
            "ports/data.yaml",
            'administrative:\n  tcp:\n    - "22"\n  udp: []\n',
            3,
            "22 is no port; write a whole number of 0-65535 without quotes, each port of a range",
            id="administrative port as text",
        ),
        pytest.param(
            "ports/data.yaml",
            "administrative:\n  tcp: [65536]\n  udp: [69]\n",
            2,
            "65536 is no port; write a whole number of 0-65535 without quotes, each port of a range",
            id="administrative port that is none",
        ),
        pytest.param(
            "ports/data.yaml",
            "administrative:\n  tcp: [022]\n  udp: [69]\n",
            2,
            "022 is no port; write a whole number of 0-65535 without quotes, each port of a range",
            id="administrative port that OPA reads as another",
        ),
        pytest.param(
            "ports/data.yaml",
            "administrative:\n  tcp: 22\n  udp: [69]\n",
            2,
            "tcp is not a list; write it like [22, 3389]",
            id="administrative ports that are not a list",
        ),
        pytest.param(
            "ports/data.yaml",
            "administrative:\n  tcp: [22]\n  udp: [69]\n  tpc: [22]\n",
            4,
            "nobody asks for tpc; ports are listed for tcp and for udp",
            id="administrative ports of an unknown protocol",
        ),
        pytest.param(
            "servers/data.yaml",
            ROW.replace("      accounts: [production]\n", ""),
            4,
            "the row names no accounts; add `accounts:` with lists of accounts/data.yaml, or [any]",
            id="row without accounts",
        ),
        pytest.param(
            "servers/data.yaml",
            ROW.replace("[production]", "[production, prodcution, teams]"),
            5,
            "prodcution, teams is no list of accounts/data.yaml; name one of any, production, staging",
            id="row with unknown accounts",
        ),
        pytest.param(
            "servers/data.yaml",
            ROW.replace("[production]", "production"),
            5,
            "accounts is not a list of names; write it like [production] or [any]",
            id="row with accounts that are not a list",
        ),
        pytest.param(
            "servers/data.yaml",
            ROW.replace("id: www", 'id: "www\\u200b"'),
            4,
            "'www\\u200b': the id holds a character that does not show; "
            "write it without, since decisions and alerts name it",
            id="row with an id that does not show",
        ),
        pytest.param(
            "servers/data.yaml",
            "by_name:\n  www:\n    - any\n",
            3,
            "the row names no accounts; add `accounts:` with lists of accounts/data.yaml, or [any]",
            id="row that is none",
        ),
        pytest.param(
            "servers/data.yaml",
            "by_name:\n  www:\n    id: www\n",
            2,
            "www is not a list of rows; write `- ` before each row",
            id="row that is not in a list",
        ),
        pytest.param(
            "servers/data.yaml",
            'by_name:\n  "": []\n',
            2,
            "the key is blank; name a server or the value of a tag",
            id="server without a name",
        ),
        pytest.param(
            "servers/data.yaml",
            "by_name:\n  007: []\n",
            2,
            "the key 007 is not text; write it in quotes",
            id="server whose name is a number",
        ),
        pytest.param(
            "servers/web/data.yaml",
            "by_name:\n  www: []\n",
            1,
            "the table is keyed by_name, by_id or by_tag; web is none of them, so its rows are never read",
            id="rows in a folder",
        ),
        pytest.param(
            "servers/data.yaml",
            "by_name:\n\twww: []\n",
            2,
            "cannot be read: there is a tab; indent with spaces",
            id="tab",
        ),
        pytest.param(
            "servers/data.yaml",
            "by_names:\n  www: []\n",
            1,
            "the table is keyed by_name, by_id or by_tag; by_names is none of them, so its rows are never read",
            id="unknown table",
        ),
        pytest.param(
            "servers/data.yaml",
            "by_tag:\n  Role: []\n",
            2,
            "Role holds no keys with a list of rows each",
            id="tag without values",
        ),
        pytest.param(
            "servers/data.yaml",
            "by_name:\n  www: [\n",
            3,
            "cannot be read: did not find expected node content",
            id="not YAML",
        ),
        pytest.param(
            "servers/data.yaml",
            "by_name: {}\n---\nby_id: {}\n",
            2,
            "cannot be read: but found another document",
            id="second document",
        ),
        pytest.param(
            "networks/data.yaml",
            "- 203.0.113.0/24\n",
            1,
            "holds no `key: value`, so OPA skips it; write one or remove the file",
            id="file that is a list",
        ),
        pytest.param(
            "partners/data.yaml",
            "office: &office [*office]\n",
            None,
            "nests too deep, perhaps an alias within its own anchor; write the value out",
            id="alias within its own anchor",
        ),
        pytest.param(
            "servers/web.yaml",
            ROW,
            None,
            "OPA does not read a file of this name; make it data.yaml in a folder",
            id="file that OPA does not read",
        ),
        pytest.param(
            "servers/data.YAML",
            ROW,
            None,
            "OPA does not read a file of this name; make it data.yaml in a folder",
            id="suffix in capitals",
        ),
        *(
            pytest.param(
                f"forbid/telnet.{suffix}",
                "package forbid\n",
                None,
                "OPA does not read a file of this name; let it end in .rego (or .md), or remove it",
                id=f"policy with the suffix {suffix}",
            )
            for suffix in ("reg", "REGO", "rego.txt", "rego~")
        ),
        pytest.param(
            "forbid/ftp",
            "package forbid\n",
            None,
            "OPA does not read a file of this name; let it end in .rego (or .md), or remove it",
            id="policy without a suffix",
        ),
        *(
            pytest.param(
                file,
                "prohibitions:\n  - id: no-ftp\n",
                None,
                "nobody asks for data in this folder; "
                "write rows into servers/data.yaml, prohibitions in Rego, constants of your own elsewhere",
                id=f"data in {file}",
            )
            for file in ("forbid/data.yaml", "allow/web/data.yml", "allow/data.json")
        ),
        *(
            pytest.param(
                "servers/data.yaml",
                ROW.replace("443", written),
                6,
                f"OPA reads another number than {written}; write a plain one, or a text in quotes",
                id=f"port {written}",
            )
            for written in ("0443", "0x1bb", "4_43", "4.43e2", "+443")
        ),
    ],
)
def test_refuses_a_data_file(policies: Path, file: str, text: str, line: int | None, problem: str) -> None:
    """A data file that OPA reads otherwise than it is written, or the engine cannot use, is named with its line."""
    for shipped in (policies / file).parent.glob("data.*"):
        shipped.unlink()
    (policies / file).parent.mkdir(exist_ok=True)
    (policies / file).write_text(text)
    assert faults(policies) == [(file, line, problem)]


def test_refuses_a_test_that_opa_does_not_read(policies: Path, tmp_path: Path) -> None:
    """A test under another name would pass for ever; a README beside it may stay."""
    (tmp_path / "policy_tests").mkdir()
    for name in ("web_test.rego.bak", "README.md", ".manifest"):
        (tmp_path / "policy_tests" / name).write_text("{}")
    assert [fault.file for fault in Check(policies, tmp_path / "policy_tests", "opa").data()] == [
        tmp_path / "policy_tests" / "web_test.rego.bak"
    ]


def test_passes_prose_beside_the_policies_and_data_of_a_teams_own(policies: Path) -> None:
    """Only what would be a policy or a row to its writer, and is none, is refused."""
    (policies / "partners").mkdir()
    for name in ("LICENSE", "README.md", "allow/README.md", "forbid/.gitkeep", "partners/OWNERS"):
        (policies / name).write_text("Ours\n")
    (policies / "partners" / "data.yaml").write_text("logistics: [443]\n")
    assert faults(policies) == []


def test_passes_ports_for_rules_beside_the_administrative_ones(policies: Path) -> None:
    """A rule may take its ports from the data as it takes its accounts."""
    with (policies / "ports" / "data.yaml").open("a") as file:
        file.write('web: [80, 443, "8000-8100"]\n')
    assert faults(policies) == []


def test_refuses_a_key_that_is_repeated_in_another_file(policies: Path) -> None:
    """Files of one place are one object to OPA, so a key in both is as ambiguous as one in the same file."""
    (policies / "servers" / "by_name").mkdir()
    (policies / "servers" / "by_name" / "data.yaml").write_text("cache-01: []\n")
    earlier = policies / "servers" / "by_name" / "data.yaml"
    problem = f"the key cache-01 is repeated (it is on {earlier}:1 too) and only one counts; join or rename them"
    assert faults(policies) == [("servers/data.yaml", 4, problem)]


def test_refuses_an_id_that_two_rows_share(policies: Path) -> None:
    """A decision names an allowance by its id, so no two have the same."""
    edit(policies / "servers" / "data.yaml", "id: db-partner", "id: cache-01-redis")
    problem = f"the id cache-01-redis is taken by the row of {policies / 'servers' / 'data.yaml'}:5"
    assert faults(policies) == [("servers/data.yaml", 13, f"{problem}; a decision names it, so choose another")]


def test_passes_json_as_well_as_yaml(policies: Path) -> None:
    """Tabs, escapes and a file beside another one are read as OPA reads them."""
    (policies / "accounts" / "data.yaml").unlink()
    text = '{\n\t"production": ["111122223333"],\n\t"staging": [],\n\t"\\ud83d\\ude80": ["222233334444"]\n}\n'
    (policies / "accounts" / "data.json").write_text(text)
    (policies / "accounts" / "teams").mkdir()
    (policies / "accounts" / "teams" / "data.yaml").write_text('netops:\n  - "111122223333"\n')
    assert faults(policies) == []


def test_reads_numbers_as_opa_does(policies: Path, opa_path: str) -> None:
    """A key without quotes that OPA reads as a number is refused: its rows would be another server's."""
    keys = [
        *(
            "1e3",
            "12E4",
            "-1e5",
            "1e-2",
            ".5e3",
            "5.",
            "0o17",
            "0O17",
            "0o_-7",
            "0b11",
            "0x1F",
            "007",
            "089",
            "+_1",
            "0E8_",
        ),
        *("web-1", "1e3-web", "0x", "5e", "0b12", "0o8", "e3", "-", "._", "1.2.3", "2027-6-30", "+1x", "i-0abc", "w_1"),
    ]
    (policies / "servers" / "data.yaml").write_text("by_name:\n" + "".join(f"  {key}: []\n" for key in keys))
    read = Tool(opa_path).run("eval", "--format", "raw", "--bundle", policies, "object.keys(data.servers.by_name)")
    assert {keys[(line or 0) - 2] for _, line, _ in faults(policies)} == set(keys) - set(json.loads(read.stdout))


def test_reads_addresses_as_the_gate_does(policies: Path, opa_path: str) -> None:
    """What passes as a member of a network is what the gate can read, and nothing else."""
    members = [
        *("0.0.0.0/0", "203.0.113.0/24", "203.0.113.9/32", "::/0", "2001:DB8::/32", "fc00::/7", "::203.0.113.0/120"),
        *("sg-0b1b", "222233334444/sg-0b1b", "pl-0c1c", "sg-*", "", " ", "203.0.113.0", "203.0.113.1/24", "::1/64"),
        *("203.0.113.0/33", "::/129", "203.0.113.0/024", "203.0.113.0/255.255.255.0", "0203.0.113.0/24", "1.2.3/24"),
        *("::ffff:203.0.113.0/120", "::ffff:0:0/96", "fe80::%eth0/64", "203.0.113.0/-1", "203.0.113.0/ 24", "unknown"),
        *("sg-", "sg-0b1b ", "1234/sg-0b1b", "222233334444/sg-*", "pl-*", "anywhere", "203.0.113.256/32", "/24"),
    ]
    (policies / "networks" / "data.yaml").write_text("".join(f"n{n}:\n  - {m!r}\n" for n, m in enumerate(members)))
    refused_here = {members[(line or 0) // 2 - 1] for file, line, _ in faults(policies)}
    terms = 'accounts: [any], tcp: [1], owner: o, reason: r, expires: "2099-01-01"'
    rows = (f"  s{n}:\n    - {{id: r{n}, sources: [n{n}], {terms}}}\n" for n in range(len(members)))
    (policies / "servers" / "data.yaml").write_text("by_name:\n" + "".join(rows))
    refused_there = {members[(fault.line or 0) // 2 - 1] for fault in Check(policies, None, opa_path).refused.rows()}
    assert refused_here == refused_there
    assert set(members) - refused_here == set(members[:11])
