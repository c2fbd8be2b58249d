"""Where facts come from: whatever the harness's public methods and properties give to a case."""

import dis
import functools
import sys
from collections.abc import Mapping
from types import CodeType, FrameType
from typing import Any

from ..lab.host import Host
from ..lab.lab import Lab
from ..lab.place import Place
from ..lab.process import Process, Watch
from ..lab.wire import Held, SegmentWatch, Wire
from .run import now
from .watched import is_fact

_TELLING: tuple[type, ...] = (Place, Host, Lab, Process, Watch, Wire, SegmentWatch, Held)
_CHOSEN = frozenset(
    "name host hosts wires address address6 addresses base_sysctls timeline ask awaits segment_of".split()
)
"""What is no fact about the world but the case's or the harness's own choice; and what awaits gives, which came."""

_OWN = f"{__name__.partition('.')[0]}."
"""What the harness's own modules are named after: harness, or sockspec where it is installed."""


def install() -> None:
    """From now on whatever a case is told goes through the run that goes on."""
    for kind in _TELLING:
        for name, member in list(vars(kind).items()):
            if name.startswith("_") or name in _CHOSEN:
                continue
            if isinstance(member, property) and member.fget:
                setattr(kind, name, property(_telling(member.fget, name), doc=member.__doc__))
            elif callable(member) and not isinstance(member, type):
                setattr(kind, name, _telling(member, name))


def _telling(function: Any, name: str) -> Any:
    @functools.wraps(function)
    def wrapped(*args: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        value = function(*args, **options)
        run = now()
        caller = sys._getframe(1)
        if run is None or not _is_told(value, caller):
            return value
        words = [str(word) for word in args[1:] if isinstance(word, (str, int))]
        return run.read(" ".join([name, *words]), value)

    return wrapped


def _is_told(value: object, caller: FrameType) -> bool:
    """Whether it is a fact, told to a case and not to the harness, and not thrown away."""
    if str(caller.f_globals.get("__name__", "")).startswith(_OWN):
        return False
    if is_fact(value):
        return not isinstance(value, Watch)
    plain = value is None or isinstance(value, (bool, int, float, str, bytes, list, Mapping))
    return plain and not _throws_away(caller.f_code, caller.f_lasti)


@functools.cache
def _throws_away(code: CodeType, at: int) -> bool:
    """Whether what the instruction at that place gives is dropped by the next."""
    after = (each.opname for each in dis.get_instructions(code) if each.offset > at)
    return next(after, "") == "POP_TOP"
