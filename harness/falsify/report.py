"""What falsifying gave: by case, and in all."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

MOST_DECLARED = 0.05
"""The share of the changes that may be declared."""


@dataclass(frozen=True)
class Finding:
    """What was found of one case."""

    case: str
    tried: int = 0
    noticed: int = 0
    declared: Sequence[tuple[str, str]] = ()
    """What is changed, and the reason why it cannot matter."""
    blind: Sequence[str] = ()
    """What no assertion notices."""

    def line(self) -> str:
        """As text."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, line: str) -> "Finding":
        """Read again."""
        return cls(**json.loads(line))

    def __str__(self) -> str:
        text = f"{self.case}: {self.noticed} of {self.tried} noticed"
        return text + (f", {len(self.declared)} declared" if self.declared else "")


@dataclass(frozen=True)
class Total:
    """What was found of all cases."""

    findings: Sequence[Finding]

    @property
    def tried(self) -> int:
        """How many changes there were."""
        return sum(finding.tried for finding in self.findings)

    @property
    def blind(self) -> int:
        """How many no assertion noticed, and nobody has declared."""
        return sum(len(finding.blind) for finding in self.findings)

    @property
    def reasons(self) -> Counter[str]:
        """How many were declared, by reason."""
        return Counter(reason for finding in self.findings for _, reason in finding.declared)

    @property
    def too_many(self) -> bool:
        """Whether more are declared than may be."""
        return self.reasons.total() > MOST_DECLARED * self.tried

    def lines(self) -> Iterator[str]:
        """For people."""
        noticed = sum(finding.noticed for finding in self.findings)
        yield (
            f"{len(self.findings)} cases, {self.tried} changes: {noticed} noticed, "
            f"{self.reasons.total()} declared, {self.blind} blind spots"
        )
        for reason, count in self.reasons.most_common():
            yield f"declared {count}: {reason}"


def write(path: Path, total: Total) -> None:
    """Writes what was found to a file, a line of JSON for each case."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{finding.line()}\n" for finding in total.findings), encoding="utf-8")


def read(path: Path) -> Total:
    """What a file says that `write` wrote."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return Total([Finding.of(line) for line in lines])
