"""Bad requests to one real conductor: each gets one error that names it, and the next good request succeeds."""

import copy
import json
import os
import random
import re
import resource
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.build import current
from harness.tests import traces

HERE = current()
SEED = 20240607
BAD = 1000
BROKEN = 150
"""Lines among them that are no requests at all."""
DESCRIPTORS = 128
"""All that the conductor may have open: a leak of one a request would soon be felt."""
MEMORY = 512
"""KiB that it may grow by: a request that is kept needs a kilobyte or two."""
LINE = 1 << 20
PATIENCE = 10.0

Request = dict[str, Any]
Reply = dict[str, Any]

HELD, RUNS, DEAD, DETACHABLE = 1, 2, 3, 4
"""The processes that the requests are about."""
WATCH = 1
HOLDS, HOLDS_TOO = 2, 3
"""Watches that hold a segment each."""
NONE = 99


class Raw:
    """A conductor, and its control channel as bytes."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair()
        self._ours.settimeout(PATIENCE)
        with theirs:
            self._child = subprocess.Popen(
                [HERE.conductor, "--control", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                preexec_fn=lambda: resource.setrlimit(
                    resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS)
                ),
            )
        self._replies = self._ours.makefile("rb")
        self._next = 1000

    def send(self, line: bytes, descriptors: Sequence[int] = ()) -> None:
        """Sends a line, with descriptors beside its first byte."""
        data = line + b"\n"
        sent = socket.send_fds(self._ours, [data[:1]], list(descriptors)) if descriptors else 0
        self._ours.sendall(data[sent:])

    def reply(self) -> Reply:
        """The next reply, which must come."""
        reply: Reply = json.loads(self._replies.readline())
        return reply

    def ask(self, request: Request, descriptors: Sequence[int] = ()) -> Reply:
        """Sends a request with an id of its own, and checks that the one reply is to it."""
        self._next += 1
        self.send(json.dumps({"id": self._next, **request}).encode(), descriptors)
        reply = self.reply()
        assert reply["id"] == self._next
        return reply

    def ok(self, request: Request, descriptors: Sequence[int] = ()) -> Any:
        """As ask; the request must succeed."""
        reply = self.ask(request, descriptors)
        assert "ok" in reply, (request, reply)
        return reply["ok"]

    def start(self, *argv: str, host: str = "host", detachable: bool = False) -> int:
        """Starts a program without streams; the number of its process."""
        with open(os.devnull, "r+b") as null:
            request: Request = {"do": "start", "argv": argv, "env": {}, "host": host}
            request["detachable"] = detachable
            number: int = self.ok(request, [null.fileno()] * 3)["process"]
        return number

    def init(self) -> traces.Seen:
        """The conductor proper: init of the lab."""
        [init] = [seen for seen in traces.below(self._child.pid) if seen.parent == self._child.pid]
        return init

    def open_descriptors(self) -> int | None:
        """How many it has; None where it may not be looked at: an ordinary user's, by an old kernel."""
        folder = Path(f"/proc/{self.init().pid}/fd")
        try:
            return len(os.listdir(folder))
        except PermissionError:
            return folder.stat().st_size or None

    def memory(self) -> int:
        """KiB of it that are in memory."""
        status = Path(f"/proc/{self.init().pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1])

    def end(self) -> None:
        """Ends it, in order."""
        self._replies.close()
        self._ours.close()
        assert self._child.wait(PATIENCE) == 0


@pytest.fixture
def raw() -> Iterator[Raw]:
    """A conductor with a process that is held, one that runs, one that is dead, one that can be detached."""
    raw = Raw()
    try:
        echo = os.fspath(HERE.folder / "servers" / "reuseadr_eserver")
        assert raw.start(echo, "9877") == HELD
        assert raw.start(echo, "9878") == RUNS
        raw.ok({"do": "run", "process": RUNS})
        raw.ok({"do": "blocked", "process": RUNS, "call": "accept"})
        assert raw.start(echo, "9879") == DEAD
        raw.ok({"do": "kill", "process": DEAD, "signal": "SIGKILL"})
        assert raw.start(echo, "9880", detachable=True) == DETACHABLE
        moment = {"at": "exit"}
        arm = {"do": "arm", "process": HELD, "moment": moment, "action": {"do": "hold"}}
        assert raw.ok(arm)["watch"] == WATCH
        join(raw)
        yield raw
    finally:
        raw.end()


def end_of_wire(host: str, link: str, *addresses: str) -> Request:
    """As the protocol has it."""
    return {"host": host, "link": link, "addresses": list(addresses)}


def join(raw: Raw) -> None:
    """Makes two hosts, and a wire with two segments on it that are held."""
    for name in ("near", "far"):
        raw.ok({"do": "host", "name": name})
    ends = [end_of_wire("near", "eth0", "10.0.0.1/24"), end_of_wire("far", "eth0", "10.0.0.2/24")]
    raw.ok({"do": "wire", "name": "w", "ends": ends})
    for watch in (HOLDS, HOLDS_TOO):
        hold = {"do": "arm", "moment": {"at": "segment"}, "action": {"do": "hold"}}
        assert raw.ok(hold)["watch"] == watch
    send = "echo 1 >/dev/udp/10.0.0.2/9; echo 2 >/dev/udp/10.0.0.2/9"
    sender = raw.start("/bin/bash", "-c", send, host="near")
    raw.ok({"do": "run", "process": sender})
    raw.ok({"do": "ended", "process": sender})
    raw.ok({"do": "reached", "watch": HOLDS_TOO})


# --- good requests, of every verb --------------------------------------------------------------------------------

MOMENT = {"at": "enter", "call": "accept", "nth": 1, "on": "listening"}
SIGNALLED = {"at": "signal", "signal": "SIGUSR1", "nth": 2}
FILTER = {
    "family": "AF_INET",
    "type": "SOCK_STREAM",
    "local": 9878,
    "remote": 0,
    "local_host": "0.0.0.0",
    "remote_host": "0.0.0.0",
    "state": ["LISTEN"],
}
GOOD: tuple[Request, ...] = (
    {"do": "hello"},
    {"do": "processes"},
    {
        "do": "sysctl",
        "host": "host",
        "set": {"net.ipv4.tcp_fin_timeout": "30"},
        "get": ["net.ipv4.tcp_rmem"],
    },
    {
        "do": "start",
        "argv": ["/bin/true", "1"],
        "env": {"A": "1"},
        "emulates": "program",
        "cwd": "/",
        "host": "host",
        "limits": {"nofile": [32, 64], "core": [0, 0]},
        "user": 0,
        "detachable": False,
        "deadline": 5,
    },
    {"do": "arm", "process": HELD, "moment": MOMENT, "action": {"do": "hold"}, "scope": "tree"},
    {
        "do": "arm",
        "process": HELD,
        "moment": MOMENT,
        "action": {"do": "inject", "errno": "EMFILE"},
        "times": 0,
    },
    {
        "do": "arm",
        "process": HELD,
        "moment": {"at": "enter", "call": "read"},
        "action": {"do": "inject", "short": 3},
    },
    {
        "do": "arm",
        "process": HELD,
        "moment": SIGNALLED,
        "action": {"do": "kill", "signal": "SIGTERM"},
        "to_come": False,
    },
    {
        "do": "arm",
        "moment": {
            "at": "segment",
            "nth": 3,
            "wire": "w",
            "from": "near",
            "flags": ["SYN", "ECE"],
            "without": ["ACK"],
            "protocol": "tcp",
            "source_port": 1,
            "destination_port": 2,
            "payload": True,
        },
        "action": {"do": "delay", "seconds": 0.1},
    },
    {"do": "rest", "deadline": 1},
    {"do": "socket", "host": "host", "family": "AF_INET6"},
    {"do": "holders", "inode": 7},
    {"do": "descriptors", "process": RUNS},
    {
        "do": "events",
        "after": 0,
        "limit": 3,
        "process": RUNS,
        "kinds": ["enter", "leave"],
        "calls": ["accept", "bind"],
        "raw": True,
    },
    {"do": "sockets", "host": "host", **FILTER},
    {"do": "await", "host": "host", **FILTER, "count": 1, "deadline": 1.5},
    {"do": "await", "local": 1, "state": ["CLOSED"], "gone": True, "deadline": 1},
    {"do": "sockets", "family": "AF_INET6", "local_host": "::", "inode": 1, "send_window": 0},
    {"do": "blocked", "process": RUNS, "call": "accept", "deadline": 1},
    {"do": "signal", "process": RUNS, "signal": "SIGCONT"},
    {"do": "reached", "watch": WATCH, "deadline": 0.001},
    {"do": "disarm", "watch": WATCH},
    {"do": "reach", "process": HELD, "moment": MOMENT, "scope": "process", "deadline": 3},
    {"do": "run", "process": HELD},
    {"do": "detach", "process": DETACHABLE},
    {"do": "kill", "process": RUNS, "signal": "SIGKILL", "deadline": 3},
    {"do": "ended", "process": RUNS, "deadline": 1},
    {"do": "host", "name": "other", "capture": False},
    {
        "do": "wire",
        "name": "v",
        "ends": [
            {
                **end_of_wire("near", "eth1", "10.1.0.1/24", "fd01::1/64"),
                "mac": "02:00:00:00:00:01",
            },
            end_of_wire("other", "eth0"),
        ],
        "mtu": 1400,
        "neighbours": True,
    },
    {"do": "address", "host": "near", "link": "eth1", "address": "10.2.0.1/24", "change": "add"},
    {
        "do": "neighbour",
        "host": "near",
        "link": "eth1",
        "address": "10.2.0.9",
        "mac": "02:00:00:00:00:09",
        "change": "add",
    },
    {"do": "route", "host": "near", "to": "10.3.0.0/16", "via": "10.2.0.9", "change": "add"},
    {"do": "pass", "watch": HOLDS, "order": "reversed"},
    {"do": "discard", "watch": HOLDS_TOO},
    {"do": "forge", "wire": "w", "to": "far", "frame": "45" + "00" * 19},
    {"do": "cut", "wire": "w", "side": "near"},
    {"do": "mend", "wire": "w", "side": "near"},
    {"do": "crash", "host": "far", "deadline": 3},
    {"do": "boot", "host": "far"},
    {"do": "end"},
)
"""In an order in which each can be done after the others."""


def with_streams(send: Callable[[Sequence[int]], Any], request: Request) -> Any:
    """Sends a request with the descriptors that it needs."""
    if request.get("do") != "start":
        return send(())
    with open(os.devnull, "r+b") as null:
        return send([null.fileno()] * 3)


def test_what_is_mutated_below_is_good(raw: Raw) -> None:
    """Else an error would prove nothing. What waits in vain is no error either."""
    for request in GOOD:
        reply = with_streams(lambda streams: raw.ask(request, streams), request)
        assert "error" not in reply, (request, reply)


def test_every_verb_is_mutated() -> None:
    """All that the protocol has, and the members of each."""
    text = (HERE.root / "harness" / "conductor" / "PROTOCOL.md").read_text()
    table = text.partition("## Verbs")[2].partition("\n\n`host`")[0]
    verbs = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert len(verbs) >= 20
    assert verbs - {request["do"] for request in GOOD} == NOT_MUTATED


NOT_MUTATED: set[str] = set()


# --- mutations -----------------------------------------------------------------------------------------------------

NO_INTEGER: tuple[Any, ...] = ("1", "", True, None, 1.5, [], [1], {}, {"a": 1}, 1e300)
NO_TEXT: tuple[Any, ...] = (7, 0, -1.5, True, False, None, [], ["x"], {}, {"a": {"b": []}})
NO_BOOLEAN: tuple[Any, ...] = (0, 1, "true", "", None, [], {}, [True])
NO_LIST: tuple[Any, ...] = (7, True, None, {}, {"a": 1}, "x" * 300, [7], [None], [[]], [{}])
NO_OBJECT: tuple[Any, ...] = (7, True, None, "x", [], [{}], 1.5)
LONG = "x" * 5000
NESTED: Any = {"a": [[[[{"b": [{}]}]]]]}
STRANGE = ("nonsense", "Ä" * 300, "%s%n", LONG, "\x01\x7f", "SIGSIGINT", "accept ", "ENTER")

NO_NAME: tuple[Any, ...] = (
    *NO_TEXT,
    "",
    "a b",
    "Ä",
    "a/b",
    "..",
    "%s%n",
    LONG,
    "x" * 32,
    "\x01",
    NESTED,
)

WRONG: dict[str, tuple[Any, ...]] = {
    "process": (*NO_INTEGER, NESTED, 0, -1, NONE, 2**31, 2**62),
    "watch": (*NO_INTEGER, NESTED, 0, -1, NONE, 2**31, 2**62),
    "deadline": ("5", True, None, [], {}, NESTED, 0, -1, 86400.5, 1e300, -1e300, 2**62),
    "signal": (*NO_TEXT, *STRANGE, NESTED, "", "9", "SIG", "SIGKIL"),
    "call": (*NO_TEXT, *STRANGE, NESTED, "", "acept"),
    "scope": (*NO_TEXT, *STRANGE, NESTED, "", "trees"),
    "times": (*NO_INTEGER, NESTED, -1, 2**31),
    "count": (*NO_INTEGER, NESTED, -1, 0, 2**31),
    "gone": (*NO_BOOLEAN, NESTED),
    "raw": (*NO_BOOLEAN, NESTED),
    "to_come": (*NO_BOOLEAN, NESTED),
    "detachable": (*NO_BOOLEAN, NESTED),
    "after": (*NO_INTEGER, NESTED, -1),
    "limit": (*NO_INTEGER, NESTED, -1, 0),
    "host": (*NO_TEXT, *STRANGE, NESTED, "", "hosts"),
    "emulates": (*NO_TEXT, "", NESTED),
    "cwd": (*NO_TEXT, "/nonexistent", "/etc/hosts", LONG, "", NESTED),
    "user": (*NO_INTEGER, NESTED, -1, 2**32),
    "argv": (*NO_LIST, NESTED, [], [""], ["true"], ["/nonexistent"], ["/etc"], ["/etc/hosts"])
    + (["/" + LONG], ["/bin/true", 7]),
    "env": (*NO_OBJECT, {"A": 1}, {"": "x"}, {"A=": "x"}, {"A": None}, NESTED),
    "limits": (*NO_OBJECT, NESTED, {"nofiles": [1, 1]}, {"nofile": 1}, {"nofile": [1]})
    + ({"nofile": [2, 1]}, {"nofile": [-1, 1]}, {"nofile": ["1", "1"]}, {"nofile": [1, 1, 1]})
    + ({LONG: [1, 1]}, {"nofile": [1, None]}),
    "set": (*NO_OBJECT, {"net.nonexistent": "1"}, {"kernel.hostname": "x"}, {"": "1"})
    + ({"net.ipv4.tcp_fin_timeout": 30}, {"net.ipv4.tcp_fin_timeout": "x"}, {LONG: "1"})
    + ({"net.ipv4.tcp_fin_timeout": LONG}, {"net..": "1"}, {"net.ipv4": "1"}),
    "get": (*NO_LIST, ["net.nonexistent"], ["kernel.hostname"], [""], [LONG], ["net./../x"]),
    "kinds": (*NO_LIST, ["enters"], [""], [LONG], ["enter", 7]),
    "calls": (*NO_LIST, ["acept"], [""], [LONG], ["accept", None]),
    "inode": (*NO_INTEGER, NESTED, -1, 2**32),
    "send_window": (*NO_INTEGER, NESTED, -1, 2**32),
    "family": (*NO_TEXT, *STRANGE, NESTED, "", "AF_PACKET"),
    "type": (*NO_TEXT, *STRANGE, NESTED, "", "SOCK_RAW"),
    "local": (*NO_INTEGER, NESTED, -1, 65536, 2**40),
    "remote": (*NO_INTEGER, NESTED, -1, 65536, 2**40),
    "local_host": (*NO_TEXT, *STRANGE, NESTED, "", "127.0.0.256", "localhost"),
    "remote_host": (*NO_TEXT, *STRANGE, NESTED, "", "1.2.3", ":::"),
    "state": (*NO_LIST, NESTED, [], ["LISTENING"], ["LISTEN", 7], [LONG]),
    "moment": (*NO_OBJECT, NESTED, {}, {"at": "enter"}, {"call": "accept"}, {"at": "accept"}),
    "action": (*NO_OBJECT, NESTED, {}, {"do": "inject"}, {"do": "kill"}, {"do": "holds"})
    + ({"do": "inject", "errno": "EMFILE", "short": 1}, {"do": "hold", "signal": "SIGINT"}),
    "moment.at": (*NO_TEXT, *STRANGE, NESTED, ""),
    "moment.nth": (*NO_INTEGER, NESTED, 0, -1, 2**31),
    "moment.on": (*NO_TEXT, *STRANGE, NESTED, "", "sockets"),
    "action.do": (*NO_TEXT, *STRANGE, NESTED, ""),
    "action.errno": (*NO_TEXT, *STRANGE, NESTED, "", "24", "ENONE"),
    "action.short": (*NO_INTEGER, NESTED, -1, 2**31),
    "action.seconds": ("1", True, None, [], {}, NESTED, 0, -1, 86400.5, 1e300),
    "moment.wire": (*NO_NAME, "nonsense"),
    "moment.from": (*NO_NAME, "nonsense", "other"),
    "moment.flags": (*NO_LIST, NESTED, [], ["syn"], ["SYN", 7], [LONG]),
    "moment.without": (*NO_LIST, NESTED, [], ["ack"], ["ACK", 7], [LONG]),
    "moment.protocol": (*NO_TEXT, *STRANGE, NESTED, "", "TCP", "any"),
    "moment.source_port": (*NO_INTEGER, NESTED, -1, 0, 65536),
    "moment.destination_port": (*NO_INTEGER, NESTED, -1, 0, 65536),
    "moment.payload": (*NO_BOOLEAN, NESTED),
    "name": NO_NAME,
    "capture": (*NO_BOOLEAN, NESTED),
    "ends": (*NO_LIST, NESTED, [], [{}], [{}, {}], [{}, {}, {}])
    + ([end_of_wire("near", "eth1")] * 2, [end_of_wire("near", "eth1"), {"host": "far"}])
    + ([end_of_wire("near", "eth0"), end_of_wire("far", "eth1")],)
    + ([end_of_wire("near", "eth1", "10.1.0.1"), end_of_wire("far", "eth1")],)
    + ([end_of_wire("near", "eth1", "10.0.0.1/24"), end_of_wire("far", "eth1", "0.0.0.0/33")],)
    + ([{**end_of_wire("near", "eth1"), "mac": "02"}, end_of_wire("far", "eth1")],)
    + ([end_of_wire("near", "eth1"), end_of_wire("nobody", "eth1")],),
    "mtu": (*NO_INTEGER, NESTED, 0, 67, 65536),
    "neighbours": (*NO_BOOLEAN, NESTED),
    "wire": (*NO_TEXT, *STRANGE, NESTED, "", "wires"),
    "side": (*NO_TEXT, *STRANGE, NESTED, "", "host"),
    "to": (*NO_TEXT, *STRANGE, NESTED, "", "10.3.0.0", "10.3.0.0/33"),
    "via": (*NO_TEXT, *STRANGE, NESTED, "", "10.2.0.9/24", "drop"),
    "link": (*NO_NAME, "nonsense"),
    "address": (*NO_TEXT, *STRANGE, NESTED, "", "10.2.0.1/33", "10.2.0", "localhost"),
    "mac": (*NO_TEXT, *STRANGE, NESTED, "", "02:00:00:00:00", "02-00-00-00-00-01"),
    "change": (*NO_TEXT, *STRANGE, NESTED, "", "added"),
    "order": (*NO_TEXT, *STRANGE, NESTED, "", "reverse"),
    "frame": (
        *NO_TEXT,
        *STRANGE,
        NESTED,
        "",
        "45",
        "450",
        "00" * 40,
        "60" + "00" * 38,
        "45" * 65536,
    ),
}
"""What is wrong for each member, whatever the verb. With a dot: a member of a member."""


NET_NEEDS = {
    "host": ["name"],
    "wire": ["name", "ends"],
    "address": ["host", "link", "address"],
    "neighbour": ["host", "link", "address", "mac"],
    "route": ["host", "to", "via"],
    "cut": ["wire"],
    "mend": ["wire"],
    "forge": ["wire", "to", "frame"],
    "crash": ["host"],
    "boot": ["host"],
}
"""What the verbs about hosts and wires cannot do without."""


@dataclass(frozen=True)
class Bad:
    """A bad line, and what the error must say."""

    line: bytes
    id: int | None
    verb: str
    named: str = ""
    """The member at fault."""
    streams: int = 0
    """Descriptors sent with it."""


class Mutator:
    """Makes bad requests of good ones. The same seed gives the same."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._made = 0

    def bad(self) -> Bad:
        """A good request with one thing wrong."""
        ways = [self._wrong] * 8 + [self._missing, self._unknown] * 2 + [self._misnamed]
        ways += [self._huge, self._not_text, self._misdone, self._miscounted]
        while (made := self._random.choice(ways)()) is None:
            pass
        return made

    def _request(self) -> Request:
        self._made += 1
        return {"id": self._made, **copy.deepcopy(self._random.choice(GOOD))}

    def _of(self, request: Request, named: str) -> Bad:
        verb = request["do"]
        streams = 3 if verb == "start" else 0
        return Bad(json.dumps(request).encode(), request["id"], verb, named, streams)

    def _members(self, request: Request) -> list[str]:
        names = [name for name in request if name not in ("id", "do")]
        for name in ("moment", "action"):
            names += [f"{name}.{member}" for member in request.get(name, {})]
        return names

    def _wrong(self) -> Bad | None:
        request = self._request()
        if not (names := self._members(request)):
            return None
        name = self._random.choice(names)
        place, _, member = name.rpartition(".")
        # An action of its own has the signal of the verb.
        values = WRONG.get(name) or WRONG[member]
        target = request[place] if place else request
        target[member] = copy.deepcopy(self._random.choice(values))
        return self._of(request, place or member)

    def _missing(self) -> Bad | None:
        request = self._request()
        needed = [n for n in ("process", "watch", "signal", "moment", "action") if n in request]
        needed += {"start": ["argv", "env"], "blocked": ["call"]}.get(request["do"], [])
        needed += ["inode"] if request["do"] == "holders" else []
        needed += NET_NEEDS.get(request["do"], [])
        if request["do"] == "events" or not needed:
            return None
        name = self._random.choice(needed)
        del request[name]
        return self._of(request, name)

    def _unknown(self) -> Bad:
        return self.unknown(self._random.choice(GOOD))

    def unknown(self, good: Request) -> Bad:
        """That request with a member that no request has."""
        self._made += 1
        request: Request = {"id": self._made, **copy.deepcopy(good)}
        name = self._random.choice(["x", "Process", "proces", "inodes", "ID", "", "wait", "x" * 39])
        request[name] = self._random.choice([1, None, "x", [], {}])
        return self._of(request, name)

    def _misnamed(self) -> Bad | None:
        request = self._request()
        if not (names := [n for n in request if n not in ("id", "do")]):
            return None
        name = self._random.choice(names)
        changed = self._random.choice([name.upper(), name + "s", name[:-1] + "ä", "_" + name])
        request[changed] = request.pop(name)
        return self._of(request, "")

    def _misdone(self) -> Bad:
        request = self._request()
        request["do"] = self._random.choice(
            ["", "stop", "Hello", LONG, 7, None, [], {}, "end ", "ärgern", True]
        )
        return Bad(json.dumps(request).encode(), request["id"], "", "do")

    def _miscounted(self) -> Bad:
        request = {"id": 0, **next(good for good in GOOD if good["do"] == "start")}
        streams = self._random.choice([0, 1, 2, 5, 7, 20])
        return Bad(json.dumps(request).encode(), 0, "start", "descriptors", streams)

    def _huge(self) -> Bad:
        """A number that no integer or no float holds; so nothing of the line is known."""
        request = self._request()
        number = self._random.choice(["9" * 20, "-" + "9" * 30, "1e999", "1" * 2000])
        line = json.dumps({**request, "deadline": 0}).replace(
            '"deadline": 0', f'"deadline": {number}'
        )
        return Bad(line.encode(), None, "")

    def _not_text(self) -> Bad:
        request = self._request()
        wrong = self._random.choice(
            [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\\u0000", b"\\ud800", b"\x01"]
        )
        line = json.dumps({**request, "cwd": "@"}).encode().replace(b"@", b"/" + wrong)
        return Bad(line, None, "")

    def broken(self) -> Bad:
        """A line that is no request."""
        request = json.dumps(self._request()).encode()
        cut = self._random.randrange(1, len(request))
        lines = [
            b"",
            b"   ",
            b"\x00",
            b"{",
            b"}",
            b"{}",
            b"[]",
            b"7",
            b"null",
            b'"hello"',
            b"hello",
            b"[" * 5000,
            b'{"a":' * 3000,
            b"\xef\xbb\xbf{}",
            request[:cut],
            request[cut:],
            request + request,
            request + b" x",
            request.replace(b'"do"', b'"id": 7, "do"'),
            request.replace(b'"', b"'"),
            bytes(self._random.randrange(256) for _ in range(50)).replace(b"\n", b""),
            b'{"do": "hello"}',
            b'{"id": "7", "do": "hello"}',
            b'{"id": 7.0, "do": "hello"}',
            b'{"id": null, "do": "hello"}',
            b'{"id": [7], "do": "hello"}',
        ]
        return Bad(self._random.choice(lines), None, "")


def bad_ones() -> list[Bad]:
    """A thousand of them, in an order of their own. First two that are as long as can be and longer: they touch all
    the memory that lines get."""
    mutator = Mutator(SEED)
    made = [mutator.unknown(good) for good in GOOD]
    made += [mutator.bad() for _ in range(BAD - BROKEN - len(GOOD))]
    made += [mutator.broken() for _ in range(BROKEN - 2)]
    random.Random(SEED).shuffle(made)
    long = Bad(b" " * LINE, None, "", "1 MiB")
    longer = Bad(b'{"id": 1, "x": "' + b"x" * 3 * LINE, None, "", "1 MiB")
    return [long, longer, *made]


IN_WORDS = {
    "argv": ("exec: E",),
    "cwd": ("chdir: E",),
    "limits": ("setrlimit: E",),
    "set": ("sysctl ",),
    "get": ("sysctl ",),
    "user": ("setuid: E", "setgid: E"),
    "side": ("host ",),
    "to": ("host ",),
    "ends": ("host ", "wire "),
    "moment": ("wire ", "host "),
}
"""What names a member besides its name, where the kernel or the machine has the say."""


def check(bad: Bad, reply: Reply) -> None:
    """Whether that is the error that the bad request deserves."""
    said = (bad.line[:200], reply)
    assert set(reply) == {"id", "error"}, said
    assert set(reply["error"]) == {"request", "reason"}, said
    assert reply["id"] == bad.id, said
    assert reply["error"]["request"] == bad.verb, said
    reason = reply["error"]["reason"]
    assert reason.strip() and len(reason) < 600, said
    assert any(word in reason for word in (bad.named, *IN_WORDS.get(bad.named, ()))), said


FOLLOWING: tuple[Request, ...] = (
    {"do": "hello"},
    {"do": "processes"},
    {"do": "events", "limit": 1},
    {"do": "sysctl", "get": ["net.ipv4.tcp_rmem"]},
    {"do": "sockets", "local": 9878},
    {"do": "descriptors", "process": HELD},
    {"do": "holders", "inode": 1},
)
"""Good requests that change nothing."""


def send_bad(raw: Raw, bad: Bad) -> Reply:
    """Sends it, with its descriptors; the reply."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    try:
        raw.send(bad.line, [null] * bad.streams)
        return raw.reply()
    finally:
        os.close(null)


def test_a_thousand_bad_requests_get_an_error_each_and_cost_nothing(raw: Raw) -> None:
    """One error each, that names the request and what is wrong with it; then a good one succeeds.

    The conductor has no more descriptors open in the end, no more processes, and hardly more memory.
    """
    before = raw.ok({"do": "processes"})["processes"]
    watches = raw.ok({"do": "arm", "process": HELD, "moment": MOMENT, "action": {"do": "hold"}})
    made = bad_ones()
    assert len(made) == BAD
    assert {bad.verb for bad in made} >= {good["do"] for good in GOOD}
    descriptors, memory = raw.open_descriptors(), 0
    for number, bad in enumerate(made):
        check(bad, send_bad(raw, bad))
        raw.ok(FOLLOWING[number % len(FOLLOWING)])
        if number == BAD // 4:
            memory = raw.memory()
    assert raw.open_descriptors() == descriptors
    assert raw.memory() - memory < MEMORY or HERE.sanitized
    assert [seen.name for seen in traces.below(raw.init().pid)] == ["reuseadr_eserve"] * 3
    assert raw.ok({"do": "processes"})["processes"] == before
    arm = {"do": "arm", "process": HELD, "moment": MOMENT, "action": {"do": "hold"}}
    assert raw.ok(arm)["watch"] == watches["watch"] + 1


IMPOSSIBLE: dict[str, tuple[Request, str]] = {
    "unknown process": ({"do": "run", "process": NONE}, "process 99: no such process"),
    "events of an unknown process": ({"do": "events", "process": NONE}, "process 99"),
    "dead process": ({"do": "run", "process": DEAD}, "process 3 (reuseadr_eserver) is dead"),
    "signal to a dead process": (
        {"do": "signal", "process": DEAD, "signal": "SIGINT"},
        "process 3 (reuseadr_eserver) is dead",
    ),
    "descriptors of a dead process": ({"do": "descriptors", "process": DEAD}, "process 3"),
    "not held": ({"do": "run", "process": RUNS}, "process 2 (reuseadr_eserver) is not held"),
    "not detachable": ({"do": "detach", "process": HELD}, "not started detachable"),
    "unknown watch": ({"do": "reached", "watch": NONE}, "watch 99: no such watch"),
    "unknown watch to disarm": ({"do": "disarm", "watch": NONE}, "watch 99: no such watch"),
    "unknown host": ({"do": "sockets", "host": "mars"}, 'host "mars": no such host'),
    "count and gone": ({"do": "await", "count": 1, "gone": True}, '"count" and "gone"'),
    "no length to shorten": (
        {
            "do": "arm",
            "process": HELD,
            "moment": {"at": "enter", "call": "accept"},
            "action": {"do": "inject", "short": 1},
        },
        "no length to shorten",
    ),
    "injection on leaving": (
        {
            "do": "arm",
            "process": HELD,
            "moment": {"at": "leave", "call": "accept"},
            "action": {"do": "inject", "errno": "EINTR"},
        },
        'inject needs a moment at "enter"',
    ),
    "missing program": (
        {"do": "start", "argv": ["/nonexistent/x"], "env": {}},
        "/nonexistent/x: exec: ENOENT",
    ),
    "program that is a folder": (
        {"do": "start", "argv": ["/etc"], "env": {}},
        "/etc: exec: EACCES",
    ),
    "program that is not executable": (
        {"do": "start", "argv": ["/etc/hosts"], "env": {}},
        "/etc/hosts: exec: EACCES",
    ),
    "folder that is missing": (
        {"do": "start", "argv": ["/bin/true"], "env": {}, "cwd": "/nonexistent"},
        "chdir: ENOENT",
    ),
    "start on an unknown host": (
        {"do": "start", "argv": ["/bin/true"], "env": {}, "host": "mars"},
        'host "mars"',
    ),
}


@pytest.mark.parametrize("request_", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_is_impossible_is_said_to_be(raw: Raw, request_: tuple[Request, str]) -> None:
    """With the thing that is in the way, and nothing is changed or left behind by it."""
    request, reason = request_
    before = raw.ok({"do": "processes"}), raw.open_descriptors()
    reply = with_streams(lambda streams: raw.ask(request, streams), request)
    assert reply["error"]["request"] == request["do"]
    assert reason in reply["error"]["reason"]
    assert (raw.ok({"do": "processes"}), raw.open_descriptors()) == before
    assert len(traces.below(raw.init().pid)) == 3


@pytest.mark.parametrize("count", [0, 1, 2, 5, 30])
def test_a_start_without_its_descriptors_keeps_none(raw: Raw, count: int) -> None:
    """More than fit into the conductor's limit in all."""
    request = {"id": 1, "do": "start", "argv": ["/bin/true"], "env": {}}
    bad = Bad(json.dumps(request).encode(), 1, "start", "expected 3 or 4 descriptors", count)
    for _ in range(DESCRIPTORS):
        check(bad, send_bad(raw, bad))
    raw.start("/bin/true")


def test_a_setting_that_fails_leaves_the_others_as_they_were(raw: Raw) -> None:
    """Where a request is refused nothing has happened."""
    names = ["net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_syn_retries"]
    before = raw.ok({"do": "sysctl", "get": names})
    wrong = {"do": "sysctl", "set": {names[0]: "17", "net.nonexistent": "1"}}
    assert "net.nonexistent" in raw.ask(wrong)["error"]["reason"]
    assert raw.ok({"do": "sysctl", "get": names}) == before
