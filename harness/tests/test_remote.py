"""`--platform ssh=HOST`: two machines that share the cases; here both are this one, by its loopback address."""

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.platform.plan import UnknownPlatform, asked
from harness.platform.remote import COMMAND
from harness.records.baseline import Baseline
from harness.records.results import Results
from harness.tests.checkouts import Checkout

SECONDS = 300
SSHD = Path("/usr/sbin/sshd")
ROOT = Path(__file__).resolve().parents[2]
CASES = ("cases/test_daytime.py", "cases/test_reuseaddr.py", "cases/check_accept.c")

needs_ssh = pytest.mark.skipif(
    not (SSHD.exists() and shutil.which("ssh")), reason="no openssh-server"
)

SERVER = """
HostKey {folder}/host
AuthorizedKeysFile {folder}/key.pub
StrictModes no
UsePAM no
PasswordAuthentication no
"""
CLIENT = """
Host one two
  HostName 127.0.0.1
  Port {port}
  IdentityFile {folder}/key
  IdentitiesOnly yes
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
"""
_AS_ROOT = 'mount -t tmpfs run /run && mkdir -m 755 /run/sshd && exec "$@"'
"""root's sshd wants a folder of its own, which is in nobody's way so."""


class Server:
    """An sshd for each that connects to the loopback address; they serve this user, by a key made for the purpose."""

    def __init__(self, folder: Path) -> None:
        for name in ("host", "key"):
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(argv, check=True)
        (folder / "server").write_text(SERVER.format(folder=folder))
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.client = folder / "client"
        self.client.write_text(CLIENT.format(folder=folder, port=port))
        as_root = ["unshare", "--mount", "sh", "-c", _AS_ROOT, "sh"] if os.geteuid() == 0 else []
        self._argv = [*as_root, str(SSHD), "-i", "-f", str(folder / "server")]
        self.sessions: list["subprocess.Popen[bytes]"] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # it was shut down
                return
            with connection:
                end = connection.fileno()
                quiet = subprocess.DEVNULL
                session = subprocess.Popen(self._argv, stdin=end, stdout=end, stderr=quiet)
                self.sessions.append(session)

    def close(self) -> None:
        """Ends when the last session has."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for session in self.sessions:
            session.wait(SECONDS)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """This machine, served to itself."""
    folder = tmp_path / "ssh"
    folder.mkdir()
    server = Server(folder)
    yield server
    server.close()


def run(checkout: Checkout, *arguments: str, **environment: str) -> tuple[int, str]:
    """Runs the cases; the exit status, and what was said."""
    process = checkout.start("-q", *arguments, *CASES, environment=environment)
    said, _ = process.communicate(timeout=SECONDS)
    return process.returncode, said


@needs_ssh
def test_two_machines_give_what_one_gives(server: Server, tmp_path: Path) -> None:
    """Each runs a part of the cases, and together they have the same results."""
    (tmp_path / "house").mkdir()
    checkout = Checkout(tmp_path / "house", "")
    shutil.rmtree(checkout.root / "cases")
    for name in ("cases", "harness"):  # all that a checkout over there has
        (checkout.root / name).symlink_to(ROOT / name)
    assert run(checkout)[0] == 0
    by_ssh = {COMMAND: f"ssh -F {server.client}"}
    status, said = run(checkout, "--platform", "ssh=one+two", **by_ssh)
    assert status == 0, said
    here, there = (Results.of(path).relied_on() for path in checkout.results)
    given = [Baseline.of("alike", results.records).cases for results in (here, there)]
    assert given[0] == given[1] and len(given[0]) > 50
    assert {record.platform["asked"] for record in there.records} == {"ssh=one+two"}
    # Both were asked what they are, and each had a worker.
    assert len(server.sessions) == 4


@needs_ssh
def test_a_machine_that_cannot_be_reached_is_told(server: Server, tmp_path: Path) -> None:
    """With ssh's own words; the other platforms go on, and the run is no success."""
    (tmp_path / "house").mkdir()
    checkout = Checkout(tmp_path / "house", '    def test_it() -> None:\n        """It."""\n')
    by_ssh = {COMMAND: f"ssh -F {server.client}"}
    process = checkout.start("--platform", "linux,ssh=no-such.invalid", environment=by_ssh)
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 2, said
    assert "ssh=no-such.invalid: it could not start: no-such.invalid: ssh: Could not" in said
    assert "1 passed" in said


@pytest.mark.parametrize("text", ["ssh=", "ssh=one+", "ssh=-oProxyCommand=reboot", "ssh=one+-x"])
def test_what_is_no_host_is_refused(text: str) -> None:
    """An option of ssh's, for instance."""
    with pytest.raises(UnknownPlatform, match="there is no platform"):
        asked([text])


def test_hosts_are_joined_by_a_plus() -> None:
    """And each may have several workers."""
    [one] = asked(["ssh=one+me@two.example*3"])
    assert (one.label, one.workers) == ("ssh=one+me@two.example", 3)
