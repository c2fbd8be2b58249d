"""The map of the house, in the README: what each package of the harness is, and that it needs only what stands below it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HARNESS = Path(__file__).parent.parent
README = (HARNESS.parent / "README.md").read_text()
PACKAGES = {
    init.parent.name for init in HARNESS.glob("*/__init__.py") if init.parent.name != "tests"
}
MAP = [name for name in re.findall(r"^  (\w+)/ ", README, re.MULTILINE) if name in PACKAGES]
"""The packages, from top to bottom."""
KNOW_ALL = {"__init__.py", "__main__.py", "bench.py"}
"""What else stands beside the packages knows none of them."""


def imported(file: Path) -> Iterator[str]:
    """What a file imports when it runs: "lab.wire" of the harness's own, ":pytest" of others."""
    package = file.relative_to(HARNESS).parent.parts
    for node in at_run_time(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (f":{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield f":{node.module}"
        elif isinstance(node, ast.ImportFrom):
            above = [*package[: len(package) - node.level + 1], *filter(None, [node.module])]
            yield from (".".join([*above, alias.name]) for alias in node.names)


def at_run_time(tree: ast.AST) -> Iterator[ast.AST]:
    """All of a tree but what type checkers alone look at."""
    if not (isinstance(tree, ast.If) and ast.unparse(tree.test) == "TYPE_CHECKING"):
        yield tree
        for child in ast.iter_child_nodes(tree):
            yield from at_run_time(child)


def needed(*files: Path) -> set[str]:
    """The packages that files import from."""
    return {name.split(".")[0] for file in files for name in imported(file)} & PACKAGES


def test_every_package_is_on_the_map() -> None:
    """Once."""
    assert sorted(MAP) == sorted(PACKAGES)


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_package_needs_only_what_is_below_it(package: str) -> None:
    """So no two need each other, be it by way of a third. What it is, it says itself."""
    folder = HARNESS / package
    below = MAP[MAP.index(package) :]

    assert needed(*folder.rglob("*.py")) - set(below) == set()
    assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))


def test_what_stands_beside_the_packages_needs_none() -> None:
    """So each of them may use it."""
    files = [file for file in HARNESS.glob("*.py") if file.name not in KNOW_ALL]

    assert {file.name for file in files if needed(file)} == set()
    assert needed(HARNESS / "__init__.py") == {"lab", "trace"}


def test_only_the_plugin_imports_pytest() -> None:
    """The rest serves other runners as well."""
    files = [file for file in HARNESS.rglob("*.py") if "tests" not in file.parts]
    know = [file for file in files if any(re.match(":_?pytest", name) for name in imported(file))]

    assert {file.relative_to(HARNESS).parts[0] for file in know} == {"plugin"}
