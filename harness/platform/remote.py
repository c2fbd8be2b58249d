"""A python on another machine, by ssh: in the checkout that lies there in the same folder.

    python3 -m harness.platform.remote LOG SECONDS HOST PYTHON-ARGUMENT...

Nothing is copied there.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence

from . import launch

COMMAND = "SOCKSPEC_SSH"
"""The variable that says how to call ssh, where its name alone will not do: "ssh -F FILE"."""
_OPTIONS = ("-T", "-oBatchMode=yes", "-oConnectTimeout=10")
_CROSSING = ("SAN", "SOCKSPEC_ROOT", "SOCKSPEC_PROGRAMS")
"""What of the environment crosses to the machine."""
_PYTHON = (
    'python=$(head -n 1 build/python 2>/dev/null); [ -x "$python" ] || python=%s; '
    '[ -x "$python" ] || python=python3; exec "$python"'
)
"""What the checkout's set-up has chosen there, else what runs here, else what there is."""
_HARNESS = (__package__ or "").partition(".")[0]
_NAME = f"""
import pytest, xdist
from {_HARNESS} import build
from {_HARNESS}.platform.identity import here
build.current().bring_up_to_date(lambda said: None)
print(here().name)
"""
_SECONDS = 600
"""For a machine to say what it is, and to build what is out of date there."""


class NoMachine(Exception):
    """The machine cannot be reached, or has no checkout that works; the text says why."""


def command(host: str, arguments: Sequence[str]) -> list[str]:
    """The command that runs a python over there."""
    crossing = [f"{name}={os.environ[name]}" for name in _CROSSING if name in os.environ]
    exports = "".join(f"export {shlex.quote(each)}; " for each in crossing)
    python = _PYTHON % shlex.quote(sys.executable)
    script = f"cd {shlex.quote(os.getcwd())} && {exports}{python} {shlex.join(arguments)}"
    return [*shlex.split(os.environ.get(COMMAND, "ssh")), *_OPTIONS, host, script]


def name_of(host: str) -> str:
    """What the platform over there is called. What is out of date there is built.

    Raises:
        NoMachine
    """
    try:
        done = subprocess.run(
            command(host, ["-c", _NAME]),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoMachine(f"{host}: {error}") from None
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
        raise NoMachine(f"{host}: {said[-1]}")
    return done.stdout.strip()


def start(words: list[str]) -> launch.Inner:
    """Starts the python.

    Args:
        words: HOST PYTHON-ARGUMENT...

    Raises:
        OSError: there is no ssh.
    """
    return launch.start(command(words[0], words[1:]))


if __name__ == "__main__":
    sys.exit(launch.main(sys.argv[1:], start))
