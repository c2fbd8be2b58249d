"""The evidence as files: of a case that fails, in a checkout of its own, with the real conductor."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from harness import build
from harness.evidence.files import folder_name
from harness.evidence.pcapng import SNAP, pcapng
from harness.trace.event import Event

CHECKOUT = Path(__file__).parent.parent.parent
NAMES = ["ladder.svg", "case.html", "capture.pcapng"]

CASES = '''
    from harness import EADDRINUSE, Lab, entering, leaving

    def test_it_fails(lab: Lab) -> None:
        """A server answers <nobody> & "all".

        Folklore.
        """
        server = lab.start("reuseadr_eserver", lab.port).reach(entering("accept"))
        client = lab.start("echo_client", lab.address, lab.port).reach(leaving("connect"))
        client.input("x" * 2000 + "\\n").run()
        server.reach(leaving("read"))
        client.kill()
        assert server.outcome("bind") == EADDRINUSE

    def test_it_passes(lab: Lab) -> None:
        """A server listens."""
        lab.start("reuseadr_eserver", lab.port).reach(entering("accept"))

    def test_it_is_broken(lab: Lab) -> None:
        """Nothing."""
        lab.start("echo_client", lab.address, lab.port).reach(entering("accept"))

    def test_it_starts_nothing(lab: Lab) -> None:
        """Nothing either."""
        assert lab.states() == [1]
'''
IT = "cases/test_it.py::"


@dataclass(frozen=True)
class Run:
    """What a run of pytest gave."""

    status: int
    output: str
    records: dict[str, dict[str, Any]]
    """By the case's bare name."""


class House:
    """A checkout with cases of its own, and this one's programs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "cases").mkdir()
        (root / "cases" / "test_it.py").write_text(dedent(CASES))
        (root / "conftest.py").write_text('pytest_plugins = ["harness.plugin"]\n')
        (root / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
        (root / "build").mkdir()
        here = build.current()
        (root / "build" / here.mode).symlink_to(here.folder)

    def environment(self) -> dict[str, str]:
        """What pytest runs in."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
        return {**kept, "SOCKSPEC_ROOT": str(self.root), "PYTHONPATH": str(CHECKOUT)}

    def pytest(self, *arguments: str) -> Run:
        """Runs cases."""
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=self.root,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=300,
        )
        lines = [
            line
            for path in (self.root / "build" / "results").glob("*.jsonl")
            for line in path.read_text().splitlines()
        ]
        records = {r["case"].removeprefix(IT): r for r in map(json.loads, lines) if "case" in r}
        return Run(done.returncode, done.stdout + done.stderr, records)

    def files(self, case: str, folder: str = "build/evidence") -> dict[str, bytes]:
        """The evidence of a case."""
        own = self.root / folder / folder_name(IT + case)
        return {path.name: path.read_bytes() for path in own.glob("*")}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A checkout whose cases have run once."""
    made = House(tmp_path_factory.mktemp("house"))
    run = made.pytest()
    assert run.status == 1, run.output
    made.first = run  # type: ignore[attr-defined]
    return made


def tshark(capture: Path, *arguments: str) -> str:
    """What tshark says of a file; fails when it complains."""
    done = subprocess.run(
        ["tshark", "-r", os.fspath(capture), *arguments], capture_output=True, text=True
    )
    warnings = [line for line in done.stderr.splitlines() if not line.startswith("Running as user")]
    assert (done.returncode, warnings) == (0, [])
    return done.stdout


def test_what_did_not_pass_has_its_three_files_and_what_passed_has_none(house: House) -> None:
    """A record names them, seen from the checkout."""
    run: Run = getattr(house, "first")
    for case in ("test_it_fails", "test_it_is_broken", "test_it_starts_nothing"):
        assert sorted(house.files(case)) == sorted(NAMES)
        assert run.records[case]["files"] == [f"build/evidence/test_it.{case}/{n}" for n in NAMES]
    assert house.files("test_it_passes") == {} and run.records["test_it_passes"]["files"] == []
    assert "files:    build/evidence/test_it.test_it_fails/: ladder.svg, case.html" in run.output


def test_a_folder_can_be_named_and_then_what_passed_has_files_too(
    house: House, tmp_path: Path
) -> None:
    """Its ladder is shown with --evidence only."""
    run = house.pytest(f"--evidence-dir={tmp_path}", "-k", "passes")
    assert sorted(house.files("test_it_passes", str(tmp_path))) == sorted(NAMES)
    assert "EVIDENCE" not in run.output
    shown = house.pytest("--evidence", "-k", "passes").output
    assert "EVIDENCE" in shown and "│ listen(3" in shown


def test_tshark_reads_the_capture_as_it_was_recorded(house: House) -> None:
    """Addresses, flags, lengths of the whole frames though only their beginnings were kept."""
    capture = house.root / "build" / "evidence" / "test_it.test_it_fails" / "capture.pcapng"
    fields = ["tcp.flags.str", "frame.len", "frame.cap_len", "ip.src"]
    table = tshark(capture, "-T", "fields", *(word for f in fields for word in ("-e", f)))
    rows = [line.split("\t") for line in table.splitlines()]
    assert "S" in rows[0][0] and "A" in rows[1][0] and "S" in rows[1][0]
    assert all(source == "127.0.0.1" for *_, source in rows)
    long = [(int(length), int(kept)) for _, length, kept, _ in rows if int(length) > SNAP]
    assert long == [(2053, SNAP)]
    assert all(int(length) == int(kept) for _, length, kept, _ in rows if int(length) <= SNAP)


def test_tshark_reads_a_capture_of_several_hosts(tmp_path: Path) -> None:
    """An interface each, IPv6 beside IPv4, what became of a frame as its comment; an empty one, too."""
    six = bytes.fromhex(
        "6000000000083a40" + "00" * 15 + "01" + "00" * 15 + "02" + "8000000000010001"
    )
    four = bytes.fromhex("4500001c000000004001000001020304050607080800f7fd00010001")
    events = [
        Event(2, 2_000_000_001, "segment", raw=six, length=48, host="b", wire="w", fate="dropped"),
        Event(1, 1_000_000_000, "segment", raw=four, length=28, host="a", link="lo"),
        Event(3, 3_000_000_000, "segment", raw=b"\x00\x01arp", length=28, host="a", wire="w"),
    ]
    several, empty = tmp_path / "several.pcapng", tmp_path / "empty.pcapng"
    several.write_bytes(pcapng(events))
    empty.write_bytes(pcapng([]))
    fields = ["frame.interface_name", "frame.time_epoch", "frame.comment", "_ws.col.Protocol"]
    table = tshark(several, "-T", "fields", *(word for f in fields for word in ("-e", f)))
    assert table.splitlines() == [
        "a lo\t1.000000000\t\tICMP",
        "b w\t2.000000001\tdropped\tICMPv6",
    ]
    assert tshark(empty) == ""


class Page(HTMLParser):
    """What a page consists of."""

    VOID = {"meta", "input", "br", "link", "img"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes it."""
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        self.open += [] if tag in self.VOID else [tag]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes it."""
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Closes what was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collects words."""
        self.words += data


