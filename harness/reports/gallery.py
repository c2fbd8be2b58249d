"""make gallery: the pictures of the README, each from a run of its case."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .. import build
from ..evidence.files import LADDER, folder_name

PICTURES = {
    "s0": "cases/test_time_wait.py::test_the_server_that_closes_first_owns_time_wait[IPv4]",
    "s1": "cases/test_binding_error.py::test_rebinding_fails_while_time_wait_holds_the_port",
    "abort": "cases/test_abort_before_accept.py"
    "::test_the_first_read_of_an_aborted_connection_says_econnreset[tcpserv01]",
}
"""By the name of the picture: the case that it shows."""


def main() -> int:
    """Runs the cases, in one pytest, and puts their ladders into docs/gallery; pytest's exit status."""
    root = build.current().root
    gallery = root / "docs" / "gallery"
    gallery.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-m", "pytest", "-q", f"--evidence-dir={folder}"]
        done = subprocess.run([*argv, *PICTURES.values()], cwd=root)
        if done.returncode:
            return done.returncode
        for name, case in PICTURES.items():
            shutil.copyfile(Path(folder) / folder_name(case) / LADDER, gallery / f"{name}.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
