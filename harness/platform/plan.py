"""What `--platform` asks for, and the command that gives a python on each platform."""

import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .. import build
from . import abi, identity, kernels, machine, remote
from .gvisor import inside
from .posting import FAST_TIME, Posting


class UnknownPlatform(Exception):
    """No platform has that name; the text says which there are."""


class CannotStart(Exception):
    """The platform cannot be had on this machine; the text says why, and what to do."""


@dataclass(frozen=True)
class Asked:
    """A platform as it was asked for."""

    label: str
    """Its text, without the number of workers: "linux-6.12", "kernel=arch/x86/boot/bzImage"."""
    workers: int = 1


@dataclass(frozen=True)
class Plan:
    """How the workers of a platform are started."""

    asked: Asked
    name: str
    """What records call it."""
    command: Sequence[str] = ()
    """What takes a python's arguments, and runs that python on the platform; empty: this very python."""
    machines: Sequence[str] = ()
    """The hosts that its workers are dealt out to: each one's stands before its command."""
    module: str = "platform.launch"
    """What launches the command, below this package."""
    slowness: float = 1.0
    """How much longer than on this machine anything may take."""
    boot: float = 30.0
    """Seconds until its python must have said hello."""
    fast_time: bool = False
    """Whether idle time passes at once."""
    keeps_files: bool = False
    """Whether what it writes stays there."""
    programs: str = ""
    """The ABI of its programs, where that is not the machine's own."""

    @property
    def label(self) -> str:
        """As it was asked for."""
        return self.asked.label

    def identity(self, number: int) -> str:
        """The name of one of its workers, which can be a file's."""
        name = re.sub(r"[^\w.+-]", "_", self.name)
        return name if self.asked.workers == 1 else f"{name}.{number}"

    def command_of(self, number: int) -> Sequence[str]:
        """The command of one of its workers."""
        if not self.machines:
            return self.command
        return (self.machines[number % len(self.machines)], *self.command)

    def posting(self, number: int) -> Posting:
        """What that worker is told."""
        return Posting(
            self.label,
            self.name,
            number,
            self.slowness,
            self.fast_time,
            self.keeps_files,
            self.programs,
        )


_EMULATED = 2.0
"""How much longer programs take under qemu-user."""
_SANDBOXED = 4.0
"""How much longer anything takes where a process traces every call."""
_TCG = 12.0
"""How much longer anything takes where every instruction is translated."""
_BOOT = 300.0
"""Seconds that a machine has to boot on a busy host; a kernel that panics says so at once."""
HERE = "linux"
"""The machine that pytest runs on."""
_ASKED = re.compile(r"(?P<label>[^*]+?)(?:\*(?P<workers>[1-9]\d?))?")


def asked(texts: Iterable[str]) -> list[Asked]:
    """The platforms that the values of `--platform` name, each once.

    Raises:
        UnknownPlatform
    """
    found: dict[str, Asked] = {}
    for word in (word.strip() for text in texts for word in text.split(",")):
        match = _ASKED.fullmatch(word)
        if match is None or not any(form.fullmatch(match["label"]) for form in _FORMS):
            raise UnknownPlatform(f"there is no platform {word!r}; {_KNOWN}")
        found[match["label"]] = Asked(match["label"], int(match["workers"] or 1))
    return list(found.values())


def plan(wanted: Asked) -> Plan:
    """How that platform is started.

    Raises:
        CannotStart
    """
    for form, make in _FORMS.items():
        if match := form.fullmatch(wanted.label):
            return make(wanted, match)
    raise UnknownPlatform(f"there is no platform {wanted.label!r}; {_KNOWN}")


def _here(wanted: Asked, _: re.Match[str]) -> Plan:
    return Plan(wanted, identity.here().name)


def _foreign(wanted: Asked, _: re.Match[str]) -> Plan:
    """Programs of another ABI, on this kernel."""
    try:
        abi.launcher(wanted.label)
        replace(build.current(), abi=wanted.label).bring_up_to_date(print)
    except (abi.NoEmulator, build.BuildFailed) as error:
        raise CannotStart(str(error)) from None
    return Plan(wanted, f"linux-{wanted.label}", programs=wanted.label, slowness=_EMULATED)


