"""What routers and hosts say by ICMP when a packet cannot be delivered."""

from enum import StrEnum


class Icmp(StrEnum):
    """Why a packet was not delivered, as ICMP and ICMPv6 have it."""

    HOST_UNREACHABLE = "host unreachable"
    NET_UNREACHABLE = "net unreachable"
    PORT_UNREACHABLE = "port unreachable"
    PROHIBITED = "administratively prohibited"
    FRAGMENTATION_NEEDED = "fragmentation needed"
    """ICMPv6 calls it packet too big."""

    def __repr__(self) -> str:
        return self.name

    def code(self, version: int) -> tuple[int, int]:
        """Type and code in that version of IP."""
        return _CODES[self][version == 6]


HOST_UNREACHABLE = Icmp.HOST_UNREACHABLE
NET_UNREACHABLE = Icmp.NET_UNREACHABLE
PORT_UNREACHABLE = Icmp.PORT_UNREACHABLE
PROHIBITED = Icmp.PROHIBITED
FRAGMENTATION_NEEDED = Icmp.FRAGMENTATION_NEEDED

# RFC 792, RFC 1812 §5.2.7.1; RFC 4443 §3.1, §3.2.
_CODES = {
    HOST_UNREACHABLE: ((3, 1), (1, 3)),
    NET_UNREACHABLE: ((3, 0), (1, 0)),
    PORT_UNREACHABLE: ((3, 3), (1, 4)),
    PROHIBITED: ((3, 13), (1, 1)),
    FRAGMENTATION_NEEDED: ((3, 4), (2, 0)),
}


def icmp_of(version: int, type: int, code: int) -> Icmp | None:
    """What such a message says; None for any other, an echo say."""
    return next((icmp for icmp in Icmp if icmp.code(version) == (type, code)), None)
