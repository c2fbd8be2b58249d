"""The time line."""

from harness import ACK, FIN, Endpoint, Segment, exited
from harness.event import Event
from harness.evidence import Evidence, Party
from harness.outcome import Outcome

MS = 1_000_000
SERVER, CLIENT = Party(1, "server", None, 1), Party(2, "client", None, 2)


def call(seq: int, time: int, process: int, name: str, value: int = 0) -> list[Event]:
    """A call that was entered and left at once."""
    args = {"fd": 3, "address": {"host": "0.0.0.0", "port": 9877}}
    return [
        Event(seq, time * MS, "enter", process, call=name, args=args),
        Event(
            seq + 1,
            time * MS,
            "leave",
            process,
            call=name,
            args=args,
            entered=seq,
            outcome=Outcome(value),
        ),
    ]


def lines(evidence: Evidence, width: int = 100) -> list[str]:
    """The text, a line each."""
    return evidence.text(width).splitlines()


def test_each_process_has_a_lane_and_times_count_from_the_first_event() -> None:
    """Milliseconds in front, one lane a process."""
    events = [*call(1, 10, 1, "bind"), *call(3, 12, 2, "connect")]
    assert lines(Evidence([SERVER, CLIENT], events)) == [
        "      ms  1 server                                     2 client",
        "   0.000  bind(3, 0.0.0.0:9877) = 0",
        "   2.000                                               connect(3, 0.0.0.0:9877) = 0",
    ]


def test_a_call_that_others_interrupt_takes_two_rows() -> None:
    """What happened while it lasted stands between."""
    accept = call(1, 0, 1, "accept", 4)
    events = [
        accept[0],
        *call(5, 1, 2, "connect"),
        Event(7, 2 * MS, "leave", 1, call="accept", entered=1, outcome=Outcome(4)),
    ]
    shown = lines(Evidence([SERVER, CLIENT], events))
    assert "accept(3, 0.0.0.0:9877) ..." in shown[1]
    assert "connect" in shown[2]
    assert "... accept = 4" in shown[3]


def test_a_segment_is_an_arrow_from_lane_to_lane() -> None:
    """Its head is at the receiver."""
    there, here = Endpoint("127.0.0.1", 9877), Endpoint("127.0.0.1", 40000)
    segments = [
        Segment("server", there, here, FIN | ACK, 0, 0, 0, MS, 5, "client", 1, 2),
        Segment("client", here, there, ACK, 0, 0, 3, 2 * MS, 6, "server", 2, 1),
    ]
    shown = lines(Evidence([SERVER, CLIENT], call(1, 0, 1, "close"), segments))
    assert (
        shown[2].startswith("   1.000  |-") and shown[2].endswith("->") and " FIN ACK " in shown[2]
    )
    assert shown[3].startswith("   2.000  <-") and shown[3].endswith("-|") and " ACK 3 " in shown[3]


def test_no_line_is_wider_than_asked() -> None:
    """Cells wrap; nothing is cut off."""
    text = "x" * 24
    args = {
        "fd": 3,
        "data": {"bytes": text, "length": 24},
        "flags": ["MSG_NOSIGNAL", "MSG_DONTWAIT"],
    }
    parties = [Party(n, f"program{n}", None, n) for n in range(1, 5)]
    events = [
        Event(
            n,
            n * MS,
            "leave",
            n,
            call="send",
            args=args,
            entered=99,
            outcome=Outcome(errno="EPIPE", number=32),
        )
        for n in range(1, 5)
    ] + [Event(9, 9 * MS, "enter", 4, call="send", args=args)]
    shown = lines(Evidence(parties, events))
    assert max(map(len, shown)) <= 100
    assert "MSG_NOSIGNAL|MSG_DONTWAIT" in "".join(line.strip() for line in shown)


def test_more_processes_than_lanes_take_over_from_the_dead_or_share() -> None:
    """A row of a shared lane says whose it is."""
    parties = [Party(n, "client", None, n) for n in range(1, 7)]
    events = [Event(n, n * MS, "exec", n, name="client") for n in range(1, 5)]
    events.append(Event(5, 5 * MS, "dead", 2, exit=exited(0)))
    events += [Event(n + 1, n * MS, "exec", n, name="client") for n in range(5, 7)]
    shown = lines(Evidence(parties, events))
    assert "2 client; 5 client" in shown[0]
    assert any("#6 * exec client" in line for line in shown)
    assert any("#4 * exec client" in line for line in shown)
    assert not any("#5" in line for line in shown)


def test_loading_libraries_is_left_out() -> None:
    """It is the same for every program."""
    path = {"path": "/lib/libc.so.6"}
    events = [
        Event(1, 1, "enter", 1, call="openat", args=path),
        Event(2, 2, "leave", 1, call="openat", args=path, entered=1, outcome=Outcome(3)),
        Event(3, 3, "enter", 1, call="read", args={"fd": 3}),
        Event(4, 4, "leave", 1, call="read", args={"fd": 3}, entered=3, outcome=Outcome(832)),
        Event(5, 5, "enter", 1, call="close", args={"fd": 3}),
        Event(6, 6, "leave", 1, call="close", args={"fd": 3}, entered=5, outcome=Outcome(0)),
        *call(7, 7, 1, "read"),
    ]
    shown = lines(Evidence([SERVER], events))
    assert len(shown) == 2
    assert "read(3, 0.0.0.0:9877) = 0" in shown[1]


def test_a_long_time_line_shows_its_beginning_and_its_end() -> None:
    """And says how much is missing."""
    events = [event for n in range(1000) for event in call(2 * n + 1, n, 1, "write", n)]
    shown = lines(Evidence([SERVER], events, earlier=5))
    assert "  (5 earlier events are left out)" in shown
    assert "  (700 rows are left out)" in shown
    assert shown[-1].endswith("= 999")
    assert len(shown) == 303


def test_sockets_and_output_stand_below() -> None:
    """Only what there is; of long output the end."""
    outputs = {"server (output)": "a\n" * 12 + "z\n", "server (errors)": ""}
    shown = lines(Evidence([SERVER], call(1, 0, 1, "bind"), (), ["LISTEN 0.0.0.0:9877"], outputs))
    below = shown[2:]
    assert below[:2] == ["sockets:", "  LISTEN 0.0.0.0:9877"]
    assert below[2:4] == ["server (output):", "  (3 lines are left out)"]
    assert below[-1] == "  z"


def test_without_a_program_there_is_nothing_to_show() -> None:
    """And that is said."""
    assert Evidence([], []).text() == "no program was started"
