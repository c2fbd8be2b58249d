"""Outside use: pip installs sockspec, and a repository of somebody else's keeps cases and programs of its own."""

import fcntl
import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from harness.build import current
from harness.records.results import Results, newest
from harness.verdict import Verdict

SERVER = """
    #include <arpa/inet.h>
    #include <errno.h>
    #include <netinet/in.h>
    #include <stdlib.h>
    #include <sys/socket.h>
    #include <unistd.h>

    int main(int argc, char **argv)
    {
        struct sockaddr_in at = {.sin_family = AF_INET};
        int listener = socket(AF_INET, SOCK_STREAM, 0);

        at.sin_port = htons((unsigned short)atoi(argv[argc - 1]));
        if (bind(listener, (struct sockaddr *)&at, sizeof at) < 0)
            return 111;
        listen(listener, 1);
        return accept(listener, NULL, NULL) < 0;
    }
"""
MAKEFILE = """
build: build/release/servers/mine
build/release/servers/mine: servers/mine.c
\tmkdir -p build/release/servers
\t$(CC) -o $@ $<
.PHONY: build
"""
CASES = '''
    from sockspec import EADDRINUSE, LISTEN, Lab, entering
    import pytest

    @pytest.mark.about("EADDRINUSE")
    @pytest.mark.parametrize("server", SERVERS)
    def test_the_port_is_taken(lab: Lab, server: str) -> None:
        """bind() says EADDRINUSE while another listens.

        POSIX.1-2024 bind().
        """
        lab.start(server, lab.port).reach(entering("accept"))
        assert lab.states(local=lab.port) == [LISTEN]
        assert lab.start(server, lab.port).outcome("bind") == EADDRINUSE

    def test_the_port_is_free(lab: Lab) -> None:
        """bind() succeeds, they say."""
        lab.start(SERVERS[0], lab.port).reach(entering("accept"))
        assert lab.start(SERVERS[0], lab.port).outcome("bind") == 0
'''

IN_C = """
    #include "case.h"
    #include "sockets.h"

    #include <sys/socket.h>
    #include <unistd.h>

    /* bind() says EADDRINUSE where another socket is bound.
     *
     * POSIX.1-2024 bind(). */
    CASE(a_port_is_taken, EACH(inet_stream), ABOUT("EADDRINUSE"))
    {
        const struct address here = loopback(kind, PORT);
        const int fd = NEED(new_socket(kind));

        NEED(bound_socket(kind));
        FAILS(bind(fd, &here.any, here.length), EADDRINUSE);
    }

    /* bind() fails, they say.
     *
     * Nobody. */
    CASE(a_port_is_free)
    {
        const struct address here = loopback(&ipv4_stream, PORT);

        FAILS(bind(NEED(new_socket(&ipv4_stream)), &here.any, here.length), EADDRINUSE);
    }
"""
[COMPILES] = re.findall(
    r"^```make\n(.*?)^```", (current().root / "README.md").read_text(), re.DOTALL | re.MULTILINE
)
"""The Makefile that the README gives for cases in C."""

pytestmark = pytest.mark.timeout(600)  # installing compiles the conductor


