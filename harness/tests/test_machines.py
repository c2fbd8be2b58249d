"""Kernels in machines of their own: how one that does not come up ends, and what is fetched and packed for it."""

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from harness.platform import cargo, initramfs, kernels, machine
from harness.platform.trouble import last_words
from harness.records.results import Record
from harness.tests.test_plugin import CHECKOUT
from harness.verdict import Verdict

RESETS = bytes.fromhex("b0fee664fa f4ebfd")
"""16-bit x86: resets the machine, as a kernel does that panics with panic=-1."""
HANGS = bytes.fromhex("fa f4ebfd")
"""16-bit x86: halts for ever."""
_SAYS = bytes.fromhex("be0003 ac 84c0 7406 baf803 ee ebf5")
"""Writes the text at 0x300 to the first serial line."""

needs_qemu = pytest.mark.skipif(bool(machine.lacking()), reason=machine.lacking())


def image(path: Path, then: bytes) -> Path:
    """A bzImage whose set-up code says that it panics, and then does something."""
    setup = bytearray(0x400)
    setup[0x1F1] = 1  # sectors of set-up code behind the first
    setup[0x200:0x202] = b"\xeb\x7e"  # jump over the header, to 0x280
    setup[0x202:0x206] = b"HdrS"
    setup[0x206:0x208] = (0x20F).to_bytes(2, "little")
    setup[0x20E:0x210] = (0x180).to_bytes(2, "little")
    setup[0x211] = 1  # the kernel is loaded high
    setup[0x22C:0x230] = (0x7FFFFFFF).to_bytes(4, "little")
    code = _SAYS + then
    setup[0x280 : 0x280 + len(code)] = code
    text = b"Kernel panic - not syncing: no luck\r\n\0"
    setup[0x300 : 0x300 + len(text)] = text
    setup[0x380:0x390] = b"9.9.9-own (me)\0\0"
    path.write_bytes(bytes(setup) + bytes(4096))
    return path


def boot(tmp_path: Path, kernel: Path, seconds: float) -> "subprocess.Popen[bytes]":
    """A machine, as execnet would start it."""
    arguments = [os.fspath(tmp_path / "log"), str(seconds), os.fspath(kernel), "", "real"]
    return subprocess.Popen(
        [sys.executable, "-m", "harness.platform.machine", *arguments, "-u", "-c", "pass"],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(each) for each in listed]


@needs_qemu
def test_a_kernel_that_panics_ends_the_machine_with_its_last_words(tmp_path: Path) -> None:
    """At once, and not when its time is up."""
    process = boot(tmp_path, image(tmp_path / "bzImage", RESETS), 600)
    process.communicate(b"pass\n", timeout=120)
    assert process.returncode == 125
    told = last_words(tmp_path / "log")
    assert told.reason == "it exited 0 before it said hello"
    assert any("Kernel panic - not syncing: no luck" in line for line in told.tail)


@needs_qemu
def test_a_kernel_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    """When its time is up, and nothing of it is left."""
    process = boot(tmp_path, image(tmp_path / "bzImage", HANGS), 20)
    process.communicate(b"pass\n", timeout=120)
    assert process.returncode == 125
    assert last_words(tmp_path / "log").reason == "it did not say hello within 20 s"


@needs_qemu
def test_a_machine_goes_with_whoever_started_it(tmp_path: Path) -> None:
    """However that comes about."""
    process = boot(tmp_path, image(tmp_path / "bzImage", HANGS), 600)
    assert process.stdout and process.stdout.read(1) == b"1"
    pids = children(process.pid)
    assert len(pids) == 2
    handles = [os.pidfd_open(pid) for pid in pids]
    process.kill()
    process.communicate()
    for handle in handles:
        assert ends(handle), "QEMU or virtiofsd is left"
        os.close(handle)


def ends(handle: int) -> bool:
    """Whether a process ends within some time."""
    return bool(select.select([handle], [], [], 60)[0])


def test_an_image_says_its_release(tmp_path: Path) -> None:
    """And what is no image is refused."""
    assert kernels.own(image(tmp_path / "bzImage", HANGS)).release == "9.9.9-own"
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"garbage" * 1000)
    with pytest.raises(kernels.NoKernel, match="is no image of a kernel"):
        kernels.own(garbage)
    with pytest.raises(kernels.NoKernel, match="No such file"):
        kernels.own(tmp_path / "none")


def test_the_newest_kernel_that_is_there_is_taken(tmp_path: Path) -> None:
    """Of that version, with its modules."""
    for release in ("6.12.9+deb12", "6.12.111+deb12", "6.1.0-56"):
        name = f"{release}-cloud-amd64"
        folder = tmp_path / f"linux-image-{name}"
        (folder / "lib" / "modules" / "9.9.9-own").mkdir(parents=True)
        (folder / "boot").mkdir()
        image(folder / "boot" / f"vmlinuz-{name}", HANGS)
    newest = kernels.debian("6.12", tmp_path)
    assert "6.12.111" in newest.image.name and newest.modules is not None
    assert "6.1.0-56" in kernels.debian("6.1", tmp_path).image.name


@pytest.mark.skipif(not initramfs.BUSYBOX.exists(), reason="no busybox-static")
def test_modules_stand_behind_those_that_they_need(tmp_path: Path) -> None:
    """As an independent reader of the archive finds them."""
    for name, depends in (("veth", ""), ("tcp-diag", "inet_diag"), ("inet_diag", ""), ("odd", "")):
        (tmp_path / f"{name}.ko").write_bytes(b"\0depends=" + depends.encode() + b"\0")
    archive = initramfs.build(tmp_path)
    there = tmp_path / "there"
    there.mkdir()
    for options in (["-t"], ["-i", "-d", "modules/order"]):
        listed = subprocess.run(
            [initramfs.BUSYBOX, "cpio", *options],
            input=archive,
            cwd=there,
            capture_output=True,
            check=True,
        )
        assert options != ["-t"] or b"modules/tcp_diag.ko\n" in listed.stdout
    order = (there / "modules" / "order").read_text().split()
    assert order == ["veth.ko", "inet_diag.ko", "tcp_diag.ko"]


def test_files_cross_on_the_report(tmp_path: Path) -> None:
    """Into the same place elsewhere."""

    class Report:
        """A report."""

    there, here = tmp_path / "there", tmp_path / "here"
    (there / "build").mkdir(parents=True)
    (there / "build" / "ladder.svg").write_text("<svg/>")
    report = Report()
    cargo.load(report, Record("c", Verdict.FAILED, files=("build/ladder.svg",)), there)
    cargo.unload(report, here)
    assert (here / "build" / "ladder.svg").read_text() == "<svg/>"
