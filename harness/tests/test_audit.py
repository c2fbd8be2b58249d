"""The audit, proven: model servers pass every check, and each check fails on servers that have its fault, and on no other."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.audit.audit import Outcome, Verdict, load_waivers, reasons, told, try_check
from harness.audit.check import CHECKS
from harness.audit.report import Report, to_html, to_json, to_junit
from harness.build import current
from harness.control.relay import Relay
from harness.lab.lab import Settings
from harness.sweep.engine import Engine, Judgement, Result
from harness.sweep.subject import NotUsable, load, subject_of

HERE = current()
PROGRAMS = HERE.folder / "tests" / "programs"
POLLING, FORKING = "audited_polling", "audited_forking"

FAULTS: Mapping[tuple[str, str], set[str]] = {
    (POLLING, "no-reuse"): {
        "restarts-after-closing-first",
        "restarts-after-kill",
        "restarts-after-kill-at-any-moment",
        "reuses-address",
    },
    (POLLING, "lock"): {"restarts-after-kill", "restarts-after-kill-at-any-moment"},
    (POLLING, "mark"): {"restarts-after-kill-at-any-moment"},
    (FORKING, "child-keeps-listener"): {
        "restarts-with-child-alive",
        "listener-not-inherited",
        "port-free-after-exit",
        "term-refuses-clients",
    },
    (FORKING, "trylock"): {"clients-at-any-moment", "slow-reader"},
    (FORKING, "worker"): {
        "restarts-with-child-alive",
        "port-free-after-exit",
        "term-refuses-clients",
    },
    (FORKING, "helper"): {
        "killed-server-ends-connections",
        "connection-errors",
        "connections-not-inherited",
    },
    (POLLING, "econnreset"): {
        "reset-before-accept",
        "reset-during-request",
        "connection-errors",
    },
    (POLLING, "write-error"): {
        "reset-during-response",
        "write-to-closed",
        "connection-errors",
    },
    (POLLING, "sigpipe"): {"write-to-closed"},
    (FORKING, "sigpipe"): {"write-to-closed"},
    (POLLING, "no-keepalive"): {"vanished-clients-are-noticed"},
    (POLLING, "drops-half-closed"): {"half-close"},
    (POLLING, "whole-reads"): {"byte-at-a-time", "slow-reader", "short-reads"},
    (POLLING, "blocks"): {"slow-reader"},
    (POLLING, "iterative"): {
        "clients-at-any-moment",
        "slow-reader",
        "silent-client",
        "thousand-connections",
        "term-refuses-clients",
        "term-exits",
    },
    (POLLING, "small-table"): {"thousand-connections"},
    (POLLING, "spins"): {"no-descriptor-left"},
    (POLLING, "emfile"): {"no-descriptor-left", "accept-errors"},
    (POLLING, "econnaborted"): {"accept-errors"},
    (POLLING, "enobufs"): {"connection-errors"},
    (FORKING, "fork"): {"fork-errors"},
    (POLLING, "poll"): {"other-errors"},
    (POLLING, "eagain"): {"spurious-readiness"},
    (FORKING, "read-eintr"): {"interruptions"},
    (POLLING, "short-write"): {"slow-reader", "short-writes"},
    (POLLING, "leaks-descriptor"): {
        "no-descriptor-left",
        "connection-errors",
        "no-descriptor-leak",
    },
    (FORKING, "reaps-once"): {"no-zombies"},
    (POLLING, "leaks-memory"): {"no-memory-leak"},
    (FORKING, "parent-keeps-connection"): {
        "killed-server-ends-connections",
        "no-descriptor-left",
        "fork-errors",
        "connection-errors",
        "no-descriptor-leak",
        "connections-not-inherited",
    },
    (POLLING, "stale-file"): {
        "restarts-after-closing-first",
        "restarts-after-kill",
        "restarts-after-kill-at-any-moment",
        "stale-socket-file",
    },
    (POLLING, "drops-request"): {"term-finishes-request"},
    (POLLING, "keeps-accepting"): {"term-refuses-clients", "term-exits"},
    (POLLING, "waits-for-idle"): {"term-exits"},
    (POLLING, "ignores-term"): {"term-refuses-clients", "term-exits"},
    (FORKING, "sigpipe-inherited"): {"sigpipe-restored-for-programs"},
    (POLLING, "ipv4-only"): {"listens-ipv6"},
    (POLLING, "small-backlog"): {"backlog"},
}
"""By server and fault: the checks that it fails."""
HABITS = {
    "collects": "keeps what it has freed, and gives it back now and then",
    "waits-for-room": "after EMFILE it does not accept till a client has left",
    "looks-now-and-then": "looks for SIGTERM three times a second",
    "ends-slowly": "has something to do yet when it has been told to end",
}
"""What some servers do (Go, memcached, redis, lighttpd), and is not wrong."""
MODELS = {
    "polling": (POLLING, "{port}"),
    "forking": (FORKING, "{port}"),
    "polling at a path": (POLLING, "{folder}/socket"),
}
AT_PATHS = {"stale-file"}


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A relay of the test's own."""
    made = Relay(HERE.conductor, None, ahead=1, captures=False)
    yield made
    made.close()


