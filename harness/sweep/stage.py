"""A stage: one lab in which the subject runs, and its clients."""

import shutil
import socket
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from socket import AddressFamily
from types import TracebackType
from typing import Any

from ..control.conductor import Late, Refused
from ..control.relay import Relay
from ..lab.lab import Lab, Settings
from ..lab.process import Process
from ..trace.sockets import LISTEN
from . import trouble
from .client import Client, Fate
from .quiet import is_quiet
from .subject import Subject

_FILE_LIMIT = 64 << 20
"""Bytes that the subject may write into one file, its output among them."""
_SLICE = 0.2
"""Seconds between looks whether a subject that does not listen still lives."""
_CALM, _RESTLESS = 10.0, 0.1
"""Seconds in which a server at work comes to rest; and that one is waited for which did not."""
_COMES, _LOST = 1.0, 0.1
"""Seconds in which what was sent comes, before TCP sends it again (RFC 6298 §2.1); and that it is waited for where some
did not."""


class Stage:
    """Owns the lab and the subject's folder. A context manager."""

    def __init__(self, subject: Subject, settings: Settings, relay: Relay) -> None:
        self.subject = subject
        self.folder: Path | None = None
        self.processes: list[Mapping[str, Any]] = []
        """Those that lived when everything had last come to rest, as they were then."""
        self.family = AddressFamily.AF_INET
        """By which clients come, where it is no UNIX socket."""
        self.restless = 0
        """How often something was busy for so long that it was not waited for."""
        self.calm = False
        """Whether everything was at rest when somebody last looked."""
        self.delivery = _COMES
        """Seconds in which what was sent is to come."""
        self._sockets: list[socket.socket] = []
        self.on_rest: Callable[[], None] | None = None
        """Called whenever everything has come to rest."""
        if subject.wants_folder:
            self.folder = Path(tempfile.mkdtemp(prefix="sockspec-"))
            self.folder.chmod(0o755)
        try:
            self.lab = Lab(settings, relay)
        except BaseException:
            self._remove_folder()
            raise

    def __enter__(self) -> "Stage":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            for client in self._sockets:
                client.close()
            self.lab.close()
        finally:
            self._remove_folder()

    def _remove_folder(self) -> None:
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- the subject -------------------------------------------------------------------------------------------

    def load(self, **options: Any) -> Process:
        """Starts the subject and leaves it held at its exec."""
        subject = self.subject
        if self.folder is not None:
            for name, text in subject.files.items():
                place = self.folder / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(subject.filled(text, self.folder), encoding="utf-8")
        argv = [subject.filled(word, self.folder) for word in subject.argv]
        env = {name: subject.filled(text, self.folder) for name, text in subject.env.items()}
        return self.lab.start(
            *argv,
            env=env,
            cwd=subject.cwd,
            stdin=b"",
            limits={"fsize": _FILE_LIMIT, **options.pop("limits", {})},
            **options,
        )

    def serve(self, **options: Any) -> Process:
        """Starts the subject and waits till it listens.

        Raises:
            NotUsable: it does not; the text says what it does instead, and what to try.
        """
        process = self.load(**options).run()
        if not self.comes_to_listen(process):
            raise trouble.never_listens(self, process)
        if not self.alive(process):
            raise trouble.background(self, process)
        return process

    def comes_to_listen(self, process: Process, anew: bool = False) -> bool:
        """Lets it go on till it listens, or has ended, or its patience has.

        Args:
            anew: whether it is to be the process or one born after it who listens, whatever others still do.
        """
        left = self.subject.patience
        since = process.number if anew else 0
        self.rest()
        while not self.listening(since):
            if not any(number >= since for number in self.living()):
                return False
            if left <= 0 or self.state(process.number) == "held":
                return False
            left -= _SLICE
            with suppress(Late):
                self._await_listener(process)
            self.rest()
        return True

    def _await_listener(self, process: Process) -> None:
        """Waits for one. Where another server's is there already, there is no other news of this one than its end."""
        if self.listening():
            process.ended(_SLICE)
        else:
            self.lab.ask("await", deadline=_SLICE, count=1, **self._listener())

    def _listener(self) -> dict[str, Any]:
        if self.path is not None:
            return {"family": "AF_UNIX", "state": ["LISTEN"]}
        return {"local": self.subject.port, "state": [str(LISTEN)]}

    def listening(self, since: int = 0) -> bool:
        """Whether somebody listens where the subject should; of the processes with that number or a higher one."""
        found = self.lab.ask("sockets", **self._listener())["sockets"]
        ours = [wire for wire in found if self.path in (None, wire.get("path"))]
        if not ours or all(number >= since for number in self.living()):
            return bool(ours)
        return any(self._holds(wire["inode"], since) for wire in ours)

    def _holds(self, inode: int, since: int) -> bool:
        holders = self.lab.ask("holders", inode=inode)["holders"]
        return any(holder["process"] >= since for holder in holders)

    def room(self) -> int:
        """How many connections may wait to be accepted."""
        found = self.lab.ask("sockets", **self._listener())["sockets"]
        return max((int(wire.get("send_queue", 0)) for wire in found), default=0)

    @property
    def path(self) -> str | None:
        """The UNIX socket's, if it is one."""
        path = self.subject.path
        return None if path is None else self.subject.filled(path, self.folder)

    # --- what goes on ------------------------------------------------------------------------------------------

    def rest(self) -> None:
        """Waits till everything is held, stopped or asleep, or has been busy for too long."""
        self.calm = True
        try:
            self.processes = list(self.lab.rest(_RESTLESS if self.restless else _CALM))
        except Late:
            self.restless += 1
            self.calm = False
            found = self.lab.ask("processes")["processes"]
            self.processes = [p for p in found if p["state"] not in ("dead", "zombie")]
        if self.on_rest is not None:
            self.on_rest()

    def settle(self, **underway: Any) -> None:
        """The same, and what was sent has come: a FIN that a busy machine delivers late wakes a process that rests.

        Args:
            underway: the sockets, as the lab's `sockets` takes them, that there are as long as it has not.
        """
        try:
            self.lab.awaits_none(**underway, deadline=self.delivery)
        except Late:
            self.lose()
        self.rest()

    def lose(self) -> None:
        """What was sent did not come: from now on it is not waited for long."""
        self.delivery = _LOST

    def is_quiet(self) -> bool:
        """Whether it is of no use to wait: nothing happens any more before a client does something."""
        self.rest()
        return self.calm and is_quiet(self.lab, self.processes)

    def ends(self, process: Process, patience: float | None = None) -> bool:
        """Whether a process ends by itself, within that time (seconds; the subject's if None)."""
        self.rest()
        if self.alive(process) and not self.is_quiet():
            with suppress(Late):
                process.ended(self.subject.patience if patience is None else patience)
            self.rest()
        return not self.alive(process)

    def hurry(self) -> None:
        """From now on what is busy is not waited for long."""
        self.restless += 1

    def state(self, number: int) -> str:
        """The state of a process when everything had last come to rest; "dead", too, while nobody has waited for it."""
        return next((str(p["state"]) for p in self.processes if p["process"] == number), "dead")

    def alive(self, process: Process) -> bool:
        """Whether it lived then."""
        return self.state(process.number) != "dead"

    def exit(self, number: int) -> str:
        """How a process ended, in a word or two: "SIGKILL", "exit 1"."""
        found = self.lab.ask("processes")["processes"]
        wire = next(p for p in found if p["process"] == number)
        if "exit" not in wire:
            return "it lives"
        code = wire["exit"].get("code")
        return str(wire["exit"].get("signal")) if code is None else f"exit {code}"

    def living(self) -> list[int]:
        """The numbers of the processes that were not dead then."""
        return [int(p["process"]) for p in self.processes]

    def kill_all(self) -> None:
        """Kills whatever lives, and waits till it is dead."""
        for number in self.living():
            try:
                self.lab.ask("kill", process=number, signal="SIGKILL", deadline=self.lab.deadline)
            except Refused:
                pass  # it died with its parent
        self.rest()

    # --- clients -----------------------------------------------------------------------------------------------

    @property
    def address(self) -> tuple[str, int] | str:
        """Where clients connect to."""
        at = self.lab.address6 if self.family is AddressFamily.AF_INET6 else self.lab.address
        return self.path or (at, self.subject.port)

    def socket(self) -> socket.socket:
        """A client's socket, not connected; gone with the lab at the latest."""
        if self.path is not None:
            self._sockets.append(socket.socket(socket.AF_UNIX))
            return self._sockets[-1]
        return self.lab.client(family=self.family)

    def client(self, receive_buffer: int | None = None, rest: bool = True) -> Client:
        """A client that has connected, or was refused."""
        return Client(self, receive_buffer).connect(rest)

    def serves(self, patience: float | None = None) -> Fate:
        """A client that connects, asks, and closes: what became of it."""
        client = self.client()
        fate = client.ask(patience)
        client.close()
        return fate

    def rehearse(self) -> None:
        """Asks once, so that later on it is known that the subject and its protocol belong together.

        Raises:
            NotUsable: the answer does not come, or is another.
        """
        client = self.client()
        fate = client.ask()
        if fate is not Fate.ANSWERED:
            raise trouble.floods(self) or trouble.wrong_answer(self, client, fate)
        client.close()
        try:
            self.lab.rest(self.subject.patience)
        except Late:
            raise trouble.floods(self) or trouble.restless(self) from None
        if flood := trouble.floods(self):
            raise flood
