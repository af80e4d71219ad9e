"""Checks a team's folder of policies before it decides: what `portcullis check` and the build of the image demand.

Static checks read the folder, its syntax trees (`opa parse`) and its register (`opa eval --partial`); `opa check`,
`opa fmt` and the tests have the rest. The commands of `opa` run side by side; nothing is evaluated that `opa check`
refuses.
"""

from codecs import BOM_UTF8
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from handler.bundle import ENGINE, Folder
from handler.check import advice, data_shapes, names, tests, unknown
from handler.check.conditions import Conditions
from handler.check.data_files import Data, unread_files
from handler.check.duplicates import joined, repeated
from handler.check.fault import Fault
from handler.check.refusals import incomplete, uncompiled, undecidable, unloadable
from handler.check.register import QUERY, Way
from handler.check.statements import Statements
from handler.check.unread import unread, unread_in_tests, unused, used_by
from handler.check.uses import Uses
from handler.check.words import unanswered
from handler.check.workspace import Workspace
from handler.check.written import Written

Modules = dict[Path, dict[str, Any]]
"""The syntax trees of files of Rego."""


class Checked:
    """What a check found, and over what: faults in the order of files and lines, and counts for people.

    `register` is for `readings.store`, empty where the folder was not read to the end.
    """

    def __init__(self, faults: list[Fault], counts: dict[str, int], register: bytes = b"") -> None:
        self.faults = sorted(dict.fromkeys(faults), key=_order)
        self.counts = counts
        self.register = register

    @property
    def errors(self) -> list[Fault]:
        """The faults that fail the check."""
        return [fault for fault in self.faults if fault.level == "error"]


def check(policies: Folder, test_folder: Folder | None, opa: str, today: date, *, coverage: bool = False) -> Checked:
    """Check a folder and, if there is one, that of its tests, with the executable `opa`, as on a day (UTC).

    `coverage`: also find lines that no test reaches.
    """
    folders = [policies, *([test_folder] if test_folder else [])]
    faults = [fault for folder in folders for fault in _unfit(folder)]
    faults += _overlapping(policies, test_folder)
    if faults:
        return Checked(faults, {})
    workspace = Workspace(policies, test_folder, opa)
    data = Data(policies)
    faults = [*read_otherwise(data), *(fault for folder in folders for fault in unread_files(folder))]
    faults += _not_run(test_folder) if test_folder else []
    pool = workspace.pool
    compiled, formatted = pool.submit(workspace.compiled), pool.submit(workspace.formatted)
    modules = workspace.parsed()
    faults += _unformatted(formatted.result())
    if refused := [*incomplete(modules)] or [*uncompiled(compiled.result(), workspace)]:
        return _ended(faults, refused, data)
    known = pool.submit(workspace.partial, QUERY, {}, ["--unknowns=input"])
    untagged = pool.submit(workspace.partial, QUERY, *unknown.world_query("tags"))
    workspace.start_evaluation()
    if refused := [*unloadable(known.result(), workspace)]:
        return _ended(faults, refused, data)
    undecided = list(undecidable(policies, {"any server": known.result(), "a server without tags": untagged.result()}))
    faults += undecided
    written = _of(policies, modules)
    uses = Uses(written.values())
    conditions, without_tags = Conditions(known.result(), uses), Conditions(untagged.result(), uses)
    statements = Statements(workspace, conditions, Written(written, data), data)
    references = {file: list(names.references(module)) for file, module in written.items()}
    faults += _read(workspace, modules, written, references, data)
    explained: set[Path | None] = (
        set(written) if undecided else {fault.file for fault in faults if fault.rule == "absent-name"}
    )
    faults += _judged(statements, written, explained)
    faults += _asked(workspace, statements, without_tags, uses, data)
    faults += _advised(statements, data, today)
    faults += advice.unused_accounts(data, [reference for file in references.values() for reference in file])
    worse = {fault.id for fault in faults if fault.rule in {"unconditional", "allowed-where-unknown"}}
    faults += [*_strangers(workspace, statements, worse), *tests.raised(workspace)]
    counts = {"statements": len({(way.kind, way.id) for way in conditions.ways})}
    if not (conditions.ways or faults):
        problem = "holds no allowance and no prohibition; write one below allow, or name another folder"
        faults.append(Fault(rule="folder", file=policies.path, problem=problem))
    if test_folder:
        listed = tests.listed(workspace, modules)
        counts["tests"] = len(listed)
        failures = list(tests.run(workspace, listed, modules)) if listed else [_untested(test_folder)]
        faults += failures or (list(tests.uncovered(workspace)) if coverage else [])
    else:
        problem = "there is no folder policy_tests beside the policies, so nothing tests them; write tests there"
        faults.append(Fault(rule="no-tests", file=policies.path, problem=problem, level="warning"))
    return Checked(faults, counts, msgspec.json.encode(statements.readings))


def _ended(faults: list[Fault], refused: list[Fault], data: Data) -> Checked:
    """Return what was found until OPA refused the folder. Of data that OPA cannot load, `data.faults` says more."""
    placed = [fault for fault in refused if fault.line or not data.faults]
    return Checked([*faults, *placed], {})


