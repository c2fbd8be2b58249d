"""The ladder: lanes, rows, states and where they stand, from events made by hand."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import replace

import pytest

from harness import ACK, FIN, RST, SYN, Endpoint, Flag, Segment, exited
from harness.evidence.ladder import Ladder
from harness.evidence.ladder_svg import NARROW, WIDE, Legend, Picture, svg
from harness.evidence.ladder_text import painted, text, without_lines
from harness.evidence.places import Party
from harness.evidence.rows import FATES, Flight, Kind, Said
from harness.evidence.sheet import Metrics, lay_out, overlapping, wrap
from harness.outcome import Outcome
from harness.trace.event import Event
from harness.trace.frames import Frame, Numbers
from harness.trace.samples import Sample, intervals

MS = 1_000_000
HERE, THERE = Endpoint("127.0.0.1", 40000), Endpoint("127.0.0.1", 9877)
SERVER, CLIENT = Party(1, "server", None, 1), Party(2, "client", None, 2)


def call(seq: int, ms: float, process: int, name: str, port: int = 9877) -> list[Event]:
    """A call that was entered and left at once."""
    args = {"fd": 3, "address": {"host": "0.0.0.0", "port": port}}
    time = int(ms * MS)
    return [
        Event(seq, time, "enter", process, call=name, args=args),
        Event(
            seq + 1,
            time,
            "leave",
            process,
            call=name,
            args=args,
            entered=seq,
            outcome=Outcome(0),
        ),
    ]


def frame(
    ms: float,
    flags: Flag,
    sequence: int = 100,
    to_server: bool = True,
    length: int = 0,
    acknowledgement: int = 0,
    host: str = "",
    fate: str = "passed",
    wire: str | None = None,
) -> Frame:
    """A segment between the two."""
    source, destination = (HERE, THERE) if to_server else (THERE, HERE)
    sender, receiver = (2, 1) if to_server else (1, 2)
    time = int(ms * MS)
    segment = Segment(
        "?",
        source,
        destination,
        flags,
        sequence,
        acknowledgement,
        length,
        time,
        1000 + int(ms * 10),
        "?",
        sender,
        receiver,
    )
    return Frame(segment, "TCP", "", host, wire, fate)


def sample(ms: float, *sockets: tuple[str, Endpoint, Endpoint | None], host: str = "") -> Sample:
    """What was seen at one time."""
    wires = [
        {
            "family": "AF_INET",
            "type": "SOCK_STREAM",
            "state": state,
            "local": {"host": local.host, "port": local.port},
            "remote": {"host": remote.host, "port": remote.port} if remote else None,
        }
        for state, local, remote in sockets
    ]
    return Sample(int(ms * MS), host, wires)


OPENING = [
    frame(2, SYN),
    frame(3, SYN | ACK, 500, False, acknowledgement=101),
    frame(4, ACK, 101, acknowledgement=501),
]
CALLS = [*call(1, 0, 1, "bind"), *call(3, 0.5, 1, "listen"), *call(5, 1, 2, "connect")]
LISTENER = ("LISTEN", Endpoint("0.0.0.0", 9877), None)


def simple() -> Ladder:
    """A connection that is opened, with states."""
    samples = [
        sample(0.6, LISTENER),
        sample(4.1, LISTENER, ("ESTABLISHED", THERE, HERE), ("ESTABLISHED", HERE, THERE)),
        sample(5, LISTENER, ("ESTABLISHED", THERE, HERE), ("ESTABLISHED", HERE, THERE)),
    ]
    return Ladder.of([SERVER, CLIENT], CALLS, OPENING, intervals(samples))


def said(ladder: Ladder) -> list[tuple[int, str]]:
    """The words in the lanes."""
    return [(row.what.lane, row.what.text) for row in ladder.rows if isinstance(row.what, Said)]


def flights(ladder: Ladder) -> list[Flight]:
    """The arrows."""
    return [row.what for row in ladder.rows if isinstance(row.what, Flight)]


# --- lanes ---------------------------------------------------------------------------------------------------------


def test_who_listens_stands_left_and_who_connects_right() -> None:
    """Whoever was started first."""
    early_client = [Party(1, "client", None, 1), Party(2, "server", None, 2)]
    events = [*call(1, 0, 2, "listen"), *call(3, 1, 1, "connect")]
    ladder = Ladder.of(early_client, events)
    assert [lane.title for lane in ladder.lanes] == [["server"], ["client"]]


def test_a_proxy_stands_in_the_middle() -> None:
    """It listens and connects."""
    parties = [Party(1, "client", None, 1), Party(2, "proxy", None, 2), Party(3, "server", None, 3)]
    events = [
        *call(1, 0, 3, "listen"),
        *call(3, 1, 2, "listen"),
        *call(5, 2, 2, "connect"),
        *call(7, 3, 1, "connect"),
    ]
    titles = [lane.title for lane in Ladder.of(parties, events).lanes]
    assert titles == [["server"], ["proxy"], ["client"]]


def test_a_restarted_server_that_cannot_bind_stands_with_the_first() -> None:
    """Though it never listened; rows say which of them it was."""
    parties = [SERVER, CLIENT, Party(3, "server", None, 3)]
    ladder = Ladder.of(parties, [*CALLS, *call(7, 9, 3, "bind")])
    assert ladder.lanes[0].title == ["#1 server", "#3 server"]
    assert (0, "#3 bind(3, 0.0.0.0:9877) = 0") in said(ladder)
    assert (1, "connect(3, 0.0.0.0:9877) = 0") in said(ladder)


def test_a_child_shares_the_lane_of_its_parent() -> None:
    """The title says whose it is."""
    child = Party(3, "server", 1, 1)
    assert Ladder.of([SERVER, CLIENT, child], CALLS).lanes[0].title == [
        "#1 server",
        "#3 child of #1",
    ]


def test_two_that_connect_to_each_other_are_parted() -> None:
    """In a simultaneous open nobody listens."""
    parties = [Party(1, "peer", None, 1), Party(2, "peer", None, 2)]
    events = [*call(1, 0, 1, "connect"), *call(3, 1, 2, "connect")]
    assert len(Ladder.of(parties, events).lanes) == 2


def test_of_several_hosts_each_has_a_lane_and_a_router_stands_in_the_middle() -> None:
    """It has a lane though it has no process; a segment that it forwards is not sent again."""
    parties = [replace(SERVER, host="a"), replace(CLIENT, host="c")]
    way = [
        frame(2, SYN, host="c", wire="bc", fate="passed"),
        frame(2.1, SYN, host="b", wire="ab", fate="passed"),
        frame(3, SYN | ACK, 500, False, host="a", wire="ab", fate="passed"),
        frame(3.1, SYN | ACK, 500, False, host="b", wire="bc", fate="passed"),
    ]
    ladder = Ladder.of(parties, CALLS, way)
    hosts = [lane.title[0] for lane in ladder.lanes]
    assert hosts == ["a", "b", "c"]
    ways = [(hosts[f.lane], hosts[f.towards]) for f in flights(ladder)]
    assert ways == [("c", "b"), ("b", "a"), ("a", "b"), ("b", "c")]
    assert not any("again" in f.text for f in flights(ladder))


def test_a_wire_that_is_answered_by_nobody_leads_to_its_other_end() -> None:
    """Where only one host sends, the destination's address tells, or that there are but two."""
    parties = [replace(SERVER, host="a"), replace(CLIENT, host="c")]
    ladder = Ladder.of(parties, CALLS, [frame(2, SYN, host="c", wire="w", fate="dropped")])
    assert [(f.lane, f.towards) for f in flights(ladder)] == [(1, 0)]


