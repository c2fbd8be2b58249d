"""`python3 -m harness`: what is done with cases and records outside pytest."""

import argparse
import os
import signal
import sys
from pathlib import Path

from .audit import cli as audit
from .commands import (
    claims,
    compare,
    compile,
    docs,
    errnos,
    expect,
    falsified,
    matrix,
    record,
    summary,
)
from .records.catalogue import CatalogueError
from .records.expectations import ExpectationError
from .records.results import NotComparable
from .records.scenarios import ScenarioError
from .sweep import cli as sweep
from .verdict import Broken

_COMMANDS = {
    "audit": audit,
    "claims": claims,
    "compare": compare,
    "compile": compile,
    "docs": docs,
    "errnos": errnos,
    "expect": expect,
    "falsified": falsified,
    "matrix": matrix,
    "record": record,
    "summary": summary,
    "sweep": sweep,
}
"""By name; each has `add`, which describes its arguments, and `run`, which gives the exit status."""


def _called() -> str:
    name = Path(sys.argv[0]).name
    return "python3 -m harness" if name == "__main__.py" else name


def main(argv: list[str] | None = None) -> int:
    """Carries out a subcommand; its exit status."""
    parser = argparse.ArgumentParser(prog=_called(), description=__doc__)
    subparsers = parser.add_subparsers(required=True)
    for name, command in _COMMANDS.items():
        subparser = subparsers.add_parser(name, help=command.__doc__)
        command.add(subparser)
        subparser.set_defaults(run=command.run)
    arguments = parser.parse_args(argv)
    try:
        status: int = arguments.run(arguments)
        return status
    except NotComparable as error:
        print(f"sockspec: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever reads has read enough; nothing more is to be written when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except (Broken, CatalogueError, ExpectationError, ScenarioError, OSError) as error:
        print(f"sockspec: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
