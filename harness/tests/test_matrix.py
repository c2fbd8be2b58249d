"""The matrix: what stands in it, and its page in a real browser: filter, link, keyboard, narrow window, dark."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.build import current
from harness.errno_names import Errno
from harness.outcome import Outcome
from harness.records.catalogue import load
from harness.records.results import End, Record
from harness.records.scenarios import Scenario
from harness.reports.matrix import Matrix, html, markdown, matrix
from harness.reports.matrix_text import write
from harness.seen import Seen
from harness.tests.test_compare import harness
from harness.verdict import Verdict

LINUX, GVISOR, SPARC = "linux-6.18-x86_64", "gvisor-20221219", "linux-sparc64"
NASTY = "</script><b>&\"'`|"


def in_use(number: int) -> Seen:
    """What bind gave."""
    return Seen.compared("==", Outcome(errno=Errno.EADDRINUSE, number=number), Errno.EADDRINUSE)


BIND = Record(
    "cases/test_a.py::test_bind[IPv4]",
    Verdict.PASSED,
    claim="bind() says EADDRINUSE.",
    sources="POSIX.1-2024 bind().",
    about=("SO_REUSEADDR",),
    behaviour=("A1",),
    platform={"name": LINUX, "release": "6.18.44"},
    seen=[in_use(98)],
    replay="pytest 'cases/test_a.py::test_bind[IPv4]'",
)
BIND6 = replace(BIND, case="cases/test_a.py::test_bind[IPv6]")
POLL = replace(
    BIND,
    case="cases/test_b.py::test_poll",
    claim=f"poll() says {NASTY}.",
    about=("poll",),
    behaviour=("K1",),
    seen=[Seen.compared("==", NASTY, NASTY)],
)
VETH = replace(
    POLL, case="cases/test_c.py::test_veth", claim="A wire is cut.", behaviour=(), seen=[]
)


def on(platform: str, record: Record, **changes: Any) -> Record:
    """The record, of another platform."""
    return replace(record, platform={"name": platform}, **changes)


COLUMNS = {
    LINUX: [BIND, BIND6, POLL, VETH],
    GVISOR: [
        on(GVISOR, BIND),
        on(GVISOR, BIND6),
        on(
            GVISOR,
            POLL,
            verdict=Verdict.DIVERGES,
            message="no POLLRDHUP (https://github.com/google/gvisor/issues/6015)",
            seen=[replace(Seen.compared("==", "IN", "IN|RDHUP"), holds=False)],
            evidence="  0.000 │ poll",
        ),
        on(GVISOR, VETH, verdict=Verdict.UNSUPPORTED, message="no veth here"),
    ],
    SPARC: [on(SPARC, BIND, seen=[in_use(48)]), on(SPARC, BIND6, seen=[in_use(48)])],
}


def made(troubles: tuple[str, ...] = ()) -> Matrix:
    """The matrix of these."""
    catalogue = load(current().root / "cases" / "behaviours.toml")
    return matrix(COLUMNS, catalogue, [Scenario("S1", "A title", {})], troubles)


def test_a_cell_is_the_value() -> None:
    """Behaviours by families down, platforms across; variants that give the same share a line."""
    lines = {line.name: line for line in made().lines}
    assert [cell.value for cell in lines["bind"].cells] == [
        "EADDRINUSE (98)",
        "EADDRINUSE (98)",
        "EADDRINUSE (48)",
    ]
    assert (lines["bind"].variants, lines["poll"].variants) == ("IPv4, IPv6", "")
    assert [cell.mark for cell in lines["bind"].cells] == ["", "", "≠"]
    assert [(c.mark, c.value) for c in lines["poll"].cells][1:] == [("◆", "'IN'"), ("", "not run")]
    assert [group.id for group in made().groups] == ["A", "K", "cases/test_c.py"]


def test_what_was_not_tried_is_no_difference() -> None:
    """Only what ran on both is compared."""
    names = [line.name for line in made().only_differences().lines]
    assert names == ["bind", "poll"]


def test_markdown_keeps_its_columns() -> None:
    """Whatever stands in a claim or a value."""
    text = markdown(made())
    rows = [line for line in text.splitlines() if line.startswith("|")]
    bare = [row.replace("\\|", "") for row in rows]
    assert {row.count("|") for row in bare} == {5}
    assert (
        "| bind() says EADDRINUSE. (IPv4, IPv6) | `EADDRINUSE (98)` | `EADDRINUSE (98)` | ≠ `EADDRINUSE (48)` |"
        in rows
    )


def test_the_terminal_has_it_too() -> None:
    """As text where there is no terminal."""
    file = io.StringIO()
    write(made(), file)
    text = file.getvalue()
    assert "≠ EADDRINUSE (48)" in text and "A · bind" in text and "\x1b" not in text


def test_a_file_that_was_cut_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    """With exit status 2; the page says it, too."""
    run = tmp_path / "run.jsonl"
    run.write_text(BIND.line() + End({LINUX: 1}).line())
    assert harness(tmp_path, "matrix", run).returncode == 0
    run.write_text(BIND.line() + POLL.line()[:50])
    done = harness(tmp_path, "matrix", run)
    assert done.returncode == 2 and "cut off in the middle" in done.stderr
    page = (tmp_path / "build" / "matrix.html").read_text()
    assert "EADDRINUSE (98)" in page and "Not whole: " in page


def test_nobody_complains_when_the_reader_has_enough(tmp_path: Path) -> None:
    """As in `matrix --form=terminal | head`."""
    run = tmp_path / "run.jsonl"
    run.write_text(BIND.line() + End({LINUX: 1}).line())
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as nobody:
        done = subprocess.run(
            [sys.executable, "-m", "harness", "matrix", "--form=terminal", run],
            cwd=current().root,
            stdout=nobody,
            stderr=subprocess.PIPE,
        )
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


# --- in a browser --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options: Any = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,900"):
        options.add_argument(argument)
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """The browser with the page open."""
    (tmp_path / "m.html").write_text(html(made(("run.jsonl: cut off",))), encoding="utf-8")
    browser.get(f"file://{tmp_path}/m.html")
    yield browser
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def all_of(page: Any, selector: str) -> list[Any]:
    """What is displayed of that."""
    return [e for e in page.find_elements("css selector", selector) if e.is_displayed()]


def names(page: Any) -> list[str]:
    """The lines that are displayed."""
    return [e.get_attribute("id").removeprefix("test_") for e in all_of(page, "tr.line")]


def press(page: Any, *keys: str) -> None:
    """Presses keys wherever the focus is."""
    for key in keys:
        page.switch_to.active_element.send_keys(key)


def test_the_filter_leaves_what_has_all_words(page: Any) -> None:
    """Of claims, names, options and values on a platform; empty families go as well."""
    box = page.find_element("id", "words")
    cases: list[tuple[str, list[str]]] = [
        ("so_reuseaddr eaddrinuse", ["bind[IPv4]"]),
        ("sparc64:≠eaddrinuse", ["bind[IPv4]"]),
        ("lacking", ["veth"]),
        ("nowhere", []),
    ]
    for words, left in cases:
        box.clear()
        box.send_keys(words)
        assert names(page) == left
        assert page.find_element("id", "count").text == f"{len(left)} of 3"
        assert len(all_of(page, "tr.family")) == len(left)


def test_only_differences(page: Any) -> None:
    """One box hides what is alike."""
    page.find_element("id", "only").click()
    assert names(page) == ["bind[IPv4]", "poll"]


def test_a_cell_opens_its_evidence(page: Any) -> None:
    """Its verdict, reason, what it saw, evidence, and the command; its address can be linked to."""
    cell = all_of(page, ".diverges")[0]
    cell.click()
    text = page.find_element("id", "details").text
    for part in ("gvisor-20221219: diverges", "issues/6015", "'IN'", "0.000 │ poll", "pytest '"):
        assert part in text
    address = page.current_url
    assert "#cases%2Ftest_b.py%3A%3Atest_poll@gvisor-20221219" in address
    page.get("about:blank")
    page.get(address)
    assert "gvisor-20221219: diverges" in page.find_element("id", "details").text


def test_the_keyboard_is_enough(page: Any) -> None:
    """Arrows move over cells that are there, Enter opens, Escape closes, and the focus is where it was."""
    from selenium.webdriver.common.keys import Keys

    page.execute_script("document.querySelector('.cell').focus()")
    press(page, Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    at = page.switch_to.active_element
    assert (at.get_attribute("data-on"), at.get_attribute("data-row")) == (GVISOR, "1")
    press(page, Keys.ARROW_RIGHT)
    assert page.switch_to.active_element == at  # sparc64 did not run it
    press(page, Keys.ENTER)
    assert page.find_element("id", "details").is_displayed()
    press(page, Keys.ESCAPE)
    assert not page.find_element("id", "details").is_displayed()
    assert page.switch_to.active_element == at and "#" not in page.current_url


def test_nothing_is_cut_in_a_narrow_window(page: Any) -> None:
    """Each platform has a line of its own below the claim, and the page is as wide as the window."""
    size = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert page.execute_script("return document.documentElement.scrollWidth") <= 360
    tops = [cell.rect["y"] for cell in all_of(page, "tr.line .cell")[:3]]
    assert len(tops) == 3 and tops == sorted(set(tops))
    all_of(page, ".diverges")[0].click()
    dialog = page.find_element("id", "details").rect
    assert dialog["x"] >= 0 and dialog["x"] + dialog["width"] <= 360


def test_it_is_dark_where_that_is_preferred(page: Any) -> None:
    """Page, words and differences stand apart."""

    def colours() -> list[str]:
        script = """const of = (e, p) => getComputedStyle(document.querySelector(e))[p];
            return [of('body', 'backgroundColor'), of('body', 'color'), of('.differs', 'borderColor')];"""
        found: list[str] = page.execute_script(script)
        return found

    light = colours()
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    assert light[0] == "rgb(255, 255, 255)" and colours()[0] == "rgb(13, 17, 23)"
    assert all(a != b for a, b in zip(light, colours(), strict=True))


def test_what_records_say_is_no_markup(page: Any) -> None:
    """Whatever a claim or a value holds is text."""
    [line] = [line for line in all_of(page, "tr.line") if "poll" in line.get_attribute("id")]
    assert NASTY in line.text
    line.find_elements("css selector", ".cell")[0].click()
    assert NASTY in page.find_element("id", "claim").text
    data = page.execute_script("return document.getElementById('data').textContent")
    assert json.loads(data)[1][0]["case"] == POLL.case