# --- rows ----------------------------------------------------------------------------------------------------------


def test_numbers_count_from_the_beginning_of_their_connection() -> None:
    """As books show them, across the wrap of 32 bits."""
    last = 0xFFFFFFFF
    numbers = Numbers()
    told = [
        numbers.words(each)
        for each in (
            frame(1, SYN, last),
            frame(2, SYN | ACK, 7, False, acknowledgement=0),
            frame(3, ACK, 0, acknowledgement=8, length=25),
            frame(4, ACK, 0, acknowledgement=8, length=25),
            frame(5, RST, 25),
        )
    ]
    assert told == [
        "SYN seq 0",
        "SYN ACK seq 0 ack 1",
        "ACK seq 1 ack 1 len 25",
        "ACK seq 1 ack 1 len 25 again",
        "RST seq 26",
    ]


def test_several_connections_have_letters() -> None:
    """In arrows, states and a legend."""
    other = Endpoint("127.0.0.1", 40001)
    second = frame(6, SYN)
    second = replace(second, segment=replace(second.segment, source=other))
    seen = intervals([sample(7, ("SYN_SENT", other, THERE))])
    ladder = Ladder.of([SERVER, CLIENT], CALLS, [*OPENING, second], seen)
    assert [f.text.split()[0] for f in flights(ladder)] == ["a", "a", "a", "b"]
    assert [span.text for span in ladder.spans] == ["b SYN_SENT"]
    assert ladder.notes == [
        "a: 127.0.0.1:40000 and 127.0.0.1:9877",
        "b: 127.0.0.1:40001 and 127.0.0.1:9877",
    ]


