"""A pytest plugin that looks at cases a second time: tcpdump runs beside them on every host, and ss looks at the sockets
whenever the harness does. A case that passes is broken where they saw something else.

    pytest -p harness.tests.second_opinion --second-opinion=FILE cases

writes into FILE, a JSON line for each case, how much was compared.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness import Lab
from harness.lab.privilege import Privilege
from harness.tests import ss
from harness.tests.tcpdump import (
    Tcpdump,
    Told,
    arrived,
    differing,
    is_mark,
    places,
    read,
    sent,
    told,
)
from harness.trace.samples import FIRST, STOPS
from harness.trace.sockets import Socket
from harness.verdict import Broken


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds where to write to."""
    parser.addoption("--second-opinion", type=Path, required=True, metavar="FILE")


class SecondOpinion:
    """Both witnesses of one lab."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._ask = lab.ask
        self._verify = lab.verify
        self._dumps: dict[str, Tcpdump] = {}
        """By host."""
        self._captures: list[tuple[str, bytes]] = []
        """What the tcpdumps that have ended saw, and on which host."""
        self._seen: Counter[str] = Counter()
        """How many frames that was, by where."""
        self.segments = self.sockets = self.moving = 0
        self.states: set[str] = set()
        self.ways: set[str] = set()

    # --- in place of the lab's own --------------------------------------------------------------------------------

    def ask(self, do: str, *arguments: Any, **members: Any) -> dict[str, Any]:
        """As Lab.ask: looks at a host as soon as there is one, and at sockets after what the harness looks after."""
        if do == "crash":
            # What its kernel says of the processes that are killed reaches nobody.
            self._gather(self._dumps.pop(members["host"]), self._packets())
        reply = self._ask(do, *arguments, **members)
        if do in ("host", "boot"):
            self.watch(reply["host"], reply["descriptor"])
        if do in STOPS:
            for host in self._dumps:
                self._look(host)
        return reply

    def verify(self) -> None:
        """As Lab.verify, and then asks tcpdump."""
        self._verify()
        self._compare_segments()

    # --- segments ----------------------------------------------------------------------------------------------

    def watch(self, host: str, descriptor: int) -> None:
        """Starts tcpdump on a host.

        Args:
            descriptor: the conductor's, of its namespace.
        """
        inside = ss.entering(self._lab.init, descriptor)
        self._dumps[host] = Tcpdump(host, inside)

    def _gather(self, dump: Tcpdump, ours: Mapping[str, list[Told]]) -> None:
        """Ends a tcpdump when it has seen what the harness has."""
        here = {key: frames for key, frames in ours.items() if key.startswith(f"{dump.host} ")}
        awaited = {key: len(it) - self._seen[key] for key, it in here.items()}
        capture = dump.seen(awaited)
        self._captures.append((dump.host, capture))
        self._seen.update(places(dump.host, capture))

    def _compare_segments(self) -> None:
        """Each host's in both directions: a frame that one of the two did not see, or saw elsewhere, tells."""
        before = self._packets()
        for dump in self._dumps.values():
            self._gather(dump, before)
        # What comes only now was under way meanwhile.
        after = self._packets()
        seen = read(self._captures)
        for key in sorted({*before, *seen}):
            ours, theirs = before.get(key, []), seen.get(key, [])
            if wrong := differing(ours, theirs, after.get(key, [])):
                raise Broken(f"tcpdump saw something else: {key}\n{wrong}")
        self.segments = sum(map(len, before.values()))

    def _packets(self) -> dict[str, list[Told]]:
        """What the harness saw, by where tcpdump sees it."""
        wires = {wire.name: wire for wire in self._lab.wires}
        found: dict[str, list[Told]] = {}
        for packet in sorted(self._lab.packets(), key=lambda packet: packet.seq):
            if is_mark(packet):
                continue
            self.ways.add(f"{packet.protocol} {packet.fate}")
            if packet.wire is None:
                found.setdefault(f"{packet.host} in 00:00:00:00:00:00", []).append(told(packet))
                continue
            near, far = sorted(
                wires[packet.wire].ends, key=lambda end: end.host.name != packet.host
            )
            if sent(packet):
                found.setdefault(f"{near.host} out {near.mac}", []).append(told(packet))
            if times := arrived(packet):
                found.setdefault(f"{far.host} in {near.mac}", []).extend([told(packet)] * times)
        return found

    # --- sockets -----------------------------------------------------------------------------------------------

    def _look(self, host: str) -> None:
        """What does not change from before to after ss must be what ss says."""
        before = self._sockets(host)
        said = ss.sockets(self._dumps[host].inside)
        after = self._sockets(host)
        if {one: ss.still(it) for one, it in before.items()} != {
            one: ss.still(it) for one, it in after.items()
        }:
            self.moving += 1
            return
        if wrong := ss.differing(before, said, after):
            raise Broken(f"ss says something else of host {host}:\n{wrong}")
        self.sockets += len(said)
        self.states |= {str(one.state) for one in before.values()}

    def _sockets(self, host: str) -> dict[int, Socket]:
        reply = self._ask("sockets", host=host, type="SOCK_STREAM")
        return {one.cookie: one for one in map(Socket.of, reply["sockets"])}

    def end(self) -> None:
        """Ends all tcpdumps."""
        for dump in self._dumps.values():
            dump.end()


@pytest.fixture(autouse=True)
def second_opinion(
    request: pytest.FixtureRequest, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Has a case watched."""
    # tcpdump insists on becoming another user, be it the same again.
    lab.needs(Privilege.OTHER_USERS)
    opinion = SecondOpinion(lab)
    try:
        opinion.watch(FIRST, lab.about.descriptor)
        monkeypatch.setattr(lab, "ask", opinion.ask)
        monkeypatch.setattr(lab, "verify", opinion.verify)
        yield
    finally:
        opinion.end()
    line = {
        "case": request.node.nodeid,
        "segments": opinion.segments,
        "sockets": opinion.sockets,
        "moving": opinion.moving,
        "states": sorted(opinion.states),
        "ways": sorted(opinion.ways),
    }
    with request.config.getoption("second_opinion").open("a") as file:
        file.write(json.dumps(line) + "\n")
