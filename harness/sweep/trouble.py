"""Why a subject cannot be tried: what it does instead, and what to try."""

from typing import TYPE_CHECKING

from ..lab.process import Process
from .client import Client, Fate
from .subject import NotUsable

if TYPE_CHECKING:
    from .stage import Stage

_SHOWN = 600
_MUCH = 1 << 20
"""Bytes of output that are no message any more."""


def _said(process: Process) -> str:
    """What a program printed last."""
    said = (process.errors + process.output).strip()
    if not said:
        return "it printed nothing"
    return "it printed:\n  " + "\n  ".join(said[-_SHOWN:].splitlines()[-8:])


def _names(stage: "Stage", process: Process) -> str:
    return f"{stage.subject.title} ({' '.join(stage.subject.filled(w, stage.folder) for w in stage.subject.argv)})"


def _printed(stage: "Stage") -> int:
    """Bytes of output so far."""
    streams = stage.lab.program_streams().values()
    return sum(len(each.read(number)) for each in streams for number in (1, 2))


def floods(stage: "Stage") -> NotUsable | None:
    """It prints and prints; None if it does not. It may have ended by that, since a file has a limit here."""
    printed = _printed(stage)
    if printed <= _MUCH:
        return None
    return NotUsable(
        f"{stage.subject.title} prints without end ({printed >> 20} MiB after a single client): try a quieter "
        "log level, or a command that needs no terminal"
    )


def never_listens(stage: "Stage", process: Process) -> NotUsable:
    """It has not come to listen."""
    where = stage.path or f"port {stage.subject.port}"
    who = _names(stage, process)
    printed = _printed(stage)
    if printed > _MUCH:
        return NotUsable(
            f"{who} prints without end ({printed >> 20} MiB so far) and does not listen at {where}: "
            "try a quieter log level, or a command that needs no terminal"
        )
    if not stage.living():
        return NotUsable(
            f"{who} did not start: it ended ({stage.exit(process.number)}) before it listened; {_said(process)}\n"
            "try the command in a shell; a configuration file that it needs can be given in a TOML "
            'file: [files] "NAME" = "TEXT", and {folder}/NAME in cmd'
        )
    elsewhere = _elsewhere(stage)
    wire = stage.processes[0]
    doing = f"it sleeps in {wire['in']}" if "in" in wire else "it is busy"
    advice = (
        f"it listens at {elsewhere} instead: put {{port}} into its command or files"
        if elsewhere
        else (
            f"{doing}, and {_said(process)}\ntry more time (--patience), or a command that serves at once"
        )
    )
    return NotUsable(
        f"{who} does not listen at {where} after {stage.subject.patience:g} s: {advice}"
    )


def _elsewhere(stage: "Stage") -> str:
    found = stage.lab.ask("sockets", state=["LISTEN"])["sockets"]
    unix = stage.lab.ask("sockets", family="AF_UNIX", state=["LISTEN"])["sockets"]
    places = [f"{s['local']['host']} port {s['local']['port']}" for s in found]
    return ", ".join(places + [s.get("path") or "a nameless socket" for s in unix])


def background(stage: "Stage", process: Process) -> NotUsable:
    """It has ended, and a descendant listens."""
    del process
    return NotUsable(
        f"{stage.subject.title} goes into the background: the process that was started has ended, a "
        "descendant serves. Start it in the foreground (nginx: -g 'daemon off;', redis: --daemonize no, "
        "others: -f, -F, -D or --foreground), so that it can be told when it ends"
    )


def wrong_answer(stage: "Stage", client: Client, fate: Fate) -> NotUsable:
    """It answers something else, or not at all."""
    protocol = stage.subject.protocol
    came = f"{client.answer[:200]!r}" + (".." if len(client.answer) > 200 else "")
    seen = f"got {came}" if client.answer else f"got nothing ({fate})"
    return NotUsable(
        f"{stage.subject.title} does not answer as expected: to {protocol.request!r} expected "
        f"{protocol.expected}, {seen}\ntry --request and --expect with what it really says, or --protocol"
    )


def restless(stage: "Stage") -> NotUsable:
    """It is always busy."""
    busy = [p for p in stage.processes if p["state"] == "running" and p["kernel"] not in "ST"]
    names = ", ".join(f"{p['name']} (process {p['process']})" for p in busy[:3]) or "it"
    return NotUsable(
        f"{stage.subject.title} never comes to rest: {names} is busy though nobody asks anything; "
        "a server that polls without sleeping, or prints without end, cannot be audited: let it wait in "
        "poll, epoll_wait or a blocking call"
    )
