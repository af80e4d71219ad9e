"""What the scanners list, judged page by page: what a sweep asks them for, and without a memory."""

from collections.abc import Iterator

from handler import aws, settings
from handler.cli.judge import Judge
from handler.cli.summary import Line, unread
from handler.errors import PortcullisError, SettingError
from handler.events import Record
from handler.fetching import FAILURES, spelled
from handler.sweep.places import scanned
from handler.sweep.scanners import SCANNERS
from handler.sweep.summary import Summary

_UNLISTED = "was not listed to its end, so that something may be missing here"


def lines(judge: Judge) -> Iterator[Line]:
    """Give the lines of what the scanners of SWEEP_SCANNERS list, and one for each listing that ended early."""
    read = settings.read()
    if not read.sweep_scanners:
        raise SettingError("SWEEP_SCANNERS", "is not set: name the scanners to list, as in inspector2,securityhub")
    role, summary = read.look_up_role_name, Summary()
    accounts = aws.Accounts(role, read.look_up_external_id, config=aws.LISTINGS) if role else None
    for place in judge.progress.of(sorted(scanned(read, summary)), "Listing"):
        account, _, region = place.partition("#")
        for name in read.sweep_scanners.split(","):
            scanner, where = SCANNERS[name], f"{name} in {account} {region}"
            try:
                client = (
                    accounts.client(scanner.service, account, region)
                    if accounts
                    else aws.lister(scanner.service, region)
                )
                for number, findings in enumerate(scanner.pages(client, account, region), 1):
                    if findings:
                        yield from judge.lines(where, [Record(id=str(number), event={scanner.key: findings})])
            except FAILURES as error:
                yield unread(where, "listing", f"{where} {_UNLISTED}: {spelled(error)}")
            except PortcullisError as error:
                yield unread(where, "listing", f"{where} {_UNLISTED}: {error}")
    for problem in summary.problems:
        yield unread("SWEEP_SCANNERS", "members", problem)
