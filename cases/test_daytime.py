"""daytimed and daytime: one line for each client, over every address of a name. Scenario S0."""

import re
from collections.abc import Sequence

import pytest

from harness import (
    ECONNREFUSED,
    LISTEN,
    Broken,
    Lab,
    Privilege,
    Process,
    entering,
    exited,
)

OWN_NAMES = pytest.mark.requires(Privilege.OWN_HOST)
"""What /etc/hosts and /etc/nsswitch.conf say is the lab's, and no resolver is asked."""
ASCTIME = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
    r" [ 1-3]\d \d\d:\d\d:\d\d \d{4}\n"
)


def tcp_connects(client: Process) -> list[tuple[str, object]]:
    """Where it connected to with TCP, in order, and what came of it.

    getaddrinfo makes calls of its own: to nscd, and over UDP to see which addresses can be reached.
    """
    kinds: dict[int, Sequence[str]] = {}
    found: list[tuple[str, object]] = []
    for call in client.calls("socket", "connect"):
        if call.name == "socket":
            kinds[call.outcome.value or -1] = call.args["type"]
        elif "host" in call.args["address"] and "SOCK_STREAM" in kinds[call.args["fd"]]:
            found.append((call.args["address"]["host"], call.outcome))
    return found


@pytest.mark.about("getaddrinfo", "asctime")
@pytest.mark.scenario("S0.1", "S0.3")
@pytest.mark.parametrize(
    ("options", "host"),
    [
        pytest.param([], "127.0.0.1", id="IPv4"),
        pytest.param(["-a", "::1"], "::1", id="IPv6"),
        pytest.param(["-6"], "127.0.0.1", id="IPv4-to-wildcard6"),
        pytest.param(["-6"], "::1", id="IPv6-to-wildcard6"),
        pytest.param([], "localhost", id="localhost-by-IPv4", marks=OWN_NAMES),
        pytest.param(["-a", "::1"], "localhost", id="localhost-by-IPv6", marks=OWN_NAMES),
        pytest.param(["-6"], "localhost", id="localhost-to-wildcard6", marks=OWN_NAMES),
    ],
)
def test_daytime_prints_one_well_formed_line(lab: Lab, options: list[str], host: str) -> None:
    """A daytime client prints the one line, in asctime's form, that the server wrote before it
    closed, and exits 0.

    RFC 867; POSIX.1-2024 asctime(), getaddrinfo(); UNP §11.12 (tcp_connect), §11.13 (tcp_listen).
    """
    server = lab.start("daytimed", *options, lab.port).reach(entering("accept"))
    client = lab.start("daytime", host, lab.port)
    server.run()
    assert client.ended() == exited(0)
    assert ASCTIME.fullmatch(client.output)


@pytest.mark.about("AI_PASSIVE", "getaddrinfo", "IPv4")
@pytest.mark.behaviour("O3")
@pytest.mark.scenario("S0.3")
def test_the_first_passive_address_is_the_ipv4_wildcard(lab: Lab) -> None:
    """A server that takes the first address of getaddrinfo(AI_PASSIVE) listens at 0.0.0.0 alone.

    POSIX.1-2024 getaddrinfo() leaves the order open; glibc sorts as if the wildcards were
    destinations (RFC 6724), and 0.0.0.0 comes first; UNP §11.13.
    """
    lab.start("daytimed", lab.port).reach(entering("accept"))
    listening = lab.sockets(local=lab.port, state=LISTEN)
    assert [str(socket.local) for socket in listening] == [f"0.0.0.0:{lab.port}"]


@pytest.mark.about("AI_PASSIVE", "ECONNREFUSED", "IPv6")
@pytest.mark.behaviour("O3")
@pytest.mark.scenario("S0.3")
def test_a_server_at_the_first_passive_address_refuses_ipv6(lab: Lab) -> None:
    """Connecting to ::1 gives ECONNREFUSED when the server took just the first passive address.

    POSIX.1-2024 connect() [ECONNREFUSED]; UNP §11.13.
    """
    lab.start("daytimed", lab.port).reach(entering("accept"))
    client = lab.start("daytime", lab.address6, lab.port)
    assert client.ended() == exited(111)
    assert tcp_connects(client) == [(lab.address6, ECONNREFUSED)]


