"""All that is collected, as a file: for what looks at cases without running them."""

from pathlib import Path

import pytest

from ..records.catalogue import Collected
from ..verdict import Verdict
from .hook import hook
from .recording import of_item, words
from .workers import is_worker


@hook(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Writes the cases, before any is left out, to the file of --list-cases."""
    path = config.getoption("list_cases")
    if path and not is_worker(config):
        lines = [_collected(item).line() for item in items]
        try:
            Path(path).write_text("".join(lines), encoding="utf-8")
        except OSError as error:
            raise pytest.UsageError(f"sockspec: --list-cases={path}: {error.strerror}") from None


def _collected(item: pytest.Item) -> Collected:
    record = of_item(item, Verdict.PASSED, "")
    return Collected(
        record.case,
        record.claim,
        record.sources,
        tuple(record.about),
        tuple(words(item, "behaviour")),
        tuple(record.scenario),
    )
