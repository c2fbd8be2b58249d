"""Processes: programs that run under the conductor, and the verbs that drive them."""

import signal as signals
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..control.conductor import Late, Refused
from ..errno_names import Errno
from ..outcome import Exit, Outcome, signal_name
from ..trace.event import Call, Event
from ..verdict import Broken, hidden
from .moment import Descriptor, Moment, Scope, leaving
from .streams import Stream, Streams

if TYPE_CHECKING:
    from .host import Host
    from .lab import Lab

__tracebackhide__ = hidden

_CLASSES = {
    Stream.PIPE: Descriptor.PIPE,
    Stream.FILE: Descriptor.FILE,
    Stream.PTY: Descriptor.TTY,
}


@dataclass(frozen=True)
class OpenDescriptor:
    """A descriptor that a process has open."""

    fd: int
    kind: Descriptor
    inode: int | None
    """Of a socket or a pipe."""
    target: str
    """Where its link in /proc leads: a path, or "socket:[7]"."""


@dataclass(frozen=True)
class Watch:
    """A moment that was armed, and what happens there."""

    process: "Process"
    number: int

    def reached(self, deadline: float | None = None) -> "Process":
        """Waits till the moment has come; returns the process held there.

        Raises:
            Broken: it does not come.
        """
        lab = self.process.lab
        reply = lab.ask("reached", watch=self.number, deadline=deadline or lab.deadline)
        return lab.handle(reply["process"])

    def disarm(self) -> int:
        """Forgets the moment; returns how often it had come. A process that is held there stays held."""
        struck: int = self.process.lab.ask("disarm", watch=self.number)["struck"]
        return struck


