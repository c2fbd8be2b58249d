"""make docs: the page of behaviours, from what pytest collects and what a run gave."""

import subprocess
import sys
import tempfile
from pathlib import Path

from ..records import catalogue, results
from ..records.catalogue import CatalogueError, Collected
from . import behaviours

FOLDER = "docs"


def collected(root: Path) -> list[Collected]:
    """All cases of a checkout, collected and not run.

    Raises:
        CatalogueError: pytest cannot collect them.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cases.jsonl"
        argv = [sys.executable, "-m", "pytest", "--collect-only", "-q", f"--list-cases={file}"]
        done = subprocess.run([*argv, "cases"], cwd=root, capture_output=True, text=True)
        if done.returncode:
            raise CatalogueError(f"cannot collect the cases:\n{done.stdout}{done.stderr}")
        return catalogue.read(file)


def complaints(root: Path) -> list[str]:
    """What the catalogue and the cases have against each other, a sentence each.

    Raises:
        CatalogueError: either cannot be read.
    """
    rows = catalogue.load(root / "cases" / "behaviours.toml")
    return [f"cases/behaviours.toml: {c}" for c in catalogue.complaints(rows, collected(root))]


def write(root: Path, run: Path) -> list[Path]:
    """Writes the page, as Markdown and as HTML; the files.

    Args:
        run: the result file that says what was seen.

    Raises:
        CatalogueError: the catalogue or the cases cannot be read.
        OSError
    """
    rows = catalogue.load(root / "cases" / "behaviours.toml")
    page = behaviours.page(rows, collected(root), list(results.read(run)))
    files = {
        "behaviours.md": behaviours.markdown(page, "../"),
        "behaviours.html": behaviours.html(page, "../"),
    }
    for name, text in files.items():
        (root / FOLDER / name).write_text(text, encoding="utf-8")
    return [root / FOLDER / name for name in files]