def engine_for(relay: Relay, server: str, place: str, fault: str = "") -> Engine:
    """An engine for one of the model servers, with a fault."""
    options = f"-f {fault} -d {{folder}}" if fault else ""
    members: dict[str, Any] = {
        "cmd": f"{PROGRAMS / server} {options} {place}",
        "protocol": "echo",
        "patience": 2,
    }
    if place.startswith("{folder}"):
        members["path"] = place
    return Engine(subject_of(members), Settings(HERE.folder, sanitized=HERE.sanitized), relay)


def audited(engine: Engine) -> dict[str, Outcome]:
    """All checks."""
    return {id: try_check(engine, id) for id in CHECKS}


def failures(outcomes: Mapping[str, Outcome]) -> dict[str, list[str]]:
    """What is not as it should be, with the evidence."""
    bad = (Verdict.FAILED, Verdict.BROKEN)
    return {id: list(o.evidence) for id, o in outcomes.items() if o.verdict in bad}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_server_passes_every_check(relay: Relay, name: str) -> None:
    """A correct server is never accused."""
    assert failures(audited(engine_for(relay, *MODELS[name]))) == {}


@pytest.mark.parametrize("server,fault", FAULTS)
def test_a_fault_fails_its_checks_and_no_other(relay: Relay, server: str, fault: str) -> None:
    """The table of checks against servers."""
    place = "{folder}/socket" if fault in AT_PATHS else "{port}"
    found = failures(audited(engine_for(relay, server, place, fault)))
    assert set(found) == FAULTS[server, fault], found


@pytest.mark.parametrize("habit", HABITS)
def test_a_habit_is_no_fault(relay: Relay, habit: str) -> None:
    """A correct server is never accused, however uncommon."""
    assert failures(audited(engine_for(relay, POLLING, "{port}", habit))) == {}, HABITS[habit]


def test_every_check_has_a_server_that_fails_it() -> None:
    """A check that cannot fail is none."""
    assert set().union(*FAULTS.values()) == set(CHECKS)


def test_every_check_is_tried_on_a_model(relay: Relay) -> None:
    """None passes because it means nothing for all of them."""
    tried: set[str] = set()
    for server, place in MODELS.values():
        engine = engine_for(relay, server, place)
        left = [id for id in CHECKS if id not in tried]
        outcomes = (try_check(engine, id) for id in left)
        tried |= {o.id for o in outcomes if o.verdict is not Verdict.INAPPLICABLE}
    assert tried == set(CHECKS)


def test_faults_are_in_the_servers() -> None:
    """A fault whose name is written wrong would be none."""
    sources = HERE.root / "harness" / "tests" / "programs"
    common = (sources / "audited.h").read_text()
    for server, fault in [*FAULTS, *((POLLING, habit) for habit in HABITS)]:
        assert f'fault("{fault}")' in (sources / f"{server}.c").read_text() + common, fault


# --- the command ---------------------------------------------------------------------------------------------------


