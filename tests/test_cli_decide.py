"""`portcullis decide`: the same judgement from a shell, by real OPA."""

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from handler.cli import decide, main, verdicts
from handler.settings import ROOT

EVENTS = ROOT / "handler" / "cli" / "demo_events"
CASES = ROOT / "tests" / "cases"
ALLOWED = str(EVENTS / "01-web-443.json")
DENIED = str(EVENTS / "05-bastion-ssh.json")
UNREAD = str(EVENTS / "08-reversed-range.json")
CLOSED = str(EVENTS / "09-closed.json")
NOW = ("--now", "2026-11-24T06:12:00Z")


@pytest.fixture(autouse=True)
def _opa(opa_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPA_PATH", opa_path)


def lines(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    """Run `decide --json` and give what it printed."""
    main(["decide", "--json", *NOW, *arguments])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("files", "status"),
    [
        pytest.param([ALLOWED], 0, id="allowed"),
        pytest.param([CLOSED], 0, id="closed"),
        pytest.param([ALLOWED, DENIED], 1, id="denied"),
        pytest.param([DENIED, UNREAD], 2, id="undecidable"),
        pytest.param(["no-such-file.json"], 2, id="missing-file"),
    ],
)
def test_exit_status_is_the_worst(files: list[str], status: int) -> None:
    """0 is nothing denied, 1 something denied, 2 something undecidable or unreadable."""
    assert main(["decide", *NOW, *files]) == status


def test_json_has_one_object_a_record(capsys: pytest.CaptureFixture[str]) -> None:
    """A line names the file and the record and has every part, absent ones as null."""
    denied, closed = lines(capsys, DENIED, CLOSED)
    assert {key: denied[key] for key in ("file", "record", "outcome", "reporter", "reason")} == {
        "file": DENIED,
        "record": "1",
        "outcome": "decided",
        "reporter": "inspector2",
        "reason": None,
    }
    assert denied["finding"]["server"]["name"] == "bastion-01"
    assert denied["decision"]["action"] == "deny"
    assert (closed["outcome"], closed["finding"], closed["decision"]) == ("closed", None, None)


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        pytest.param("compliant", "the scanner says that the exposure is gone", id="confirmed"),
        pytest.param(
            "not-applicable", "the report has ended, without evidence that the exposure is gone", id="unconfirmed"
        ),
    ],
)
def test_reason_of_what_is_closed_says_whether_it_is_known(
    case: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A port that was found closed and a report that merely ended are counted apart."""
    (line,) = lines(capsys, str(CASES / "config" / case / "event.json"))
    assert (line["outcome"], line["reason"]) == ("closed", reason)


def test_message_names_file_record_and_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be read is said with where it is, and the rest of the file is decided."""
    both = tmp_path / "both.json"
    both.write_text(json.dumps([json.loads(Path(ALLOWED).read_text()), json.loads(Path(UNREAD).read_text())]))
    assert main(["decide", "--json", *NOW, str(both)]) == 2
    printed = capsys.readouterr()
    assert [json.loads(line)["outcome"] for line in printed.out.splitlines()] == ["decided", "undecidable"]
    assert f"{both}: record 2: detail.networkReachabilityDetails.openPortRange" in printed.err


def test_server_of_a_report_that_cannot_be_read_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever looks for a server finds what could not be judged of it, in a pipe and in JSON."""
    (line,) = lines(capsys, UNREAD)
    place = {"account": "111122223333", "region": "eu-west-1", "server": "i-0aaaaaaaaaaaaaaa8"}
    assert line.items() >= {"outcome": "undecidable", "finding": None, **place}.items()
    assert main(["decide", "--policies", str(ROOT / "policies"), *NOW, UNREAD]) == 2
    fields = capsys.readouterr().out.strip().split("\t")
    assert fields[:6] == ["-", "i-0aaaaaaaaaaaaaaa8", "-", "-", "-", "UNREAD"]
    assert fields[7:] == ["111122223333", "eu-west-1", f"{UNREAD}:1"]


def test_table_names_the_record_of_a_server_that_cannot_be_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finding of which a source cannot be read is said with where it is, beside its server."""
    event = (CASES / "security_hub" / "control-by-its-rules" / "event.json").read_text()
    monkeypatch.chdir(tmp_path)
    Path("hub.json").write_text(event.replace("0.0.0.0/0", "203.0.113.7/24"))
    assert main(["decide", "--policies", str(ROOT / "policies"), *NOW, "hub.json"]) == 2
    assert "\tsg-0a1\tpayments\t-\t-\tUNREAD\thub.json: record 1: " in capsys.readouterr().out


def test_json_lines_are_read_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken line is undecidable; the lines around it are judged."""
    allowed = json.dumps(json.loads(Path(ALLOWED).read_text()))
    recorded = tmp_path / "recorded.jsonl"
    recorded.write_text(f"{{broken\n{allowed}\n{{broken\n\n{allowed.replace('443', '8443')}\n")
    found = lines(capsys, str(recorded))
    assert [(line["record"], line["outcome"]) for line in found] == [
        ("1", "undecidable"),
        ("2", "decided"),
        ("3", "undecidable"),
        ("4", "decided"),
    ]
    assert [line["reason"][:18] for line in found[::2]] == ["line 1 is not JSON", "line 3 is not JSON"]


@pytest.mark.parametrize(
    ("before", "problem"),
    [
        pytest.param("", "is nested too deep to be read", id="alone"),
        pytest.param("{}\n", "line 2 is nested too deep to be read", id="in-a-line"),
    ],
)
def test_absurdly_nested_file_is_undecidable(
    before: str, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What no reader of JSON can follow is said, and ends nothing else."""
    nested = tmp_path / "nested.json"
    nested.write_text(before + "[" * 100_000 + "]" * 100_000)
    assert lines(capsys, str(nested))[-1]["reason"] == problem


def test_byte_order_mark_is_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file as editors on Windows save it is read like any other."""
    file = tmp_path / "event.json"
    file.write_text(Path(DENIED).read_text(encoding="utf-8"), encoding="utf-8-sig")
    (found,) = lines(capsys, str(file))
    assert (found["outcome"], found["finding"]["server"]["name"]) == ("decided", "bastion-01")


def test_file_of_prowler_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    """A list of findings, as Prowler writes it, is judged finding by finding."""
    found = lines(capsys, str(CASES / "prowler" / "file-of-many" / "event.json"))
    kinds = ["decided", "decided", "ignored", "closed", "undecidable"]
    assert [(line["record"], line["outcome"]) for line in found] == [(str(n), kind) for n, kind in enumerate(kinds, 1)]


def test_api_answer_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer of list_findings, as the AWS CLI prints it, is judged finding by finding."""
    details = [json.loads(Path(path).read_text())["detail"] for path in (ALLOWED, DENIED)]
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps({"findings": details}))
    assert [line["decision"]["action"] for line in lines(capsys, str(answer))] == ["allow", "deny"]


