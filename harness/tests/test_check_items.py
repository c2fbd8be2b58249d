"""Items of cases in C: an error in a helper, and an item that does not tell of itself as it should, are *broken*."""

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from harness import Broken, Lab, build
from harness.check import items
from harness.check.source import read_cases, read_kinds
from harness.errno_names import Errno
from harness.lab.moment import entering, leaving
from harness.lab.process import Process
from harness.plugin.labs import quiet_relay_of, settings_of
from harness.tests.checkouts import HERE, Checkout
from harness.trace.event import Call
from harness.verdict import ClaimFalse

ROOT = Path(__file__).resolve().parent.parent.parent
GLUE = ROOT / "harness" / "check"
ITEMS = ROOT / "harness" / "tests" / "items"
KINDS = read_kinds(sorted(GLUE.glob("*.c")), ROOT)
HEADERS = sorted(set(GLUE.glob("*.h")) - {GLUE / "expect.h"})
NEVER_FAIL = {"count_in", "told_by"}
UNSEEN = {"lose_privileges"}
"""Those whose calls the conductor does not report, and so cannot make fail."""
CASES = read_cases(ITEMS / "helpers.c", ROOT, KINDS)
LIBRARY = {"rt_sigaction", "rt_sigprocmask"}
"""Calls that pthread_create makes and takes for granted."""
INJECTED = Errno.EIO
"""No helper expects it of any call."""
POLLING = ("falls_asleep",)
"""Helpers that look as often as they must, which differs from run to run: it is the first look that is made to fail."""
ENOUGH = 8
"""Calls of a name that are made to fail one by one: some helpers send a thousand times."""


def program(name: str) -> Path:
    """The executable of a file in items/."""
    return build.current().folder / "tests" / "items" / name


def new_lab(config: pytest.Config) -> Lab:
    """As items have it."""
    return Lab(settings_of(config), quiet_relay_of(config))


# --- helpers -------------------------------------------------------------------------------------------------------


def helpers() -> set[str]:
    """Those that tell of an error by -1: all that give an int."""
    declared = [re.findall(r"^int (\w+)\(", path.read_text(), re.M) for path in HEADERS]
    return {name for names in declared for name in names} - NEVER_FAIL - UNSEEN


def test_each_helper_is_looked_at() -> None:
    """A helper that is in no case of items/helpers.c is one that nobody has seen fail."""
    assert {case.name.removeprefix("of_") for case in CASES} == helpers()


def between_moments(process: Process) -> list[Call]:
    """The calls of the helper; without a second moment those till the verdict."""
    calls = process.calls()
    first, last, *_ = [at for at, call in enumerate(calls) if call.name == "kill" or tells(call)]
    return calls[first + 1 : last]


def tells(call: Call) -> bool:
    """Whether it hands a verdict over."""
    return call.name == "write" and call.args["fd"] == items.DESCRIPTOR


def made_by(config: pytest.Config, item: str) -> list[tuple[str, int]]:
    """The calls of the helper: the name, and the how manieth of that name. It has to hold, or, where the helper makes
    none, to be broken."""
    started: list[Process] = []
    with new_lab(config) as lab:
        try:
            items.run(lab, program("helpers"), item, prepare=started.append)
            whole = True
        except Broken as error:
            helper = item.partition("[")[0].removeprefix("of_")
            assert re.search(rf"set-up {helper}\(.*\) gave E", str(error))
            whole = False
        calls = between_moments(started[0])
    assert bool(calls) == whole
    count: Counter[str] = Counter()
    found = []
    for call in calls:
        count[call.name] += 1
        found.append((call.name, count[call.name]))
    enough = 1 if item.partition("[")[0].removeprefix("of_") in POLLING else ENOUGH
    return [each for each in found if each[1] <= enough and each[0] not in LIBRARY]


def with_error(config: pytest.Config, item: str, call: str, nth: int) -> str:
    """What is said when that call of the helper fails."""

    def spoil(process: Process) -> None:
        process.reach(leaving("kill"))
        process.inject(entering(call, nth), INJECTED)

    with new_lab(config) as lab:
        try:
            items.run(lab, program("helpers"), item, prepare=spoil)
        except Broken as error:
            return str(error)
    return "passed"


def told_badly(config: pytest.Config, item: str) -> Sequence[str]:
    """The calls of the helper whose errors are not told of as they should be, with what was said."""
    helper = item.partition("[")[0].removeprefix("of_")
    as_it_should = re.compile(rf"\.c:\d+: the set-up {helper}\(.*\) gave E")
    said = {
        f"{call} {nth}": with_error(config, item, call, nth) for call, nth in made_by(config, item)
    }
    return [f"{call}: {text}" for call, text in said.items() if not as_it_should.search(text)]