@pytest.mark.parametrize(
    ("fate", "mark", "word"),
    [
        ("dropped", "×", "dropped"),
        ("cut", "×", "wire cut"),
        ("held", "‖", "held"),
        ("delayed", "‖", "delayed"),
        ("released", "○", "released"),
        ("forged", "○", "forged"),
        ("duplicated", "▶▶", "duplicated"),
    ],
)
def test_a_fate_is_seen(fate: str, mark: str, word: str) -> None:
    """By its mark and by its word; what does not arrive does not touch the other rail."""
    parties = [replace(SERVER, host="a"), replace(CLIENT, host="b")]
    sent = frame(2, FIN | ACK, 500, False, host="a", wire="w", fate=fate)
    [line] = [
        line for line in text(Ladder.of(parties, [], [sent])).splitlines() if "FIN ACK" in line
    ]
    assert mark in line and f" {word} " in line
    assert line.endswith("▶│") == (FATES[fate].end == 1.0)
    assert ("│─" in line) == (FATES[fate].begin == 0.0)


def test_what_was_held_and_is_lost_then_begins_on_the_wire() -> None:
    """It left its host before, once."""
    parties = [replace(SERVER, host="a"), replace(CLIENT, host="b")]
    held = frame(2, SYN, host="b", wire="w", fate="held")
    gone = replace(frame(3, SYN, host="b", wire="w", fate="dropped"), coming=held.segment.seq)
    shown = text(Ladder.of(parties, [], [held, gone])).splitlines()
    assert "SYN seq 0 dropped" in shown[-1] and "○" in shown[-1] and "×" in shown[-1]


def test_a_fate_without_a_picture_is_said() -> None:
    """What a newer conductor tells is not lost."""
    parties = [replace(SERVER, host="a"), replace(CLIENT, host="b")]
    ladder = Ladder.of(parties, [], [frame(2, SYN, host="b", wire="w", fate="mirrored")])
    assert "SYN seq 0 mirrored" in text(ladder)


def opened(seq: int, path: str, descriptor: int) -> list[Event]:
    """A file that is opened, read and closed."""
    steps: list[tuple[str, dict[str, object], int]] = [
        ("openat", {"dirfd": "AT_FDCWD", "path": path, "flags": ["O_RDONLY"]}, descriptor),
        ("read", {"fd": descriptor}, 832),
        ("close", {"fd": descriptor}, 0),
    ]
    events = []
    for number, (name, args, value) in enumerate(steps):
        enter = seq + 2 * number
        events += [
            Event(enter, enter * MS, "enter", 1, call=name, args=args),
            Event(
                enter + 1,
                enter * MS,
                "leave",
                1,
                call=name,
                args=args,
                entered=enter,
                outcome=Outcome(value),
            ),
        ]
    return events


