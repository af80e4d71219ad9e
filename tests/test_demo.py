"""`make demo` tells the five stories from recorded answers of AWS, whatever the shell is set up for."""

import json
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from handler.alert.mail import LINES
from handler.cli import demo, main
from handler.settings import ROOT
from tests.builders import NOW
from tests.pages import DOCS, README, blocks

EVENTS = sorted(str(path) for path in (ROOT / "handler" / "cli" / "demo_events").glob("*.json"))
REAL = {
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL_EC2": "http://192.0.2.1",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "HTTP_PROXY": "http://192.0.2.1",
    "ALERT_MAX_MESSAGES": "1",
    "LOOK_UP_CONTAINERS": "false",
}


@pytest.fixture(scope="module")
def told(opa_path: str) -> Any:
    """Return what `portcullis decide --look-up` says of each bundled event with the recorded AWS, by its file."""
    with (
        demo.recorded_aws() as (environment, mails),
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(StringIO()) as output,
    ):
        for name, value in {**environment, "OPA_PATH": opa_path}.items():
            patch.setenv(name, value)
        main(["decide", "--json", "--look-up", "--now", NOW, *EVENTS])
    assert mails == []
    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    return {Path(line["file"]).stem: line for line in lines}


def allowed(line: Any) -> set[str]:
    """Name the allowances of a decision that allows."""
    assert line["decision"]["action"] == "allow"
    return {name for entry in line["decision"]["allowed"] for name in entry["by"]}


def denied(line: Any) -> list[tuple[str, int, str, list[str]]]:
    """Give what is denied: protocol and first port, source and rules."""
    return [(one["protocol"], one["from_port"], one["source"], one["rules"]) for one in line["decision"]["denied"]]


def test_demo_tells_the_five_stories(told: Any) -> None:
    """Four are silent in full; what is wrong beside them is named, down to the rule."""
    assert allowed(told["01-web-443"]) == allowed(told["01-web-80"]) == {"web-by-name", "web-https"}
    assert allowed(told["02-vpn-udp-1194"]) == allowed(told["02-vpn-tcp-443"]) == {"openvpn"}
    assert allowed(told["05-bastion-office"]) == {"bastion-ssh"}
    assert denied(told["05-bastion-ssh"]) == [("tcp", 22, "0.0.0.0/0", ["sgr-0de0de0de0de0de01"])]
    assert allowed(told["03-declared-by-tag"]) == {"declared-ports"}
    assert allowed(told["12-container-host"]) == {"container-hosts", "container-tasks"}
    assert denied(told["13-container-host-unexpected-port"]) == [("tcp", 49999, "0.0.0.0/0", ["sgr-0c3c3c3c3c3c3c3c1"])]


def test_recorded_answers_leave_nothing_unknown(told: Any) -> None:
    """Every question of every event has an answer."""
    findings = [line["finding"] for line in told.values() if line["finding"]]
    assert {source for one in findings for exposure in one["exposures"] for source in exposure["sources"]} & {
        "unknown"
    } == set()
    assert all(one["server"]["tags_known"] and one["server"]["name"] for one in findings)
    notes = {note for one in findings for note in one["notes"]}
    assert [note for note in notes if re.search("denied|failed|got no answer|unknown|no longer|not there", note)] == []


SUBJECTS = [
    "[critical] bastion-01: tcp 22 open to 0.0.0.0/0, account Web production (111122223333)",
    "[critical] cache-01: tcp 6379 open to 0.0.0.0/0, account Web production (111122223333)",
    "[critical] mail-01: tcp 9200 open to 0.0.0.0/0, account Web production (111122223333)",
    "[critical] shop.example.com: tcp 23 open to 0.0.0.0/0, account Web production (111122223333)",
    "[critical] web-prod-02: tcp 81-442 open to 0.0.0.0/0, account Web production (111122223333)",
    "[high] apps-02: tcp 49999 open to 0.0.0.0/0, account Web production (111122223333)",
    "[undecidable] i-0aaaaaaaaaaaaaaa8: 1 report could not be judged, account 111122223333",
]
LATER = """
import datetime, runpy

class Later(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(days=3000)

datetime.datetime = Later
runpy.run_module("handler.cli.demo", run_name="__main__")
"""


@pytest.fixture(scope="module")
def shown(opa_path: str) -> str:
    """Return what `make demo` prints where the shell is set up for an account."""
    return printed("-m", "handler.cli.demo", OPA_PATH=opa_path)


