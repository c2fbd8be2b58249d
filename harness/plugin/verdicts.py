"""The verdict of a case, in its report and its record."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from .. import build
from ..evidence.gathered import Gathered
from ..falsify import run as falsify
from ..lab import keep
from ..lab.lab import Lab
from ..platform import cargo, posting
from ..records.results import Record
from ..verdict import Broken, ClaimFalse, Unsupported, Verdict
from .assertions import seen_in
from .collection import is_case
from .expected import judged
from .hook import hook
from .labs import LAB
from .recording import of_item
from .sections import attach


@hook(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Ends the lab, so that the end belongs to the verdict, and puts the verdict into the report."""
    began = perf_counter()
    lab = item.stash.get(LAB, None)
    gathered = _conclude(item, call, lab) if lab and call.when == "call" else Gathered()
    ending = perf_counter() - began
    outcome: Any = yield
    report: pytest.TestReport = outcome.get_result()
    # Markers and names by the dozen, three times for each case on its way to the first process; and nobody reads them.
    report.keywords = {}
    verdict = verdict_of(call)
    if verdict is Verdict.UNSUPPORTED:
        _make_skipped(item, call, report)
    if is_case(item.config, item.nodeid):
        if verdict is Verdict.PASSED and call.when != "call":
            return  # set-up and clean-up decide only when they go wrong
        record = replace(
            of_item(item, verdict, _message(call, report)),
            duration=ending,
            seen=seen_in(item, call),
        )
        _set_verdict(item, report, record, gathered, lab)
    elif gathered.text:
        report.sections.append(("evidence", gathered.text))


def _conclude(item: pytest.Item, call: pytest.CallInfo[None], lab: Lab) -> Gathered:
    """Looks whether the lab can be relied on, takes the evidence if it is wanted, and ends the lab."""
    gathered = Gathered()
    try:
        if call.excinfo is None:
            lab.verify()
    except Broken:
        call.excinfo = pytest.ExceptionInfo.from_current()
    failed = verdict_of(call) in (Verdict.FAILED, Verdict.BROKEN) and not falsify.changing()
    if failed or item.config.getoption("evidence") or item.config.getoption("evidence_dir"):
        gathered = Gathered.of(lab)
    if failed and item.config.getoption("keep_lab"):
        _keep(item, call, lab)
    try:
        lab.close()
    except Broken:
        call.excinfo = call.excinfo or pytest.ExceptionInfo.from_current()
    return gathered


def _keep(item: pytest.Item, call: pytest.CallInfo[None], lab: Lab) -> None:
    """Stops until somebody has looked at the lab."""
    if item.config.pluginmanager.hasplugin("timeout"):
        item.ihook.pytest_timeout_cancel_timer(item=item)
    capture: Any = item.config.pluginmanager.getplugin("capturemanager")
    # Standard input too: on a terminal somebody presses Enter.
    capture.suspend(in_=True)
    try:
        keep.pause(f"{item.nodeid}: {call.excinfo.exconly() if call.excinfo else ''}", lab)
    finally:
        capture.resume()


def verdict_of(call: pytest.CallInfo[None]) -> Verdict:
    """What a phase of a case gave."""
    if call.excinfo is None:
        return Verdict.PASSED
    if isinstance(call.excinfo.value, (Unsupported, pytest.skip.Exception)):
        return Verdict.UNSUPPORTED
    if isinstance(call.excinfo.value, AssertionError) and call.when == "call":
        return Verdict.FAILED
    return Verdict.BROKEN


def _make_skipped(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> None:
    path, line, _ = item.reportinfo()
    report.outcome = "skipped"
    report.longrepr = (os.fspath(path), (line or 0) + 1, f"Skipped: {_reason(call)}")


def _reason(call: pytest.CallInfo[None]) -> str:
    value = call.excinfo.value if call.excinfo else ""
    return str(getattr(value, "msg", None) or value)


def _message(call: pytest.CallInfo[None], report: pytest.TestReport) -> str:
    if call.excinfo is None:
        return ""
    if isinstance(call.excinfo.value, (Broken, ClaimFalse, Unsupported, pytest.skip.Exception)):
        return _reason(call)
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message) if crash else call.excinfo.exconly()


def _set_verdict(
    item: pytest.Item,
    report: pytest.TestReport,
    record: Record,
    gathered: Gathered,
    lab: Lab | None,
) -> None:
    if lab:
        record = replace(record, sysctls=lab.sysctls, observations=lab.observations)
    record = judged(item.config, report, record)
    if record.verdict is Verdict.BROKEN and report.when == "call":
        # What broke is the set-up, and so it is an error, not a failure, in JUnit.
        report.when = "setup"
    if gathered.text:
        record = gathered.into(record, _evidence_folder(item.config), build.current().root)
    attach(report, record)
    if posting.of(item.config).keeps_files:
        cargo.load(report, record, build.current().root)
    properties = [(name, value) for name, value in item.user_properties if name != "verdict"]
    item.user_properties[:] = [*properties, ("verdict", str(record.verdict))]


def _evidence_folder(config: pytest.Config) -> Path:
    top = Path(config.getoption("evidence_dir") or build.current().evidence)
    return top / posting.of(config).name


def crash_reports(
    nodeid: str, location: tuple[str, int | None, str], message: str
) -> list[pytest.TestReport]:
    """What stands for the reports of a test whose process died."""
    properties = [("verdict", str(Verdict.BROKEN))]
    broken = pytest.TestReport(nodeid, location, {}, "failed", message, "setup")
    ended = pytest.TestReport(
        nodeid, location, {}, "passed", None, "teardown", user_properties=properties
    )
    return [broken, ended]
