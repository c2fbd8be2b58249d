"""The standard streams of a program, and the harness's ends of them."""

import os
from collections.abc import Callable, Iterator

import pytest

from harness import Broken, Stream
from harness.lab.streams import Streams

Make = Callable[..., Streams]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes streams that end with the test."""
    made: list[Streams] = []

    def one(
        stdin: Stream | bytes = Stream.PIPE,
        stdout: Stream = Stream.FILE,
        stderr: Stream = Stream.FILE,
    ) -> Streams:
        made.append(Streams(stdin, stdout, stderr))
        return made[-1]

    yield one
    for streams in made:
        streams.close()


@pytest.mark.parametrize("kind", list(Stream))
def test_what_the_program_writes_can_be_read_again_and_again(make: Make, kind: Stream) -> None:
    """All of it so far, whatever the stream is; a terminal adds nothing."""
    streams = make(stdout=kind)
    assert streams.read(1) == ""
    os.write(streams.theirs[1], b"one\n")
    assert streams.read(1) == "one\n"
    os.write(streams.theirs[1], b"two\n")
    assert streams.read(1) == streams.read(1) == "one\ntwo\n"
    assert streams.read(2) == ""


def test_output_is_there_when_the_program_is_gone(make: Make) -> None:
    """A terminal that nobody has open any more is at its end, as a pipe is."""
    for kind in Stream:
        streams = make(stdout=kind, stderr=kind)
        os.write(streams.theirs[1], b"last words")
        streams.handed_over()
        assert streams.read(1) == "last words"


def test_two_writers_of_a_file_do_not_overwrite_each_other(make: Make) -> None:
    """As processes that share it after a fork."""
    streams = make(stdout=Stream.FILE, stderr=Stream.FILE)
    for part in (b"a", b"b"):
        os.write(streams.theirs[1], part)
        os.write(streams.theirs[2], part)
    assert (streams.read(1), streams.read(2)) == ("ab", "ab")


def test_input_arrives_when_it_is_delivered(make: Make) -> None:
    """And not before; then its end."""
    streams = make()
    streams.type(b"line\n")
    streams.type(None)
    assert streams.typed
    streams.deliver()
    assert not streams.typed
    assert (os.read(streams.theirs[0], 100), os.read(streams.theirs[0], 100)) == (b"line\n", b"")


def test_a_terminal_s_input_ends_with_its_own_character(make: Make) -> None:
    """A line first, then an empty read."""
    streams = make(stdin=Stream.PTY)
    streams.type(b"line\n")
    streams.type(None)
    streams.deliver()
    assert (os.read(streams.theirs[0], 100), os.read(streams.theirs[0], 100)) == (b"line\n", b"")


def test_whole_input_is_a_file(make: Make) -> None:
    """It has an end, and nothing can be added."""
    streams = make(stdin=b"whole")
    assert (os.read(streams.theirs[0], 100), os.read(streams.theirs[0], 100)) == (b"whole", b"")
    with pytest.raises(Broken, match="is a file, or has ended"):
        streams.type(b"more")


def test_input_after_its_end_is_refused(make: Make) -> None:
    """Delivered or not."""
    streams = make()
    streams.type(None)
    with pytest.raises(Broken, match="has ended"):
        streams.type(b"more")
    streams.deliver()
    with pytest.raises(Broken, match="has ended"):
        streams.type(b"more")


def test_input_that_does_not_fit_is_refused(make: Make) -> None:
    """Nobody reads, so waiting would be for ever."""
    streams = make()
    streams.type(bytes(1 << 20))
    with pytest.raises(Broken, match="65536 of 1048576 bytes fit"):
        streams.deliver()


def test_input_that_nobody_will_read_is_refused(make: Make) -> None:
    """The program has closed its end."""
    streams = make()
    streams.handed_over()
    streams.type(b"line\n")
    with pytest.raises(Broken, match="closed its standard input"):
        streams.deliver()


def test_nothing_stays_open(make: Make) -> None:
    """Whatever was made."""
    before = os.listdir("/proc/self/fd")
    for kind in Stream:
        make(kind, kind, kind).close()
    assert os.listdir("/proc/self/fd") == before
