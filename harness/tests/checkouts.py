"""A checkout of a test's own, with cases of its own, that runs what this one has built."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from harness.build import current
from harness.records.results import Results

HERE = current()
SECONDS = 300

HEADER = """
    import os, signal, time
    import pytest
    from harness import *
    from harness import Lab
"""


class Checkout:
    """The folder, and pytest in it."""

    def __init__(self, root: Path, cases: str) -> None:
        self.root = root
        self.temporary = root / "tmp"
        self.temporary.mkdir()
        (root / "cases").mkdir()
        (root / "cases" / "test_it.py").write_text(dedent(HEADER) + dedent(cases))
        (root / "conftest.py").write_text('pytest_plugins = ["harness.plugin"]\n')
        # Files come and go in the temporary folder: no place to look for cases.
        (root / "pytest.ini").write_text(
            "[pytest]\naddopts = --strict-markers -p no:cacheprovider\ntestpaths = cases\n"
        )
        (root / "build").mkdir()
        (root / "build" / HERE.mode).symlink_to(HERE.folder)

    @property
    def results(self) -> list[Path]:
        """The files of records, the oldest first."""
        return sorted((self.root / "build" / "results").glob("*.jsonl"))

    def start(
        self, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """Starts pytest as a shell at a terminal would: in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=self.root,
            env={**self.environment(), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # A shell ignores SIGINT for what it starts in the background, these tests perhaps.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def environment(self) -> dict[str, str]:
        """Nothing of the pytest that runs this reaches that one."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
        return {
            **kept,
            "SOCKSPEC_ROOT": str(self.root),
            "PYTHONPATH": str(HERE.root),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(self.temporary),
        }


def results_of_cases(folder: Path, *arguments: str) -> Results:
    """The records of a run of pytest with this checkout's cases, in one of its own at the folder, which is made."""
    folder.mkdir()
    checkout = Checkout(folder, "")
    shutil.rmtree(folder / "cases")
    (folder / "cases").symlink_to(HERE.root / "cases")
    run = checkout.start("-q", *arguments)
    said, _ = run.communicate(timeout=SECONDS)
    assert run.returncode == 0, said[-4000:]
    return Results.of(checkout.results[-1]).relied_on()