@pytest.mark.parametrize("item", [item for case in CASES for item in case.ids])
def test_an_error_in_a_helper_is_broken(item: str, request: pytest.FixtureRequest) -> None:
    """Whichever of its calls fails, the item says which helper gave which errno, and does not pass."""
    assert told_badly(request.config, item) == []


# --- items that misbehave ------------------------------------------------------------------------------------------

BROKEN = {
    "crashes": "was killed by SIGSEGV",
    "crashes_at_the_end": "was killed by SIGABRT",
    "hangs": "did not end: awaited",
    "exits": "handed over no verdict, and ended with exit code 0",
    "exits_at_once": "handed over no verdict, and ended with exit code 0",
    "says_passed_and_exits": "handed over passed, but ended with exit code 0 before Check had counted it",
    "says_passed_twice": "handed over passed, passed, and ended with exit code 0",
    "writes_garbage": "handed over what is no verdict: 'passed'",
    "closes_the_descriptor": "handed over no verdict, and ended with exit code 0",
    "passes_but_ends_otherwise": "handed over passed, but ended with exit code 7",
    "fails_but_ends_with_success": "handed over failed, but ended with exit code 0",
    "claims_in_a_child": "handed over broken, passed, and ended with exit code 0",
    "leaves_a_folder": "was killed by SIGKILL",
    "is_nowhere": "handed over no verdict, and ended with exit code 100",
}


def run(config: pytest.Config, item: str, deadline: float | None = None) -> None:
    """Runs an item of misbehaving.c."""
    with new_lab(config) as lab:
        items.run(lab, program("misbehaving"), item, deadline)


@pytest.mark.parametrize("item", BROKEN)
def test_an_item_that_misbehaves_is_broken(item: str, request: pytest.FixtureRequest) -> None:
    """Neither passed nor failed, and the message says how it misbehaved."""
    deadline = 1 if item == "hangs" else None
    with pytest.raises(Broken, match=f"^{item} {re.escape(BROKEN[item])}"):
        run(request.config, item, deadline)


def test_an_item_that_behaves_has_its_verdict(request: pytest.FixtureRequest) -> None:
    """What is not broken is told apart."""
    run(request.config, "behaves")
    with pytest.raises(ClaimFalse, match=r"misbehaving\.c:\d+: 1: expected 2, got 1"):
        run(request.config, "claims_what_is_false")


def checkout(root: Path) -> Checkout:
    """One whose cases are those of misbehaving.c."""
    made = Checkout(root, "")
    built = root / "build" / HERE.mode
    built.unlink()
    built.mkdir()
    for path in HERE.folder.iterdir():
        if path.name != "cases":
            (built / path.name).symlink_to(path)
    (built / "cases").mkdir()
    (built / "cases" / "check_it").symlink_to(program("misbehaving"))
    shutil.copy(ITEMS / "misbehaving.c", root / "cases" / "check_it.c")
    return made


def test_a_false_claim_is_told_in_a_line(tmp_path: Path) -> None:
    """pytest's short summary says what was false; the evidence shows no call that only tells of it."""
    pytest_there = checkout(tmp_path).start(
        "-k", "claims_what_is_false", environment={"COLUMNS": "200"}
    )
    said, _ = pytest_there.communicate(timeout=60)
    assert "FAILED cases/check_it.c::claims_what_is_false - 1: expected 2, got 1" in said
    assert "exit_group(1)" in said
    assert "write(3" not in said


# --- what is left behind -------------------------------------------------------------------------------------------


def folders_in(folder: Path) -> set[str]:
    """The names of items' folders there."""
    return {path.name for path in folder.glob("sockspec.??????")}


def test_a_crashed_item_leaves_nothing(request: pytest.FixtureRequest) -> None:
    """Its folder was the lab's."""
    shared = Path("/dev/shm")
    before = folders_in(shared)
    bound: list[Process] = []
    with pytest.raises(Broken, match="SIGKILL"):
        with new_lab(request.config) as lab:
            items.run(lab, program("misbehaving"), "leaves_a_folder", prepare=bound.append)
    assert folders_in(shared) <= before


def test_a_program_run_by_hand_leaves_nothing() -> None:
    """Those of items that crashed are removed at the end."""
    with TemporaryDirectory(dir="/tmp") as folder:  # a name of a UNIX socket has 108 bytes
        done = subprocess.run(
            [program("misbehaving")],
            env={"TMPDIR": folder, "CK_RUN_CASE": "leaves_a_folder"},
            capture_output=True,
            text=True,
            check=False,
        )
        left = os.listdir(folder)
    assert "signal 9" in done.stdout
    assert done.returncode == 1
    assert left == []
