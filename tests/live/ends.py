# SPDX-License-Identifier: GPL-2.0-only
"""The ends of what a trace tells, and of the test's own sockets, in one shape."""

ENDS = ("laddr", "lport", "raddr", "rport")


def unmapped(addr):
    return addr[7:] if addr.startswith("::ffff:") else addr


def ends_of(event):
    """A segment's: IPv4 as such, whatever the socket's family is."""
    return (event["netns"], event.get("laddr"), event.get("lport"),
            event.get("raddr"), event.get("rport"))


def server_ends(conn):
    return (conn.netns, unmapped(conn.laddr), conn.lport, unmapped(conn.raddr),
            conn.rport)


def client_ends(conn, netns):
    return (netns, unmapped(conn.raddr), conn.rport, unmapped(conn.laddr),
            conn.lport)


def pick(event, names):
    return tuple(event.get(x) for x in names)