@pytest.mark.parametrize("case", ["test_it_fails", "test_it_is_broken", "test_it_starts_nothing"])
def test_the_page_is_whole_and_needs_nothing_else(house: House, case: str) -> None:
    """Every element is closed; nothing is loaded from anywhere."""
    text = house.files(case)["case.html"].decode()
    page = Page(text)
    assert page.open == [] and page.links == []
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", text)


def test_the_page_says_all_there_is(house: House) -> None:
    """Claim, sources, verdict, message, how to run it alone, the ladder twice, every event."""
    page = Page(house.files("test_it_fails")["case.html"].decode())
    for words in (
        'A server answers <nobody> & "all".',
        "Folklore.",
        "failed",
        "EADDRINUSE",
        "pytest cases/test_it.py::test_it_fails",
        "bind(3, 0.0.0.0:9877, 16) = 0",
        "ld.so.cache",
    ):
        assert words in page.words
    assert page.tags.count("svg") == 2
    assert page.tags.count("tr") > 40


def test_the_picture_is_well_formed(house: House) -> None:
    """And says what it is of."""
    root = ElementTree.fromstring(house.files("test_it_fails")["ladder.svg"])
    words = " ".join(
        element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")
    )
    assert 'A server answers <nobody> & "all".' in words and "SYN seq 0" in words


def test_a_folder_that_cannot_be_written_costs_the_files_alone(
    house: House, tmp_path: Path
) -> None:
    """The verdict and the ladder stay, and the reason is told."""
    (tmp_path / "file").write_text("")
    run = house.pytest(f"--evidence-dir={tmp_path}/file", "-k", "fails")
    assert run.status == 1 and "(no files: NotADirectoryError" in run.output
    assert "SYN seq 0" in run.output


def test_names_of_folders_are_names_and_never_shared() -> None:
    """Whatever a parameter holds, however long it is."""
    plain = folder_name("cases/test_a.py::test_b[IPv4-x]")
    assert plain == "test_a.test_b[IPv4-x]"
    odd = [
        folder_name(f"cases/test_a.py::test_b[{text}]") for text in ("a/b", "a b", "a_b", "é" * 300)
    ]
    assert len(set(odd)) == 4
    assert all("/" not in name and len(name.encode()) <= 255 for name in odd)
