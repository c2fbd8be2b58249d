"""Kernels: Debian's, fetched as packages and unpacked below build/, never installed; or one's own image."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

_MAGIC, _VERSION = 0x202, 0x20E
"""Where an image says that it is one, and where its version stands (Linux, Documentation/arch/x86/boot.rst)."""
_HEADER = 1 << 16


class NoKernel(Exception):
    """There is no such kernel; the text says why, and what to do."""


@dataclass(frozen=True)
class Kernel:
    """An image that can be booted."""

    image: Path
    release: str
    modules: Path | None
    """The folder of its modules; None: all it needs is built in."""


def own(image: Path) -> Kernel:
    """A kernel of one's own. Its modules are looked for where a package or an installation has them.

    Raises:
        NoKernel: it is none.
    """
    release = _release(image)
    places = [image.parent.parent / "lib/modules" / release, Path("/lib/modules") / release]
    return Kernel(image, release, next((place for place in places if place.is_dir()), None))


def _release(image: Path) -> str:
    try:
        with open(image, "rb") as file:
            header = file.read(_HEADER)
    except OSError as error:
        raise NoKernel(f"cannot read {image}: {error.strerror}") from None
    if header[_MAGIC : _MAGIC + 4] != b"HdrS":
        raise NoKernel(f"{image} is no image of a kernel for x86 (a bzImage)")
    at = int.from_bytes(header[_VERSION : _VERSION + 2], "little") + 0x200
    return header[at : at + 200].split(b"\0")[0].split(b" ")[0].decode("ascii", "replace")


def debian(version: str, folder: Path) -> Kernel:
    """The newest cloud kernel of that version ("6.12") that is there; fetched when there is none.

    Args:
        folder: of the unpacked packages.

    Raises:
        NoKernel: Debian has none, or it cannot be fetched.
    """
    there = [path.name for path in folder.glob("linux-image-*") if path.is_dir()]
    name = _newest(version, there) or _fetch(version, folder)
    release = name.removeprefix("linux-image-")
    return own(folder / name / "boot" / f"vmlinuz-{release}")


def _newest(version: str, names: Iterable[str]) -> str | None:
    form = re.compile(
        rf"linux-image-{re.escape(version)}\.[\d.]+(-\d+|\+deb\d+(\.\d+)*)?-cloud-amd64"
    )
    fitting = [name for name in names if form.fullmatch(name)]
    return max(fitting, key=_numbers) if fitting else None


def _numbers(name: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", name)]


def _fetch(version: str, folder: Path) -> str:
    if shutil.which("apt-get") is None:
        raise NoKernel(
            f"no Linux {version} in {folder}, and no apt-get to fetch Debian's: name one by kernel=PATH"
        )
    names = _run(["apt-cache", "pkgnames", f"linux-image-{version}."]).split()
    name = _newest(version, names)
    if name is None:
        raise NoKernel(
            f"Debian's lists here have no linux-image-{version}*-cloud-amd64: apt-get update, or kernel=PATH"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as temporary:
        _run(["apt-get", "-qq", "download", name], temporary)
        package = next(Path(temporary).glob("*.deb"))
        _run(["dpkg-deb", "-x", os.fspath(package), f"{temporary}/{name}"])
        shutil.rmtree(f"{temporary}/{name}/usr", ignore_errors=True)
        os.rename(f"{temporary}/{name}", folder / name)
    return name


def _run(argv: list[str], cwd: str | None = None) -> str:
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        said = (done.stderr.strip() or f"exit {done.returncode}").splitlines()[-1]
        raise NoKernel(f"{' '.join(argv[:3])} failed: {said}")
    return done.stdout