def printed(*arguments: str, **environment: str) -> str:
    """Run Python and return what it printed; it must leave no temporary file."""
    with TemporaryDirectory() as folder:
        ran = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=os.environ | REAL | environment | {"TMPDIR": folder},
            capture_output=True,
            text=True,
            check=True,
        )
        assert list(Path(folder).iterdir()) == []
    assert re.fullmatch(r"Policy [0-9a-f]{7}, OPA 1\.22\.2, [0-9,]+ ms\n", ran.stderr)
    return ran.stdout


def test_demo_prints_the_table_and_the_worst_mail(shown: str) -> None:
    """It needs no account and asks none; of the other mails it has the subjects, and at its end three commands.

    The table is one screen, the mail too.
    """
    table, mail, others, _ = (part.strip() for part in re.split(r"─.*─\n|\n\nWhat to do next:\n", shown))
    verdicts = re.findall(r"^(\S+) .* (DENY|UNREAD|allow)$", table, re.MULTILINE)
    assert [severity for severity, verdict in verdicts if verdict == "DENY"] == ["critical"] * 5 + ["high"]
    assert [verdict for _, verdict in verdicts[6:]] == ["UNREAD", "allow", "allow", "allow"]
    assert "\n... and 11 more lines of what is allowed: make demo ALL=1\n" in table
    assert "16 reports: 14 exposures (0 repeated): 6 denied (5 critical), 7 allowed, 1 could not be judged; " in table
    assert 24 <= len(table.splitlines()) <= 40
    assert len(mail.splitlines()) <= LINES + len(["Subject", ""])
    assert mail.startswith(f"Subject: {SUBJECTS[0]}\n")
    assert "--security-group-rule-ids sgr-0de0de0de0de0de01\n" in mail
    assert others.splitlines() == SUBJECTS[1:]
    assert len(re.findall(r"^  (?:make|\.venv/bin/portcullis) \S+", shown, re.MULTILINE)) == 3


def test_demo_shows_no_line_of_the_log(shown: str) -> None:
    """The function's log is not for who reads this."""
    assert '"event":' not in shown


def test_demo_looks_the_same_years_later(shown: str) -> None:
    """Its clock is that of its events: no allowance of the example expires in it, and no time of today is in it."""
    assert printed("-c", LATER) == shown


def test_demo_prints_every_verdict_and_mail_when_asked(shown: str) -> None:
    """`make demo ALL=1` has them all in full."""
    every = printed("-m", "handler.cli.demo", "--all")
    assert re.findall(r"^Subject: (.*)$", every, re.MULTILINE) == SUBJECTS
    assert every.startswith(shown.partition("\n\n... and 11 more")[0])
    assert len(re.findall(r" (?:DENY|UNREAD|allow)$", every, re.MULTILINE)) == 21
    *denied, _ = re.split(r"─+ Mail \d of 7 ─+\nSubject: .*\n\n", every)[1:]
    assert [len(mail.strip().splitlines()) for mail in denied if len(mail.strip().splitlines()) > LINES] == []
    assert "\nAllowed   2 openings, in the JSON of this message\n" in denied[-1]
    assert "\nNote      tcp 49999 open to 0.0.0.0/0: bound by nobody known\n" in denied[-1]
    assert "$(if $(ALL),--all)" in (ROOT / "Makefile").read_text()


def test_table_of_the_readme_is_what_comes_out(shown: str) -> None:
    """Each part of the table under `make demo`, between dots, is printed so by it, one after the other."""
    (example,) = (block.text for block in blocks(README, "console") if block.text.startswith("$ make demo\n"))
    table, _, _ = example.removeprefix("$ make demo\n").partition("$ make")
    printed, place = _timeless(shown), 0
    for part in filter(None, (_timeless(part) for part in re.split(r"^\.\.\.$", table, flags=re.MULTILINE))):
        place = printed.find(part, place)
        assert place >= 0, f"`make demo` does not print:\n{part}"


def test_mail_of_the_documentation_is_what_comes_out(shown: str) -> None:
    """The mail of docs/alerts.md is one of those that it prints."""
    mails = re.split(r"^─+ .* ─+$", shown, flags=re.MULTILINE)[1:]
    (example,) = blocks(DOCS / "alerts.md", "text")
    assert _timeless(example.text) in [_timeless(mail) for mail in mails]


def _timeless(text: str) -> str:
    text = re.sub(r"\d+ ms\.", "N ms.", text)
    text = re.sub(r"[Pp]olicy [0-9a-f]{7}", "policy REVISION", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "TIME", text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