class Process:
    """A process of the lab. Runs only inside a verb: reach, run, outcome, prints, blocked, ended and kill let it go on."""

    def __init__(self, lab: "Lab", number: int, streams: Streams, label: str) -> None:
        self.lab = lab
        self._label = label
        self.number = number
        """Its number in the lab, by order of birth, from 1."""
        self._streams = streams

    def __repr__(self) -> str:
        return f"<process {self.number} {self._label}>"

    # --- running and holding -----------------------------------------------------------------------------------

    def reach(
        self, moment: Moment, scope: Scope = Scope.PROCESS, deadline: float | None = None
    ) -> "Process":
        """Lets it run until it is held at the moment.

        Args:
            deadline: seconds; the lab's if None.

        Returns:
            The process held there: this one, or with TREE and CHILDREN perhaps a descendant.

        Raises:
            Broken: the moment does not come; the text says what came instead.
        """
        if self._streams.typed:
            return self._reach_typing(moment, scope, deadline)
        reply = self._ask(
            "reach",
            moment=moment.wire(),
            scope=str(scope),
            deadline=deadline or self.lab.deadline,
        )
        return self.lab.handle(reply["process"])

    def _reach_typing(self, moment: Moment, scope: Scope, deadline: float | None) -> "Process":
        """Reaches a moment that input leads to: arms it before the input arrives."""
        watch = self.arm(moment, scope)
        try:
            self._let_go()  # looks before the input arrives: what is held afterwards is held by this watch
            held = watch.reached(deadline)
        except Broken:  # and not Ctrl-C, which leaves the conductor in the middle of its answer
            watch.disarm()
            raise
        watch.disarm()
        return held

    def run(self) -> "Process":
        """Lets it go on. Does nothing to a process that runs already."""
        try:
            self._ask("run")
        except Refused:
            if self.state != "running":
                raise
        return self

    def ended(self, deadline: float | None = None) -> Exit:
        """Lets it run till it is dead and its descriptors are closed.

        Raises:
            Broken: it does not end.
        """
        return Exit.of(self._ask("ended", deadline=deadline or self.lab.deadline))

    def kill(self, sig: int = signals.SIGKILL, deadline: float | None = None) -> Exit:
        """Sends a signal, lets it go on, and waits till it is dead and its descriptors are closed.

        Raises:
            Broken: it does not die of it.
        """
        name = signal_name(sig)
        return Exit.of(self._ask("kill", signal=name, deadline=deadline or self.lab.deadline))

    def signal(self, sig: int) -> "Process":
        """Sends a signal. A held process stays held; the signal is delivered when it goes on."""
        self._ask("signal", signal=signal_name(sig))
        return self

    def blocked(self, call: str, deadline: float | None = None) -> "Process":
        """Lets it run till it sleeps in that call.

        Raises:
            Broken: it does not come to that.
        """
        self._ask("blocked", call=call, deadline=deadline or self.lab.deadline)
        return self

    def detach(self) -> None:
        """Lets go of it for good: no more calls are seen, and the kernel alone decides. It must be held, and
        have been started detachable."""
        self._ask("detach")

    def _let_go(self) -> None:
        if self.state == "held":
            self._ask("run")

    # --- what is to happen later -------------------------------------------------------------------------------

    def arm(self, moment: Moment, scope: Scope = Scope.PROCESS) -> Watch:
        """Arms a hold; the process stays as it is."""
        return self._arm(moment, {"do": "hold"}, scope)

    def inject(self, moment: Moment, errno: Errno, times: int = 1) -> Watch:
        """Makes a call fail with that errno, without the kernel seeing it. The moment must be entering(...)."""
        return self._arm(moment, {"do": "inject", "errno": str(errno)}, times=times)

    def shorten(self, moment: Moment, length: int, times: int = 1) -> Watch:
        """Makes a call with a length of at most so many bytes. The moment must be entering(...)."""
        return self._arm(moment, {"do": "inject", "short": length}, times=times)

    def kill_at(self, moment: Moment, sig: int = signals.SIGKILL) -> Watch:
        """Sends it a signal when the moment comes."""
        return self._arm(moment, {"do": "kill", "signal": signal_name(sig)})

    def _arm(
        self,
        moment: Moment,
        action: Mapping[str, Any],
        scope: Scope = Scope.PROCESS,
        times: int = 1,
    ) -> Watch:
        reply = self._ask("arm", moment=moment.wire(), action=action, scope=str(scope), times=times)
        return Watch(self, reply["watch"])

    # --- what it did -------------------------------------------------------------------------------------------

    def outcome(self, call: str, nth: int = 1) -> Outcome:
        """The nth outcome of that call since its start.

        If it has not come yet, the process is let run until it is held leaving that call.

        Raises:
            Broken: the call does not come, or does not return.
        """
        while len(outcomes := self.outcomes(call)) < nth:
            self._one_more(call, seen=len(outcomes))
        outcome = outcomes[nth - 1]
        self.lab.observe(process=self.name, call=call, nth=nth, outcome=outcome)
        return outcome

    def _one_more(self, call: str, seen: int) -> None:
        """Lets it run until it leaves the call once more, or has meanwhile."""
        if self.state == "held":
            self.reach(leaving(call))
            return
        self._catch(leaving(call), lambda: len(self.outcomes(call)) > seen)

    def _catch(
        self, moment: Moment, come: Callable[[], bool], deadline: float | None = None
    ) -> None:
        """Holds a process that runs at a moment, unless what the moment brings has come meanwhile.

        Args:
            come: looks whether it has.

        Raises:
            Broken: it has not come, and the moment does not come.
        """
        try:
            watch = self.arm(moment)
        except Refused:
            # It runs, so it may have come and even ended between looking and arming.
            if not come():
                raise
            return
        if not come():
            watch.reached(deadline)
        watch.disarm()

    def outcomes(self, call: str) -> list[Outcome]:
        """The outcomes of that call so far."""
        return [made.outcome for made in self.calls(call)]

    def calls(self, *names: str) -> list[Call]:
        """The calls of these names (all, if none is given) that it has made and left so far."""
        events = self.lab.events(kinds=["leave"], calls=names or None, process=self)
        return [Call.of(event) for event in events]

    @property
    def at(self) -> Event | None:
        """The event it is held at; None when it is not held. After a reach of leaving(...), `at.outcome` is what
        the call gave."""
        wire = self._wire().get("at")
        return None if wire is None else self.lab.event(wire)

    # --- standard streams --------------------------------------------------------------------------------------

    def input(self, data: str | bytes) -> "Process":
        """Puts data into its standard input.

        It arrives when the next verb takes effect, of whatever process: a process that runs and waits for it cannot
        have passed the moment that the next verb reaches for.

        Raises:
            Broken: the input has ended, or is a file. The next verb: there is no room, or the program has closed it.
        """
        self._streams.type(data.encode() if isinstance(data, str) else data)
        return self

    def end_input(self) -> "Process":
        """Ends its standard input: as input, when the next verb takes effect."""
        self._streams.type(None)
        return self

    @property
    def output(self) -> str:
        """What its program, with all its processes, wrote to standard output so far."""
        return self._streams.read(1)

    @property
    def errors(self) -> str:
        """What its program wrote to standard error so far."""
        return self._streams.read(2)

    def prints(self, text: str, deadline: float | None = None) -> "Process":
        """Lets it run till its output holds the text; it is then held leaving the write that completed it.

        Does nothing when the text is there already.

        Raises:
            Broken: the text does not come.
        """
        written = leaving("write", on=_CLASSES[self._streams.kind(1)])
        while text not in self.output:
            try:
                self._write_once(written, text, deadline)
            except (Late, Refused) as error:
                raise Broken(
                    f"{self.name} did not print {text!r} but {self.output!r}: {error}"
                ) from error
        return self

    def _write_once(self, written: Moment, text: str, deadline: float | None) -> None:
        if self.state == "held":
            self.reach(written, deadline=deadline)
            return
        self._catch(written, lambda: text in self.output, deadline)

    # --- who and what it is ------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The program's name."""
        return str(self._wire()["name"])

    @property
    def host(self) -> "Host":
        """The host that it runs on."""
        return self.lab.host(self._wire()["host"])

    @property
    def pid(self) -> int:
        """Its pid inside the lab."""
        return int(self._wire()["pid"])

    @property
    def state(self) -> str:
        """ "held", "running", "zombie", "dead" or "detached"."""
        return str(self._wire()["state"])

    @property
    def kernel_state(self) -> str:
        """The kernel's letter for its state: "S", "Z", ...; "?" when it is gone."""
        return str(self._wire()["kernel"])

    @property
    def parent(self) -> "Process | None":
        """The process of the lab that made it; None for one that the case started."""
        parent = self._wire()["parent"]
        return next((p for p in self.lab.processes() if p.number == parent), None)

    @property
    def children(self) -> list["Process"]:
        """The processes it has made so far, in the order of birth, the dead among them."""
        return [
            self.lab.handle(wire)
            for wire in self.lab.ask("processes")["processes"]
            if wire["parent"] == self.number
        ]

    def child(self, nth: int = 1) -> "Process":
        """The nth child that was born to it.

        Raises:
            Broken: it has not had so many.
        """
        children = self.children
        if not 1 <= nth <= len(children):
            raise Broken(f"{self.name} has no child {nth}: it has had {len(children)} so far")
        return children[nth - 1]

    def descriptors(self) -> list[OpenDescriptor]:
        """The descriptors it has open, in ascending order."""
        return [
            OpenDescriptor(d["fd"], Descriptor(d["class"]), d.get("inode"), d["target"])
            for d in self._ask("descriptors")["descriptors"]
        ]

    def _wire(self) -> dict[str, Any]:
        return next(
            wire
            for wire in self.lab.ask("processes")["processes"]
            if wire["process"] == self.number
        )

    def _ask(self, do: str, **members: Any) -> dict[str, Any]:
        return self.lab.ask(do, process=self.number, **members)
