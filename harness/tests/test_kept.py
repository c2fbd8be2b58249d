"""What has been read of a file is kept till the file changes."""

import os
from pathlib import Path

import pytest

from harness.kept import kept


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file that is read."""
    path = tmp_path / "source"
    path.write_text("one")
    return path


def test_what_was_read_is_not_read_again(tmp_path: Path, source: Path) -> None:
    """As long as the source is the same; another name is another thing."""
    read = iter(["first", "second", "third"])
    assert kept(tmp_path / "kept", "a", [source], lambda: next(read)) == "first"
    assert kept(tmp_path / "kept", "a", [source], lambda: next(read)) == "first"
    assert kept(tmp_path / "kept", "b", [source], lambda: next(read)) == "second"


@pytest.mark.parametrize("text", ["other", "two"])
def test_a_source_that_changed_is_read_again(tmp_path: Path, source: Path, text: str) -> None:
    """Be it as long as before."""
    kept(tmp_path / "kept", "a", [source], source.read_text)
    source.write_text(text)
    os.utime(source, ns=(0, 1))
    assert kept(tmp_path / "kept", "a", [source], source.read_text) == text


def test_what_is_kept_may_be_garbage(tmp_path: Path, source: Path) -> None:
    """Then it is read as if nothing were kept, and kept anew."""
    place = tmp_path / "kept" / "a.pickle"
    place.parent.mkdir()
    for garbage in (b"", b"no pickle", b"\x80\x04N."):
        place.write_bytes(garbage)
        assert kept(place.parent, "a", [source], source.read_text) == "one"
    assert kept(place.parent, "a", [source], lambda: "not asked") == "one"


def test_where_nothing_can_be_kept_all_is_read(tmp_path: Path, source: Path) -> None:
    """And nothing is left."""
    (tmp_path / "kept").write_text("no folder")
    assert kept(tmp_path / "kept", "a", [source], source.read_text) == "one"
    assert sorted(os.listdir(tmp_path)) == ["kept", "source"]


def test_what_cannot_be_read_is_not_kept(tmp_path: Path, source: Path) -> None:
    """It is tried each time."""
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            kept(tmp_path / "kept", "a", [source], lambda: 1 // 0)