@pytest.mark.about("IPV6_V6ONLY", "IPv4", "IPv6")
@pytest.mark.behaviour("O1")
@pytest.mark.scenario("S0.3")
@pytest.mark.parametrize("default", [0, 1], ids=["bindv6only-0", "bindv6only-1"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_wildcard_listener_without_v6only_serves_both_families(
    lab: Lab, host: str, default: int
) -> None:
    """A listener bound to :: with IPV6_V6ONLY off serves IPv4 and IPv6, whatever the system's
    default is.

    RFC 3493 §3.7, §5.3; ipv6(7) IPV6_V6ONLY; UNP §12.2.
    Platforms: the default is 0 on Linux and Darwin, 1 on FreeBSD.
    """
    lab.sysctl("net.ipv6.bindv6only", default)
    server = lab.start("daytimed", "-6", lab.port).reach(entering("accept"))
    client = lab.start("daytime", host, lab.port)
    server.run()
    client.ended()
    assert tcp_connects(client) == [(host, 0)]


@OWN_NAMES
@pytest.mark.about("getaddrinfo", "ECONNREFUSED", "localhost")
@pytest.mark.scenario("S0.3", "S0.1")
def test_a_client_tries_the_next_address_of_a_name_when_one_refuses(lab: Lab) -> None:
    """daytime tries localhost's addresses in turn: ::1 refuses, 127.0.0.1 answers.

    RFC 6724 §6 (rule 6: ::1 is the better destination); POSIX.1-2024 getaddrinfo(); UNP §11.12.
    """
    server = lab.start("daytimed", lab.port).reach(entering("accept"))
    client = lab.start("daytime", "localhost", lab.port)
    server.run()
    client.ended()
    assert tcp_connects(client) == [("::1", ECONNREFUSED), ("127.0.0.1", 0)]


@OWN_NAMES
@pytest.mark.about("getaddrinfo", "localhost")
@pytest.mark.scenario("S0.3", "S0.1")
def test_a_client_stops_at_the_first_address_that_answers(lab: Lab) -> None:
    """daytime connects to localhost's first address, ::1, and to no other, when a server answers
    there.

    RFC 6724 §6; UNP §11.12.
    """
    server = lab.start("daytimed", "-6", lab.port).reach(entering("accept"))
    client = lab.start("daytime", "localhost", lab.port)
    server.run()
    client.ended()
    assert tcp_connects(client) == [("::1", 0)]


@pytest.mark.about("ECONNREFUSED")
@pytest.mark.behaviour("H1")
@pytest.mark.scenario("S0.5")
@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        pytest.param("127.0.0.1", ["127.0.0.1"], id="IPv4"),
        pytest.param("::1", ["::1"], id="IPv6"),
        pytest.param("localhost", ["::1", "127.0.0.1"], id="localhost", marks=OWN_NAMES),
    ],
)
def test_connecting_where_nothing_listens_is_refused(
    lab: Lab, host: str, addresses: list[str]
) -> None:
    """connect() gives ECONNREFUSED at each address when nothing listens there.

    RFC 9293 §3.10.7.1 (a segment to a closed port is answered with RST); POSIX.1-2024 connect()
    [ECONNREFUSED].
    """
    client = lab.start("daytime", host, lab.port)
    client.ended()
    assert tcp_connects(client) == [(address, ECONNREFUSED) for address in addresses]


@pytest.mark.about("ECONNREFUSED")
@pytest.mark.behaviour("H1")
@pytest.mark.scenario("S0.5")
def test_a_refused_client_says_so_and_fails(lab: Lab) -> None:
    """daytime names connect() and ECONNREFUSED on standard error, and exits 111, when nothing
    listens.

    UNP §1.2, §4.3.
    """
    client = lab.start("daytime", lab.address, lab.port)
    assert client.outcome("connect") == ECONNREFUSED
    assert client.ended() == exited(111)
    assert client.errors == f"connect: ECONNREFUSED ({lab.number(ECONNREFUSED)})\n"


@OWN_NAMES
@pytest.mark.about("getaddrinfo", "EAI_NONAME")
@pytest.mark.scenario("S0.5")
def test_a_name_that_nobody_knows_is_eai_noname(lab: Lab) -> None:
    """getaddrinfo() gives EAI_NONAME when all that could know a name do not know it.

    POSIX.1-2024 getaddrinfo() [EAI_NONAME]; RFC 6761 §6.4 (no name under invalid. exists). The
    lab's nsswitch.conf asks files alone.
    """
    client = lab.start("daytime", "nobody.invalid", lab.port)
    assert client.ended() == exited(111)
    assert client.errors == "getaddrinfo: EAI_NONAME\n"


@OWN_NAMES
@pytest.mark.about("getaddrinfo", "EAI_AGAIN")
@pytest.mark.scenario("S0.5")
def test_a_name_is_eai_again_where_no_resolver_answers(lab: Lab) -> None:
    """getaddrinfo() gives EAI_AGAIN when the resolver that could know a name does not answer.

    POSIX.1-2024 getaddrinfo() [EAI_AGAIN]; resolver(3). The lab has no resolver, so the question
    to port 53 is refused.
    """
    made = lab.start(
        "/bin/sh",
        "-c",
        "mount -t tmpfs tmpfs /mnt && echo hosts: dns >/mnt/nsswitch.conf"
        " && mount --bind /mnt/nsswitch.conf /etc/nsswitch.conf",
    )
    if made.ended() != exited(0):
        raise Broken(f"names are not looked up in the DNS: {made.errors}")
    client = lab.start("daytime", "nobody.invalid", lab.port)
    assert client.ended() == exited(111)
    assert client.errors == "getaddrinfo: EAI_AGAIN\n"