def test_what_the_loader_does_is_one_line() -> None:
    """Up to the first call that is not its own; a program's own reads are not folded."""
    reads = call(13, 20, 1, "read")
    events = [
        Event(0, 0, "exec", 1, name="server"),
        *opened(1, "/etc/ld.so.cache", 3),
        *opened(7, "/lib/libc.so.6", 3),
        *reads,
    ]
    assert [words for _, words in said(Ladder.of([SERVER], events))] == [
        "* exec server",
        "(6 calls of the loader: libc.so.6)",
        "read(3, 0.0.0.0:9877) = 0",
    ]


def test_files_that_are_looked_up_in_are_one_line_and_what_stays_open_is_not() -> None:
    """Nothing that a later call builds upon is hidden."""
    left_open = opened(11, "/etc/passwd", 4)[:4]
    events = [*call(1, 0, 1, "bind"), *opened(3, "/etc/gai.conf", 3), *left_open]
    words = [words for _, words in said(Ladder.of([SERVER], events))]
    assert words[1] == "(3 calls aside: /etc/gai.conf)"
    assert words[2].startswith("openat(AT_FDCWD, /etc/passwd") and words[3].startswith("read(4)")


def asks_about(signals: int) -> list[Event]:
    """As many signals, each asked about by a call of its own."""
    asked: list[Event] = []
    for number in range(1, signals + 1):
        asked += [
            replace(event, args={"signal": f"signal {number}"})
            for event in call(100 + 2 * number, 20, 1, "rt_sigaction")
        ]
    return asked


def test_what_an_emulator_prepares_is_one_line() -> None:
    """It asks about every signal, and then its program is loaded."""
    events = [
        *opened(1, "/lib/libglib-2.0.so.0", 3),
        *asks_about(64),
        *opened(301, "/usr/sparc64-linux-gnu/lib/libc.so.6", 3),
        *call(311, 400, 1, "bind"),
    ]
    assert [words for _, words in said(Ladder.of([SERVER], events))] == [
        "(67 calls of the emulator)",
        "(3 calls of the loader: libc.so.6)",
        "bind(3, 0.0.0.0:9877) = 0",
    ]


def test_a_program_that_asks_about_some_signals_is_no_emulator() -> None:
    """Nothing of it is folded."""
    events = [*asks_about(59), *call(311, 400, 1, "bind")]
    assert len(said(Ladder.of([SERVER], events))) == 60


def test_what_was_injected_is_never_folded() -> None:
    """It is what the case is about."""
    events = opened(1, "/etc/gai.conf", 3)
    failed = Outcome(errno="ENOENT", number=2, injected="errno")
    events = [replace(e, outcome=failed) if e.kind == "leave" else e for e in events]
    assert len(said(Ladder.of([SERVER], events))) == 3


def test_failures_and_notes_are_told_from_calls() -> None:
    """So that they can have a colour."""
    failed = call(1, 0, 1, "bind")
    failed[1] = replace(failed[1], outcome=Outcome(errno="EADDRINUSE", number=98))
    events = [*failed, Event(3, 9, "dead", 1, exit=exited(1))]
    kinds = [
        row.what.kind for row in Ladder.of([SERVER], events).rows if isinstance(row.what, Said)
    ]
    assert kinds == [Kind.ERROR, Kind.NOTE]


def test_a_long_ladder_shows_its_beginning_and_its_end() -> None:
    """And says how much is missing; states that reach over the gap stay."""
    events = [event for n in range(1000) for event in call(2 * n + 1, n, 1, "write", n)]
    seen = intervals([sample(10, LISTENER), sample(999, LISTENER)])
    ladder = Ladder.of([SERVER], events, [], seen, rows=100)
    words = [words for _, words in said(ladder)]
    assert len(words) == 101 and words[50] == "(900 rows are left out)"
    assert words[-1].startswith("write(3, 0.0.0.0:999)")
    assert [(span.begin, span.end) for span in ladder.spans] == [(10, 100)]


