"""Hosts and the wires between them, as the conductor's protocol has them."""

import hashlib
import json
import os
import socket
import statistics
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from harness import (
    CONNECTION,
    ESTABLISHED,
    FIN_WAIT1,
    LAST_ACK,
    SYN_SENT,
    TIME_WAIT,
    Broken,
    Lab,
    Process,
    State,
    entering,
    exited,
    leaving,
)
from harness.build import current
from harness.control.conductor import Refused
from harness.control.relay import Relay
from harness.lab.lab import Settings

HERE = current()
PORT = Lab.port
SERVER = "10.0.0.2", "fd00::2"
FLAGS = "FIN", "SYN", "RST", "PSH", "ACK"
PYTHON = sys.executable

Frame = dict[str, Any]
"""A segment's event with its bytes."""


class Net:
    """A lab with hosts and wires."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.ask = lab.ask

    def join(self, name: str, *ends: tuple[str, str, Sequence[str]], **more: Any) -> dict[str, Any]:
        """A wire between (host, link, addresses) and the same."""
        described = [{"host": h, "link": link, "addresses": list(a)} for h, link, a in ends]
        return self.ask("wire", name=name, ends=described, **more)

    def two(self, **more: Any) -> None:
        """Client and server, joined."""
        for name in ("client", "server"):
            self.ask("host", name=name)
        self.join(
            "w",
            ("client", "eth0", ["10.0.0.1/24", "fd00::1/64"]),
            ("server", "eth0", ["10.0.0.2/24", "fd00::2/64"]),
            **more,
        )

    def three(self) -> None:
        """Client and server with a router between them."""
        for name in ("client", "router", "server"):
            self.ask("host", name=name)
        self.join(
            "near",
            ("client", "eth0", ["10.0.1.1/24", "fd01::1/64"]),
            ("router", "eth0", ["10.0.1.254/24", "fd01::fe/64"]),
        )
        self.join(
            "far",
            ("router", "eth1", ["10.0.2.254/24", "fd02::fe/64"]),
            ("server", "eth0", ["10.0.2.2/24", "fd02::2/64"]),
        )
        forwarding = {"net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "1"}
        self.lab.ask("sysctl", host="router", set=forwarding)
        self.ask("route", host="client", to="0.0.0.0/0", via="10.0.1.254")
        self.ask("route", host="client", to="::/0", via="fd01::fe")
        self.ask("route", host="server", to="0.0.0.0/0", via="10.0.2.254")
        self.ask("route", host="server", to="::/0", via="fd02::fe")

    def watch(self, do: str | dict[str, Any], times: int = 1, **moment: Any) -> int:
        """Arms a watch for segments."""
        action = {"do": do} if isinstance(do, str) else do
        moment = {"at": "segment", **{name.rstrip("_"): value for name, value in moment.items()}}
        number: int = self.ask("arm", moment=moment, action=action, times=times)["watch"]
        return number

    def reached(self, watch: int, deadline: float = 5.0) -> Frame:
        """The event that the watch struck at."""
        event: Frame = self.ask("reached", watch=watch, deadline=deadline)["event"]
        return event

    def frames(self, wire: str = "w") -> list[Frame]:
        """What there was on a wire."""
        events = self.ask("events", kinds=["segment"], raw=True)
        assert events["frames_dropped"] == 0
        return [event for event in events["events"] if event.get("wire") == wire]

    def seen(self, wire: str = "w") -> list[str]:
        """The same as words, TCP alone: "client SYN passed"."""
        return [f"{f['host']} {tcp(f).name} {f['fate']}" for f in self.frames(wire) if is_tcp(f)]

    def states(self, host: str) -> list[State]:
        """Of the connections at a host."""
        return [s.state for s in self.lab.sockets(host=host) if s.state != "LISTEN"]

    def serve(self, address: str = SERVER[0], host: str = "server") -> Process:
        """An echo server that waits for a client."""
        server = self.lab.start("tcpserv01", "-a", address, PORT, host=host)
        return server.reach(entering("accept")).run()

    def client(self, address: str = SERVER[0]) -> Process:
        """An echo client, held at its exec."""
        return self.lab.start("echo_client", address, PORT, host="client")

    def connected(self) -> tuple[Process, Process]:
        """The child that serves, and its client, which waits for input."""
        server = self.serve()
        client = self.client().reach(leaving("connect")).run()
        self.lab.awaits(host="server", state=ESTABLISHED)
        says(client, "one\n")
        return server.child(), client


def says(client: Process, line: str, deadline: float | None = None) -> None:
    """An echo client sends a line and has it back; it runs on."""
    client.input(line).prints(line, deadline=deadline).run()


class Tcp:
    """The TCP header of a frame."""

    def __init__(self, raw: bytes, length: int) -> None:
        head = 40 if raw[0] >> 4 == 6 else (raw[0] & 15) * 4
        at = raw[head:]
        self.source, self.destination, self.seq, self.ack = struct.unpack("!HHII", at[:12])
        self.name = "+".join(
            name for bit, name in enumerate(FLAGS) if at[13] >> bit & 1 and bit != 3
        )
        self.data = length - head - (at[12] >> 4) * 4


def is_tcp(frame: Frame) -> bool:
    """Whether there is TCP in it."""
    raw = bytes.fromhex(frame["raw"])
    return raw[0] >> 4 in (4, 6) and raw[6 if raw[0] >> 4 == 6 else 9] == 6


def tcp(frame: Frame) -> Tcp:
    """Its TCP header."""
    return Tcp(bytes.fromhex(frame["raw"]), frame["length"])


def checksum(data: bytes) -> int:
    """Of the Internet."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def forged(source: str, destination: str, ports: tuple[int, int], seq: int, flags: int) -> str:
    """A TCP segment without data, in IPv4, as hexadecimal."""
    ends = socket.inet_aton(source) + socket.inet_aton(destination)
    header = struct.pack("!HHIIBBHHH", *ports, seq, 0, 0x50, flags, 0, 0, 0)
    total = checksum(ends + struct.pack("!HH", 6, len(header)) + header)
    header = header[:16] + struct.pack("!H", total) + header[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 40, 0, 0, 64, 6, 0) + ends
    return (ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + header).hex()


