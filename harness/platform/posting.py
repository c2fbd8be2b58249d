"""Where a worker is posted: what the first process tells each worker of the platform that it is on."""

from dataclasses import asdict, dataclass
from typing import Any

from .identity import here

FAST_TIME = "-fast-time"
"""What the name of a platform ends with where idle time passes at once."""


@dataclass(frozen=True)
class Posting:
    """A worker's platform and its place there. As it stands: that of a pytest without `--platform`."""

    asked: str = ""
    """The platform as it was asked for."""
    name: str = ""
    """What records call it; empty: as the worker finds it."""
    number: int = 0
    """Which of the platform's workers it is."""
    slowness: float = 1.0
    """How much longer than on an ordinary machine anything may take."""
    fast_time: bool = False
    """Whether idle time passes at once."""
    keeps_files: bool = False
    """Whether what it writes stays where it is, and does not reach the first process."""
    programs: str = ""
    """The ABI of its programs, where that is not the machine's own."""

    @property
    def platform(self) -> str:
        """What records call the platform."""
        return self.name or here().name

    def told(self) -> dict[str, Any]:
        """As it crosses to the worker."""
        return asdict(self)


_KEY = "posting"


def tell(workerinput: dict[str, Any], posting: Posting) -> None:
    """Puts a posting into what xdist tells a worker."""
    workerinput[_KEY] = posting.told()


def of(holder: Any) -> Posting:
    """The posting of a process, by its pytest's config, or of a worker, by xdist's node."""
    told = getattr(holder, "workerinput", {}).get(_KEY)
    return Posting(**told) if told else Posting()
