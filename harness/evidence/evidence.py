"""The evidence: all that a case left to look at, gathered once, so that every picture of it is of the same thing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import time_ns
from typing import TYPE_CHECKING

from ..trace import frames
from ..trace.event import Event
from ..trace.frames import Frame
from ..trace.samples import FIRST, Sample, intervals
from ..trace.segments import Senders
from . import ladder_text
from .ladder import Ladder
from .places import Party

if TYPE_CHECKING:
    from ..lab.lab import Lab

_EVENTS = 4000
"""Events looked at, at most: the last ones."""
_OUTPUT = 10
"""Lines of a program's output shown."""
_NAMING = ("bind", "connect", "getsockname")
"""The calls that tell whose an endpoint is."""


@dataclass(frozen=True)
class Evidence:
    """What there is to show. Pure: made from a lab, or by hand."""

    parties: Sequence[Party]
    events: Sequence[Event]
    """What processes did."""
    frames: Sequence[Frame] = ()
    samples: Sequence[Sample] = ()
    sockets: Sequence[str] = ()
    """As they are at the end."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """What was printed, by a heading."""
    captured: Sequence[Event] = ()
    """Segment events with their bytes."""
    earlier: int = 0
    """Events that came before the first one here."""

    @classmethod
    def of(cls, lab: "Lab") -> "Evidence":
        """The evidence of a lab as it stands."""
        earlier = max(0, lab.recorded() - _EVENTS)
        wires = lab.ask("processes")["processes"]
        names = {wire["process"]: wire["name"] for wire in wires}
        reporting = {wire["process"] for wire in wires if wire["program"] in lab.reporting}
        events = [
            event
            for event in lab.events(after=earlier, raw=True)
            if not (event.process in reporting and _reports(event))
        ]
        captured = [event for event in events if event.kind == "segment"]
        naming = lab.events(kinds=["enter", "leave"], calls=_NAMING)
        return cls(
            parties=[_party(wire) for wire in wires],
            events=[event for event in events if event.kind != "segment"],
            frames=frames.of(captured, Senders(naming, names)),
            samples=lab.sampled(),
            sockets=_at_the_end(lab),
            outputs={
                f"{names[number]} ({stream})": streams.read(descriptor)
                for number, streams in lab.program_streams().items()
                for descriptor, stream in ((1, "output"), (2, "errors"))
            },
            captured=captured,
            earlier=earlier,
        )

    def ladder(self, rows: int = 300) -> Ladder:
        """What happened, lane by lane.

        Args:
            rows: shown at most.
        """
        return Ladder.of(self.parties, self.events, self.frames, intervals(self.samples), rows)

    def text(self, width: int = 100) -> str:
        """The evidence as plain text.

        Args:
            width: columns.
        """
        if not self.parties:
            return "no program was started"
        lines = [f"  ({self.earlier} earlier events are left out)"] if self.earlier else []
        lines.append(ladder_text.text(self.ladder(), width))
        if self.sockets:
            lines += ["sockets:", *(f"  {socket}" for socket in self.sockets)]
        for heading, printed in self.outputs.items():
            lines += _printed(heading, printed)
        return "\n".join(lines)


def _reports(event: Event) -> bool:
    """Whether it is a call by which a program that reports does so, which is no behaviour of sockets."""
    return event.call in ("fcntl", "write") and event.args.get("fd") == 3


def _at_the_end(lab: "Lab") -> list[str]:
    """The sockets that there are; of several hosts those of TCP, with the name of the host."""
    began = time_ns()
    last = [sample for sample in lab.sampled() if sample.time >= began]
    if len(last) < 2:
        return [str(socket) for socket in lab.told()]
    return [f"{sample.host}: {socket}" for sample in last for socket in sample.sockets()]


def _party(wire: Mapping[str, object]) -> Party:
    parent = wire["parent"]
    return Party(
        number=int(str(wire["process"])),
        name=str(wire["name"]),
        parent=None if parent is None else int(str(parent)),
        program=int(str(wire["program"])),
        host=str(wire.get("host") or FIRST),
    )


def _printed(heading: str, printed: str) -> list[str]:
    lines = printed.splitlines()
    if not lines:
        return []
    shown = [f"  {line[:96]}" for line in lines[-_OUTPUT:]]
    if len(lines) > _OUTPUT:
        shown.insert(0, f"  ({len(lines) - _OUTPUT} lines are left out)")
    return [f"{heading}:", *shown]