@pytest.fixture
def net() -> Iterator[Net]:
    """A lab that is gone in the end."""
    relay = Relay(HERE.conductor, None, ahead=0)
    lab = Lab(Settings(HERE.folder, sanitized=HERE.sanitized), relay)
    try:
        yield Net(lab)
    finally:
        lab.close()
        relay.close()


@pytest.fixture
def two(net: Net) -> Net:
    """Client and server, joined by the wire w."""
    net.two()
    return net


# --- a wire carries ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", SERVER)
def test_two_hosts_talk(two: Net, address: str) -> None:
    """Over IPv4 and over IPv6; every segment is told, and nothing else is on the wire."""
    server = two.serve(address)
    client = two.client(address)
    assert client.run().input("hello\n").end_input().ended() == exited(0)
    assert client.output == "hello\n"
    assert server.child().ended() == exited(0)
    assert two.states("client") == [TIME_WAIT]
    seen = two.seen()
    assert seen[:3] == ["client SYN passed", "server SYN+ACK passed", "client ACK passed"]
    assert [s for s in seen if "FIN" in s] == ["client FIN+ACK passed", "server FIN+ACK passed"]
    assert len(seen) == len(two.frames())


def test_a_segment_has_its_place_among_the_calls(two: Net) -> None:
    """The SYN comes after connect is entered, the answer before it is left."""
    two.serve()
    client = two.client().reach(leaving("connect"))
    events = two.ask("events", raw=True)["events"]
    entered = next(
        e for e in events if e.get("process") == client.number and e.get("call") == "connect"
    )
    left = client.at
    syn, answer, *_ = two.frames()
    assert left is not None
    assert entered["seq"] < syn["seq"] < answer["seq"] < left.seq
    assert entered["time"] <= syn["time"] <= answer["time"] <= left.time
    assert (syn["link"], syn["host"], answer["host"]) == ("eth0", "client", "server")
    assert "host" not in entered


def test_a_frame_is_one_segment_with_its_checksum(two: Net) -> None:
    """However much is written at once."""
    pour, drink = bulk(two, 200_000)
    assert drink.ended() == exited(0) and pour.ended() == exited(0)
    frames = two.frames()
    assert {f["length"] for f in frames if tcp(f).data} > {1500}
    assert max(f["length"] for f in frames) == 1500
    whole = [f for f in frames if f["length"] * 2 == len(f["raw"])]
    assert len(whole) > 3
    for frame in whole:
        raw = bytes.fromhex(frame["raw"])
        assert checksum(raw[:20]) == 0
        assert checksum(raw[12:20] + struct.pack("!HH", 6, len(raw) - 20) + raw[20:]) == 0


POUR = """
import hashlib, os, socket, sys
to, port, length = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
block, total = os.urandom(1 << 16), hashlib.sha256()
with socket.create_connection((to, port)) as s:
    while length:
        piece = block[:min(length, len(block))]
        s.sendall(piece); total.update(piece); length -= len(piece)
print(total.hexdigest())
"""

