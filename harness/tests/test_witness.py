"""An independent witness: strace watches the same scenario, and says the same as the conductor.

It cannot watch the same run, as a process has one tracer. So the order is forced by the data that flow, and pids and
the ports of clients are given common names.
"""

import os
import re
import select
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from harness import Call, Lab, Process, exited
from harness.build import current

from harness.tests.strace_log import Line, Made, Struct, Value, made_by, read_lines

HERE = current()
ROOT = Path(__file__).resolve().parents[2]
SECONDS = 300
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "ASAN_OPTIONS": "detect_leaks=0",
}
SHOWN = 256
"""Bytes of data that both show."""


@dataclass(frozen=True)
class Scenario:
    """A server, a client, and what the server sleeps in when it has nothing to do; None: it ends."""

    server: str
    options: tuple[str, ...]
    client: str
    input: bytes
    idle: str | None
    children: int = 0

    def __str__(self) -> str:
        return "-".join((self.server, *self.options, self.client))


SCENARIOS = [
    Scenario("daytimed", (), "daytime", b"", "accept"),
    Scenario("reuseadr_eserver", ("-r",), "echo_client", b"hello\nyou\nq\n", None),
    Scenario("tcpserv01", (), "tcpcli01", b"hello\n", "accept", 1),
    Scenario("tcpserv04", (), "tcpcli01", b"hello\n", "accept", 1),
    Scenario("tcpserv04", ("-i",), "tcpcli01", b"hello\n", "accept", 1),
    Scenario("echo_mpserv", ("-r", "-l"), "echo_client", b"hello\nq\n", "accept", 1),
    Scenario("tcpservselect01", (), "tcpcli01", b"hello\n", "pselect6"),
    Scenario("tcpservpoll01", (), "echo_client", b"hello\nq\n", "poll"),
]


# --- one text for what both say ------------------------------------------------------------------------------------

Shown = str | None
"""An argument, in the words that both have; None: one of the two does not show it, or shows it in its own way."""


@dataclass(frozen=True)
class Said:
    """A call as one of the two told it."""

    name: str
    arguments: tuple[Shown, ...]
    result: int | str | None
    restarted: int


def known_calls() -> set[str]:
    """The calls that the conductor's table has."""
    text = (ROOT / "harness" / "conductor" / "calls" / "call_table.c").read_text()
    return set(re.findall(r'^ +\{\.name = "(\w+)"[,}]', text, re.MULTILINE)) - {"restart_syscall"}


def bytes_of(data: bytes) -> str:
    """Data without what differs from run to run: the time and pids."""
    data = re.sub(rb"^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}", b"TIME", data)
    return repr(re.sub(rb"^child \d+", b"child PID", data[:SHOWN]))


def flags_of(words: list[str]) -> str:
    """Flags in one order, without numbers that are left over and what only strace has a name for."""
    known = (word for word in words if word not in ("SA_RESTORER", "SA_INTERRUPT"))
    return "|".join(sorted(word for word in known if not re.match(r"-?\d", word)))


def endpoint(family: object, host: object, port: object) -> str:
    """An address; the port that a client was given goes without a number."""
    if family not in ("AF_INET", "AF_INET6"):
        return str(family)
    return f"{host}:{port if port in (0, Lab.port) else 'ephemeral'}"


def from_conductor(value: object) -> Shown:
    """An argument of an event."""
    match value:
        case int() | str():
            return str(value)
        case {"bytes": str(text)}:
            return bytes_of(text.encode("latin-1"))
        case {"family": family, **rest}:
            return endpoint(family, rest.get("host"), rest.get("port"))
        case {"handler": handler, "flags": flags, "mask": mask}:
            name = "handler" if handler == "handler" else handler
            return f"{name} {flags_of([str(flag) for flag in flags])} {flags_of(mask)}"
        case list() if value and all(isinstance(one, dict) and "revents" in one for one in value):
            return " ".join(f"{one['fd']}:{flags_of(one['revents'])}" for one in value)
        case list() if value and all(isinstance(one, int) for one in value):
            return str(value)
        case list():
            return flags_of([str(one) for one in value]) or "0"
    return None


