"""What is read of check_*.c files, and that the built programs say the same."""

import subprocess
from pathlib import Path

import pytest

from harness import build
from harness.check.source import CheckCase, CheckSourceError, read_cases, read_kinds

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = read_kinds(sorted((ROOT / "harness/check").glob("*.c")), ROOT)
FILES = sorted((ROOT / "cases").glob("check_*.c"))

MINIMAL = """
/* A claim.
 *
 * A source. */
CASE(a_claim, ABOUT("x"))
{
}
"""


def read(folder: Path, text: str) -> list[CheckCase]:
    """The cases of a text."""
    path = folder / "check_it.c"
    path.write_text(text, encoding="utf-8")
    return read_cases(path, folder, {"pair": ["one", "two"]})


def as_listed(case: CheckCase) -> list[str]:
    """What the program should say of it with --list."""
    flags = (" waits" if case.waits else "") + (" slow" if case.slow else "")
    words = [" | ".join(said) for said in (case.behaviour, case.about, case.requires)]
    return [
        "\t".join([item, str(case.line), *words, f"{case.deadline or 0}{flags}"])
        for item in case.ids
    ]


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_program_lists_what_is_collected(path: Path) -> None:
    """What is collected without running anything is what there is to run."""
    program = build.current().folder / "cases" / path.stem
    listed = subprocess.run([program, "--list"], capture_output=True, text=True, check=True)
    cases = read_cases(path, ROOT, SHARED)
    assert listed.stdout.splitlines() == [line for case in cases for line in as_listed(case)]


def test_a_case_is_read_with_all_it_says(tmp_path: Path) -> None:
    """Words, sets, flags; comments and strings that look like code are neither."""
    [case] = read(
        tmp_path,
        """
        #define UNRELATED \\
            CASE(not_a_case)
        static const char text[] = "CASE(nor_this)";
        /* CASE(nor, this) */
        static KINDS(own, KIND("a", .value = (1, 2)), /* the other */ KIND("b" "c", .value = 2));
        /* A claim, over
         * two lines.
         *
         * Its source. */
        CASE(a_claim, EACH(pair, own), BEHAVIOUR("A1", "A2"), ABOUT("say \\"x\\""), REQUIRES("r"),
             DEADLINE(7), WAITS, SLOW)
        {
            CASE(inside_a_body);
        }
        """,
    )
    assert case.ids == [
        f"a_claim[{one}-{other}]" for one in ("one", "two") for other in ("a", "bc")
    ]
    assert (case.line, case.claim.text) == (11, "A claim, over two lines.")
    assert case.claim.sources == "Its source."
    assert (case.behaviour, case.about) == (("A1", "A2"), ('say "x"',))
    assert (case.requires, case.deadline, case.waits, case.slow) == (("r",), 7, True, True)


def test_a_case_without_kinds_is_one_item(tmp_path: Path) -> None:
    """By its bare name."""
    [case] = read(tmp_path, MINIMAL)
    assert case.ids == ["a_claim"]


WRONG = {
    "no comment": ('CASE(c, ABOUT("x")) {}', 1, "no comment right before it"),
    "a comment elsewhere": (
        '/* A.\n\nB. */\nint x;\nCASE(c, ABOUT("x")) {}',
        5,
        "no comment right",
    ),
    "no source": ('/* A claim. */\nCASE(c, ABOUT("x")) {}', 2, "an empty line and its sources"),
    "unknown set": ("/* A.\n\nB. */\nCASE(c, EACH(nobody)) {}", 4, "no set of kinds nobody"),
    "unknown word": ("/* A.\n\nB. */\nCASE(c, WANTS(x)) {}", 4, "WANTS ( x )"),
    "no string": ("/* A.\n\nB. */\nCASE(c, ABOUT(EAGAIN)) {}", 4, "takes strings"),
    "three sets": (
        "/* A.\n\nB. */\nCASE(c, EACH(pair, pair, pair)) {}",
        4,
        "one set of kinds or two",
    ),
    "said twice": ('/* A.\n\nB. */\nCASE(c, ABOUT("x"), ABOUT("y")) {}', 4, "said twice"),
    "open end": ('/* A.\n\nB. */\nCASE(c, ABOUT("x")', 4, "no ) to this ("),
    "no bracket": ("/* A.\n\nB. */\nCASE c", 4, "expected ("),
    "the same name": (MINIMAL + MINIMAL, 12, "a case a_claim already"),
    "a bad deadline": ("/* A.\n\nB. */\nCASE(c, DEADLINE(soon)) {}", 4, "number of seconds"),
    "a kind without a name": ("static KINDS(k, KIND(.value = 1));", 1, "takes strings"),
    "a set without kinds": ("static KINDS(k);", 1, "has no KIND"),
    "no kind": ("static KINDS(k, ONE);", 1, "KINDS takes KIND"),
    "a kind twice": ('static KINDS(k, KIND("a", 1), KIND("a", 2));', 1, "has a twice"),
}


@pytest.mark.parametrize("text, line, says", WRONG.values(), ids=WRONG)
def test_what_cannot_be_read_is_said_with_its_place(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    """In one message that begins with file:line."""
    with pytest.raises(CheckSourceError) as error:
        read(tmp_path, text)
    assert str(error.value).startswith(f"check_it.c:{line}: ")
    assert says in str(error.value)
