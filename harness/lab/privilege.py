"""Privileges: what a lab may do only where it has more than an ordinary user's rights."""

from enum import StrEnum

from ..control.conductor import About
from ..verdict import Unsupported, hidden

__tracebackhide__ = hidden


class Privilege(StrEnum):
    """What a case may need beyond an ordinary user's rights."""

    OTHER_USERS = "other users"
    """Processes of more than one user id."""
    BUFFER_LIMITS = "buffer limits"
    """Socket buffers above the machine's limits (SO_RCVBUFFORCE, SO_SNDBUFFORCE)."""
    OWN_HOST = "own host"
    """Addresses, routes, names and a first process that are the lab's alone."""


_OF_ROOT = {
    Privilege.OTHER_USERS: "only one user id exists in an ordinary user's namespace: run it as root",
    Privilege.BUFFER_LIMITS: "only root may exceed the machine's limits of socket buffers: run it as root",
}


_OF_NAMESPACES = {
    Privilege.BUFFER_LIMITS: "a lab without namespaces may not exceed the machine's limits of socket buffers",
    Privilege.OWN_HOST: "a lab without namespaces shares the machine's host",
}


def need(privilege: Privilege, about: About) -> None:
    """
    Raises:
        Unsupported: the lab does not have that privilege.
    """
    lacking = _OF_ROOT if about.sole_user else {}
    if "namespaces" in about.lacks:
        lacking = lacking | _OF_NAMESPACES
    if privilege in lacking:
        raise Unsupported(lacking[privilege])
