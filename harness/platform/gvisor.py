"""How a python is started inside gVisor: its own kernel and netstack, under the machine's."""

from collections.abc import Sequence

RUNSC: Sequence[str] = (
    "runsc",
    "--ignore-cgroups",  # not every machine has them mounted
    "--network=none",  # just the sandbox's own loopback
    "--net-raw",  # packet sockets, for the segments on it
    "--platform=ptrace",  # needs nothing of the machine's processor
    "do",
)
"""What comes before a command that is to run inside. The file system is the machine's, and what is written there is gone
when the command ends: results come back through its standard output."""
DEADLINE = 30.0
"""Seconds that a verb should wait there (--deadline): a traced call takes milliseconds, and more on a busy machine."""
ROOTLESS: Sequence[str] = ("--rootless", "--ignore-cgroups")
"""Options that an ordinary user adds."""


def inside(command: Sequence[str], root: bool = True) -> list[str]:
    """The command that runs another one inside gVisor.

    Args:
        root: whether it is root who runs it.
    """
    return [RUNSC[0], *(() if root else ROOTLESS), *RUNSC[1:], *command]
