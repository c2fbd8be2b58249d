"""Programs of another ABI: started by an emulator, called by their own names, their errnos by their own numbers."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from signal import SIGSEGV

import pytest

from harness import EADDRINUSE, Lab, Unsupported, entering, exited, killed_by, leaving
from harness import build
from harness.control.relay import Relay
from harness.errno_names import Errno
from harness.lab.lab import Settings
from harness.platform import abi, identity
from harness.reports import errnos

from harness.tests.checkouts import HERE

IN_USE = {"sparc64": 48, "alpha": 48, "mips": 125, "hppa": 226}
"""EADDRINUSE by the kernel's arch/*/include/uapi/asm/errno.h and asm-generic/errno.h."""
LIBC = {"alpha": "libc6.1"}


@pytest.fixture(params=abi.FOREIGN)
def foreign(request: pytest.FixtureRequest) -> build.Build:
    """A build of the programs for each ABI.

    Raises:
        Unsupported: nothing here compiles or runs them.
    """
    name: str = request.param
    needed = {
        f"gcc-{name}-linux-gnu": shutil.which(f"{name}-linux-gnu-gcc"),
        f"{LIBC.get(name, 'libc6')}-dev-{name}-cross": Path(
            f"/usr/{name}-linux-gnu/include/errno.h"
        ).exists(),
        "qemu-user": shutil.which(f"qemu-{name}"),
    }
    if missing := [package for package, found in needed.items() if not found]:
        raise Unsupported(f"programs for {name} need the Debian packages {', '.join(missing)}")
    # The programs alone: for the cases in C their library would have to be built.
    clean = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    make = ["make", "-s", "-C", os.fspath(HERE.root), f"PROGRAMS={name}", "build"]
    subprocess.run(make, check=True, env=clean)
    return replace(HERE, abi=name)


@pytest.fixture
def lab(foreign: build.Build) -> Iterator[Lab]:
    """A lab for those programs."""
    settings = Settings(foreign.programs, abi.launcher(foreign.abi), deadline=20)
    relay = Relay(foreign.conductor, None, ahead=0)
    with Lab(settings, relay) as lab:
        yield lab
    relay.close()


def test_eaddrinuse_has_the_number_of_the_abi(foreign: build.Build, lab: Lab) -> None:
    """The program prints it, the headers say so, and it is the outcome's."""
    lab.start("flood_server", lab.port).reach(entering("accept"))
    second = lab.start("flood_server", lab.port)
    refused = second.outcome("bind")
    assert second.ended() == exited(111)
    number = IN_USE[foreign.abi]
    assert second.errors == f"bind: EADDRINUSE ({number})\n"
    assert refused == EADDRINUSE and refused.number == number
    assert lab.number(EADDRINUSE) == number


def test_a_process_is_called_as_its_program(lab: Lab) -> None:
    """And so is its child."""
    server = lab.start("tcpserv01", lab.port).reach(entering("accept"))
    client = lab.start("tcpcli01", lab.address, lab.port).reach(leaving("connect"))
    server.reach(leaving("fork"))
    assert (server.name, server.child().name, client.name) == ("tcpserv01", "tcpserv01", "tcpcli01")


def test_the_emulators_own_faults_are_no_events(lab: Lab) -> None:
    """A SIGSEGV that was sent is one."""
    server = lab.start("tcpserv01", lab.port).reach(entering("accept"))
    assert lab.events(kinds=["signal"]) == []
    assert server.kill(SIGSEGV) == killed_by(SIGSEGV)
    assert {event.signal for event in lab.events(kinds=["signal"])} == {"SIGSEGV"}


def test_the_platform_tells_the_kernel_from_the_abi(
    foreign: build.Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel is this one, the ABI is the programs'."""
    native = identity.here()
    monkeypatch.setenv(build.PROGRAMS, foreign.abi)
    here = identity.here()
    assert (here.name, here.abi) == (f"linux-{foreign.abi}", foreign.abi)
    assert (here.release, here.machine) == (native.release, native.machine)
    assert here.libc.startswith("glibc 2.") and here.emulator.startswith(f"qemu-{foreign.abi} ")
    assert (native.abi, native.emulator) == (native.machine, "")


def test_the_page_of_numbers_is_what_the_headers_say(foreign: build.Build) -> None:
    """docs/errno.md has the numbers of the ABI."""
    told = errnos.numbers((HERE.root / errnos.FILE).read_text(), foreign.abi)
    known = abi.numbers(foreign.programs)
    assert told["EADDRINUSE"] == IN_USE[foreign.abi]
    assert told == {name: known[name] for name in Errno if name in known}


def test_the_numbers_of_this_machine_are_those_that_its_library_has() -> None:
    """What the compiler's headers say is what Python was compiled with, for every errno that it knows."""
    known = {name: number for name, number in vars(errno).items() if name.startswith("E")}
    numbers = abi.numbers(HERE.programs)
    assert {name: numbers.get(name) for name in known} == known


def test_aliases_are_followed(tmp_path: Path) -> None:
    """What is no number is no errno."""
    lines = "#define EAGAIN 11\n#define EWOULDBLOCK EAGAIN\n#define EXTRA(x) 3\n#define EMPTY\n"
    (tmp_path / "errnos").write_text(lines + "#define EOTHER sizeof\n")
    assert abi.numbers(tmp_path) == {"EAGAIN": 11, "EWOULDBLOCK": 11}
    assert Errno.EADDRINUSE not in abi.numbers(tmp_path)


def test_a_missing_emulator_is_told_with_its_package() -> None:
    """What to install is said."""
    with pytest.raises(abi.NoEmulator, match="need qemu-vax.*install the Debian package qemu-user"):
        abi.launcher("vax")