DRINK = """
import hashlib, socket, sys
with socket.create_server((sys.argv[1], int(sys.argv[2]))) as listener:
    s, _ = listener.accept()
total = hashlib.sha256()
while piece := s.recv(1 << 20):
    total.update(piece)
print(total.hexdigest())
"""


def bulk(net: Net, length: int) -> tuple[Process, Process]:
    """Both run: who sends that many bytes, and who takes them."""
    drink = net.lab.start(PYTHON, "-S", "-c", DRINK, SERVER[0], PORT, host="server")
    drink.reach(entering("accept"), deadline=20).run()
    pour = net.lab.start(PYTHON, "-S", "-c", POUR, SERVER[0], PORT, length, host="client")
    return pour.run(), drink


def test_a_hundred_megabytes_arrive(two: Net) -> None:
    """The bytes that come out are those that went in, and no frame was lost for want of room."""
    # An ordinary user's wire has room for bursts of this size on every machine.
    two.lab.ask("sysctl", host="client", set={"net.ipv4.tcp_wmem": "4096 16384 131072"})
    pour, drink = bulk(two, 100 << 20)
    assert drink.ended(deadline=60) == exited(0) and pour.ended() == exited(0)
    assert drink.output == pour.output and len(pour.output) == 2 * hashlib.sha256().digest_size + 1
    assert two.ask("events", limit=1)["frames_dropped"] == 0


def test_with_neighbours_unset_they_ask(net: Net) -> None:
    """ARP is on the wire then, and is a moment too."""
    net.two(neighbours=False)
    watch = net.watch("drop", times=0, protocol="arp", from_="server")
    net.serve()
    client = net.client().run()
    assert net.reached(watch)["fate"] == "dropped"
    assert client.ended(deadline=60) == exited(111)
    assert "EHOSTUNREACH" in client.errors


# --- a router ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["10.0.2.2", "fd02::2"])
def test_a_router_forwards(net: Net, address: str) -> None:
    """The same segments are on both wires, one hop older on the second."""
    net.three()
    net.serve(address)
    client = net.client(address)
    assert client.run().input("hello\n").end_input().ended() == exited(0)
    net.lab.awaits(host="client", state=TIME_WAIT)
    assert [s.replace("router", "server") for s in net.seen("near")] == [
        s.replace("router", "client") for s in net.seen("far")
    ]
    hop = 7 if ":" in address else 8
    ages = [bytes.fromhex(net.frames(wire)[0]["raw"])[hop] for wire in ("near", "far")]
    assert ages == [64, 63]


@pytest.mark.parametrize(
    "via, errno",
    [("unreachable", "EHOSTUNREACH"), ("prohibit", "EHOSTUNREACH"), (None, "ENETUNREACH")],
)
def test_a_router_answers(net: Net, via: str | None, errno: str) -> None:
    """With ICMP, as its routes say."""
    net.three()
    if via:
        net.ask("route", host="router", to="10.9.0.0/16", via=via)
    client = net.client("10.9.0.1")
    watch = net.watch("hold", protocol="icmp", from_="router", wire="near")
    client.run()
    net.reached(watch)
    assert client.state == "running"
    net.ask("pass", watch=watch)
    assert client.ended() == exited(111)
    assert errno in client.errors


# --- segments as moments ----------------------------------------------------------------------------------------


def test_a_held_syn_waits(two: Net) -> None:
    """The client is in SYN_SENT meanwhile; what is passed arrives."""
    two.serve()
    watch = two.watch("hold", flags=["SYN"], without=["ACK"], from_="client")
    client = two.client().run()
    held = two.reached(watch)
    assert (held["fate"], held["host"], held["wire"]) == ("held", "client", "w")
    assert two.states("client") == [SYN_SENT] and two.states("server") == []
    assert two.ask("pass", watch=watch) == {"passed": 1}
    says(client, "x\n")
    assert two.seen()[:2] == ["client SYN held", "client SYN released"]
    assert two.frames()[1]["of"] == held["seq"]


@pytest.mark.waits
def test_a_lost_syn_is_sent_again(two: Net) -> None:
    """The first is dropped, the second is not."""
    two.serve()
    watch = two.watch("drop", flags=["SYN"], destination_port=PORT)
    client = two.client().run()
    two.reached(watch)
    says(client, "x\n", deadline=60)
    assert two.seen()[:3] == ["client SYN dropped", "client SYN passed", "server SYN+ACK passed"]