def test_a_report_told_again_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of two records that tell the same exposure one is judged and the other is named."""
    twice = tmp_path / "twice.json"
    event = json.loads(Path(ALLOWED).read_text())
    twice.write_text(json.dumps([event, event]))
    found = lines(capsys, str(twice))
    assert [(line["record"], line["outcome"]) for line in found] == [("1", "decided"), ("2", "repeated")]
    assert found[1]["reason"] == "it tells again what record 1 tells"


def test_a_record_that_tells_an_exposure_twice_is_two_reports(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of what was read is missing from the lines."""
    event = json.loads((CASES / "security_hub" / "control-by-its-rules" / "event.json").read_text())
    event["detail"]["findings"] *= 2
    twice = tmp_path / "twice.json"
    twice.write_text(json.dumps(event))
    outcomes = [line["outcome"] for line in lines(capsys, str(twice))]
    assert outcomes == ["decided", "repeated"] * (len(outcomes) // 2)


def test_standard_input_is_a_file(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`-` reads standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path(ALLOWED).read_bytes())))
    [line] = lines(capsys, "-")
    assert (line["file"], line["decision"]["action"]) == ("-", "allow")


def test_now_decides_about_expiry(capsys: pytest.CaptureFixture[str]) -> None:
    """An allowance covers its last day, UTC, and not the next."""
    actions = []
    for now in ("2027-06-30T23:59:59Z", "2027-07-01T00:00:00Z", "2027-07-01T00:30:00+01:00"):
        main(["decide", "--json", "--now", now, ALLOWED])
        actions.append(json.loads(capsys.readouterr().out)["decision"]["action"])
    assert actions == ["allow", "deny", "allow"]
    assert main(["decide", "--now", "0500-01-01T00:00:00Z", ALLOWED]) == 0


