"""Cases for the witnesses: what befalls a segment in no case that is quick. Named by test_segment_witness.py, and not
collected otherwise."""

from harness import (
    ESTABLISHED,
    FIN,
    FIN_WAIT1,
    Fate,
    Host,
    Lab,
    Process,
    entering,
    exited,
    leaving,
    segment,
)

LINE = "hello\n"


def talking(lab: Lab) -> tuple[Host, Host, Process]:
    """Two hosts, and a client, on the first, whose connection a child of the server has accepted."""
    client, server = lab.join("client", "server")
    serving = server.start("tcpserv01", "-a", server.address, lab.port)
    serving.reach(entering("accept"))
    talker = client.start("echo_client", server.address, lab.port).run()
    serving.reach(leaving("accept")).run()
    return client, server, talker


def test_a_segment_that_is_delayed_comes_later(lab: Lab) -> None:
    """And is echoed."""
    client, _, talker = talking(lab)
    late = lab.wire.delay(segment(payload=True, sender=client), 0.05)
    talker.input(LINE).prints(LINE)
    late.reached()
    talker.end_input()

    assert talker.ended() == exited(0)
    assert Fate.DELAYED in [sent.fate for sent in lab.wire.segments(sender=client)]


def test_a_fin_that_is_cut_is_sent_again(lab: Lab) -> None:
    """It came to nobody; when the wire is mended the client's kernel says it anew."""
    client, server, talker = talking(lab)
    server.awaits(local=lab.port, state=ESTABLISHED)
    talker.blocked("read")
    lab.wire.cut()
    talker.kill()
    client.awaits(remote=lab.port, state=FIN_WAIT1)
    lab.wire.mend()
    server.awaits_none(local=lab.port, state=ESTABLISHED)

    fates = [sent.fate for sent in lab.wire.segments(FIN, sender=client)]
    assert fates[0] is Fate.CUT and fates[-1] is Fate.PASSED