def test_the_nth_counts_from_the_arming(two: Net) -> None:
    """Of the segments that match."""
    _, client = two.connected()
    watch = two.watch("hold", nth=2, payload=True, from_="client")
    says(client, "two\n")
    client.input("three\n")
    held = two.reached(watch)
    [frame] = [f for f in two.frames() if f["seq"] == held["seq"]]
    assert tcp(frame).data == len("three\n")
    assert "three" not in client.output
    two.ask("pass", watch=watch)
    client.prints("three\n")


def test_a_duplicate_arrives_twice(two: Net) -> None:
    """To the second SYN the server gives its answer once more."""
    two.serve()
    two.watch("duplicate", flags=["SYN"], without=["ACK"])
    client = two.client().run()
    assert client.input("x\n").end_input().ended() == exited(0)
    seen = two.seen()
    assert seen[0] == "client SYN duplicated"
    assert seen.count("server SYN+ACK passed") == 2


def test_a_delayed_segment_comes_later(two: Net) -> None:
    """By as long as was asked for, not less."""
    _, client = two.connected()
    two.watch({"do": "delay", "seconds": 0.05}, flags=["FIN"], from_="client")
    client.end_input().ended()
    two.lab.awaits(host="client", state=TIME_WAIT)
    went, came = [f for f in two.frames() if "FIN" in tcp(f).name and f["host"] == "client"]
    assert (went["fate"], came["fate"], came["of"]) == ("delayed", "released", went["seq"])
    assert 0.05 <= (came["time"] - went["time"]) / 1e9 < 0.2


def test_segments_can_change_places(two: Net) -> None:
    """What is passed in reverse arrives so, and TCP puts it right."""
    two.serve()
    watch = two.watch("hold", times=2, payload=True, from_="client")
    script = "import socket,sys,time\ns=socket.create_connection((sys.argv[1],int(sys.argv[2])))\n"
    script += "s.setsockopt(6,1,1)\ns.send(b'AAAA')\ns.send(b'BBBBB')\n"
    script += "t=b''\nwhile len(t)<9: t+=s.recv(99)\nprint(t.decode(),flush=True)\n"
    writer = two.lab.start(PYTHON, "-S", "-c", script, SERVER[0], PORT, host="client")
    writer.reach(entering("recv", on=CONNECTION)).run()
    assert two.ask("pass", watch=watch, order="reversed") == {"passed": 2}
    assert writer.ended() == exited(0)
    assert writer.output == "AAAABBBBB\n"
    released = [f for f in two.frames() if f["fate"] == "released"]
    assert [tcp(f).data for f in released] == [5, 4]
    assert released[0]["of"] > released[1]["of"]


def test_a_held_fin_keeps_the_states_apart(two: Net) -> None:
    """FIN_WAIT1 here, ESTABLISHED there, until it passes."""
    child, client = two.connected()
    watch = two.watch("hold", flags=["FIN"], from_="client")
    serving = two.watch("hold", flags=["FIN"], from_="server")
    client.end_input()
    two.reached(watch)
    assert two.states("client") == [FIN_WAIT1] and two.states("server") == [ESTABLISHED]
    two.ask("pass", watch=watch)
    two.reached(serving)
    assert child.ended() == exited(0)
    assert two.states("server") == [LAST_ACK]
    two.ask("pass", watch=serving)
    two.lab.awaits(host="client", state=TIME_WAIT)
    assert two.states("server") == []


def test_a_lost_last_ack_is_asked_for_again(two: Net) -> None:
    """The FIN comes again, and TIME_WAIT answers it."""
    _, client = two.connected()
    fin = two.watch("hold", flags=["FIN"], from_="server")
    client.end_input()
    two.reached(fin)
    ack = two.watch("drop", flags=["ACK"], without=["FIN"], from_="client")
    two.ask("pass", watch=fin)
    two.reached(ack)
    assert two.states("client") == [TIME_WAIT] and two.states("server") == [LAST_ACK]
    two.lab.awaits_none(host="server", state=LAST_ACK)
    assert [s for s in two.seen() if "FIN" in s or "dropped" in s][-3:] == [
        "server FIN+ACK released",
        "client ACK dropped",
        "server FIN+ACK passed",
    ]


def test_what_is_held_can_be_thrown_away(two: Net) -> None:
    """Once: then the watch holds nothing any more."""
    _, client = two.connected()
    watch = two.watch("hold", payload=True, from_="client")
    client.input("two\n")
    held = two.reached(watch)
    assert two.ask("discard", watch=watch) == {"discarded": 1}
    assert (two.frames()[-1]["fate"], two.frames()[-1]["of"]) == ("dropped", held["seq"])
    client.prints("two\n")  # it was sent again
    for verb in ("pass", "discard"):
        with pytest.raises(Refused, match=f"watch {watch} holds no segment"):
            two.ask(verb, watch=watch)


