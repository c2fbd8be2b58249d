"""The programs' common manners, as far as they show without a listener.

Every source in servers/ and clients/ is tried, whatever its name, and nothing here lists them.
"""

import errno
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from harness import build

BUILD = build.current()
USAGE, SYSTEM = 100, 111
SECONDS = 120  # none of these runs waits for anything; this ends one that does


@dataclass(frozen=True)
class Program:
    """One program: the folder of its kind, and its name."""

    kind: str
    name: str

    @property
    def before_port(self) -> tuple[str, ...]:
        """What is wanted on the command line before PORT."""
        return ("127.0.0.1",) if self.kind == "clients" else ()

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run it to its end, with an empty input."""
        return subprocess.run(
            [str(BUILD.folder / self.kind / self.name), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )


def found(kind: str) -> list[Program]:
    """The programs of one kind, by their sources."""
    return [Program(kind, source.stem) for source in sorted((BUILD.root / kind).glob("*.c"))]


def name_of(program: Program) -> str:
    """The id of a test that is about one program."""
    return program.name


SERVERS, CLIENTS = found("servers"), found("clients")
every_program = pytest.mark.parametrize("program", SERVERS + CLIENTS, ids=name_of)
every_server = pytest.mark.parametrize("program", SERVERS, ids=name_of)
every_client = pytest.mark.parametrize("program", CLIENTS, ids=name_of)


@pytest.fixture
def held_port() -> Iterator[str]:
    """A port that is bound here, without SO_REUSEADDR, and on which nothing listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield str(holder.getsockname()[1])


def refuses(program: Program, *arguments: str) -> None:
    """Assert that the arguments are answered with the usage, on stderr, and status 100."""
    run = program.run(*arguments)
    assert (run.returncode, run.stdout) == (USAGE, "")
    assert f"usage: {program.name} " in run.stderr


def test_there_are_programs() -> None:
    """An empty folder would make every other test here vanish."""
    assert SERVERS and CLIENTS


@every_program
def test_h_prints_the_usage_on_stdout(program: Program) -> None:
    """-h alone is enough, and is no error."""
    run = program.run("-h")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith(f"usage: {program.name} ")


@every_program
def test_usage_explains_what_it_names(program: Program) -> None:
    """Each option in the first line has a line of its own."""
    first, *rest = program.run("-h").stdout.splitlines()
    letters = [word.strip("[]")[1] for word in first.split() if word.strip("[]").startswith("-")]
    explained = [line.split()[0][1] for line in rest if line.strip().startswith("-")]
    assert sorted([*letters, "h"]) == sorted(explained)


@every_server
def test_every_server_takes_the_common_options(program: Program) -> None:
    """-r and -a are there whatever the server is."""
    first = program.run("-h").stdout.splitlines()[0]
    assert "[-r]" in first and "[-a ADDRESS" in first


@pytest.mark.parametrize("programs", [SERVERS, CLIENTS], ids=["servers", "clients"])
def test_a_letter_means_the_same_in_all_programs_of_a_kind(programs: list[Program]) -> None:
    """A reader learns the options once."""
    meaning: dict[str, str] = {}
    for program in programs:
        for line in program.run("-h").stdout.splitlines()[1:]:
            if line.strip().startswith("-"):
                assert meaning.setdefault(line.split()[0], line) == line


@every_program
def test_no_arguments_are_wrong(program: Program) -> None:
    """PORT has no default."""
    refuses(program)


@every_program
def test_too_many_arguments_are_wrong(program: Program) -> None:
    """What is not used is not passed over in silence."""
    refuses(program, *program.before_port, "9877", "9878")


@every_program
def test_unknown_option_is_wrong(program: Program) -> None:
    """No program has -z."""
    refuses(program, "-z", *program.before_port, "9877")


@every_program
@pytest.mark.parametrize(
    "port", ["0", "65536", "4294967297", "18446744073709551617", "+80", " 80", "80x", "http", ""]
)
def test_port_out_of_range_is_wrong(program: Program, port: str) -> None:
    """PORT is 1 to 65535 in digits; numbers that wrap around into that range are not."""
    refuses(program, *program.before_port, port)


@every_client
def test_host_alone_is_wrong(program: Program) -> None:
    """A client wants HOST and PORT."""
    refuses(program, "127.0.0.1")


@every_server
def test_local_address_is_numeric(program: Program) -> None:
    """-a takes no name."""
    refuses(program, "-a", "localhost", "9877")


@every_client
def test_refused_connection_is_told_by_name(program: Program, held_port: str) -> None:
    """A bound port without a listener refuses, and cannot become anybody's listener meanwhile."""
    run = program.run("127.0.0.1", held_port)
    expected = f"connect: ECONNREFUSED ({errno.ECONNREFUSED})\n"
    assert (run.returncode, run.stdout, run.stderr) == (SYSTEM, "", expected)


@every_server
@pytest.mark.parametrize("local", [(), ("-a", "127.0.0.1")], ids=["wildcard", "specific"])
def test_failing_bind_is_told_by_name(
    program: Program, local: tuple[str, ...], held_port: str
) -> None:
    """The port is held by a socket without SO_REUSEADDR."""
    run = program.run(*local, held_port)
    expected = f"bind: EADDRINUSE ({errno.EADDRINUSE})\n"
    assert (run.returncode, run.stdout, run.stderr) == (SYSTEM, "", expected)
