"""xdist's session, for workers that are on several platforms: what happens to one is no matter of the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from xdist.dsession import DSession
from xdist.workermanage import NodeManager

from ..platform import posting
from ..platform.posting import Posting
from ..platform.trouble import Trouble, last_words
from . import sections
from .hook import hook
from .schedule import EachPlatform
from .verdicts import crash_reports

Location = tuple[str, int | None, str]


@dataclass(frozen=True, eq=False)
class _Absent:
    """Stands for a worker that was gone before it could be told anything."""

    gateway: Any
    workerinput: dict[str, Any] = field(default_factory=dict)


class _Told(set[Any]):
    """The cases that were told of, each once for every platform. pytest would count them by their names alone."""

    platform = ""
    """Whose cases are being told of."""

    def add(self, nodeid: Any) -> None:
        """Notes a case."""
        super().add((self.platform, nodeid))


class PlatformSession(DSession):  # type: ignore[misc]
    """Runs every case on every platform."""

    def __init__(
        self, config: pytest.Config, postings: Mapping[str, Posting], logs: Mapping[str, Path]
    ) -> None:
        """
        Args:
            postings: of the workers, by their names.
            logs: what the platforms of launched workers said, by the names of the workers.
        """
        super().__init__(config)
        self._postings = postings
        self._logs = logs
        self.troubles: dict[str, Trouble] = {}
        """What went wrong with platforms, by what they were asked for as."""
        self._schedule = EachPlatform(postings.values())
        self._begun: dict[Any, dict[str, Location]] = {}
        self._told = _Told()
        self._last: dict[str, Any] = {}
        """A worker of each platform, be it gone."""

    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> EachPlatform:
        """The scheduler, instead of one of xdist's."""
        return self._schedule

    def pytest_configure_node(self, node: Any) -> None:
        """Tells a worker where it is."""
        posting.tell(node.workerinput, self._postings[node.gateway.id])

    @hook(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Brings the workers in; one that is gone already keeps nobody else out."""
        self._session = session
        if self.terminal:
            self.terminal.showfspath = False  # names would alternate
            self.terminal._progress_nodeids_reported = self._told
        self.nodemanager = NodeManager(self.config)
        self.config.hook.pytest_xdist_setupnodes(config=self.config, specs=self.nodemanager.specs)
        for spec in self.nodemanager.specs:
            try:
                self._active_nodes.add(self.nodemanager.setup_node(spec, self.queue.put))
            except OSError as error:
                absent = _Absent(SimpleNamespace(id=spec.id))
                self.pytest_configure_node(absent)
                self._active_nodes.add(absent)
                self.queue.put(("errordown", {"node": absent, "error": error}))

    def pytest_runtestloop(self) -> bool:
        """Runs everything; then tells which platform did not collect what another one did."""
        done: bool = super().pytest_runtestloop()
        for asked, cases in self._schedule.missing().items():
            others = f"{len(cases)} cases that another platform has, {cases[0]} for one"
            self.troubles.setdefault(asked, Trouble(f"it did not collect {others}"))
            for case in cases:
                self._break(
                    self._last[asked],
                    case,
                    "this platform did not collect it, though another one did",
                )
        for asked in self._schedule.uneven():
            self.troubles.setdefault(asked, Trouble("its workers did not collect the same cases"))
        return done

    # --- what workers tell -------------------------------------------------------------------------------------

    def worker_collectionfinish(self, node: Any, ids: Sequence[str]) -> None:
        """A worker has collected."""
        super().worker_collectionfinish(node, ids)
        self._session.testscollected = self._schedule.expected

    def worker_logstart(self, node: Any, nodeid: str, location: Location) -> None:
        """A case begins."""
        self._begun.setdefault(node, {})[nodeid] = location
        super().worker_logstart(node, nodeid, location)

    def worker_testreport(self, node: Any, rep: pytest.TestReport) -> None:
        """A phase of a case has ended."""
        if rep.when == "teardown":
            self._begun.get(node, {}).pop(rep.nodeid, None)
        self._told.platform = posting.of(node).asked
        super().worker_testreport(node, rep)

    def worker_logfinish(self, node: Any, nodeid: str, location: Location) -> None:
        """A case has ended."""
        self._told.platform = posting.of(node).asked
        super().worker_logfinish(node, nodeid, location)

    def worker_workerfinished(self, node: Any) -> None:
        """A worker ends as it should, or because somebody interrupted it."""
        interrupted = node.workeroutput["exitstatus"] == pytest.ExitCode.INTERRUPTED
        self._part(node, "its worker was interrupted" if interrupted else "")
        node.gateway.exit()  # or its platform would be there to the end of the run, and need its share

    def worker_errordown(self, node: Any, error: object) -> None:
        """A worker's platform is gone."""
        self._part(node, self._last_words(node).reason or str(error))

    def worker_internal_error(self, node: Any, formatted_error: str) -> None:
        """A worker's pytest went wrong."""
        self._part(node, formatted_error.strip().rpartition("\n")[2])

    # --- what is lost ------------------------------------------------------------------------------------------

    def _part(self, node: Any, why: str) -> None:
        """A worker is gone.

        Args:
            why: empty when it ended as it should.
        """
        if node not in self._active_nodes:
            return
        self._active_nodes.remove(node)
        asked = posting.of(node).asked
        self._last[asked] = node
        begun = self._begun.pop(node, {})
        lost = self._schedule.remove_node(node, begun)
        if not why and (lost or begun):
            why = "its worker ended early"
        self.config.hook.pytest_testnodedown(node=node, error=why or None)
        if why and self._schedule.is_over(asked):
            stopped = "it stopped" if self._schedule.began(asked) else "it could not start"
            tail = self._last_words(node).tail
            self.troubles.setdefault(asked, Trouble(f"{stopped}: {why}", tail))
        for case, location in begun.items():
            self._break(node, case, f"the platform stopped while it ran: {why}", location)
        for case in lost:
            self._break(node, case, f"the platform stopped before it ran: {why}")

    def _last_words(self, node: Any) -> Trouble:
        log = self._logs.get(node.gateway.id)
        return last_words(log) if log else Trouble("")

    def _break(self, node: Any, case: str, why: str, location: Location | None = None) -> None:
        """Reports a case that no worker lived to report."""
        path = case.split("::", 1)[0]
        for report in crash_reports(case, location or (path, None, path), why):
            setattr(report, "node", node)
            self._told.platform = posting.of(node).asked
            sections.lose(report, f"{posting.of(node).asked}: {why}")
            self.config.hook.pytest_runtest_logreport(report=report)
            self._handlefailures(report)