def test_of_two_watches_the_first_has_the_segment(two: Net) -> None:
    """The other counts it, and has the next."""
    _, client = two.connected()
    first = two.watch("hold", payload=True, from_="client")
    second = two.watch("drop", payload=True, from_="client")
    client.input("two\n")
    two.reached(first)
    assert two.ask("disarm", watch=second) == {"struck": 0}
    assert two.ask("disarm", watch=first) == {"struck": 1}
    assert two.ask("pass", watch=first) == {"passed": 1}
    client.prints("two\n")


def test_what_does_not_come_is_late(two: Net) -> None:
    """The message has the moment in words."""
    watch = two.watch("hold", flags=["RST", "ACK"], protocol="tcp", from_="client", wire="w", nth=2)
    with pytest.raises(Broken, match="a segment of tcp with RST.ACK from client on w, the 2nd"):
        two.reached(watch, deadline=0.05)


# --- cutting ----------------------------------------------------------------------------------------------------


def test_a_cut_wire_is_silent_till_it_is_mended(two: Net) -> None:
    """Nobody is told; TCP sends again what was lost."""
    _, client = two.connected()
    two.ask("cut", wire="w")
    client.input("lost\n").reach(leaving("write")).run()
    watch = two.watch("hold", payload=True, from_="client")
    before = [f for f in two.frames() if f["fate"] == "cut"]
    assert [f["host"] for f in before] == ["client"]
    assert client.output == "one\n" and two.states("client") == [ESTABLISHED]
    two.ask("mend", wire="w")
    two.reached(watch)
    two.ask("pass", watch=watch)
    client.prints("lost\n")


def test_one_side_can_be_cut_alone(two: Net) -> None:
    """What the other sends arrives."""
    child, client = two.connected()
    two.ask("cut", wire="w", side="server")
    read = child.arm(leaving("read"))
    client.input("two\n")
    read.reached().reach(leaving("write")).run()
    assert "server ACK cut" in two.seen() and "client ACK cut" not in two.seen()
    assert client.output == "one\n"


# --- forging ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("off, states", [(0, []), (1 << 30, [ESTABLISHED])])
def test_a_forged_reset_counts_inside_the_window(
    two: Net, off: int, states: Sequence[State]
) -> None:
    """Outside of it, nothing happens."""
    _, client = two.connected()
    last = [f for f in two.frames() if f["host"] == "server" and tcp(f).data][-1]
    head = tcp(last)
    seq = (head.seq + head.data + off) % (1 << 32)
    frame = forged(SERVER[0], "10.0.0.1", (PORT, head.destination), seq, 0x04)
    event = two.ask("forge", wire="w", to="client", frame=frame)["event"]
    assert (event["fate"], event["host"]) == ("forged", "server")
    assert two.frames()[-1]["raw"] == frame
    assert two.states("client") == states
    client.kill()


def test_a_wrong_checksum_is_noticed(two: Net) -> None:
    """The link vouches for nothing."""
    _, client = two.connected()
    head = tcp([f for f in two.frames() if f["host"] == "server" and tcp(f).data][-1])
    frame = forged(SERVER[0], "10.0.0.1", (PORT, head.destination), head.seq + head.data, 0x04)
    wrong = bytes.fromhex(frame)[:36] + b"\xde\xad" + bytes.fromhex(frame)[38:]
    two.ask("forge", wire="w", to="client", frame=wrong.hex())
    assert two.states("client") == [ESTABLISHED]
    client.kill()


# --- crash and boot ---------------------------------------------------------------------------------------------


def test_a_crash_is_silent(two: Net) -> None:
    """No FIN leaves the host, and its processes are dead."""
    child, client = two.connected()
    before = len([f for f in two.frames() if f["host"] == "server"])
    killed = two.ask("crash", host="server")["killed"]
    assert [p["name"] for p in killed] == ["tcpserv01", "tcpserv01"]
    assert child.state == "dead" and client.state == "running"
    client.input("anyone?\n").reach(leaving("write", on=CONNECTION)).run()
    assert two.states("client") == [ESTABLISHED]
    assert len([f for f in two.frames() if f["host"] == "server"]) == before
    assert two.seen()[-1] == "client ACK cut"
    with pytest.raises(Refused, match="host server has crashed: boot it first"):
        two.serve()


def test_after_the_boot_nobody_remembers(two: Net) -> None:
    """The rebooted host answers with RST."""
    _, client = two.connected()
    two.ask("crash", host="server")
    two.ask("boot", host="server")
    assert two.states("server") == []
    client.input("still there?\n")
    assert client.ended() == exited(111)
    assert "ECONNRESET" in client.errors
    assert two.seen()[-1] == "server RST passed"


