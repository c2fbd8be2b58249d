"""The subject: a server as its user starts it, and what is asked of it."""

import codecs
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .protocol import PRESETS, Protocol, exactly


class NotUsable(Exception):
    """The subject cannot be tried; the text says what is wrong and what to do."""


@dataclass(frozen=True)
class Subject:
    """A server under test. In its command and files {port} is the port and {folder} a folder of its own."""

    argv: tuple[str, ...]
    protocol: Protocol
    port: int = 9877
    files: Mapping[str, str] = field(default_factory=dict)
    """What is written into its folder before each start: text by name."""
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None
    path: str | None = None
    """Of the UNIX socket that it listens on instead of a port."""
    patience: float = 5.0
    """Seconds in which it listens after its start, and answers."""
    requests: int = 1
    """How many clients a recorded run has, one after another."""
    name: str = ""
    command: str = ""
    """As it was given."""
    version: Sequence[str] = ()
    """The command that tells its version."""
    known: Mapping[str, str] = field(default_factory=dict)
    """By the ids of the audit's checks: why it is known to fail them."""

    def filled(self, text: str, folder: Path | None) -> str:
        """A text of the subject's with the port and the folder put in."""
        return text.replace("{port}", str(self.port)).replace("{folder}", str(folder or ""))

    @property
    def wants_folder(self) -> bool:
        """Whether it has files, or speaks of a folder of its own."""
        return bool(self.files) or any("{folder}" in word for word in (*self.argv, self.path or ""))

    @property
    def title(self) -> str:
        """What reports call it."""
        return self.name or Path(self.argv[0]).name


_MEMBERS: Mapping[str, type | tuple[type, ...]] = {
    "cmd": (str, list),
    "name": str,
    "protocol": str,
    "request": str,
    "expect": str,
    "port": int,
    "path": str,
    "files": dict,
    "env": dict,
    "cwd": str,
    "patience": (int, float),
    "version": str,
    "known": dict,
}
_PORTS = range(1, 65536)
_GIVEN = range(32768, 61000)
"""The ports that the kernel gives to clients."""


def load(file: Path) -> dict[str, Any]:
    """The members of a subject's TOML file.

    Raises:
        NotUsable: the file cannot be read, or does not say what it should.
    """
    try:
        members = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotUsable(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NotUsable(f"{file}: no TOML: {error}") from error
    for name, value in members.items():
        if name not in _MEMBERS:
            raise NotUsable(f"{file}: unknown member {name!r}; there are {', '.join(_MEMBERS)}")
        if not isinstance(value, _MEMBERS[name]) or isinstance(value, bool):
            raise NotUsable(f"{file}: {name} is of the wrong type")
    return members


def subject_of(members: Mapping[str, Any]) -> Subject:
    """The subject that the members of a file, or of a command line, describe.

    Raises:
        NotUsable: they do not; or there is no such program.
    """
    if not members.get("cmd"):
        raise NotUsable("no command: say --cmd './server {port}', or cmd in the TOML file")
    command = members["cmd"]
    argv, version = _words(command), _words(members.get("version", ""))
    port = members.get("port", Subject.port)
    if port not in _PORTS or port in _GIVEN:
        raise NotUsable(
            f"port {port}: take one outside {_GIVEN[0]}-{_GIVEN[-1]}, where clients are"
        )
    return Subject(
        argv=(_executable(argv[0], members.get("cwd")), *argv[1:]),
        protocol=_protocol(members),
        port=port,
        files={str(k): str(v) for k, v in members.get("files", {}).items()},
        env={str(k): str(v) for k, v in members.get("env", {}).items()},
        cwd=str(Path(members.get("cwd", ".")).resolve()),
        path=members.get("path"),
        patience=float(members.get("patience", Subject.patience)),
        name=members.get("name", ""),
        command=command if isinstance(command, str) else shlex.join(argv),
        version=(_executable(version[0], members.get("cwd")), *version[1:]) if version else (),
        known=members.get("known", {}),
    )


def _words(command: str | list[str]) -> list[str]:
    try:
        return shlex.split(command) if isinstance(command, str) else [str(w) for w in command]
    except ValueError as error:
        raise NotUsable(f"the command {command!r} is no shell words: {error}") from error


def version_of(subject: Subject) -> str:
    """The first line with a number that the command for it prints; nothing where there is no such command."""
    if not subject.version:
        return ""
    done = subprocess.run(
        subject.version, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
    )
    lines = (done.stdout + done.stderr).splitlines()
    return next((line.strip() for line in lines if re.search(r"\d", line)), "")


def _executable(word: str, cwd: str | None) -> str:
    if "/" in word:
        path = (Path(cwd or ".") / word).absolute()
        if not path.is_file():
            raise NotUsable(f"the command's program: there is no file {path}")
        if not os.access(path, os.X_OK):
            raise NotUsable(
                f"the command's program {path} is not executable: chmod +x, or name its interpreter"
            )
        return str(path)
    places = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    if (found := shutil.which(word, path=places)) is None:
        raise NotUsable(
            f"the command's program {word!r} is not on the PATH: install it, or give its path"
        )
    return found


def _protocol(members: Mapping[str, Any]) -> Protocol:
    request, expect, name = (members.get(n) for n in ("request", "expect", "protocol"))
    if name is not None:
        if name not in PRESETS:
            raise NotUsable(f"unknown protocol {name!r}; there are {', '.join(PRESETS)}")
        preset = PRESETS[name]
        return preset if request is None else replace(preset, request=unescaped(request))
    if expect is None:
        raise NotUsable(
            f"nothing to expect: say --request and --expect, or --protocol ({', '.join(PRESETS)})"
        )
    return exactly(unescaped(request or ""), unescaped(expect))


def unescaped(text: str) -> bytes:
    r"""The bytes of a text in which \n, \r, \t, \0, \xNN and \\ are written so."""
    raw = text.encode("utf-8").decode("latin-1")
    try:
        return codecs.decode(raw.encode("latin-1"), "unicode_escape").encode("latin-1")
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise NotUsable(f"{text!r}: {error}") from error
