"""What is taken from a lab before it ends: its evidence, or why there is none."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..records.results import Record

if TYPE_CHECKING:
    from ..lab.lab import Lab
    from .evidence import Evidence


@dataclass(frozen=True)
class Gathered:
    """The evidence of a case, for its record."""

    text: str = ""
    evidence: "Evidence | None" = None
    """None: there was no lab, or `text` says why it could not be taken."""

    @classmethod
    def of(cls, lab: "Lab") -> "Gathered":
        """The evidence of a lab as it stands. Never raises: the verdict counts more than its illustration."""
        from .evidence import Evidence  # pictures take long to import, and most cases pass

        try:
            evidence = Evidence.of(lab)
            return cls(evidence.text(), evidence)
        except Exception as error:
            return cls(f"(no evidence: {type(error).__name__}: {error})")

    def into(self, record: Record, folder: Path, root: Path) -> Record:
        """The record with the evidence in it, whose files are written.

        Args:
            folder: of all cases' files.
            root: what the names of the files are relative to, where they are below it.
        """
        record = replace(record, evidence=self.text)
        if self.evidence is None:
            return record
        from .files import listed, write

        try:
            written = write(folder, record, self.evidence, datetime.now())
        except Exception as error:
            reason = f"(no files: {type(error).__name__}: {error})"
            return replace(record, evidence=f"{self.text}\n{reason}")
        return replace(record, files=listed(written, root))