class Repository:
    """Somebody else's, with the interpreter that sockspec is installed for."""

    def __init__(self, root: Path, python: Path) -> None:
        self.root = root
        self.python = python

    def write(self, name: str, text: str) -> None:
        """Puts a file into it."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))

    def run(self, *argv: str | Path) -> "subprocess.CompletedProcess[str]":
        """Runs something there, which knows nothing of this checkout."""
        unwanted = ("PYTEST", "SOCKSPEC", "PYTHON", "SAN", "MAKE")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
        return subprocess.run(
            argv, cwd=self.root, env=kept, capture_output=True, text=True, timeout=300
        )

    def pytest(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Runs the tests there."""
        return self.run(self.python, "-m", "pytest", "-p", "no:cacheprovider", *arguments)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter for which sockspec is installed by pip, with nothing from a network."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", folder], check=True)
    pip = [os.fspath(folder / "bin" / "pip"), "install"]
    local = ["--no-build-isolation", "--no-index", "."]
    with open(current().top / ".pip", "w") as lock:
        fcntl.flock(
            lock, fcntl.LOCK_EX
        )  # it makes what it makes below build/, and workers would do so at once
        done = subprocess.run([*pip, *local], cwd=current().root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "bin" / "python"


@pytest.fixture
def repository(tmp_path: Path, python: Path) -> Repository:
    """A repository with a server, built by a Makefile, and cases."""
    made = Repository(tmp_path, python)
    made.write("servers/mine.c", SERVER)
    (tmp_path / "Makefile").write_text(MAKEFILE)
    made.write("pytest.ini", "[pytest]\nsockspec = true\naddopts = --strict-markers\n")
    made.write("cases/test_mine.py", 'SERVERS = ["mine"]\n' + dedent(CASES))
    return made


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_cases_and_programs_of_others_run(repository: Repository, workers: tuple[str, ...]) -> None:
    """Built by their Makefile, judged, recorded, shown; nothing of sockspec's is written elsewhere."""
    done = repository.pytest(*workers)
    assert done.returncode == 1, done.stdout + done.stderr
    assert (
        "1 failed, 1 passed" in done.stdout
        and "claim:    bind() succeeds, they say." in done.stdout
    )
    results = Results.of(newest(repository.root / "build" / "results")).relied_on()
    verdicts = {record.case.partition("::test_")[2]: record.verdict for record in results.records}
    assert verdicts == {
        "the_port_is_taken[mine]": Verdict.PASSED,
        "the_port_is_free": Verdict.FAILED,
    }
    assert [seen.text for seen in results.records[-1].seen][-1] == "EADDRINUSE (98)"


def test_programs_may_be_there_already(repository: Repository) -> None:
    """Without a Makefile, executables in servers/ and clients/ are the programs."""
    assert repository.run("make", "-s", "build").returncode == 0
    built = repository.root / "build"
    (built / "release" / "servers" / "mine").rename(repository.root / "servers" / "mine")
    repository.run("rm", "-r", "build", "Makefile")
    done = repository.pytest("-k", "taken")
    assert done.returncode == 0, done.stdout + done.stderr


def test_cases_in_c_of_others_run(repository: Repository) -> None:
    """With the glue that was installed: collected from their source, compiled by one command, judged and recorded."""
    repository.write("cases/check_mine.c", IN_C)
    command = repository.python.with_name("sockspec")
    (repository.root / "Makefile").write_text(COMPILES.replace("sockspec", str(command)))
    done = repository.pytest("cases/check_mine.c")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "claim:    bind() fails, they say." in done.stdout
    results = Results.of(newest(repository.root / "build" / "results")).relied_on()
    assert {record.case.partition("::")[2]: record.verdict for record in results.records} == {
        "a_port_is_taken[IPv4]": Verdict.PASSED,
        "a_port_is_taken[IPv6]": Verdict.PASSED,
        "a_port_is_free": Verdict.FAILED,
    }


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"CC": "no-such-compiler"}, "sockspec: there is no no-such-compiler: install it"),
        ({"PKG_CONFIG_LIBDIR": "/nowhere"}, "sockspec: libcheck was not found: install"),
        ({"CFLAGS": "-include nowhere.h"}, "nowhere"),
    ],
)
def test_what_cannot_be_compiled_is_told(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], says: str
) -> None:
    """No compiler, no library, an error in the source; nothing is made."""
    repository.write("cases/check_mine.c", IN_C)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    command = repository.python.with_name("sockspec")
    done = repository.run(command, "compile", "-o", "made/check_mine", "cases/check_mine.c")
    assert done.returncode == 1 and says in done.stderr
    assert not (repository.root / "made" / "check_mine").exists()


def test_the_command_works_there(repository: Repository) -> None:
    """sockspec is python3 -m harness."""
    command = repository.python.with_name("sockspec")
    repository.pytest("--slow", "-k", "taken")
    shown = repository.run(command, "matrix", "--form=markdown")
    assert "`EADDRINUSE (98)`" in shown.stdout or "[LISTEN], EADDRINUSE (98)" in shown.stdout
    assert repository.run(command, "record").returncode == 2
    assert "usage: sockspec" in repository.run(command, "--help").stdout
    installed = repository.run(
        repository.python, "-c", "import sockspec; print(sockspec.__path__[0])"
    )
    package = Path(installed.stdout.strip())
    for module in (current().root / "harness").glob("[!t]*/*.py"):
        assert (package / module.relative_to(current().root / "harness")).exists(), module


def test_who_did_not_ask_for_it_is_left_alone(repository: Repository) -> None:
    """An installed sockspec changes no other project's pytest."""
    repository.write("pytest.ini", "[pytest]\n")
    repository.write(
        "cases/test_mine.py", "def test_it(request): assert not hasattr(request, 'lab')\n"
    )
    done = repository.pytest()
    assert done.returncode == 0 and "sockspec:" not in done.stdout
    assert not (repository.root / "build").exists()
    assert "unrecognized arguments: --evidence" in repository.pytest("--evidence").stderr
