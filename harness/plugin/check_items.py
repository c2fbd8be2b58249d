"""Collects the cases of check_*.c files from their sources, and runs each in a lab of its own."""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from _pytest._code.code import ReprExceptionInfo, ReprFileLocation, ReprTracebackNative

from .. import build
from ..check import items, requirements, source
from ..check.source import CheckCase, CheckSourceError, read_cases, read_kinds
from ..falsify.run import now
from ..kept import kept
from ..lab.lab import Lab
from ..lab.process import Process
from ..verdict import Broken, ClaimFalse, Unsupported, without_place
from .labs import LAB, quiet_relay_of, settings_of

_GLUE = Path(__file__).resolve().parent.parent / "check"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Takes cases/check_*.c; those of harness/tests are programs of their own."""
    if file_path.match("cases/check_*.c"):
        file: CheckFile = CheckFile.from_parent(parent, path=file_path)
        return file
    return None


@functools.cache
def _shared_kinds() -> dict[str, list[str]]:
    return read_kinds(_shared(), _GLUE.parent.parent)


@functools.cache
def _shared() -> list[Path]:
    return sorted(_GLUE.glob("*.c"))


class CheckFile(pytest.File):
    """A check_*.c file."""

    def collect(self) -> Iterator[pytest.Item]:
        """Its items, in its order."""
        for case in self._cases():
            for name in case.requires:
                if name not in requirements.KNOWN:
                    raise CheckSourceError(
                        f"{self.nodeid}:{case.line}: REQUIRES({name!r}): there is no such requirement; "
                        f"there are {', '.join(requirements.KNOWN)}"
                    )
            marks = list(_marks(case))
            for item in case.ids:
                yield CheckItem.from_parent(self, name=item, case=case, marks=marks)

    def _cases(self) -> list[CheckCase]:
        return kept(
            build.current().kept,
            self.path.stem,
            [self.path, Path(source.__file__), *_shared()],
            lambda: read_cases(self.path, self.config.rootpath, _shared_kinds()),
        )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What cannot be read is said in a line."""
        if isinstance(excinfo.value, CheckSourceError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


def _marks(case: CheckCase) -> Iterator[pytest.Mark]:
    """A case's markers, which its items share."""
    for name, words in (
        ("about", case.about),
        ("behaviour", case.behaviour),
        ("requires", case.requires),
    ):
        if words:
            yield getattr(pytest.mark, name)(*words).mark
    for name, wanted in (("waits", case.waits), ("slow", case.slow)):
        if wanted:
            yield getattr(pytest.mark, name).mark


class CheckItem(pytest.Item):
    """A case with its kind."""

    def __init__(self, *, case: CheckCase, marks: Sequence[pytest.Mark], **other: Any) -> None:
        super().__init__(**other)
        self.case = case
        self.obj = _Documented(case.doc)
        """What a Python case's function is: it has the docstring."""
        self.own_markers.extend(marks)

    def runtest(self) -> None:
        """Runs it, under a conductor without a capture: opening and closing one takes longer than all else."""
        lab = Lab(settings_of(self.config), quiet_relay_of(self.config), watched=False)
        self.stash[LAB] = lab
        for name in self.case.requires:
            requirements.need(name, lab)
        program = build.current().programs / "cases" / self.path.stem
        deadline = self.config.getoption("deadline") or self.case.deadline
        with _changed(lab) as prepare:
            items.run(lab, program, self.name, deadline, prepare)

    def teardown(self) -> None:
        """Nothing stays behind, whoever interrupted what."""
        if (lab := self.stash.get(LAB, None)) is not None:
            lab.close()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What is false, or broken, is said by the message alone: it tells the place in the source."""
        if isinstance(excinfo.value, (Broken, ClaimFalse, Unsupported)):
            text = str(excinfo.value)
            # pytest's short summary has what follows the place.
            crash = ReprFileLocation(str(self.path), self.case.line, without_place(text))
            return ReprExceptionInfo(ReprTracebackNative([f"{text}\n"]), crash)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it stands."""
        return self.path, self.case.line - 1, self.name


def _changed(lab: Lab) -> AbstractContextManager[Callable[[Process], object] | None]:
    """What is to be done with the program at its exec so that it is told something false, if it is to be."""
    run = now()
    if run is None:
        return nullcontext()
    from ..falsify import calls

    return calls.changed(run, lab)


class _Documented:
    def __init__(self, doc: str) -> None:
        self.__doc__ = doc
