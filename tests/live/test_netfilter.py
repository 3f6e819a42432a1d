# SPDX-License-Identifier: GPL-2.0-only
"""What netfilter does to a segment on its way: it gives it another source after
early demux has looked, and drops the answer that has the segment's memory. The
judges are the test's own sockets."""

import contextlib
import select
import shutil
import socket
import subprocess
import time

import pytest

import judge
import peers
from datagrams import PATIENCE
from stage import Stage
from tracer import Trace, wait_until

ASKED, OPEN, SILENT = 12250, 12251, 12252
SOURCE = 50250
TCP_QUICKACK = 12

RULES = f"""table ip test {{
    chain before {{
        type nat hook prerouting priority -100;
        meta l4proto {{ tcp, udp }} th dport {ASKED} redirect to :{OPEN};
    }}
    chain out {{
        type filter hook output priority 0;
        tcp sport {SILENT} tcp flags & (ack|psh|syn|fin|rst) == ack \\
            meta length < 80 drop;
    }}
}}"""


def add_rules(namespace):
    if not shutil.which("nft"):
        pytest.skip("no nft")
    for name in "nf_nat", "nft_chain_nat", "nft_redir":
        subprocess.run(["modprobe", "-q", name], check=False)
    done = subprocess.run(["ip", "netns", "exec", namespace.name, "nft", "-f",
                           "-"], input=RULES, text=True, capture_output=True,
                          check=False)
    if done.returncode:
        pytest.skip(f"nft: {done.stderr.splitlines()[0]}")


@pytest.fixture
def lab(labs):
    made = labs.veth()
    add_rules(made.server)
    return made


def open_client(lab, stack, source=0):
    client = stack.enter_context(lab.client.socket(socket.AF_INET))
    client.settimeout(3)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.bind((lab.client_addr[4], source))
    return client


def send_unanswered(lab, stack, listener):
    """Its data is taken, and the ACKs to it go nowhere. So it comes again, in an
    skb of the kind that the next ACK is put into."""
    client = open_client(lab, stack)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.connect((lab.server_addr[4], SILENT))
    conn, _ = peers.accept(listener, lab.server)
    for _ in range(8):
        conn.setsockopt(socket.IPPROTO_TCP, TCP_QUICKACK, 1)
        client.send(b"x" * 300)
        time.sleep(0.003)  # so that each is a segment of its own
    got = 0
    while got < 8 * 300:
        got += len(conn.recv(9999))
    wait_until(lambda: lab.client.tcp("RetransSegs") >= 3, "what comes again")
    for end in client, conn:
        peers.reset(end)


def clash(lab, stack, listener):
    """Two connections from one port, to one server's port after NAT: that of the
    second gets another source. Was this one's SYN for the listener?"""
    first = open_client(lab, stack, SOURCE)
    first.connect((lab.server_addr[4], OPEN))
    conn, _ = peers.accept(listener, lab.server)
    second = open_client(lab, stack, SOURCE)
    try:
        second.connect((lab.server_addr[4], ASKED))
        peers.reset(peers.accept(listener, lab.server)[0])
        is_right = True
    except TimeoutError:
        is_right = False
    for end in second, first, conn:
        peers.reset(end)
    return is_right


def clash_of_datagrams(lab, sockets):
    """The same, with a socket for this sender, and one for all. Was the second
    datagram for the latter?"""
    shares = [socket.SO_REUSEADDR]
    sender = sockets.make(lab.client, lab.client_addr[4], SOURCE)
    own = sockets.make(lab.server, lab.server_addr[4], OPEN, shares)
    own.connect((lab.client_addr[4], SOURCE))
    others = sockets.make(lab.server, "0.0.0.0", OPEN, shares)
    sender.sendto(b"first", (lab.server_addr[4], OPEN))
    assert own.recv(9) == b"first"
    sender.sendto(b"second", (lab.server_addr[4], ASKED))
    (ready, *_), _, _ = select.select([own, others], [], [], PATIENCE)
    assert ready.recv(9) == b"second"
    return ready is others


def test_answer_dropped(lab):
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(lab.server.socket(socket.AF_INET))
        listener.bind((lab.server_addr[4], SILENT))
        listener.listen(8)
        with Trace(lab.namespaces) as run:
            send_unanswered(lab, stack, listener)
    came = [x for x in run.segments if x["lport"] == SILENT and x["len"]]
    assert len(came) > 8
    for segment in came:
        assert segment["outcome"] == "established"
        assert segment.get("drop_reason") != "NETFILTER_DROP"
        assert "bad_checksum" not in segment


def test_source_rewritten(lab, make_sockets):
    """Early demux finds a socket by ends that the segment has no more. Kernels
    let it have that, up to 6.1: a segment for the listener is given to another's
    connection, and nothing explains that."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(lab.server.socket(socket.AF_INET))
        listener.bind((lab.server_addr[4], OPEN))
        listener.listen(8)
        listener.settimeout(20)
        with Trace(lab.namespaces, "-tu", "-P", f"{OPEN}") as run:
            is_right = clash(lab, stack, listener)
            is_right_of_udp = clash_of_datagrams(lab, make_sockets(lab))
    wrong = [x for x in run.segments if x["verdict"] == "unexplained"]
    assert (run.summary["verdict"] == "proved") == (is_right and
                                                    is_right_of_udp)
    assert bool(wrong) != is_right
    check_datagrams(run, is_right_of_udp)
    for segment in wrong:
        assert segment["why"].startswith("I1:")
        assert segment["flags"] == "SYN"
        assert segment.get("via", "early_demux") == "early_demux"
        assert "assigned_by" not in segment


@pytest.mark.parametrize("flags", ["SYN", "ACK"])
def test_request_of_another(labs, flags):
    """A request waits for its ACK. What comes from its remote end to another port,
    and gets another source, is no business of its."""
    stage = Stage(labs)
    add_rules(stage.here)
    with stage.listen(port=OPEN) as listener, Trace([stage.here]) as run:
        stage.tun.send(SOURCE, "SYN", 1000, port=OPEN)
        theirs = stage.tun.answer(SOURCE) + 1
        stage.tun.send(SOURCE, flags, 7000 if flags == "SYN" else 1001,
                       theirs if flags == "ACK" else 0, port=ASKED)
        answers = [x[1] for x in stage.tun.replies()]
        listener.settimeout(0.3)
        with contextlib.suppress(TimeoutError):
            conn, peer = listener.accept()
            stage.ends.append(conn)
            answers.append(peer)
    stage.close()
    # Its own answer: a request of its own, or a reset for an ACK of nothing.
    is_right = answers == [0x12 if flags == "SYN" else 0x04]
    second = [x for x in run.segments if x["lport"] == OPEN][1]
    assert second["rport"] != SOURCE
    assert second["verdict"] == ("proved" if is_right else "unexplained"), answers
    assert (run.summary["verdict"] == "proved") == is_right


def check_datagrams(run, is_right):
    """Two, and a second one that is wrong does not say that it was assigned."""
    first, second = run.datagrams
    assert judge.pick(first, ("outcome", "verdict")) == ("connected", "proved")
    assert second["rport"] != SOURCE
    if is_right:
        assert judge.pick(second, ("outcome", "verdict")) == (
            "unconnected", "proved")
        return
    assert judge.pick(second, ("outcome", "verdict")) == (
        "connected", "unexplained")
    assert second["why"].startswith("I8:")
    assert second.get("via", "early_demux") == "early_demux"
