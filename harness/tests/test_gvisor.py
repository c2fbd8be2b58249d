"""The conductor on a kernel that is not Linux: what it lacks is named, and what it has works."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.platform.gvisor import DEADLINE, inside

SECONDS = 300
PASS = "a_refused_client_says_so_and_fails or the_zombies_parent_is_the_server"
DIFFERS = "wildcard_and_a_specific_listener_exclude_each_other and wildcard-first-with-SO_REUSEADDR"
LACK = "the_connection_goes_on_when_its_address_is_back and IPv4"


@pytest.mark.skipif(not shutil.which("runsc"), reason="runsc is not installed")
def test_cases_run_on_gvisors_own_netstack() -> None:
    """What passes passes, what differs diverges as is expected of it, and what it lacks is unsupported, with its reason."""
    root = Path(__file__).parents[2]
    pytest_ = [sys.executable, "-m", "pytest", "-k", f"{PASS} or ({DIFFERS}) or ({LACK})"]
    command = inside(
        [*pytest_, "-o", "cache_dir=/tmp/cache", f"--deadline={DEADLINE}"], os.geteuid() == 0
    )
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=SECONDS)
    assert "sockspec: gvisor-2" in done.stdout, done.stdout + done.stderr
    assert "no host but the first: this kernel cannot go back to a network namespace" in done.stdout
    assert "wildcard-first-with-SO_REUSEADDR" in done.stdout
    assert all(
        each in done.stdout.splitlines()[-1] for each in ("2 passed", "1 diverges", "1 unsupported")
    )