def _debian(wanted: Asked, match: re.Match[str]) -> Plan:
    """A kernel of Debian's, in a machine of its own."""
    fast = bool(match["fast"])
    try:
        kernel = kernels.debian(match["version"], build.current().top / "kernels")
    except kernels.NoKernel as error:
        raise CannotStart(str(error)) from None
    name = f"{HERE}-{match['version']}-{platform.machine()}"
    if name == identity.here().name:
        name += "-qemu"  # the same version, and not the same kernel
    return _booted(wanted, name + (FAST_TIME if fast else ""), kernel, fast)


def _own_kernel(wanted: Asked, match: re.Match[str]) -> Plan:
    """A kernel of one's own, in a machine of its own."""
    try:
        kernel = kernels.own(Path(match["path"]).absolute())
    except kernels.NoKernel as error:
        raise CannotStart(str(error)) from None
    return _booted(wanted, f"{HERE}-{kernel.release}-{platform.machine()}", kernel, False)


def _booted(wanted: Asked, name: str, kernel: kernels.Kernel, fast: bool) -> Plan:
    if lacking := machine.lacking():
        raise CannotStart(lacking)
    return Plan(
        wanted,
        name,
        (os.fspath(kernel.image), os.fspath(kernel.modules or ""), "fast" if fast else "real"),
        module="platform.machine",
        slowness=_TCG,
        boot=_BOOT,
        fast_time=fast,
        keeps_files=True,
    )


def _gvisor(wanted: Asked, _: re.Match[str]) -> Plan:
    """gVisor's own network stack behind Linux's calls."""
    runsc = shutil.which("runsc")
    if runsc is None:
        raise CannotStart(
            "it needs runsc, the Debian package of that name: harness/setup.sh matrix"
        )
    said = subprocess.run([runsc, "--version"], capture_output=True, text=True).stdout
    dated = re.search(r"\d{8}", said)
    return Plan(
        wanted,
        f"gvisor-{dated[0] if dated else 'unknown'}",
        inside([sys.executable], os.geteuid() == 0),
        slowness=_SANDBOXED,
        boot=_BOOT,
        keeps_files=True,
    )


def _python(wanted: Asked, match: re.Match[str]) -> Plan:
    command = shlex.split(match["command"])
    return Plan(wanted, Path(command[0]).name, command)


def _remote(wanted: Asked, match: re.Match[str]) -> Plan:
    """Machines of one kind, reached by ssh, which share the cases out among them."""
    hosts = match["hosts"].split("+")
    try:
        names = {host: remote.name_of(host) for host in hosts}
    except remote.NoMachine as error:
        raise CannotStart(str(error)) from None
    if len(set(names.values())) > 1:
        told = ", ".join(f"{host} is {name}" for host, name in names.items())
        raise CannotStart(
            f"{told}: machines that share cases must be alike; ask for each by itself"
        )
    return Plan(
        replace(wanted, workers=wanted.workers * len(hosts)),
        names[hosts[0]],
        module="platform.remote",
        machines=hosts,
        boot=_BOOT,
        keeps_files=True,
    )


_FORMS: dict[re.Pattern[str], Callable[[Asked, re.Match[str]], Plan]] = {
    re.compile(HERE): _here,
    re.compile("|".join(abi.FOREIGN)): _foreign,
    re.compile("gvisor"): _gvisor,
    re.compile(rf"{HERE}-(?P<version>\d+\.\d+)(?P<fast>{FAST_TIME})?"): _debian,
    re.compile(r"kernel=(?P<path>.+)"): _own_kernel,
    re.compile(r"ssh=(?P<hosts>[^-+*][^+*]*(\+[^-+*][^+*]*)*)"): _remote,
    re.compile(r"python=(?P<command>.+)"): _python,
}
_KNOWN = (
    f"there are {HERE}, gvisor, {HERE}-6.1, {HERE}-6.12 and what else Debian has, {HERE}-6.12-fast-time,"
    f" {', '.join(abi.FOREIGN)}, kernel=PATH, ssh=HOST or ssh=HOST+HOST, python=COMMAND; NAME*N gives one N workers"
)


def named_apart(plans: Iterable[Plan]) -> list[Plan]:
    """The plans, with names that no two share."""
    apart: dict[str, Plan] = {}
    for each in plans:
        name, number = each.name, 2
        while name in apart:
            name, number = f"{each.name}-{number}", number + 1
        apart[name] = replace(each, name=name)
    return list(apart.values())