def test_the_boot_brings_back_what_was_set(net: Net) -> None:
    """Addresses, neighbours and routes; the same MACs."""
    net.three()
    net.ask("address", host="server", link="eth0", address="10.0.2.3/24")
    net.ask("address", host="server", link="eth0", address="fd02::3/64")
    net.ask("address", host="server", link="eth0", address="fd02::3/64", change="remove")
    before = configuration(net, "server")
    net.ask("crash", host="server")
    net.ask("boot", host="server")
    assert configuration(net, "server") == before
    net.serve("10.0.2.3")
    client = net.client("10.0.2.3")
    assert client.run().input("x\n").end_input().ended() == exited(0)


def configuration(net: Net, host: str) -> str:
    """What the kernel says of a host's links, in its own words but for the numbers."""
    show = "for x in 'addr' '-6 addr' 'route' '-6 route' 'neigh'; do ip -o $x show dev eth0; done"
    shell = net.lab.start("/bin/sh", "-c", show, host=host)
    assert shell.run().ended() == exited(0)
    assert "02:00:00" in shell.output and "10.0.2.254" in shell.output
    return "\n".join(line.partition("eth0")[2] or line for line in shell.output.splitlines())


def test_the_first_host_can_crash_too(net: Net) -> None:
    """It is a host like the others once it has a wire."""
    net.ask("host", name="server")
    net.join("w", ("host", "eth0", ["10.0.0.1/24"]), ("server", "eth0", ["10.0.0.2/24"]))
    sleeper = net.lab.start("/bin/sleep", 100).run()
    net.ask("crash", host="host")
    assert sleeper.state == "dead"
    net.ask("boot", host="host")
    net.serve()
    client = net.lab.start("echo_client", SERVER[0], PORT)
    assert client.run().input("x\n").end_input().ended() == exited(0)


def test_a_held_frame_outlives_the_crash_of_its_sender(two: Net) -> None:
    """It was on the wire already."""
    child, client = two.connected()
    watch = two.watch("hold", payload=True, from_="client")
    read = child.arm(leaving("read"))
    client.input("two\n")
    two.reached(watch)
    two.ask("crash", host="client")
    two.ask("pass", watch=watch)
    assert read.reached().at is not None
    assert [s for s in two.seen() if s.startswith("client")][-1] == "client ACK released"


def test_a_host_in_the_midst_of_everything_crashes(net: Net) -> None:
    """Held processes, held segments, a program that forks."""
    net.two()
    _, client = net.connected()
    net.watch("hold", payload=True, from_="server", times=0)
    client.input("two\n")
    held = net.lab.start("/bin/sleep", 9, host="server")
    loop = net.lab.start("/bin/sh", "-c", "while :; do /bin/true; done", host="server").run()
    net.ask("crash", host="server")
    assert [p.state for p in (held, loop)] == ["dead", "dead"]
    assert {p["state"] for p in net.ask("processes")["processes"] if p["host"] == "server"} == {
        "dead"
    }


# --- addresses --------------------------------------------------------------------------------------------------


def test_an_address_can_go_and_come(two: Net) -> None:
    """Programs see it at once."""
    two.ask("address", host="server", link="eth0", address="10.0.0.2/24", change="remove")
    refused = two.lab.start("tcpserv01", "-a", SERVER[0], PORT, host="server").run()
    assert refused.ended() == exited(111) and "EADDRNOTAVAIL" in refused.errors
    two.ask("address", host="server", link="eth0", address="10.0.0.2/24")
    two.serve()


def test_a_captured_loopback_is_told_with_its_host(net: Net) -> None:
    """Of a further host when it is asked for."""
    net.ask("host", name="quiet")
    net.ask("host", name="watched", capture=True)
    for name in ("quiet", "watched"):
        net.serve("127.0.0.1", host=name)
        client = net.lab.start("echo_client", "127.0.0.1", PORT, host=name)
        assert client.run().input("x\n").end_input().ended() == exited(0)
    events = net.ask("events", kinds=["segment"])["events"]
    assert {(e["host"], e["link"], "wire" in e) for e in events} == {("watched", "lo", False)}


# --- what cannot be ---------------------------------------------------------------------------------------------

END = {"host": "client", "link": "eth1"}
MOMENT = {"at": "segment"}
HOLD = {"do": "hold"}


