"""Write the page of errno numbers, docs/errno.md, from the headers of every ABI."""

import argparse

from .. import errno_page
from ..build import current


def add(parser: argparse.ArgumentParser) -> None:
    """It takes no arguments."""


def run(_: argparse.Namespace) -> int:
    """The exit status."""
    here = current()
    (here.root / errno_page.FILE).write_text(errno_page.page(here.top), encoding="utf-8")
    print(errno_page.FILE)
    return 0
