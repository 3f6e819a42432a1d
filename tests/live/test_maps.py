# SPDX-License-Identifier: GPL-2.0-only
"""A trace may run for weeks: what its maps in the kernel know of a socket goes when
the socket does, however that ends."""

import json
import os
import socket
import subprocess

import pytest

import peers
from test_corners import IPPROTO_MPTCP
from test_kill import BPFTOOL, bpf_objects, held_by
from tracer import Trace, wait_until


def bpftool_map(*args):
    return json.loads(subprocess.check_output([BPFTOOL, "-j", "map", *args]))


def entries(pid):
    """In each hash map of that process: {name: how many}. Maps of the kind that
    forgets what is old by itself are not asked."""
    kinds = bpf_objects()
    found = {}
    for kind, number in held_by(pid)[0]:
        if kind == "map" and kinds.get((kind, number)) == "hash":
            shown = bpftool_map("show", "id", str(number))
            found[shown["name"]] = len(bpftool_map("dump", "id", str(number)))
    return found


def visit_by_mptcp(lab):
    kind = socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP
    addr = lab.server_addr[4], peers.IPV4.port
    try:
        listener = lab.server.socket(*kind)
    except OSError:
        return  # this kernel has none
    with listener:
        listener.bind(addr)
        listener.listen()
        for client in lab.client.socket(*kind), peers.client_socket(lab):
            client.connect(addr)
            conn, _ = listener.accept()
            peers.talk(client, conn)
            client.close()
            peers.reset(conn)


@pytest.mark.parametrize("options", [[], ["--pid", str(os.getpid())],
                                     ["-t", "-u"]])
def test_nothing_stays(labs, options):
    lab = labs.veth()
    with Trace(lab.namespaces, *options) as run:
        for family in peers.IPV4, peers.IPV6, peers.MAPPED:
            with peers.listen(lab, family) as listener:
                peers.visit(lab, listener, family)
        with peers.listen(lab) as listener:
            # Gone before it is accepted, one by one and with the listener.
            peers.reset(peers.connect(lab))
            peers.reset(listener.accept()[0])
            peers.reset(peers.connect(lab))
            left = peers.connect(lab)
        left.close()
        visit_by_mptcp(lab)
        known = entries(run.process.pid)
        wait_until(lambda: not any(entries(run.process.pid).values()),
                   f"empty maps: {known}")
    assert {"births", "owned"} <= known.keys()