@pytest.mark.parametrize(
    "verb, members, reason",
    [
        (
            "start",
            {"argv": ["/bin/true"], "env": {}, "host": "nobody"},
            'no such host .there is "h',
        ),
        ("sockets", {"host": "nobody"}, 'host "nobody": no such host'),
        ("sysctl", {"host": "nobody"}, 'host "nobody": no such host'),
        ("host", {"name": "client"}, "host client: there is one of that name"),
        ("host", {"name": "a b"}, "name: expected a name of at most 31 letters"),
        ("wire", {"name": "w", "ends": [END, END]}, "wire w: there is one of that name"),
        ("wire", {"name": "v", "ends": [END, END]}, "wire v: both ends are at host client"),
        ("wire", {"name": "v", "ends": [END]}, "ends: expected an array of two ends"),
        ("wire", {"name": "v", "ends": [END, {"host": "host"}]}, 'ends: "link" is missing'),
        (
            "wire",
            {"name": "v", "ends": [{**END, "link": "eth0"}, {"host": "host", "link": "e"}]},
            "host client: link eth0 cannot be made: EEXIST",
        ),
        ("wire", {"name": "v", "ends": [{**END, "addresses": ["10.0.0.1"]}, END]}, "its prefix"),
        ("cut", {"wire": "v"}, 'wire "v": no such wire'),
        ("cut", {"wire": "w", "side": "nobody"}, 'host "nobody": no such host'),
        ("cut", {"wire": "w", "side": "host"}, "wire w does not end at host host"),
        ("mend", {"wire": "w"}, "wire w is not cut"),
        ("crash", {"host": "host"}, "host host has no wire: nobody would notice"),
        ("crash", {"host": "nobody"}, 'host "nobody": no such host'),
        ("crash", {}, '"host" is missing'),
        ("boot", {"host": "client"}, "host client has not crashed"),
        ("pass", {"watch": 3}, "watch 3 holds no segment"),
        ("forge", {"wire": "w", "to": "client", "frame": "00"}, "frame: expected an IP packet"),
        ("forge", {"wire": "w", "to": "host", "frame": "45" + "00" * 19}, "does not end at host"),
        (
            "forge",
            {"wire": "w", "to": "client", "frame": "45" + "00" * 1999},
            "carries at most 1500",
        ),
        ("address", {"host": "client", "link": "eth7", "address": "10.0.0.9/24"}, "no link eth7"),
        (
            "address",
            {"host": "client", "link": "eth0", "address": "10.0.0.1/24"},
            "host client: address 10.0.0.1/24 cannot be set: EEXIST",
        ),
        ("route", {"host": "client", "to": "10.7.0.0/16", "via": "10.6.0.1"}, "ENETUNREACH"),
        ("route", {"host": "client", "to": "10.7.0.0/16", "via": "fd00::2"}, "different families"),
        ("route", {"host": "client", "to": "10.7.0.0/16"}, '"via" is missing'),
        (
            "neighbour",
            {"host": "client", "link": "eth0", "address": "10.0.0.9"},
            '"mac" is missing',
        ),
        ("arm", {"moment": {**MOMENT, "wire": "v"}, "action": HOLD}, "no such wire"),
        ("arm", {"moment": {**MOMENT, "from": "host"}, "action": HOLD}, "host host has no wire"),
        ("arm", {"moment": {**MOMENT, "flags": ["FIX"]}, "action": HOLD}, "moment.flags: expected"),
        ("arm", {"moment": {**MOMENT, "call": "read"}, "action": HOLD}, '"call" means nothing'),
        ("arm", {"moment": MOMENT, "action": {"do": "detach"}}, "there are hold, drop, duplicate"),
        ("arm", {"moment": MOMENT, "action": {"do": "delay"}}, 'delay takes "seconds"'),
        ("arm", {"moment": MOMENT, "action": HOLD, "process": 1}, "a segment is of no process"),
        ("arm", {"moment": {"at": "exit"}, "action": HOLD}, '"process" is missing'),
    ],
)
def test_what_cannot_be_is_refused(two: Net, verb: str, members: Any, reason: str) -> None:
    """With a reason, and the conductor goes on."""
    null = os.open(os.devnull, os.O_RDWR)
    try:
        with pytest.raises(Refused, match=reason):
            two.ask(verb, descriptors=[null] * 3 if verb == "start" else (), **members)
    finally:
        os.close(null)
    two.serve()
    assert two.client().run().input("x\n").end_input().ended() == exited(0)


