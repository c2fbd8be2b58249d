"""Write the page of errno numbers, docs/errno.md, from the headers of every ABI."""

import argparse

from ..build import current
from ..reports import errnos


def add(parser: argparse.ArgumentParser) -> None:
    """It takes no arguments."""


def run(_: argparse.Namespace) -> int:
    """The exit status."""
    here = current()
    (here.root / errnos.FILE).write_text(errnos.page(here.top), encoding="utf-8")
    print(errnos.FILE)
    return 0
