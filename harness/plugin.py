"""The pytest plugin: the lab fixture, verdicts, cases that run beside the others, records and reports.

The only file that knows pytest.
"""

import os
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

import pytest
from _pytest.runner import runtestprotocol

from . import build, keep, options, platforms, sections
from .children import Children, Finished, die_with_parent
from .conductor import ConductorFailed
from .gathered import Gathered
from .lab import Lab, Settings
from .relay import Relay
from .recording import of_crash, of_item, words
from .results import Merger, Record, ResultFile
from .sections import attach, attached, told
from .verdict import Broken, Unsupported, Verdict
from .workers import Hangup, interactor_of, is_worker, part_from_parent

_LAB = pytest.StashKey[Lab]()
_RELAY = pytest.StashKey[Relay]()
_AT_ONCE = 64
_LONGEST = 600.0
"""Seconds that a case beside the others may take."""
_DEADLINE = 5.0
_DEADLINE_SANITIZED = 10.0
_CRASHED = "???"
"""The phase that xdist gives a report on a test whose worker died."""

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _hook(**options: bool) -> Callable[[_Function], _Function]:
    # pytest.hookimpl, whose types are not known to every version of it.
    mark: Callable[[_Function], _Function] = pytest.hookimpl(**options)
    return mark


# --- options and markers -------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds sockspec's options."""
    options.add(parser.getgroup("sockspec"))


def pytest_configure(config: pytest.Config) -> None:
    """Registers the parts: in every process those that run cases, in the first one those that tell of them."""
    for marker in options.MARKERS:
        config.addinivalue_line("markers", marker)
    if wrong := options.contradiction(config):
        raise pytest.UsageError(f"sockspec: {wrong}")
    parts: list[object] = [Beside(config)]
    if is_worker(config):
        # The first process may be killed without a chance to tell us.
        die_with_parent(os.getppid())
    else:
        recorder = Recorder(config)
        shown = Sections(config, recorder)
        parts += [Preparation(config), recorder, shown, Between(shown), Lost()]
    for part in parts:
        config.pluginmanager.register(part, f"sockspec-{type(part).__name__.lower()}")


def _is_case(config: pytest.Config, nodeid: str) -> bool:
    path = Path(nodeid.split("::", 1)[0])
    return path.parts[:1] == ("cases",) and not config.getoption("collectonly")


# --- collection ----------------------------------------------------------------------------------------------------


def pytest_itemcollected(item: pytest.Item) -> None:
    """Lets -k find a case by what it is about."""
    item.extra_keyword_matches.update(words(item, "about"), words(item, "scenario"))


