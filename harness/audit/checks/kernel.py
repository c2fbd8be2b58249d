"""What the kernel knows of a process beyond what the conductor tells; and waiting."""

import os
import select
from pathlib import Path

from ...lab.process import Process
from ...sweep.stage import Stage
from ...verdict import Broken


def _file(stage: Stage, process: Process, name: str) -> str:
    path = Path(f"/proc/{stage.lab.init}/root/proc/{process.pid}/{name}")
    try:
        return path.read_text()
    except OSError as error:
        raise Broken(f"{path}: {error.strerror}") from error


def cpu_seconds(stage: Stage, process: Process) -> float:
    """Processor time that a process has used."""
    fields = _file(stage, process, "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(stage: Stage, process: Process) -> int:
    """Bytes of its own that a process has in memory."""
    for line in _file(stage, process, "status").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) << 10
    raise Broken("the kernel does not tell RssAnon")


def wait(seconds: float) -> None:
    """Lets that time pass: the measure of what a process does in it."""
    select.select([], [], [], seconds)
