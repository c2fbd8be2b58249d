"""The evidence as text, and what is gathered from a real lab."""

from harness import LISTEN, entering
from harness.evidence.evidence import Evidence
from harness.evidence.places import Party
from harness.lab.lab import Lab
from harness.outcome import Outcome
from harness.trace.event import Event
from harness.trace.samples import STOPS, intervals

MS = 1_000_000
SERVER = Party(1, "server", None, 1)


def call(seq: int, time: int, process: int, name: str, value: int = 0) -> list[Event]:
    """A call that was entered and left at once."""
    args = {"fd": 3, "address": {"host": "0.0.0.0", "port": 9877}}
    enter = Event(seq, time * MS, "enter", process, call=name, args=args)
    leave = Event(
        seq + 1,
        time * MS,
        "leave",
        process,
        call=name,
        args=args,
        entered=seq,
        outcome=Outcome(value),
    )
    return [enter, leave]


def lines(evidence: Evidence, width: int = 100) -> list[str]:
    """The text, a line each."""
    return evidence.text(width).splitlines()


def test_a_call_that_others_interrupt_takes_two_rows() -> None:
    """What happened while it lasted stands between."""
    accept = call(1, 0, 1, "accept", 4)
    events = [
        accept[0],
        *call(5, 1, 2, "connect"),
        Event(7, 2 * MS, "leave", 1, call="accept", entered=1, outcome=Outcome(4)),
    ]
    shown = lines(Evidence([SERVER, Party(2, "client", None, 2)], events))
    assert "accept(3, 0.0.0.0:9877) ..." in shown[1]
    assert "connect" in shown[2]
    assert "... accept = 4" in shown[3]


def test_a_long_time_line_says_what_is_left_out() -> None:
    """Before its beginning and in its middle."""
    events = [event for n in range(1000) for event in call(2 * n + 1, n, 1, "write", n)]
    shown = lines(Evidence([SERVER], events, earlier=5))
    assert shown[0] == "  (5 earlier events are left out)"
    assert any("(700 rows are left out)" in line for line in shown)
    assert shown[-1].endswith("= 999")


def test_sockets_and_output_stand_below() -> None:
    """Only what there is; of long output the end."""
    outputs = {"server (output)": "a\n" * 12 + "z\n", "server (errors)": ""}
    evidence = Evidence(
        [SERVER], call(1, 0, 1, "bind"), sockets=["LISTEN 0.0.0.0:9877"], outputs=outputs
    )
    below = lines(evidence)[2:]
    assert below[:2] == ["sockets:", "  LISTEN 0.0.0.0:9877"]
    assert below[2:4] == ["server (output):", "  (3 lines are left out)"]
    assert below[-1] == "  z"


def test_without_a_program_there_is_nothing_to_show() -> None:
    """And that is said."""
    assert Evidence([], []).text() == "no program was started"


def test_the_sockets_are_looked_at_whenever_a_verb_returns(lab: Lab) -> None:
    """Each time once, and once more for the evidence; a look changes nothing that is recorded."""
    server = lab.start("reuseadr_eserver", lab.port)
    server.reach(entering("listen"))
    recorded = lab.recorded()
    server.reach(entering("accept"))
    lab.awaits(local=lab.port, state=LISTEN)
    samples = lab.sampled()
    assert {"reach", "await"} <= STOPS and len(samples) == 4
    assert [[s.state for s in sample.sockets()] for sample in samples] == [[], *[[LISTEN]] * 3]
    [listening] = intervals(samples)
    assert listening.local.port == lab.port and listening.until is None
    assert lab.recorded() - recorded == 2, "the leaving of listen, the entering of accept"


def test_a_process_is_where_its_socket_is(lab: Lab) -> None:
    """Its state stands in the margin of its own lane."""
    server = lab.start("reuseadr_eserver", lab.port).reach(entering("accept"))
    client = lab.start("echo_client", lab.address, lab.port).run()
    server.reach(entering("read"))
    client.blocked("read")
    ladder = Evidence.of(lab).ladder()
    assert [lane.title for lane in ladder.lanes] == [["reuseadr_eserver"], ["echo_client"]]
    told = {(span.lane, span.state) for span in ladder.spans}
    assert told == {(0, "LISTEN"), (0, "ESTABLISHED"), (1, "ESTABLISHED")}
