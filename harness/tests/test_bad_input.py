"""What a user can get wrong, or the machine lacks: one clear message, a status that is not 0, and nothing left behind."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.tests import traces
from harness.tests.checkouts import HERE, Checkout
from harness.tests.traces import Orphans

SECONDS = 300.0
GOES = 5.0
ROOT = os.geteuid() == 0
"""An ordinary user needs a user namespace for what root can do without."""
ROOM = 1 << 16
"""Bytes that pytest makes sure of before it builds."""
WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])


@dataclass(frozen=True)
class Run:
    """What a run of pytest gave."""

    status: int
    output: str

    def says(self, text: str) -> bool:
        """Whether it says that, once, and does not drown it."""
        return self.output.count(text) == 1 and "Traceback" not in self.output


def run(argv: Sequence[str | Path], cwd: Path, environment: Mapping[str, str] | None = None) -> Run:
    """Runs a command till it ends."""
    done = subprocess.run(
        argv,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    return Run(done.returncode, done.stdout)


@pytest.fixture(autouse=True)
def orphans() -> Iterator[None]:
    """Looks in the end whether a process is left."""
    with Orphans() as orphans:
        yield
        assert orphans.left(GOES) == []


# --- what a case gets wrong ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('lab.start("tcpserv40", lab.port)', "unknown program 'tcpserv40': not in "),
        ('lab.start("tcpserv40", lab.port)', "did you mean tcpserv04"),
        ('lab.start("/nonexistent/x")', "there is no file /nonexistent/x"),
        ('lab.start("/etc/passwd")', "/etc/passwd is not executable"),
        (
            "lab.awaits(local=65536)",
            "port 65536 is out of range: a port is a number from 0 to 65535",
        ),
        ("lab.sockets(remote=-1)", "port -1 is out of range"),
        (
            'lab.start("tcpserv04", 65536).reach(entering("accept"))',
            "1 tcpserv04, dead, exit 100",
        ),
        ('lab.start("tcpserv04", 65536).reach(entering("accept"))', "usage: tcpserv04"),
        ('lab.start("tcpserv04").reach(entering("acept"))', '"acept" is no call that is watched'),
        ('lab.start("tcpserv04", host="mars")', "no such host"),
        ('lab.sysctl("net.ipv4.nonsense", 1)', "net.ipv4.nonsense: this kernel has none"),
    ],
)
def test_a_case_that_asks_for_what_is_not_there_is_broken(
    tmp_path: Path, body: str, message: str
) -> None:
    """And says what it is that is not there."""
    checkout = Checkout(
        tmp_path, f'def test_it(lab: Lab) -> None:\n        """A claim."""\n        {body}\n'
    )
    before = traces.files(tmp_path)
    with checkout.start() as pytest_:
        output, _ = pytest_.communicate(timeout=SECONDS)
    assert pytest_.returncode == pytest.ExitCode.TESTS_FAILED
    assert message in output and "Traceback" not in output, output
    assert "1 broken" in output.splitlines()[-1], output
    made = traces.files(tmp_path) - before
    evidence = {file for file in made if file.startswith("build/evidence")}
    assert made - evidence == {
        "build/results",
        *(f"build/results/{file.name}" for file in checkout.results),
    }


def test_a_port_out_of_range_is_refused_by_every_program(tmp_path: Path) -> None:
    """With its usage, and status 100."""
    for folder in ("servers", "clients"):
        for program in sorted((HERE.folder / folder).iterdir()):
            for port in ("65536", "-1", "x", "99999999999999999999"):
                host = ["127.0.0.1"] if folder == "clients" else []
                done = run([program, *host, port], tmp_path)
                assert done.status == 100 and "usage: " in done.output, (program, port, done)


# --- what the machine does not allow -------------------------------------------------------------------------------

ALONE = """
    echo 0 >/proc/sys/user/max_user_namespaces || exit 77
    exec setpriv --ambient-caps=-all --inh-caps=-all -- "$@"
"""
"""Forbids namespaces in a user namespace of its own, whose owner is the only one to notice, and gives up what would
allow them all the same."""


@WORKERS
def test_where_namespaces_are_forbidden_one_message_says_what_to_change(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    """As an ordinary user, without a user namespace to be had."""
    checkout = Checkout(tmp_path, "def test_it(lab: Lab) -> None: ...\n")
    before = traces.files(tmp_path)
    ordinary = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--keep-caps"]
    pytest_ = [sys.executable, "-m", "pytest", *workers]
    done = run([*ordinary, "sh", "-c", ALONE, "sh", *pytest_], tmp_path, checkout.environment())
    if done.status in (1, 77) and "sockspec" not in done.output:
        pytest.skip(f"no user namespace in which to forbid namespaces: {done.output.strip()}")
    assert done.status == pytest.ExitCode.USAGE_ERROR, done
    assert done.says(
        "sockspec: conductor: no more user namespaces: raise /proc/sys/user/max_user_namespaces, now 0"
        "; or do without namespaces: --isolation ports"
    ), done
    assert traces.files(tmp_path) == before


# --- what a build lacks --------------------------------------------------------------------------------------------


CASES = '''
import pytest
from harness import Lab, entering

@pytest.mark.parametrize("number", range(24))
def test_it(lab: Lab, number: int) -> None:
    """Enough records to fill some kilobytes."""
    lab.start("tcpserv04", lab.port).reach(entering("accept"))
'''


class Copy:
    """A copy of this checkout, built, in which to break things."""

    def __init__(self, root: Path) -> None:
        self.root = root
        skip = shutil.ignore_patterns("build", "cases", ".*", "__pycache__", "*.md")
        shutil.copytree(HERE.root, root, symlinks=True, ignore=skip)
        (root / "cases").mkdir()
        (root / "cases" / "test_it.py").write_text(CASES)
        self.kept = root.with_name("kept")
        self.kept.mkdir()
        # The products alone are enough for make to see that all is up to date, and their objects to build one anew.
        shutil.copytree(
            HERE.folder,
            self.kept / HERE.mode,
            symlinks=True,
            ignore=shutil.ignore_patterns("tidy", "cppcheck", "part", "go", "tests", "cases"),
        )

    def environment(self, **more: str) -> dict[str, str]:
        """Of pytest in it."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
        temporary = self.root.with_name("tmp")
        temporary.mkdir(exist_ok=True)
        dropped = ("SOCKSPEC_ROOT", "PYTHONPATH", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")
        kept = {k: v for k, v in kept.items() if k not in dropped}
        return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(temporary), **more}

    def make_stale(self) -> None:
        """Something is out of date."""
        (self.root / "servers" / "tcpserv04.c").touch()


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """A copy of the test's own."""
    return Copy(tmp_path / "copy")


