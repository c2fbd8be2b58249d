"""The first file system of a machine that has this one's root below it: a busybox, a few modules, an init."""

import lzma
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

BUSYBOX = Path("/bin/busybox")
"""Debian's busybox-static."""
_WANTED = (
    "virtio_pci virtio_console virtiofs 9pnet_virtio 9p overlay"
    " veth dummy tun nf_tables inet_diag tcp_diag udp_diag raw_diag unix_diag af_packet_diag"
).split()
"""What a machine and the labs in it need, where the kernel has it not built in."""
_DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")
_FOLDER, _PROGRAM, _CONSOLE = 0o040755, 0o100755, 0o020600

_INIT = """#!/bin/busybox sh
b=/bin/busybox
die() { echo "sockspec-init: $1"; $b poweroff -f; }
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
for module in $($b cat /modules/order); do $b insmod "/modules/$module"; done
$b mount -t virtiofs -o ro root /lower 2>/dev/null ||
  $b mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=512000 root /lower ||
  die "the kernel has neither virtiofs nor 9p, so there is no root file system"
$b mount -t tmpfs -o size=90% upper /upper
$b mkdir -p /upper/changes/.sockspec /upper/work
$b cp /bin/busybox /run.sh /upper/changes/.sockspec
$b mount -t overlay -o lowerdir=/lower,upperdir=/upper/changes,workdir=/upper/work root /new ||
  die "the kernel has no overlay file system"
for each in proc sys dev; do $b mount -o move /$each /new/$each; done
exec $b switch_root /new /.sockspec/busybox sh /.sockspec/run.sh
"""
_RUN = """b=/.sockspec/busybox
$b mkdir -p /dev/pts /dev/shm
$b mount -t devpts -o ptmxmode=666 devpts /dev/pts
$b mount -t tmpfs shm /dev/shm
$b mount -t tmpfs run /run
$b ip link set lo up
until [ -e /dev/vport0p1 ] && [ -e /dev/vport0p2 ]; do $b usleep 5000; done
script=$(echo "$sockspec" | $b base64 -d)
unset sockspec
/bin/sh -c "$script" </dev/vport0p1 >/dev/vport0p2
echo "sockspec-init: the python ended with $?"
$b poweroff -f
"""


def build(modules: Path | None) -> bytes:
    """The archive, as a kernel takes it.

    Args:
        modules: the folder of the kernel's modules; None when all it needs is built in.

    Raises:
        OSError: there is no busybox.
    """
    found = list(_modules(modules)) if modules else []
    order = "".join(f"{name}.ko\n" for name, _ in found)
    entries: list[tuple[str, int, bytes]] = [
        (name, _FOLDER, b"")
        for name in ("bin", "dev", "proc", "sys", "modules", "lower", "upper", "new")
    ]
    entries.append(("dev/console", _CONSOLE, b""))
    entries.append(("bin/busybox", _PROGRAM, BUSYBOX.read_bytes()))
    entries.append(("init", _PROGRAM, _INIT.encode()))
    entries.append(("run.sh", _PROGRAM, _RUN.encode()))
    entries.append(("modules/order", _PROGRAM, order.encode()))
    entries += [(f"modules/{name}.ko", _PROGRAM, data) for name, data in found]
    return _cpio(entries)


def _modules(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The wanted modules, each behind those that it depends on."""
    files = {path.name.split(".ko")[0].replace("-", "_"): path for path in folder.rglob("*.ko*")}
    done: set[str] = set()

    def with_needed(name: str) -> Iterator[tuple[str, bytes]]:
        if name in done or name not in files:
            return
        done.add(name)
        data = _read(files[name])
        depends = _DEPENDS.search(data)
        for needed in depends[1].decode().split(",") if depends else ():
            yield from with_needed(needed.replace("-", "_"))
        yield name, data

    for name in _WANTED:
        yield from with_needed(name.replace("-", "_"))


def _read(path: Path) -> bytes:
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def _cpio(entries: Sequence[tuple[str, int, bytes]]) -> bytes:
    """An archive in cpio's "newc" format (Linux, Documentation/driver-api/early-userspace/buffer-format.rst)."""
    archive = bytearray()
    for number, (name, mode, data) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        device = (5, 1) if mode == _CONSOLE else (0, 0)
        fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0]
        archive += b"070701" + "".join(f"{field:08x}" for field in fields).encode()
        archive += name.encode() + b"\0"
        archive += b"\0" * (-len(archive) % 4) + data
        archive += b"\0" * (-len(archive) % 4)
    return bytes(archive)
