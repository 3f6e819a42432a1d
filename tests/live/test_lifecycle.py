# SPDX-License-Identifier: GPL-2.0-only
"""TIME_WAIT, its reopening, and ports and addresses that are used again."""

import pytest

import judge
import peers
import wire
from tracer import Trace, wait_until


def leave_first(lab, listener, family, source):
    """A connection that the server closes first: TIME_WAIT stays there."""
    client = peers.connect(lab, family, source=source)
    conn, record = peers.accept(listener, lab.server)
    peers.talk(client, conn)
    peers.hang_up(conn, client)
    return record


@pytest.mark.parametrize("kind", ["loopback", "veth"])
def test_time_wait_and_its_reopening(labs, kind):
    lab = labs.make(kind)
    source = 40001
    left, came_back = [], []
    with Trace(lab.namespaces) as run:
        for family in peers.FAMILIES:
            with peers.listen(lab, family) as listener:
                left.append(leave_first(lab, listener, family, source))
                came_back.append(peers.visit(lab, listener, family,
                                             source=source))
                source += 1
    late = {x.inode for x in left}
    strays = judge.check_all(
        run, left + came_back, lab, {x.port: 1 for x in peers.FAMILIES},
        lambda x: "LQ+E+W+" if x.inode in late else judge.REOPENS)
    assert not strays
    # The FIN of the client is all that TIME_WAIT got before the new SYN.
    seen = ["FIN|ACK", "SYN"][:2 if run.sees("reopened") else 1]
    for conn in left:
        waiting = [x for x in run.segments
                   if judge.ends_of(x) == judge.server_ends(conn) and
                   x["outcome"] == "time_wait"]
        assert [x["flags"] for x in waiting] == seen


def test_stray_segment_to_time_wait(labs):
    """An old ACK is answered; the client knows of nothing and resets."""
    lab = labs.veth()
    source = 40001
    with Trace(lab.namespaces) as run:
        with peers.listen(lab) as listener:
            conn = leave_first(lab, listener, peers.IPV4, source)
            before = lab.server.tcp("InSegs")
            wire.send_raw(lab.client, wire.segment(
                (lab.client_addr[4], source), (lab.server_addr[4], conn.lport),
                "ACK"))
            wait_until(lambda: lab.server.tcp("InSegs") >= before + 2,
                       "the client's reset")
    judge.check_accounting(run)
    judge.check_accepts(run, [conn])
    judge.check_proved(run)
    groups = judge.group(run.segments)
    server = groups[judge.server_ends(conn)]
    client = groups[judge.client_ends(conn, lab.client.inode)]
    assert [x["flags"] for x in server[-3:]] == ["FIN|ACK", "ACK", "RST"]
    assert len({x.get("sock") for x in server[-3:]}) == 1
    assert client[-1]["outcome"] == "none"
    assert client[-1].get("reset", False) == run.sees("reset")
    judge.check_server_side(run, server, run.accepts[0],
                            run.listens[0]["sock"], "LQ+E+WWW", lab.via)


@pytest.mark.parametrize("kind", ["veth"])
def test_restarted_server_and_reused_source_port(labs, kind):
    """The same two ends three times, each time other sockets."""
    lab = labs.make(kind)
    conns = []
    with Trace(lab.namespaces) as run:
        for _ in range(3):
            with peers.listen(lab) as listener:
                client = peers.connect(lab, source=40001)
                conn, record = peers.accept(listener, lab.server)
                peers.talk(client, conn)
                conns.append(record)
            peers.reset(client)
            with pytest.raises(ConnectionResetError):
                conn.recv(1)
            conn.close()
    assert not judge.check_all(run, conns, lab, {})
    assert len({x["sock"] for x in run.listens}) == 3
    assert len({x["parent"] for x in run.accepts}) == 3
    (port,) = [x for x in run.summary["ports"] if x["port"] == conns[0].lport]
    assert (port["listeners"], port["sockets"]) == (3, 3)
    assert port["remote_endpoints"] == 1
    assert {x["sock"] for x in run.closes} >= {x["sock"] for x in run.accepts}
