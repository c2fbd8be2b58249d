#!/usr/bin/env python3
"""Stands in for the conductor in tests of the Python side. FAKE says how it misbehaves."""

import json
import os
import socket
import sys
import time
from typing import Any

PROCESS = {
    "process": 1,
    "program": 1,
    "parent": None,
    "pid": 2,
    "born": "start",
    "name": "fake",
    "state": "held",
    "kernel": "t",
}
HELLO = {
    "protocol": 1,
    "cpu": 0,
    "kernel": "6.0",
    "machine": "fake",
    "sole_user": True,
    "descriptor": 3,
    "lacks": ["pidfd"],  # so that it is executed each time, and not forked by a server
}


def answer(request: dict[str, Any], fake: str) -> dict[str, Any]:
    """The reply to a request, without its id."""
    lost, dropped = (7 if fake == "lossy" else 0), (3 if fake == "dropping" else 0)
    events = {"events": [], "last": 0, "lost": lost, "frames_dropped": dropped}
    late = {"awaited": "the end", "because": "the deadline passed", "processes": [PROCESS]}
    replies: dict[str, dict[str, Any]] = {
        "hello": {"ok": HELLO},
        "sysctl": {"ok": {"values": request.get("set", {})}},
        "events": {"ok": events},
        "processes": {"ok": {"processes": []}},
        "sockets": {"ok": {"sockets": []}},
        "await": {"late": {"request": "await", **late}},
        "end": {"ok": {"killed": []}},
    }
    refused = {"error": {"request": request["do"], "reason": "process 9: no such process"}}
    return replies.get(request["do"], refused)


def main() -> int:
    """Serves the control channel until it ends."""
    fake = os.environ.get("FAKE", "")
    if fake == "forbidden":
        print("conductor: no namespaces here: set kernel.fake to 1", file=sys.stderr)
        return 111
    channel = socket.socket(fileno=int(sys.argv[sys.argv.index("--control") + 1]))
    try:
        return serve(channel, fake)
    except (BrokenPipeError, ConnectionResetError):
        return 0  # whoever asked is gone


def serve(channel: socket.socket, fake: str) -> int:
    """Answers each line; the exit status."""
    for line in channel.makefile("rb"):
        request = json.loads(line)
        if fake == "dying" and request["do"] == "sockets":
            print("conductor: out of luck", file=sys.stderr)
            return 111
        if fake == "silent" and request["do"] == "sockets":
            time.sleep(60)
        reply = {"id": request["id"], **answer(request, fake)}
        channel.sendall(json.dumps(reply).encode() + b"\n")
        if request["do"] == "end":
            return 3 if fake == "ending badly" else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