@_hook(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the slow ones out, and brings what mostly sleeps to the front, so that it sleeps beside the others."""
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow and not config.getoption("slow"):
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    order = ("slow", "waits")
    return next((n for n, name in enumerate(order) if item.get_closest_marker(name)), len(order))


# --- the lab -------------------------------------------------------------------------------------------------------


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A lab of the case's own, gone without trace when the case ends."""
    with Lab(_settings(request.config), _relay(request.config)) as lab:
        request.node.stash[_LAB] = lab
        for mark in request.node.iter_markers("requires"):
            for privilege in mark.args:
                lab.needs(privilege)
        yield lab


def _settings(config: pytest.Config) -> Settings:
    here = build.current()
    usual = _DEADLINE_SANITIZED if here.sanitized else _DEADLINE
    return Settings(
        programs=here.folder,
        deadline=config.getoption("deadline") or usual,
        sanitized=here.sanitized,
    )


def _relay(config: pytest.Config) -> Relay:
    """The one that this process takes its conductors from, made when first asked for."""
    relay = config.stash.get(_RELAY, None)
    if relay is None:
        relay = config.stash[_RELAY] = Relay(build.current().conductor, _cpu(config))
        os.register_at_fork(after_in_child=relay.forget)
    return relay


@_hook(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Nothing stays behind; a conductor that does not end in order is no success."""
    try:
        if (relay := session.config.stash.get(_RELAY, None)) is not None:
            relay.close()
    except ConductorFailed as error:
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        print(f"sockspec: {error}", file=sys.stderr)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Nothing stays behind where there was no session to finish."""
    if (relay := config.stash.get(_RELAY, None)) is not None:
        relay.close()


def _cpu(config: pytest.Config) -> int | None:
    """Workers share the processors out among them; a lone pytest leaves it to the conductor."""
    if not is_worker(config):
        return None
    worker = str(getattr(config, "workerinput")["workerid"])
    allowed = sorted(os.sched_getaffinity(0))
    number = int("".join(filter(str.isdigit, worker)) or 0)
    return allowed[number % len(allowed)]


# --- verdicts ------------------------------------------------------------------------------------------------------


@_hook(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Ends the lab, so that the end belongs to the verdict, and puts the verdict into the report."""
    began = perf_counter()
    lab = item.stash.get(_LAB, None)
    gathered = _conclude(item, call, lab) if lab and call.when == "call" else Gathered()
    ending = perf_counter() - began
    outcome: Any = yield
    report: pytest.TestReport = outcome.get_result()
    verdict = _verdict(call)
    if verdict is Verdict.UNSUPPORTED:
        _make_skipped(item, call, report)
    if _is_case(item.config, item.nodeid):
        _set_verdict(item, report, verdict, _message(call, report), gathered, ending, lab)
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
    failed = _verdict(call) in (Verdict.FAILED, Verdict.BROKEN)
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


def _verdict(call: pytest.CallInfo[None]) -> Verdict:
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
    if isinstance(call.excinfo.value, (Broken, Unsupported, pytest.skip.Exception)):
        return _reason(call)
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message) if crash else call.excinfo.exconly()


def _set_verdict(
    item: pytest.Item,
    report: pytest.TestReport,
    verdict: Verdict,
    message: str,
    gathered: Gathered,
    ending: float,
    lab: Lab | None,
) -> None:
    if verdict is Verdict.PASSED and report.when != "call":
        return  # set-up and clean-up decide only when they go wrong
    if verdict is Verdict.BROKEN and report.when == "call":
        # What broke is the set-up, and so it is an error, not a failure, in JUnit.
        report.when = "setup"
    record = replace(
        of_item(item, verdict, message),
        duration=ending,
        sysctls=lab.sysctls if lab else {},
        observations=lab.observations if lab else (),
    )
    attach(report, gathered.into(record, _evidence_folder(item.config), build.current().root))
    properties = [(name, value) for name, value in item.user_properties if name != "verdict"]
    item.user_properties[:] = [*properties, ("verdict", str(verdict))]


def _evidence_folder(config: pytest.Config) -> Path:
    return Path(config.getoption("evidence_dir") or build.current().evidence)


def _crash_reports(
    nodeid: str, location: tuple[str, int | None, str], message: str
) -> list[pytest.TestReport]:
    """What stands for the reports of a test whose process died."""
    properties = [("verdict", str(Verdict.BROKEN))]
    broken = pytest.TestReport(nodeid, location, {}, "failed", message, "setup")
    ended = pytest.TestReport(
        nodeid, location, {}, "passed", None, "teardown", user_properties=properties
    )
    return [broken, ended]


# --- cases that mostly sleep ---------------------------------------------------------------------------------------


class Beside:
    """Runs cases that wait, or are slow, in children of this process, which goes on with the busy ones."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._children: Children[pytest.Item] = Children(_AT_ONCE, _LONGEST)
        self._reports: list[pytest.TestReport] | None = None
        """Not None: this process is such a child."""

    @_hook(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Takes an item over if it is one that waits."""
        if self._reports is not None:
            self._reports += runtestprotocol(item, log=False, nextitem=None)
            return True
        self._log(self._children.finished())
        if not self._takes(item):
            return None
        if is_worker(self._config):
            # So that the first process knows of it, should this one die.
            item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        # What the item before left standing for this one is of no use to the one behind.
        getattr(item.session, "_setupstate").teardown_exact(nextitem)
        self._children.add(item, lambda: self._work(item))
        return True

    def _takes(self, item: pytest.Item) -> bool:
        marked = item.get_closest_marker("waits") or item.get_closest_marker("slow")
        stops = self._config.getoption("usepdb") or self._config.getoption("keep_lab")
        return bool(marked) and not stops

    def _work(self, item: pytest.Item) -> bytes:
        """In the child: runs the item; its reports."""
        self._reports = []
        part_from_parent(self._config)
        try:
            item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
        except KeyboardInterrupt:
            getattr(item.session, "_setupstate").teardown_exact(None)
            raise
        hook = self._config.hook
        return pickle.dumps(
            [
                hook.pytest_report_to_serializable(config=self._config, report=r)
                for r in self._reports
            ]
        )

    @_hook(hookwrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        """Waits for those that are still out when all others are done."""
        try:
            outcome: Any = yield
            if outcome.excinfo is None and len(self._children):
                self._gather(session)
        finally:
            self._children.abort()

    def _gather(self, session: pytest.Session) -> None:
        hangup = Hangup(interactor_of(self._config))
        for finished in self._children.wait(hangup.wake):
            self._log([finished])
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)

    def _log(
        self, finished: Iterator[Finished[pytest.Item]] | Sequence[Finished[pytest.Item]]
    ) -> None:
        for child in finished:
            item = child.key
            if not is_worker(self._config):
                item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
            self._log_reports(item, self._read(child))
            item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)

    def _log_reports(self, item: pytest.Item, reports: Sequence[pytest.TestReport]) -> None:
        interactor = interactor_of(self._config)
        current = getattr(interactor, "item_index", None)
        if interactor is not None:
            # A worker labels a report with the item it is at; this one is about an earlier one.
            interactor.item_index = item.session.items.index(item)
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        if interactor is not None:
            interactor.item_index = current

    def _read(self, child: Finished[pytest.Item]) -> list[pytest.TestReport]:
        item = child.key
        hook = self._config.hook
        if child.data is not None:
            return [
                hook.pytest_report_from_serializable(config=self._config, data=data)
                for data in pickle.loads(child.data)
            ]
        message = f"the process that ran it ended with {child.status} before it gave a verdict"
        reports = _crash_reports(item.nodeid, item.location, message)
        if _is_case(self._config, item.nodeid):
            attach(reports[0], of_item(item, Verdict.BROKEN, message))
        return reports


class Lost:
    """Reports the tests that a worker began and never ended, because it died with them."""

    def __init__(self) -> None:
        self._begun: dict[str, tuple[str, int | None, str]] = {}

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """Notes a beginning."""
        self._begun[nodeid] = location

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes an end."""
        if report.when in ("teardown", _CRASHED):
            self._begun.pop(report.nodeid, None)

    @_hook(hookwrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        """Makes up the reports when all is over."""
        outcome: Any = yield
        if outcome.excinfo is None:
            for nodeid, location in list(self._begun.items()):
                died = "its worker died before it gave a verdict"
                for report in _crash_reports(nodeid, location, died):
                    session.config.hook.pytest_runtest_logreport(report=report)


# --- before the first case -----------------------------------------------------------------------------------------


class Preparation:
    """Brings the build up to date and looks once whether labs can be made at all."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @_hook(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Stops everything with one message when no case could run."""
        if self._config.getoption("collectonly"):
            return
        here = build.current()
        try:
            here.bring_up_to_date(self._say)
            if here.conductor.exists():
                relay = _relay(self._config)
                relay.retire(relay.take())
        except (build.BuildFailed, ConductorFailed) as error:
            raise pytest.UsageError(f"sockspec: {error}") from None

    def _say(self, text: str) -> None:
        terminal: Any = self._config.pluginmanager.getplugin("terminalreporter")
        if terminal is not None:
            terminal.write_line(f"sockspec: {text}")

    def pytest_report_header(self) -> str:
        """Which platform and which build."""
        return f"sockspec: {platforms.here().name}, {build.current().mode} build"


# --- after each case -----------------------------------------------------------------------------------------------


class Recorder:
    """Writes one result record for each case, in the first process only."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._file = ResultFile(build.current().results, datetime.now())
        self._began = perf_counter()
        self._merger = Merger()
        self.records: list[Record] = []
        self.trouble = ""
        """Why records could not be written."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Puts the phases of a case together."""
        if not _is_case(self._config, report.nodeid):
            return
        record = attached(report) or (
            of_crash(report.nodeid, str(report.longrepr)) if report.failed else None
        )
        last = report.when in ("teardown", _CRASHED)
        if done := self._merger.add(report.nodeid, report.duration, record, last):
            self.records.append(done)
            self._guard(lambda: self._file.add(done))

    def _guard(self, write: Any) -> None:
        try:
            write()
        except OSError as error:
            self.trouble = self.trouble or f"cannot write {self._file.path}: {error.strerror}"

    @_hook(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Closes the file; a run whose records are not whole is no success."""
        self._guard(self._file.close)
        self._guard_cache(session)
        if self.trouble:
            _spoil(session)

    def _guard_cache(self, session: pytest.Session) -> None:
        """What pytest keeps for its next run, --lf, is written after this, and dies of a full disk."""
        cache: Any = getattr(session.config, "cache", None)
        if cache is None:
            return
        keep = cache.set

        def guarded(key: str, value: object) -> None:
            try:
                keep(key, value)
            except (OSError, UserWarning) as error:
                reason = getattr(error, "strerror", None) or error
                self.trouble = self.trouble or f"cannot write pytest's cache: {reason}"
                _spoil(session)

        cache.set = guarded

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return perf_counter() - self._began


def _spoil(session: pytest.Session) -> None:
    if session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


# --- what a person sees --------------------------------------------------------------------------------------------

_SHOWN = {
    Verdict.FAILED: ("failed", "F", "FAILED"),
    Verdict.BROKEN: ("broken", "B", "BROKEN"),
    Verdict.UNSUPPORTED: ("unsupported", "u", "UNSUPPORTED"),
}


@_hook(tryfirst=True)
def pytest_report_teststatus(report: Any, config: pytest.Config) -> tuple[str, str, str] | None:
    """The letter and the word of a case's verdict."""
    record = attached(report)
    if record is not None:
        return _SHOWN.get(record.verdict)
    if (
        getattr(report, "failed", False)
        and report.when != "collect"
        and _is_case(config, report.nodeid)
    ):
        return _SHOWN[Verdict.BROKEN]
    return None


class Sections:
    """The sections at the end: what failed, what was broken, what is unsupported, and the summary."""

    def __init__(self, config: pytest.Config, recorder: Recorder) -> None:
        self._config = config
        self._recorder = recorder
        self._failed: list[Any] = []

    @_hook(hookwrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Iterator[None]:
        """Shows failed cases its own way: hides them from pytest's own section, but not from what follows it."""
        stats = terminalreporter.stats
        failed = stats.pop("failed", [])
        self._failed = [report for report in failed if attached(report)]
        if others := [report for report in failed if not attached(report)]:
            stats["failed"] = others
        yield
        for report in stats.get("broken", []):
            first = told(report).message.partition("\n")[0]
            terminalreporter.write_line(f"BROKEN {report.nodeid} - {first}", red=True)
        if self._recorder.trouble:
            terminalreporter.write_line(f"sockspec: {self._recorder.trouble}", red=True)

    def show(self, terminal: Any) -> None:
        """Writes the sections."""
        stats = terminal.stats
        if self._failed:
            stats["failed"] = [*stats.get("failed", []), *self._failed]
        sections.show(terminal, "FAILED", self._failed)
        sections.show(terminal, "BROKEN", stats.get("broken", []))
        if self._config.getoption("evidence"):
            sections.show_evidence(terminal, stats.get("passed", []))
        sections.show_unsupported(terminal, self._recorder.records)
        if self._config.getoption("conformance_summary"):
            table = self._config.rootpath / "cases" / "scenarios.toml"
            sections.show_summary(terminal, self._recorder.records, table, self._recorder.elapsed)


class Between:
    """Runs between pytest's long sections and its short ones."""

    def __init__(self, sections: Sections) -> None:
        self._sections = sections

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        self._sections.show(terminalreporter)
