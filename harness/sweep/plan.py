"""The plan of a sweep: which moments, what is merged, and what the budget leaves out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .perturb import Kind, Perturbation, perturbations
from .points import Group, Point, merged
from .subject import NotUsable


@dataclass(frozen=True)
class Budget:
    """How much a sweep may cost: so many runs, or so many seconds; None is no bound."""

    runs: int | None = None
    seconds: float | None = None

    @classmethod
    def of(cls, text: str) -> "Budget":
        """The budget that a command line names: "200", "30s", "5m".

        Raises:
            NotUsable: it is none.
        """
        found = re.fullmatch(r"(\d+)([sm]?)", text)
        if found is None or int(found[1]) == 0:
            raise NotUsable(f"budget {text!r}: a number of runs (200), or a time (30s, 5m)")
        number = int(found[1])
        return (
            cls(runs=number) if not found[2] else cls(seconds=number * {"s": 1, "m": 60}[found[2]])
        )


@dataclass(frozen=True)
class Plan:
    """What is to be run, in order."""

    points: Sequence[Point]
    groups: Sequence[Group]
    runs: Sequence[Perturbation]

    @classmethod
    def of(cls, points: Sequence[Point], kinds: Sequence[Kind], every: bool) -> "Plan":
        """The plan for a run's moments.

        Args:
            every: whether moments that are the same but for repetition are run each by itself.
        """
        groups = [Group([point]) for point in points] if every else merged(points)
        runs = [run for group in groups for run in perturbations(group.first, kinds)]
        return cls(points, groups, runs)

    def told(self) -> str:
        """What was merged, in a sentence."""
        text = f"{len(self.points)} moments"
        if len(self.groups) < len(self.points):
            text += f", {len(self.groups)} but for repetition"
        return f"{text}; {len(self.runs)} runs"