def audit(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs `python3 -m harness audit`."""
    argv = [sys.executable, "-m", "harness", "audit", *arguments]
    return subprocess.run(
        argv, cwd=HERE.root, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
    )


ASKED = ("--protocol", "echo", "--check", "reuses-address", "--check", "byte-at-a-time")


def test_the_command_says_what_is_wrong_and_what_to_change(tmp_path: Path) -> None:
    """In the terminal, as JSON, as JUnit and as a page; the exit status is 1."""
    files = {name: tmp_path / name for name in ("json", "junit", "html")}
    options = [word for name, file in files.items() for word in (f"--{name}", str(file))]
    done = audit("--cmd", f"{PROGRAMS / POLLING} -f no-reuse {{port}}", *ASKED, *options)
    assert done.returncode == 1, done.stderr
    assert "failed    MUST   reuses-address" in done.stdout
    assert "change: setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, ...) before bind" in done.stdout
    told = json.loads(files["json"].read_text())
    assert told["counts"] == {"failed": 1, "passed": 1}
    suite = ElementTree.parse(files["junit"]).getroot()
    assert (suite.get("failures"), suite.get("tests")) == ("1", "2")
    assert "it sets no SO_REUSEADDR on any socket" in files["html"].read_text()


def test_a_good_server_exits_0() -> None:
    """With the server described in a file."""
    done = audit("--cmd", f"{PROGRAMS / POLLING} {{port}}", *ASKED)
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("audited_polling: 2 passed\n")


def test_a_server_is_described_in_a_file(tmp_path: Path) -> None:
    """Its command, files and protocol; and the waivers in another."""
    server = tmp_path / "server.toml"
    server.write_text(
        f'cmd = "sh {{folder}}/start"\nname = "mine"\nprotocol = "echo"\n'
        f'[files]\nstart = "exec {PROGRAMS / POLLING} -f no-reuse {{port}}"\n'
    )
    waivers = tmp_path / "waivers.toml"
    waivers.write_text('reuses-address = "it is started once a year"\n')
    done = audit(str(server), "--waivers", str(waivers), "--check", "reuses-address")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "waived: it is started once a year" in done.stdout
    assert done.stdout.endswith("mine: 1 waived\n")


def test_a_server_that_cannot_be_tried_exits_2() -> None:
    """Before any check."""
    done = audit("--cmd", "sleep 100", "--protocol", "echo", "--patience", "1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "does not listen at port 9877 after 1 s" in done.stderr


def test_a_known_failure_is_no_surprise(tmp_path: Path) -> None:
    """It is told with what is behind it, and the exit status is 0; so is a failure that is none any more."""
    server = tmp_path / "server.toml"
    server.write_text(
        f'cmd = "{PROGRAMS / POLLING} -f no-reuse {{port}}"\nprotocol = "echo"\nversion = "echo mine 1.2"\n'
        '[known]\nreuses-address = "it never did"\nbyte-at-a-time = "it once did not"\n'
    )
    files = {name: tmp_path / name for name in ("text", "json", "junit", "html")}
    options = [word for name, file in files.items() for word in (f"--{name}", str(file))]
    done = audit(str(server), *ASKED[2:], *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "byte-at-a-time passed: what is said of its failure is out of date" in done.stdout
    told = json.loads(files["json"].read_text())
    assert (told["version"], told["counts"]) == ("mine 1.2", {"known": 1, "passed": 1})
    text = files["text"].read_text()
    assert text.startswith("audited_polling: mine 1.2\n") and "known: it never did" in text
    assert "change: setsockopt(listener" in text
    assert ElementTree.parse(files["junit"]).getroot().get("failures") == "0"
    assert '<article class="known">' in files["html"].read_text()


def test_a_report_that_cannot_be_written_is_told_of_before_the_audit(tmp_path: Path) -> None:
    """In a message, with 2."""
    done = audit("--cmd", "true", *ASKED, "--json", str(tmp_path / "no" / "report"))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"there is no folder {tmp_path / 'no'}" in done.stderr


def test_a_sweep_says_how_much_it_tried(relay: Relay) -> None:
    """So that a pass is never taken for more than it is."""
    outcome = try_check(engine_for(relay, POLLING, "{port}"), "short-reads")
    assert outcome.verdict is Verdict.PASSED
    assert [remark for remark in outcome.remarks if remark.endswith(" runs")]


@pytest.mark.parametrize("judgement", (Judgement.MISSED, Judgement.BROKEN))
def test_a_sweep_that_was_not_carried_out_is_no_pass(
    relay: Relay, monkeypatch: pytest.MonkeyPatch, judgement: Judgement
) -> None:
    """No moment came again, or the harness failed: then nothing is known of the server."""
    engine = engine_for(relay, POLLING, "{port}")
    monkeypatch.setattr(engine, "run", lambda what: Result(what.key, judgement, "so"))
    outcome = try_check(engine, "short-reads")
    assert outcome.verdict is Verdict.BROKEN, outcome


RECORDED = sorted((HERE.root / "audits").glob("*.toml"))


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: str(file.stem))
def test_what_is_known_of_a_real_server_is_what_was_recorded(file: Path) -> None:
    """The recorded result shows the failures that audits/ explains, and no others, of every check that there is."""
    known = load(file)["known"] if "known" in load(file) else {}
    assert reasons(known, str(file), "a known failure").keys() == known.keys()
    told = json.loads((HERE.root / "docs" / "audits" / f"{file.stem}.json").read_text())
    verdicts = {check["id"]: check["verdict"] for check in told["checks"]}
    assert verdicts.keys() == CHECKS.keys()
    assert {id for id, verdict in verdicts.items() if verdict == "known"} == set(known)
    assert set(verdicts.values()) <= {"passed", "known", "not tried"}
    assert told["version"]


@pytest.mark.parametrize(
    "text,says",
    [
        ('nonsense = "x"', "there is no check 'nonsense'"),
        ('backlog = ""', "backlog: a waiver needs a reason"),
        ("backlog", "waivers"),
    ],
)
def test_a_bad_waiver_is_refused(tmp_path: Path, text: str, says: str) -> None:
    """It would hide something, or nothing."""
    file = tmp_path / "waivers"
    file.write_text(text)
    with pytest.raises(NotUsable, match=says):
        load_waivers(file)


def test_only_failures_are_waived() -> None:
    """What passes needs no waiver, and what broke is not known."""
    for verdict in (Verdict.PASSED, Verdict.BROKEN, Verdict.INAPPLICABLE):
        outcome = Outcome("backlog", verdict, ["why"])
        assert told(outcome, Verdict.WAIVED, {"backlog": "reason"}) is outcome


def test_reports_carry_what_a_server_says_unchanged_and_harmless() -> None:
    """Markup and control characters in the evidence are text."""
    outcome = Outcome("backlog", Verdict.FAILED, ["<b>\x01&"])
    report = Report("<i>", "cmd", [outcome])
    assert "<b>\x01" not in to_html(report) and "&lt;b&gt;" in to_html(report)
    assert json.loads(to_json(report))["checks"][0]["evidence"] == ["<b>\x01&"]
    assert ElementTree.fromstring(to_junit(report)).get("failures") == "1"