def test_a_wire_cannot_be_cut_twice(two: Net) -> None:
    """Nor mended twice; of a wire cut on one side the other can be cut."""
    two.ask("cut", wire="w", side="client")
    for side in (None, "client"):
        with pytest.raises(Refused, match="wire w: what client sends is cut already"):
            two.ask("cut", wire="w", side=side)
    two.ask("cut", wire="w", side="server")
    two.ask("mend", wire="w")
    with pytest.raises(Refused, match="wire w is not cut"):
        two.ask("mend", wire="w")


def test_without_a_wire_there_are_no_segments_to_watch(net: Net) -> None:
    """Loopback can be seen, not held."""
    with pytest.raises(Refused, match="there is no wire"):
        net.watch("hold")


# --- costs and remains ------------------------------------------------------------------------------------------

ECHO = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("0.0.0.0", int(sys.argv[1])))
print("ready", flush=True)
while True:
    data, peer = s.recvfrom(99)
    s.sendto(data, peer)
"""

ASK = """
import json, socket, sys, time
port, rounds = int(sys.argv[1]), int(sys.argv[2])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
times = {to: [] for to in sys.argv[3:]}
for i in range(rounds):
    for to, seen in times.items():
        began = time.perf_counter_ns(); s.sendto(b"x", (to, port)); s.recvfrom(99)
        seen.append(time.perf_counter_ns() - began)
print(json.dumps(times), flush=True)
"""


@pytest.mark.skipif(HERE.sanitized, reason="sanitizers make everything slower")
def test_the_wire_adds_little(two: Net) -> None:
    """Less than 20 microseconds a segment against a veth pair between the same hosts, turn by turn. What else the machine
    does makes most of the rounds slower: the fastest tenth tells what the wire costs."""
    echo = two.lab.start(PYTHON, "-S", "-c", ECHO, PORT, host="server", detachable=True)
    pid, plain = echo.pid, "ip link add p0 type veth peer name p1 netns %d && "
    here = "ip addr add 10.5.0.1/24 dev p0 && ip link set p0 up"
    there = "ip addr add 10.5.0.2/24 dev p1 && ip link set p1 up"
    for host, script in ("client", plain % pid + here), ("server", there):
        shell = two.lab.start("/bin/sh", "-c", script, host=host).run()
        assert shell.ended() == exited(0), shell.errors
    echo.detach()
    ask = [PORT, 2000, SERVER[0], "10.5.0.2"]
    asker = two.lab.start(PYTHON, "-S", "-c", ASK, *ask, host="client", detachable=True)
    asker.detach()
    assert asker.ended(deadline=30) == exited(0), asker.errors
    times = json.loads(asker.output)
    wired, plain_pair = (
        statistics.quantiles(times[to], n=10)[0] / 2 for to in (SERVER[0], "10.5.0.2")
    )
    print(f"a segment: {wired / 1e3:.1f} us by the wire, {plain_pair / 1e3:.1f} us by a veth pair")
    assert wired - plain_pair < 20_000


REMAINS = """
import os, signal, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from harness.build import current
from harness.tests.test_wire import Net, Lab, Settings, Relay, HERE
room = Path("/proc/sys/user/max_net_namespaces")
room.write_text("5")  # the lab's: one of its own, three hosts', one for the wires

def three():
    lab = Lab(Settings(HERE.folder, sanitized=HERE.sanitized), Relay(HERE.conductor, None, ahead=0))
    net = Net(lab)
    try:
        net.three()
    except BaseException:
        lab.close()
        raise
    return net

def conductors():
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "comm").read_text() == "conductor\\n":
                    yield int(entry.name)
            except OSError:
                pass

net = three()
net.serve("10.0.2.2")
client = net.client("10.0.2.2").run().input("one\\n").prints("one\\n")
net.ask("cut", wire="far")
client.input("under way, and never acknowledged\\n").blocked("read")
try:
    three()
    print("room for a second lab")
    sys.exit(1)
except Exception as error:
    assert "network namespaces" in str(error) or "ENOSPC" in str(error), error
for pid in list(conductors()):
    os.kill(pid, signal.SIGKILL)
began = time.monotonic()
while time.monotonic() - began < 20:
    try:
        three()
        break
    except Exception as error:
        time.sleep(0.5)  # an attempt takes up room itself, until what it made is cleaned up
print(f"{time.monotonic() - began:.2f}", flush=True)
os._exit(0)
"""


@pytest.mark.skipif(HERE.sanitized, reason="the leak sanitizer hangs where there is no namespace")
def test_a_killed_lab_leaves_no_namespace() -> None:
    """Not even one with connections that wait for an answer: soon there is room for the next lab."""
    root = str(HERE.root)
    done = subprocess.run(
        ["unshare", "-Urpf", "--mount-proc", PYTHON, "-c", REMAINS, root],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=root,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert float(done.stdout) < 10
