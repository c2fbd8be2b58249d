"""The client of the protocol, against conductors that misbehave."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import Broken, Lab, Privilege, Unsupported
from harness.control import conductor as client
from harness.control.conductor import Conductor, ConductorFailed, Late, Refused
from harness.control.relay import Relay
from harness.lab.lab import Settings
from harness.lab.programs import find_program

FAKE = Path(__file__).parent / "fake_conductor.py"


class House:
    """Labs whose conductors misbehave."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.relay = Relay(FAKE, None, ahead=0)

    def lab(self, fake: str) -> Lab:
        """A lab whose conductor misbehaves that way."""
        self._monkeypatch.setenv("FAKE", fake)
        return Lab(Settings(FAKE.parent), self.relay)


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house whose conductors are gone in the end."""
    house = House(monkeypatch)
    yield house
    house.relay.close()


def test_a_refusal_carries_the_reason(house: House) -> None:
    """And the conductor goes on."""
    with house.lab("") as lab:
        with pytest.raises(Refused, match="^kill: process 9: no such process$"):
            lab.ask("kill", process=9, signal="SIGINT")
        assert lab.sockets() == []


def test_what_is_late_says_what_was_there_instead(house: House) -> None:
    """For a step of the set-up an exception; for a claim something false that shows itself."""
    with house.lab("") as lab:
        with pytest.raises(Late, match="there was instead:\n  no socket\n  1 fake, held"):
            lab.awaits(local=lab.port)
        fact = lab.comes(local=lab.port, deadline=0.5)
        assert not fact
        assert "local :9877" in repr(fact) and "1 fake, held" in repr(fact)


def test_a_conductor_that_cannot_set_itself_up_has_the_word(
    house: House,
) -> None:
    """Its own line, and nothing added to it."""
    with pytest.raises(
        ConductorFailed, match="^conductor: no namespaces here: set kernel.fake to 1$"
    ):
        house.lab("forbidden")


def test_a_conductor_that_dies_is_named_with_its_last_words(
    house: House,
) -> None:
    """At the request that it died of, and the lab can be closed all the same."""
    lab = house.lab("dying")
    with pytest.raises(
        ConductorFailed, match="exited 111 when asked 'sockets': conductor: out of luck"
    ):
        lab.sockets()
    with pytest.raises(ConductorFailed):
        lab.close()
    lab.close()


def test_a_conductor_that_falls_silent_is_not_waited_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client has a deadline of its own, and kills it."""
    lab = house.lab("silent")
    monkeypatch.setattr(client, "_PROMPT", 0.3)
    began = time.monotonic()
    with pytest.raises(ConductorFailed, match="did not answer 'sockets' within 0.3 s"):
        lab.sockets()
    with pytest.raises(ConductorFailed):
        lab.close()
    assert time.monotonic() - began < 5


def test_an_end_out_of_order_is_not_passed_over(house: House) -> None:
    """The exit status counts, though nobody waits for it: whoever is there when it has come tells of it."""
    with pytest.raises(ConductorFailed, match="exited 3"):
        house.lab("ending badly").close()
        house.relay.close()


def test_a_conductor_that_is_not_there_is_named() -> None:
    """With the path that was looked at."""
    with pytest.raises(ConductorFailed, match="/nonexistent/conductor: No such file"):
        Conductor(Path("/nonexistent/conductor"))


@pytest.mark.parametrize(
    ("fake", "asked", "message"),
    [
        ("lossy", False, "7 events found no room"),
        ("dropping", True, "3 frames were dropped"),
    ],
)
def test_gaps_in_the_evidence_break_a_case(
    house: House, fake: str, asked: bool, message: str
) -> None:
    """Lost events always; dropped frames where segments were asked for."""
    with house.lab(fake) as lab:
        if asked:
            lab.verify()
            assert lab.segments() == []
        with pytest.raises(Broken, match=message):
            lab.verify()


def test_a_privilege_that_the_lab_lacks_makes_a_case_unsupported(
    house: House,
) -> None:
    """With the reason why."""
    with house.lab("") as lab, pytest.raises(Unsupported, match="only one user id"):
        lab.needs(Privilege.OTHER_USERS)


def test_nothing_is_left_open(house: House) -> None:
    """No descriptor, no child."""
    before = os.listdir("/proc/self/fd")
    house.lab("").close()
    house.relay.close()
    assert os.listdir("/proc/self/fd") == before


def test_an_unknown_program_is_named_with_near_ones_and_where_it_was_looked_for(
    tmp_path: Path,
) -> None:
    """One message that tells the way out."""
    (tmp_path / "servers").mkdir()
    (tmp_path / "clients").mkdir()
    program = tmp_path / "servers" / "echo_mpserv"
    program.touch(0o755)
    assert find_program("echo_mpserv", tmp_path) == program
    with pytest.raises(
        Broken, match="unknown program 'echo_mpsrv'.*/servers.*did you mean echo_mpserv?"
    ):
        find_program("echo_mpsrv", tmp_path)
    with pytest.raises(Broken, match="there is no file /nonexistent/x"):
        find_program("/nonexistent/x", tmp_path)
    program.chmod(0o644)
    with pytest.raises(Broken, match="is not executable"):
        find_program(str(program), tmp_path)


def test_a_request_that_was_cut_short_is_followed_by_none(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its reply, still to come, would be taken for that of the next; and Ctrl-C is not drowned by what follows it."""
    lab = house.lab("")

    def interrupted(*_: object) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("harness.control.channel.Channel._line", interrupted)
        with pytest.raises(KeyboardInterrupt):
            lab.sockets()
    with pytest.raises(
        ConductorFailed, match="cannot ask 'sockets': an earlier request was cut short"
    ):
        lab.sockets()
    lab.close()