@pytest.mark.parametrize("now", ["yesterday", "2026-11-24T06:12:00", "0001-01-01T00:00:00+23:00"])
def test_unreadable_now_is_refused(now: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A time without a zone, or none at all, is said before anything is judged."""
    with pytest.raises(SystemExit, match="2"):
        main(["decide", "--now", now, ALLOWED])
    assert f"--now: {now} is no time with a time zone; write it like 2026-11-24T06:12:00Z" in capsys.readouterr().err


def test_folder_that_is_no_folder_of_policies_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What OPA could not take for policies is said with what to do."""
    for folder, problem in (("no-such-folder", "is no folder"), (tmp_path, "holds no file of Rego and no data.yaml")):
        assert main(["decide", "--policies", str(folder), ALLOWED]) == 2
        assert capsys.readouterr().err.startswith(f"{folder} {problem}")


def test_page_says_that_others_follow(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is on the pages of an answer that nobody saved is not judged, and the table says so."""
    finding = {"type": "PACKAGE_VULNERABILITY", "findingArn": "arn:aws:inspector2:eu-west-1:111122223333:finding/01"}
    page = tmp_path / "page.json"
    page.write_text(json.dumps({"findings": [finding], "nextToken": "further"}))
    assert main(["decide", *NOW, str(page)]) == 0
    assert "nextToken: the answer goes on, on pages that are to be judged too" in capsys.readouterr().err


def test_other_policies_decide(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A refused policy is said in OPA's own words, with status 2."""
    (tmp_path / "broken.rego").write_text("package allow\n\nallowance contains {")
    assert main(["decide", "--policies", str(tmp_path), ALLOWED]) == 2
    assert "rego_parse_error" in capsys.readouterr().err


FORGED = "web\x1b[2J\u202e\nweb-prod-09  tcp 22  anywhere  allow  bastion-ssh"


def test_texts_from_outside_forge_no_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name, a note, a problem and a file's name stay in the cell or line that they are in."""
    event = json.loads(Path(DENIED).read_text())
    event["detail"]["resources"][0]["tags"] = {"Name": FORGED, "portcullis:allow": FORGED}
    unread = json.loads(Path(UNREAD).read_text())
    unread["detail"]["networkReachabilityDetails"]["openPortRange"]["begin"] = FORGED
    recorded = tmp_path / "\x1b[2Jevents.json"
    recorded.write_text(json.dumps([event, unread]))
    main(["decide", *NOW, str(recorded)])
    main(["decide", *NOW, "--json", str(recorded)])
    printed = capsys.readouterr()
    assert "\\u001b[2Jevents.json: record 2: " in printed.err
    shown = (printed.out + printed.err).replace("\t", "\n").split("\n")
    assert all(field.isprintable() for field in shown)
    assert not any(field.startswith("web-prod-09") for field in shown)


def test_allowance_with_an_invisible_id_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a policy is called is spelled out too, in the table as in a refusal."""
    policies = Path(shutil.copytree(ROOT / "policies", tmp_path / "policies"))
    head = {"id": "x\nALLOWED by\u200b", "tcp": [22], "sources": ["anywhere"], "reason": "r", "expires": "2027-06-30"}
    text = json.dumps({**head, "owner": "\x1b[2J"})
    (policies / "allow" / "odd.rego").write_text(f"package allow\n\nallowance contains {text}\n")
    main(["decide", *NOW, "--policies", str(policies), DENIED])
    printed = capsys.readouterr().out
    assert "x\\u000aALLOWED by\\u200b (\\u001b[2J, until" in printed
    assert all(field.isprintable() for line in printed.split("\n") for field in line.split("\t"))


def test_refusal_keeps_its_lines_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error has several lines, and nothing else that moves the cursor."""
    (tmp_path / "\x1b[2J.rego").write_text("package allow\n\nallowance contains {")
    assert main(["decide", "--policies", str(tmp_path), ALLOWED]) == 2
    refusal = capsys.readouterr().err
    assert "\\u001b[2J.rego" in refusal
    assert "\n" in refusal.strip()
    assert all(line.isprintable() for line in refusal.split("\n"))


def test_opa_loads_the_policies_while_the_rest_is_imported() -> None:
    """It is started before what reads, judges or prints is imported, and no pipe needs what draws tables."""
    program = (
        "import sys; from subprocess import Popen; from handler import process; from handler.cli import main\n"
        "class Started(Popen):\n"
        "    def __init__(self, *arguments, **options):\n"
        "        super().__init__(*arguments, **options)\n"
        "        if 'run' in arguments[0]: print({'msgspec', 'requests'} & sys.modules.keys(), file=sys.stderr)\n"
        "process.subprocess.Popen, sys.modules['rich'] = Started, None\n"
        f"decide = ['decide', '--policies', {str(ROOT / 'policies')!r}, {DENIED!r}]\n"
        "print([main(decide), main([*decide, '--json'])], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    first, *_, last = ran.stderr.splitlines()
    assert (first, last) == ("set()", "[1, 1]")


def test_fields_and_sorts_are_those_of_the_verdicts() -> None:
    """The arguments name them without importing what has them."""
    assert verdicts.Row.__struct_fields__ == decide.FIELDS
    assert tuple(verdicts.SORTS) == decide.SORTS


def test_refused_policies_are_said_where_nothing_is_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Reading does not wait for OPA, but nothing is printed of it."""
    policies = Path(shutil.copytree(ROOT / "policies", tmp_path / "policies"))
    (policies / "allow" / "odd.rego").write_text("package allow\n\nallowance contains nobody\n")
    for output in ([], ["--json"], ["--stream"]):
        assert main(["decide", *output, "--policies", str(policies), CLOSED]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert "var nobody is unsafe" in printed.err


def test_installed_command_runs() -> None:
    """The command stands beside the interpreter."""
    command = Path(sys.executable).with_name("portcullis")
    ran = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("portcullis ")


def test_an_encoding_without_a_letter_spells_it(tmp_path: Path) -> None:
    """A terminal that cannot print a name gets it spelled out."""
    event = Path(ALLOWED).read_text(encoding="utf-8").replace("web-prod-01", "wéb-日本")
    (tmp_path / "event.json").write_text(event, encoding="utf-8")
    command = [str(Path(sys.executable).with_name("portcullis")), "decide", *NOW, str(tmp_path / "event.json")]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "COLUMNS": "200"}
    ran = subprocess.run(command, capture_output=True, check=False, cwd=ROOT, env=environment)
    assert ran.returncode == 0
    assert "wéb-\\u65e5\\u672c".encode("latin-1") in ran.stdout