def pytest_command(workers: tuple[str, ...]) -> list[str]:
    """Runs the cases of it."""
    return [sys.executable, "-m", "pytest", *workers]


@WORKERS
def test_without_a_compiler_one_message_says_what_to_install(
    copy: Copy, tmp_path: Path, workers: tuple[str, ...]
) -> None:
    """And nothing is run with what was built before."""
    copy.kept.rename(copy.root / "build")
    path = without_compiler(tmp_path / "bin")
    copy.make_stale()
    before = traces.files(copy.root)
    done = run(pytest_command(workers), copy.root, copy.environment(PATH=str(path)))
    assert done.status == pytest.ExitCode.USAGE_ERROR, done
    assert done.says("sockspec: cannot build") and done.says("apt-get install"), done
    assert "gcc" in done.output and len(done.output.splitlines()) < 8, done
    # The lock that builds wait at is made first of all, and kept.
    assert traces.files(copy.root) - before <= {"build/.lock"}


def without_compiler(folder: Path) -> Path:
    """A PATH with everything but compilers."""
    folder.mkdir()
    names = ("cc", "c89", "c99", "gcc", "clang", "tcc")
    for directory in os.environ["PATH"].split(":"):
        if not directory or not os.access(directory, os.R_OK | os.X_OK):
            continue
        for program in Path(directory).iterdir():
            if not any(part in program.name.split("-") for part in names):
                link = folder / program.name
                if not link.is_symlink():
                    link.symlink_to(program)
    assert shutil.which("cc", path=str(folder)) is None
    return folder


FULL = """
    mount -t tmpfs -o size=$((size + 4096))k none build || exit 77
    cp -a "$kept/." build/ && head -c "$room" /dev/zero >build/.lock && head -c "$left" /dev/zero >build/left
    cat /dev/zero >build/filler 2>/dev/null
    rm build/left
    exec "$@"
"""
"""Fills a disk of its own, that holds build/, but for what pytest makes sure of and some bytes more."""


def run_on_full_disk(copy: Copy, command: list[str], room: int, left: int) -> Run:
    """Runs it in mounts of its own. Skips the test where nothing can be mounted."""
    (copy.root / "build").mkdir()
    size = sum(f.lstat().st_size for f in copy.kept.rglob("*")) // 1024 * 5 // 4
    environment = copy.environment(
        kept=str(copy.kept), size=str(size), room=str(room), left=str(left)
    )
    private = (
        ["unshare", "--mount"] if ROOT else ["unshare", "--user", "--map-root-user", "--mount"]
    )
    mounts = traces.mounts()
    done = run([*private, "sh", "-c", FULL, "sh", *command], copy.root, environment)
    if done.status in (1, 77) and "sockspec" not in done.output:
        pytest.skip(f"no disk to fill can be mounted: {done.output.strip()}")
    assert traces.mounts() == mounts
    assert list((copy.root / "build").iterdir()) == []
    return done


@WORKERS
@pytest.mark.parametrize("left", [ROOM + 4096, ROOM + 40960])
def test_a_disk_that_is_full_while_building_is_named(
    copy: Copy, workers: tuple[str, ...], left: int
) -> None:
    """Nothing is run, and what was cut short is not taken for built."""
    copy.make_stale()
    for source in ("errno_name", "signal_name"):
        (copy.root / "harness" / "common" / f"{source}.c").touch()
    done = run_on_full_disk(copy, pytest_command(workers), 0, left)
    assert done.status == pytest.ExitCode.USAGE_ERROR, done
    assert done.says("the disk that holds build/ is full"), done
    assert len(done.output.splitlines()) < 5, done


@WORKERS
def test_a_disk_that_is_full_before_the_build_is_named(
    copy: Copy, workers: tuple[str, ...]
) -> None:
    """Also where nothing is out of date: the records would find no room."""
    done = run_on_full_disk(copy, pytest_command(workers), 0, 0)
    assert done.status == pytest.ExitCode.USAGE_ERROR, done
    assert done.says(
        f"sockspec: cannot write to {copy.root / 'build'}: No space left on device"
    ), done


@WORKERS
@pytest.mark.parametrize("left", [0, 8192])
def test_a_disk_that_is_full_when_records_are_written_is_named(
    copy: Copy, workers: tuple[str, ...], left: int
) -> None:
    """The verdicts are shown, but the run is no success."""
    done = run_on_full_disk(copy, pytest_command(workers), ROOM, left)
    assert done.status == pytest.ExitCode.INTERNAL_ERROR, done
    assert done.says("sockspec: cannot write "), done
    assert done.says("No space left on device"), done
    assert " passed" in done.output.splitlines()[-1], done
