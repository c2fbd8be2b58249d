"""Two results side by side: every transition from the one to the other, case by case."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .baseline import Baseline, Given, baselines_of
from .results import NotComparable

SAME, DIFFERENT, NOT_COMPARABLE = 0, 1, 2
"""Exit statuses."""


@dataclass(frozen=True)
class Transition:
    """A case that gives something else than before."""

    case: str
    before: Given | None
    """None: it was not there."""
    after: Given | None
    """None: it is gone, or gave nothing."""
    platform: str = ""

    def __str__(self) -> str:
        before, after = (str(given) if given else "nothing" for given in (self.before, self.after))
        return f"{self.platform} {self.case}: {before} -> {after}".lstrip()


def transitions(
    before: Baseline, after: Baseline, of: Collection[str] | None = None
) -> Iterator[Transition]:
    """Every case that differs, by name.

    Args:
        of: the cases that are looked at; all if None.
    """
    for case in sorted({*before.cases, *after.cases} if of is None else of):
        old, new = before.cases.get(case), after.cases.get(case)
        if old != new or old is None:
            yield Transition(case, old, new, after.platform)


def compared(before: Path, after: Path) -> list[Transition]:
    """Every transition from a file to another, each a baseline or the records of a run.

    Two files of one platform each may be of different platforms; of several, each is compared with its own.

    Raises:
        NotComparable: a file cannot be relied on, or they are not about the same platforms.
    """
    olds, news = baselines_of(before), baselines_of(after)
    if len(olds) == len(news) == 1:
        [old], [new] = olds.values(), news.values()
        return list(transitions(old, new))
    if set(olds) != set(news):
        raise NotComparable(f"{before} is about {_names(olds)}, {after} about {_names(news)}")
    return [each for name in sorted(olds) for each in transitions(olds[name], news[name])]


def _names(baselines: Mapping[str, Baseline]) -> str:
    return ", ".join(sorted(baselines)) or "no platform"
