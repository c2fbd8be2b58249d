"""sockspec's options and markers for pytest. Knows of pytest only the objects that it is given."""

import os
import re
from typing import Any

from ..control.birth import CONTROLS, ISOLATIONS, NAMESPACES, PTRACE
from ..platform.posting import FAST_TIME

MARKERS = (
    "about(*words): the options, errnos and states that a case is about; -k finds it by them",
    "behaviour(*rows): the rows of the catalogue that a case claims, as in behaviour('A1')",
    "scenario(*rows): the rows of the scenarios that a case asserts, as in scenario('S1.2')",
    "waits: waits for a timer of the kernel, beside the busy cases",
    "slow: takes a minute or more; left out unless --slow is given",
    "fast_time: takes many minutes of the kernel's own time; runs on platforms where idle time passes at once",
    "requires(*privileges): unsupported where the lab lacks one of them",
)


def add(group: Any) -> None:
    """Adds the options to a group of pytest's parser."""
    group.addoption(
        "--slow", action="store_true", help="run the cases that take a minute or more, too"
    )
    group.addoption(
        "--variants",
        choices=["all", "first"],
        default="all",
        help="first: of each claim the first of its variants alone, IPv4 for instance (all)",
    )
    group.addoption(
        "--programs",
        type=_abi,
        metavar="ABI",
        help="run programs that were compiled for another ABI, by qemu-user: sparc64, alpha, mips, hppa",
    )
    group.addoption(
        "--control",
        choices=CONTROLS,
        default=PTRACE,
        help="hold and watch programs by ptrace, or by a library that is loaded into them, and see less",
    )
    group.addoption(
        "--isolation",
        choices=ISOLATIONS,
        default=NAMESPACES,
        help="keep labs apart by namespaces, or, where those are forbidden, by ports of the machine's own host",
    )
    group.addoption(
        "--deadline",
        type=_seconds,
        metavar="SECONDS",
        help="how long a verb waits unless it says otherwise (5; 10 with sanitizers)",
    )
    group.addoption(
        "--evidence",
        action="store_true",
        help="show the ladder of cases that passed, too, and write its files",
    )
    group.addoption(
        "--evidence-dir",
        type=os.path.abspath,
        metavar="DIR",
        help="write the files of all cases' evidence, and into DIR (build/evidence)",
    )
    group.addoption(
        "--keep-lab",
        action="store_true",
        help="when a case fails, stop before its lab ends and say how to enter it",
    )
    group.addoption(
        "--list-cases",
        type=os.path.abspath,
        metavar="FILE",
        help="write all that is collected to a file, a line of JSON for each case",
    )
    group.addoption(
        "--baseline",
        metavar="auto|PATH",
        help="compare with what was recorded: the platform's file in baselines/, or that file or folder",
    )
    group.addoption(
        "--tap",
        type=os.path.abspath,
        metavar="FILE",
        help="write the results by the Test Anything Protocol",
    )
    group.addoption(
        "--annotations",
        choices=["github"],
        help="print what is red, and what diverges, as a hosted CI shows it beside the source",
    )
    group.addoption(
        "--falsify",
        action="store_true",
        help="run each case again for each thing that it relied on, with that thing changed: does it notice?",
    )
    group.addoption(
        "--falsify-report",
        type=os.path.abspath,
        metavar="FILE",
        help="with --falsify: write what it found to a file, a line of JSON for each case",
    )
    group.addoption(
        "--conformance-summary",
        action="store_true",
        help="end with a table of scenarios, claims and verdicts",
    )

    group.addoption(
        "--platform",
        action="append",
        metavar="NAME,...",
        help="run every case on each of these platforms: linux, ssh=HOST, or python=COMMAND for a wrapper that looks like "
        "a python; NAME*N with N workers",
    )


_NOT_FALSIFIED = ("baseline", "keep_lab", "platform", "usepdb")


def _abi(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9_]+", text):
        raise ValueError(f"{text!r} is no name of an ABI")
    return text


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 86400:
        raise ValueError(f"{text} is not above 0 and at most 86400")
    return seconds


def asks_fast_time(config: Any) -> bool:
    """Whether a platform is asked for where idle time passes at once."""
    return any(FAST_TIME in text for text in config.getoption("platform") or ())


def chooses_nothing(config: Any) -> bool:
    """Whether the options leave no claim out, a slow one neither."""
    choosing = (
        "keyword",
        "markexpr",
        "deselect",
        "lf",
        "failedfirst",
        "stepwise",
        "ignore",
        "ignore_glob",
    )
    return bool(config.getoption("slow")) and not any(
        config.getoption(name, None) for name in choosing
    )


def contradiction(config: Any) -> str | None:
    """Why the options do not go together; None when they do."""
    several = config.getoption("numprocesses", None) or config.getoption("tx", None)
    if config.getoption("keep_lab") and several:
        return "--keep-lab stops at one case, and so cannot go with -n: leave one of them out"
    if config.getoption("platform") and several:
        return "--platform brings its own workers, NAME*N has N of them: leave -n and --tx out"
    if config.getoption("platform") and (
        config.getoption("keep_lab") or config.getoption("usepdb")
    ):
        return "--keep-lab and --pdb stop at one case, and so cannot go with --platform"
    if config.getoption("isolation") != NAMESPACES and (
        config.getoption("keep_lab") or config.getoption("platform")
    ):
        return (
            "--isolation ports is for this machine, and its labs are entered as they are: leave "
            "--platform and --keep-lab out"
        )
    if config.getoption("falsify_report") and not config.getoption("falsify"):
        return "--falsify-report is what --falsify writes: give that, too"
    if config.getoption("control") != PTRACE and (
        config.getoption("falsify") or config.getoption("programs")
    ):
        return "--falsify and --programs need control by ptrace: leave --control out"
    if config.getoption("falsify") and any(map(config.getoption, _NOT_FALSIFIED)):
        return (
            "--falsify runs cases that are to fail: leave --baseline, --keep-lab, --platform "
            "and --pdb out"
        )
    return None
