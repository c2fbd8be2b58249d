"""Events in words: a call as a person would write it."""

from collections.abc import Mapping
from typing import Any

from ..trace.event import Event

_SHOWN_BYTES = 24
_SHOWN_FLAGS = 8


def arguments(args: Mapping[str, Any]) -> str:
    """The arguments of a call: `3, 127.0.0.1:9877`."""
    return ", ".join(_argument(name, value) for name, value in args.items())


def _argument(name: str, value: Any) -> str:
    if value is None:
        return "?"
    if isinstance(value, list):
        shown = "|".join(_argument(name, item) for item in value[:_SHOWN_FLAGS]) or "0"
        return shown + (f"|..{len(value)}" if len(value) > _SHOWN_FLAGS else "")
    if isinstance(value, dict):
        return _structure(value)
    return str(value)


def _structure(value: Mapping[str, Any]) -> str:
    if "bytes" in value:
        text = value["bytes"].encode("latin-1", "replace")[:_SHOWN_BYTES]
        cut = ".." if value.get("length", 0) > len(text) else ""
        return '"' + repr(text)[2:-1].replace('"', '\\"') + f'"{cut}'
    if "port" in value:
        host = value.get("host", "?")
        return f"[{host}]:{value['port']}" if ":" in str(host) else f"{host}:{value['port']}"
    if "path" in value:
        return str(value["path"])
    return "{" + ", ".join(f"{k}={_argument(k, v)}" for k, v in value.items()) + "}"


def entered(event: Event) -> str:
    """A call that was entered and has not been left in the same breath: `accept(3) ...`."""
    return f"{event.call}({arguments(event.args)}) ..."


def left(event: Event) -> str:
    """A call that is left later than it was entered: `... accept = 4`."""
    return f"... {event.call} = {result(event)}"


def whole(event: Event) -> str:
    """A call that was entered and left: `bind(3, 0.0.0.0:9877) = 0`."""
    return f"{event.call}({arguments(event.args)}) = {result(event)}"


def result(event: Event) -> str:
    """The outcome of a leave event, with what the harness or the kernel did to it."""
    restarted = f" [restarted {event.restarted} times]" if event.restarted else ""
    return f"{event.outcome}{restarted}"


def other(event: Event) -> str:
    """Any event that is neither a call nor a segment."""
    match event.kind:
        case "signal":
            origin = f" from pid {event.sender}" if event.sender else ""
            return f"* {event.signal}{origin}, {event.disposition}"
        case "fork":
            return f"* child is process {event.child}"
        case "born":
            return f"* process {event.process} is born"
        case "exec":
            return f"* exec {event.name}"
        case "exit":
            return f"* exiting, {event.exit}"
        case _:
            return f"* dead, {event.exit}"