# --- states --------------------------------------------------------------------------------------------------------


def test_a_state_is_claimed_only_as_long_as_it_was_seen() -> None:
    """Between the last sight of one and the first of the next nobody looked."""
    seen = intervals(
        [
            sample(1, ("ESTABLISHED", HERE, THERE)),
            sample(2, ("ESTABLISHED", HERE, THERE)),
            sample(5, ("FIN_WAIT2", HERE, THERE)),
            sample(6),
        ]
    )
    told = [(i.state, i.since // MS, i.seen // MS, i.until and i.until // MS) for i in seen]
    assert told == [("ESTABLISHED", 1, 2, 5), ("FIN_WAIT2", 5, 5, 6)]


def test_a_sample_of_one_host_says_nothing_of_another() -> None:
    """Each has its own sockets."""
    seen = intervals([sample(1, LISTENER, host="a"), sample(2, host="b")])
    assert [(i.host, i.until) for i in seen] == [("a", None)]


def test_states_stand_beside_the_row_after_which_they_were_seen() -> None:
    """In the margin of the socket's own side, each on a track of its own."""
    ladder = simple()
    told = [(s.lane, s.track, s.text, s.begin, s.end) for s in ladder.spans]
    assert told == [
        (0, 0, "LISTEN", 1, 5),
        (0, 1, "ESTABLISHED", 5, 5),
        (1, 0, "ESTABLISHED", 5, 5),
    ]


def test_a_change_long_after_anything_else_has_a_row_of_its_own() -> None:
    """A timer struck, and nobody did anything."""
    seen = intervals([sample(1, LISTENER), sample(60_000, ("TIME_WAIT", THERE, HERE))])
    ladder = Ladder.of([SERVER, CLIENT], CALLS, [], seen)
    assert ladder.rows[-1].what is None and ladder.rows[-1].time == 60_000 * MS


def test_more_sockets_than_tracks_are_counted() -> None:
    """Not silently left out."""
    many = [("ESTABLISHED", THERE, Endpoint("127.0.0.1", 40000 + n)) for n in range(9)]
    ladder = Ladder.of([SERVER, CLIENT], CALLS, OPENING, intervals([sample(5, *many)]))
    assert ladder.notes[-1] == "5 sockets more are not drawn"


# --- the page ------------------------------------------------------------------------------------------------------


def test_the_text_is_a_ladder() -> None:
    """Calls at their rails, arrows between, states at the margins, milliseconds in front."""
    assert text(simple(), 90).splitlines() == [
        "    ms                server                                          client",
        " 0.000                │ bind(3, 0.0.0.0:9877) = 0                          │",
        " 0.500       LISTEN  ╻│ listen(3, 0.0.0.0:9877) = 0                        │",
        " 1.000               ┃│                       connect(3, 0.0.0.0:9877) = 0 │",
        " 2.000               ┃│◀─────────────────── SYN seq 0 ─────────────────────│",
        " 3.000               ┃│─────────────── SYN ACK seq 0 ack 1 ───────────────▶│",
        " 4.000  ESTABLISHED ▪╹│◀──────────────── ACK seq 1 ack 1 ──────────────────│▪ ESTABLISHED",
    ]


def crowded() -> Ladder:
    """Three hosts, many processes with long calls, every fate, more sockets than tracks."""
    parties = [Party(n, f"a_program_with_a_name_{n}", None, n, "abc"[n % 3]) for n in range(1, 12)]
    args = {"fd": 3, "data": {"bytes": "x" * 40, "length": 40}, "flags": ["MSG_NOSIGNAL"] * 6}
    events = [Event(n, n * MS, "enter", n, call="sendto", args=args) for n in range(1, 12)]
    frames = []
    for n, fate in enumerate([*FATES, "unheard of"]):
        for m, (host, wire) in enumerate((("a", "ab"), ("b", "ab"), ("b", "bc"), ("c", "bc"))):
            sent = frame(
                20 + n + m / 10, FIN | ACK, 100, m % 2 == 0, 65000, host=host, fate=fate, wire=wire
            )
            frames.append(sent)
    many = [("SYN_RECEIVED", THERE, Endpoint("127.0.0.1", 40000 + n)) for n in range(7)]
    seen = [
        sample(ms, *many, (state, HERE, THERE), host=host)
        for ms, state in ((5, "SYN_SENT"), (9, "ESTABLISHED"), (9.5, "TIME_WAIT"))
        for host in "abc"
    ]
    return Ladder.of(parties, events, frames, intervals(seen))


def outside(picture: Picture, metrics: Metrics) -> Sequence[object]:
    """The words that do not fit upon the picture."""
    return [
        box
        for box in picture.boxes()
        if box.x < 0
        or box.x + box.width > metrics.width
        or box.y < 0
        or box.y + box.height > picture.height
    ]


LEGEND = Legend("A claim that is long enough to need several lines, " * 4, "failed", "a/path" * 40)


@pytest.mark.parametrize("metrics", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize(
    "ladder", [simple(), crowded(), Ladder.of([], [])], ids=["simple", "crowded", "empty"]
)
def test_no_words_overlap_and_none_are_cut(ladder: Ladder, metrics: Metrics) -> None:
    """In a picture, at both widths."""
    picture = Picture.of(ladder, metrics, LEGEND)
    assert overlapping(picture.boxes()) == []
    assert outside(picture, metrics) == []


@pytest.mark.parametrize("width", [100, 80, 132])
def test_text_keeps_within_its_columns_and_overlaps_nowhere(width: int) -> None:
    """However crowded."""
    metrics = Metrics(width, char=1, small=1, line=1, gap=0, pad=1, track=1, rise=0)
    assert overlapping(lay_out(crowded(), metrics).boxes) == []
    assert max(map(len, text(crowded(), width).splitlines())) <= width


def test_overlaps_are_found() -> None:
    """Or the tests above could not fail."""
    boxes = lay_out(simple(), WIDE).boxes
    moved = [replace(boxes[0], x=boxes[1].x, y=boxes[1].y), *boxes[1:]]
    assert overlapping(moved) != []


def test_words_wrap_between_arguments_and_a_result_stays_with_its_sign() -> None:
    """A piece that is longer than a line breaks anywhere."""
    assert wrap("socket(AF_INET, SOCK_STREAM, 0) = 3", 33) == [
        "socket(AF_INET, SOCK_STREAM, 0)",
        "  = 3",
    ]
    assert wrap("x" * 25, 10) == ["x" * 10, "  " + "x" * 8, "  " + "x" * 7]


def test_a_picture_holds_all_words_and_has_no_colour_of_its_own() -> None:
    """Its colours are variables, for the day and the night."""
    drawn = svg(crowded(), WIDE, Legend("<claim> & so on", "failed"))
    assert "&lt;claim&gt; &amp; so on" in drawn and "prefers-color-scheme: dark" in drawn
    words = [element.text for element in ElementTree.fromstring(drawn).iter() if element.text]
    assert "#11 sendto(3," in words and "12 sockets more are not drawn" in words
    body = drawn.split("</style>")[1]
    assert not re.search(r"#[0-9a-fA-F]{3,6}\"", body) and "fill=" not in body


def test_colours_change_no_character() -> None:
    """Painted text without its colours is the text."""
    plain = text(crowded())
    assert re.sub(r"\x1b\[\d+m", "", painted(plain)) == plain
    assert "\x1b[31m" in painted("bind(3) = EADDRINUSE (98)")


def test_where_there_are_no_lines_ascii_serves() -> None:
    """Character by character, so that all stays in its column."""
    plain = text(crowded())
    shown = without_lines(plain)
    assert shown.isascii() and "?" not in shown.replace("(3, ?)", "")
    assert list(map(len, shown.splitlines())) == list(map(len, plain.splitlines()))