def read_otherwise(data: Data) -> Iterator[Fault]:
    """Find what data files say otherwise than OPA reads it, and what the engine cannot use."""
    yield from data.faults
    yield from data_shapes.misshapen(data)
    yield from data_shapes.unkeyed(data)
    yield from data_shapes.invisible_ids(data)
    yield from advice.limits(data)[1]


def _read(
    workspace: Workspace,
    modules: Modules,
    policies: Modules,
    references: dict[Path, list[names.Reference]],
    data: Data,
) -> Iterator[Fault]:
    """Find what the files say otherwise than it is read."""
    used = used_by(policies.values())
    yield from unread(workspace.policies.path, policies, used)
    used |= used_by(module for file, module in modules.items() if file not in policies)
    yield from unread_in_tests(workspace.test_files(), modules, used)
    yield from unused(policies)
    yield from joined(policies)
    for file, module in modules.items():
        yield from repeated(file, module)
    known = names.Names(data, policies.values())
    for file, named in references.items():
        yield from known.absent(file, named)


def _judged(statements: Statements, policies: Modules, explained: set[Path | None]) -> Iterator[Fault]:
    """Find what is wrong with the statements of the register, and with those that are not in it."""
    yield from statements.not_plain(policies)
    yield from statements.shared_ids()
    yield from statements.refused()
    yield from statements.never_applying(policies, explained)
    yield from statements.unconditional()


def _asked(
    workspace: Workspace, statements: Statements, without_tags: Conditions, uses: Uses, data: Data
) -> Iterator[Fault]:
    """Find what statements ask of a finding and no finding answers, or not everywhere."""
    conditions, fault = statements.conditions, statements.written.fault
    accounts = {account for ids in data.lists("accounts").values() for account in ids}
    for way, rule, problem in unanswered(conditions, accounts):
        yield fault(rule, way, problem)
    worlds = {"tags": without_tags}
    for world in unknown.asked_worlds(conditions) - {"tags"}:
        answer = workspace.partial(QUERY, *unknown.world_query(world))
        yield from undecidable(workspace.policies, {f"a server without {world}": answer})
        worlds[world] = Conditions(answer, uses)
    for way, problem in unknown.allowed_where_unknown(conditions, worlds):
        yield fault("allowed-where-unknown", way, problem)
    for way, problem in unknown.open_where_unknown(conditions, worlds):
        yield fault("open-where-unknown", way, problem)


def _advised(statements: Statements, data: Data, today: date) -> Iterator[Fault]:
    """Find what deserves a second look."""
    limits, _ = advice.limits(data)
    yield from advice.expiries(statements, today, limits)
    yield from advice.wide(statements)
    yield from advice.without_account(statements)
    yield from advice.rows_of_any_account(data)


def _not_run(test_folder: Folder) -> list[Fault]:
    if not test_folder.not_run:
        return []
    problem = (
        f"tests in packages below policy_tests.{ENGINE} are taken for those of the engine and are not run "
        f"({', '.join(test_folder.not_run)}); delete them, or give tests of yours another package"
    )
    return [Fault(rule="unread-file", file=test_folder.path / ENGINE, problem=problem, level="warning")]


def _untested(test_folder: Folder) -> Fault:
    problem = "holds no test; a test is a rule whose name begins with test_"
    return Fault(rule="test", file=test_folder.path, problem=problem)


def _strangers(workspace: Workspace, statements: Statements, worse: set[str | None]) -> Iterator[Fault]:
    """Find allowances that apply to a server of which nothing is known, but for those in which more is wrong."""
    ways = {way.id: way for way in statements.conditions.ways if way.kind == "allowance"}
    for name, strangers in tests.strangers(workspace).items():
        if name not in worse:
            way = ways.get(name) or Way("allowance", name, None, [])
            problem = f"applies to a server of which nothing is known ({', '.join(strangers)}); "
            remedy = "ask for what its account, id, tags or name must be"
            yield statements.written.fault("stranger", way, problem + remedy)


def _unfit(folder: Folder) -> Iterator[Fault]:
    for name, problem in folder.problems:
        yield Fault(rule="folder", file=folder.path / name if name else folder.path, problem=problem)


def _overlapping(policies: Folder, test_folder: Folder | None) -> Iterator[Fault]:
    for root, name in (test_folder.roots if test_folder else {}).items():
        if root in policies.roots and test_folder:
            problem = f"adds to {root}, which the policies define; let tests have packages that begin with policy_tests"
            yield Fault(rule="folder", file=test_folder.path / name, problem=problem)


def _unformatted(done: Any) -> Iterator[Fault]:
    for name in done.stdout.splitlines():
        content = Path(name).read_bytes()
        cause = " (it begins with a byte order mark)" if content.startswith(BOM_UTF8) else ""
        cause = " (its lines end in CRLF)" if b"\r\n" in content else cause
        yield Fault(rule="format", file=Path(name), problem=f"is not formatted{cause}; run `opa fmt --write {name}`")


def _of(folder: Folder, modules: Modules) -> Modules:
    files = {folder.path / name for name in folder.files}
    return {file: module for file, module in modules.items() if file in files}


def _order(fault: Fault) -> tuple[str, int, str]:
    return fault.file.as_posix() if fault.file else "", fault.line or 0, fault.problem
