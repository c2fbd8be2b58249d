"""A python in a machine of its own: a kernel under QEMU, with this machine's files below it.

    python3 -m harness.platform.machine LOG SECONDS IMAGE MODULES real|fast PYTHON-ARGUMENT...

The guest's root is this machine's, read-only, below an overlay in the guest's memory: no image is built, and folders have the
same names. The python talks through two virtio ports, one a direction: with one for both, the end of its input would make its
writes wait for ever. The console is a line of its own, and ends in LOG.
"""

import base64
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from . import initramfs
from .launch import Inner, bound_to, main

QEMU = "qemu-system-x86_64"
VIRTIOFSD = Path("/usr/lib/qemu/virtiofsd")
_MEMORY = "1G"
_PROCESSOR = "Nehalem"
"""Old enough to have four levels of page tables and no wide registers, which cost a sixth of the time when translated."""
_LONGEST_LINE = 2047
"""Bytes that a kernel takes for its command line."""
_CROSSING = ("PATH", "HOME", "LANG", "SAN", "SOCKSPEC_ROOT", "SOCKSPEC_PROGRAMS")
"""What of the environment crosses into the machine."""
_CONSOLE = "console=ttyS0 quiet panic=-1 mitigations=off random.trust_cpu=on"
_SWIFT = "norandmaps thash_entries=4096 uhash_entries=256"
"""A program is where it was the last time, so that what was translated of it serves again; and tables are short that are
walked whenever one looks at sockets."""
_TIME = {
    # Its clock counts instructions, two nanoseconds each: how busy this machine is the guest cannot see.
    "real": "shift=1,sleep=on",
    # Idle time costs nothing.
    "fast": "shift=3,sleep=off",
}
"""How the time of a guest passes."""


def start(command: list[str]) -> Inner:
    """Boots the machine.

    Args:
        command: IMAGE MODULES real|fast PYTHON-ARGUMENT...; MODULES may be empty.

    Raises:
        OSError: what is needed for it is not there.
    """
    image, modules, time, *arguments = command
    line = f"{_CONSOLE} {_SWIFT} sockspec={_script(arguments)}"
    if len(line) > _LONGEST_LINE:
        raise OSError(
            0, f"the command line has {len(line)} bytes, and a kernel takes {_LONGEST_LINE}"
        )
    ours_in, theirs_in = socket.socketpair()
    ours_out, theirs_out = socket.socketpair()
    files, share = _serve_files()
    first = _in_memory(initramfs.build(Path(modules) if modules else None))
    passed = [theirs_in.fileno(), theirs_out.fileno(), share.fileno(), first]
    argv = [QEMU, *_machine(), "-icount", _TIME[time], *_devices(*passed[:3])]
    argv += ["-kernel", image, "-initrd", f"/dev/fd/{first}", "-append", line]
    try:
        qemu = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=2,
            pass_fds=passed,
            preexec_fn=bound_to(os.getpid()),
        )
    except OSError:
        files.kill()
        raise
    for end in (theirs_in, theirs_out, share):
        end.close()
    os.close(first)
    return Inner(qemu, ours_in.detach(), ours_out.detach(), [files])


def _script(arguments: Sequence[str]) -> str:
    """What the guest's shell runs: this python, in this folder."""
    crossing = [f"{name}={os.environ[name]}" for name in _CROSSING if name in os.environ]
    python = shlex.join(["exec", "env", "-i", *crossing, sys.executable, *arguments])
    return base64.b64encode(f"cd {shlex.quote(os.getcwd())} && {python}".encode()).decode()


def _machine() -> list[str]:
    return [
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        # Instructions can be counted on one processor alone.
        *("-accel", "tcg,thread=single", "-smp", "1"),
        *("-cpu", _PROCESSOR, "-m", _MEMORY),
        # What virtiofsd reads and writes is the guest's own memory.
        *("-object", f"memory-backend-memfd,id=memory,size={_MEMORY},share=on"),
        *("-numa", "node,memdev=memory"),
        *("-chardev", "file,id=console,path=/proc/self/fd/2,append=on"),
        *("-serial", "chardev:console"),
    ]


def _devices(to_guest: int, from_guest: int, files: int) -> list[str]:
    return [
        *("-device", "virtio-serial-pci"),
        *("-chardev", f"socket,id=to,fd={to_guest}"),
        *("-device", "virtserialport,chardev=to,nr=1,name=to"),
        *("-chardev", f"socket,id=from,fd={from_guest}"),
        *("-device", "virtserialport,chardev=from,nr=2,name=from"),
        *("-chardev", f"socket,id=files,fd={files}"),
        *("-device", "vhost-user-fs-pci,chardev=files,tag=root"),
    ]


def _serve_files() -> tuple["subprocess.Popen[bytes]", socket.socket]:
    """A virtiofsd for this machine's root, and a connection to it."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("")  # a name that the kernel makes up, and no file
        listener.listen(1)
        share = socket.socket(socket.AF_UNIX)
        share.connect(listener.getsockname())
        argv = [
            os.fspath(VIRTIOFSD),
            f"--fd={listener.fileno()}",
            "-o",
            "source=/,cache=always,sandbox=chroot",
        ]
        if os.geteuid() != 0:
            argv = ["unshare", "-r", *argv]
        files = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=2,
            pass_fds=[listener.fileno()],
            preexec_fn=bound_to(os.getpid()),
        )
    return files, share


def _in_memory(data: bytes) -> int:
    descriptor = os.memfd_create("initramfs", os.MFD_CLOEXEC)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(data)
    return descriptor


def lacking() -> str:
    """Why no machine can be booted here, and what to do; empty when one can."""
    if missing := ", ".join(_missing()):
        return f"it needs the Debian packages {missing}: harness/setup.sh matrix"
    # It gives up its groups before it shares this machine's files with the guest.
    return "it needs root, as virtiofsd does" if os.geteuid() != 0 else ""


def _missing() -> list[str]:
    there = {
        "qemu-system-x86": shutil.which(QEMU),
        "qemu-system-common": VIRTIOFSD.exists(),
        "busybox-static": initramfs.BUSYBOX.exists(),
    }
    return [package for package, found in there.items() if not found]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], start))