def from_strace(value: Value) -> Shown:
    """An argument as strace printed it."""
    match value:
        case int():
            return str(value) if value < 1 << 32 else None  # a pointer
        case bytes():
            return bytes_of(value)
        case str():
            zero = {"IPPROTO_IP": "0"}
            return zero.get(value, flags_of(value.split("|")))
        case Struct({"sa_family": family} as members):
            return endpoint(family, *_host_and_port(members, value))
        case Struct({"sa_handler": handler, "sa_flags": flags, "sa_mask": mask}):
            name = handler if isinstance(handler, str) else "handler"
            set_flags = flags_of(str(flags).split("|")) if isinstance(flags, str) else ""
            return f"{name} {set_flags} {flags_of([str(one) for one in _list(mask)])}"
        case [int(only)]:
            return str(only)  # what a pointer points at
        case list() if value and all(isinstance(one, int) for one in value):
            return str(value)
    return None


def _list(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []


def _host_and_port(members: Mapping[str, Value], struct: Struct) -> tuple[Value, Value]:
    port = members.get("sin_port", members.get("sin6_port"))
    host = members.get("sin_addr") or (struct.bare[0] if struct.bare else None)
    texts = [one for one in host.bare if isinstance(one, bytes)] if isinstance(host, Struct) else []
    number = port.bare[0] if isinstance(port, Struct) else port
    return (texts[0].decode() if texts else None), number


def said_by_conductor(call: Call, children: list[int]) -> Said:
    """A call of the conductor's log."""
    arguments = tuple(from_conductor(value) for value in call.args.values())
    result: int | str | None = call.outcome.errno or call.outcome.value
    return common(
        call.name,
        arguments,
        str(result) if call.outcome.errno else result,
        call.restarted,
        children,
    )


def said_by_strace(made: Made, children: list[int]) -> Said:
    """A call of strace's log."""
    line = made.line
    arguments = tuple(from_strace(value) for value in line.arguments)
    if line.name in ("open", "openat"):
        arguments = tuple(_path(value) or from_strace(value) for value in line.arguments)
    if line.name == "pselect6":  # what was ready is told behind the result
        ready = re.search(r"\(in (\[[^]]*\])", line.result)
        arguments = (arguments[0], ready[1].replace(" ", ", ") if ready else None, *arguments[2:])
    if line.name == "poll":
        arguments = (_polled(line), *arguments[1:])
    if line.name == "clone":
        arguments = tuple(from_strace(value) for value in line.arguments if isinstance(value, str))
    return common(line.name, arguments, made.result, made.restarted, children)


def _path(value: Value) -> Shown:
    return value.decode() if isinstance(value, bytes) else None


def _polled(line: Line) -> Shown:
    ready = dict(re.findall(r"fd=(\d+), revents=(\w+)", line.result))
    asked = _list(line.arguments[0])
    fds = [one.members["fd"] for one in asked if isinstance(one, Struct)]
    return " ".join(f"{fd}:{ready.get(str(fd), '')}" for fd in fds)


def common(
    name: str,
    arguments: tuple[Shown, ...],
    result: int | str | None,
    restarted: int,
    children: list[int],
) -> Said:
    """The rest of what differs from run to run: pids, and the lengths of texts that tell one."""
    if name in ("clone", "wait4") and result in children:
        result = f"child {children.index(int(result or 0)) + 1}"
    if any("child PID" in (argument or "") for argument in arguments):
        arguments, result = (*arguments[:2], None), "its length"
    if name == "clone":
        arguments = arguments[-1:] if arguments else ()
    return Said(name, arguments, result, restarted)


def agreeing(ours: list[Said], theirs: list[Said]) -> tuple[list[Said], list[Said]]:
    """Both lists, with None wherever either has nothing to say about an argument."""
    left, right = [], []
    for mine, other in zip(ours, theirs):
        both = [
            (None, None) if a is None or b is None else (a, b)
            for a, b in zip(mine.arguments, other.arguments)
        ]
        left.append(Said(mine.name, tuple(a for a, _ in both), mine.result, mine.restarted))
        right.append(Said(other.name, tuple(b for _, b in both), other.result, other.restarted))
    return left + ours[len(left) :], right + theirs[len(right) :]


# --- the run under the conductor -----------------------------------------------------------------------------------


def conducted(lab: Lab, scenario: Scenario) -> dict[str, list[Said]]:
    """What each process did, as the conductor tells it."""
    server = lab.start(scenario.server, *scenario.options, lab.port)
    server.blocked("accept" if scenario.idle is None else scenario.idle)
    client = lab.start(scenario.client, lab.address, lab.port, stdin=scenario.input)
    assert client.ended() == exited(0)
    if scenario.idle is None:
        assert server.ended() == exited(0)
    for nth in range(scenario.children):
        assert server.child(nth + 1).ended() == exited(0)
    if scenario.idle is not None:
        server.blocked(scenario.idle).kill(signal.SIGTERM)
    return {
        "server": told(lab, server),
        "client": told(lab, client),
        **{f"child {nth}": told(lab, one) for nth, one in enumerate(server.children, 1)},
    }


def told(lab: Lab, process: Process) -> list[Said]:
    """The calls of a process in the order in which they ended, and the last one, which does not end."""
    children = [child.pid for child in process.children]
    calls = [said_by_conductor(call, children) for call in process.calls()]
    for event in lab.events(["enter"], ["exit"], process):
        arguments = tuple(from_conductor(value) for value in event.args.values())
        calls.append(Said(event.call or "?", arguments, None, 0))
    return own_calls(calls)


def own_calls(calls: list[Said]) -> list[Said]:
    """All of them; but with sanitizers only from the first socket on: what these read of themselves differs."""
    if not HERE.sanitized:
        return calls
    first = next((n for n, call in enumerate(calls) if call.name == "socket"), 0)
    return calls[first:]


# --- the run under strace ------------------------------------------------------------------------------------------


@contextmanager
def network() -> Iterator[list[str]]:
    """A network of its own with lo up; yields what a command is to be preceded by to run in it."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    keeper = subprocess.Popen(
        ["unshare", *user, "--net", "sh", "-c", "ip link set lo up && echo up && exec cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert keeper.stdout and keeper.stdout.readline() == b"up\n"
        enter = ["nsenter", "--target", str(keeper.pid), "--net"]
        yield enter + (["--user", "--preserve-credentials"] if user else [])
    finally:
        keeper.kill()
        keeper.communicate()


def memory(data: bytes = b"") -> IO[bytes]:
    """A file in memory that holds the data."""
    file = open(os.memfd_create("stream"), "w+b", buffering=0)
    file.write(data)
    file.seek(0)
    return file


class Witness:
    """A program under strace. Its log is read while it grows."""

    def __init__(self, enter: list[str], fifo: Path, *argv: str, data: bytes = b"") -> None:
        os.mkfifo(fifo)
        self._log = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.text = ""
        strace = ["strace", "-f", "-s", str(SHOWN), "-o", str(fifo)]
        with memory(data) as source, memory() as sink:
            self._child = subprocess.Popen(
                [*enter, *strace, *argv],
                stdin=source,
                stdout=sink,
                stderr=sink,
                env=ENVIRONMENT,
            )

    @property
    def pid(self) -> int:
        """The program's own."""
        return int(self.text.split(maxsplit=1)[0])

    def sleeps(self, call: str, served: int, deaths: int) -> bool:
        """Whether the program has entered the call and not left it, after it has closed so many connections and seen
        so many children's deaths."""
        own = [line for line in self.text.split("\n") if line.startswith(f"{self.pid} ")]
        entered = rf"{self.pid} +(<\.\.\. {call} resumed>)?({call}\()?"
        last = own[-1] if own else ""
        return (
            bool(re.match(entered, last))
            and call in last
            and " = " not in last
            and sum("close(4" in line for line in own) >= served
            and self.text.count("+++ exited") >= deaths
            and self.text.count("--- SIGCHLD") >= deaths
        )

    def read_until_sleeping(self, call: str, served: int = 0, deaths: int = 0) -> None:
        """Reads the log until the program sleeps in that call, as `sleeps` tells it."""
        while not (self.text and self.sleeps(call, served, deaths)):
            assert self._read(), f"the log ended before the program slept in {call}:\n{self.text}"

    def _read(self) -> bool:
        """More of the log; whether there was more."""
        readable, _, _ = select.select([self._log], [], [], SECONDS)
        assert readable, f"strace said nothing for {SECONDS} s after:\n{self.text}"
        chunk = os.read(self._log, 1 << 16)
        self.text += chunk.decode("latin-1")
        return bool(chunk)

    def ended(self) -> int:
        """Reads the rest; how strace ended, which is how the program did."""
        while self._read():
            pass
        return self._child.wait(SECONDS)

    def close(self) -> None:
        """Ends it, wherever it is, and with it strace."""
        if self._child.poll() is None:
            for pid in set(re.findall(r"^(\d+) ", self.text, re.MULTILINE)) - set(
                re.findall(r"^(\d+) \+\+\+", self.text, re.MULTILINE)
            ):
                os.kill(int(pid), signal.SIGKILL)
            if not self.text:
                self._child.kill()
            self._child.wait()
        os.close(self._log)


def witnessed(folder: Path, scenario: Scenario) -> dict[str, list[Said]]:
    """What each process did, as strace tells it."""
    port = str(Lab.port)
    with network() as enter, ExitStack() as stack:
        path = str(HERE.folder / "servers" / scenario.server)
        server = Witness(enter, folder / "server", path, *scenario.options, port)
        stack.callback(server.close)
        server.read_until_sleeping(scenario.idle or "accept")
        path = str(HERE.folder / "clients" / scenario.client)
        client = Witness(enter, folder / "client", path, Lab.address, port, data=scenario.input)
        stack.callback(client.close)
        assert client.ended() == 0
        if scenario.idle is not None:
            server.read_until_sleeping(scenario.idle, served=1, deaths=scenario.children)
            os.kill(server.pid, signal.SIGTERM)
        server.ended()
        ours, theirs = read_lines(server.text), read_lines(client.text)
    children = [int(line.result) for line in ours if line.name == "clone"]
    return {
        "server": witness_of(ours, server.pid, children),
        "client": witness_of(theirs, client.pid, []),
        **{f"child {nth}": witness_of(ours, pid, []) for nth, pid in enumerate(children, 1)},
    }


def witness_of(lines: list[Line], pid: int, children: list[int]) -> list[Said]:
    """The calls of a process, of those that the conductor knows too, from its exec on."""
    known = known_calls()
    made = [one for one in made_by(lines, pid) if one.line.name in known]
    if made and made[0].line.name == "execve":
        del made[0]
    return own_calls([said_by_strace(one, children) for one in made])


# --- the comparison ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_strace_says_the_same(lab: Lab, scenario: Scenario, tmp_path: Path) -> None:
    """Call by call and process by process: name, arguments, outcome, and how often it was restarted."""
    conductor = conducted(lab, scenario)
    strace = witnessed(tmp_path, scenario)
    assert list(conductor) == list(strace)
    for process, calls in conductor.items():
        assert len(calls) > 2, f"{process} made hardly a call"
        ours, theirs = agreeing(calls, strace[process])
        assert ours == theirs, process
        assert_most_is_compared(ours)


def assert_most_is_compared(calls: list[Said]) -> None:
    """None, which agrees with everything, is the exception."""
    plain = (
        "socket",
        "bind",
        "listen",
        "connect",
        "close",
        "read",
        "write",
        "setsockopt",
        "exit_group",
    )
    for call in calls:
        if call.name in plain:
            assert None not in call.arguments or call.result == "its length", call
    assert any(call.name in plain for call in calls)


STRACE = """\
7 read(3, "a\\0\\"\\x41\\n", 4096) = 5
7 accept(3,  <unfinished ...>
8 close(4 <unfinished ...>
7 <... accept resumed>{sa_family=AF_INET, sin_port=htons(41000), sin_addr=inet_addr("127.0.0.1")}, [128 => 16]) = 4
8 <... close resumed>) = 0
7 accept(3, NULL, NULL) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
7 --- SIGCHLD {si_signo=SIGCHLD} ---
7 wait4(-1, NULL, WNOHANG, NULL) = 8
7 rt_sigreturn({mask=[]}) = 43
7 accept(3, NULL, NULL) = 5
7 accept(3, NULL, NULL) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
7 --- SIGUSR1 {si_signo=SIGUSR1} ---
7 rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call)
7 bind(3, {sa_family=AF_INET6, sin6_port=htons(9877), inet_pton(AF_INET6, "::1", &sin6_addr)}, 28) = -1 EADDRINUSE (Address already in use)
7 exit_group(0) = ?
7 +++ exited with 0 +++
"""


def test_strace_is_read_as_it_is_meant() -> None:
    """Interrupted lines are joined, restarts counted, and what the text says is not lost."""
    made = made_by(read_lines(STRACE), 7)
    assert [said_by_strace(one, [8]) for one in made] == [
        Said("read", ("3", repr(b'a\0"A\n'), "4096"), 5, 0),
        Said("accept", ("3", "127.0.0.1:ephemeral", "16"), 4, 0),
        Said("wait4", ("-1", None, "WNOHANG", None), "child 1", 0),
        Said("accept", ("3", None, None), 5, 1),
        Said("accept", ("3", None, None), "EINTR", 0),
        Said("bind", ("3", "::1:9877", "28"), "EADDRINUSE", 0),
        Said("exit_group", ("0",), None, 0),
    ]
    assert [one.line.name for one in made_by(read_lines(STRACE), 8)] == ["close"]
