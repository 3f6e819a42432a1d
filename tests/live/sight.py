# SPDX-License-Identifier: GPL-2.0-only
"""What a backend can see on this kernel, after docs/hooks.md: the one place
that tests ask before they expect. What they are told cannot be seen is kept,
for the matrix."""

import collections
import platform

import pytest

# A shown value that is not what the kernel did, or not all of it; and since
# which kernel it is.
Limit = collections.namedtuple("Limit", "words since", defaults=[(999,)])
# Tracing programs may ask for a cookie since 5.12, c5dbb89fc2ac ("bpf: Expose
# bpf_get_socket_cookie to tracing programs").
WITH_COOKIE = 5, 12
WITH_DROP_REASON = 5, 17
WITH_TTL_REASON = 6, 3
WITH_DROP_SOCKET = 6, 11
WITH_RESET_OF_NOBODY = 6, 10
# No limit, but what the kernel's lookup does: 78c91ae2c6de ("ipv4/udp: Add 4-tuple
# hash for connected socket").
WITH_CONNECTED_HASH = 6, 13

COOKIE = Limit("`cookie`: not seen", WITH_COOKIE)
REASON = Limit("why it was `refused`: not seen", WITH_DROP_REASON)
TTL = Limit("`ttl`: not seen", WITH_TTL_REASON)
PROBES = {
    "cookie": COOKIE, "reason": REASON, "ttl": TTL,
    "late drop": Limit("why data was dropped at its socket: not seen",
                       WITH_DROP_REASON),
    "header apart": Limit("a header outside of the skb's linear part: not read"),
    "refused for": Limit("the listener of what is `refused`: not seen",
                         WITH_DROP_SOCKET),
}
LIMITS = {
    "fentry": PROBES,
    "kprobe": PROBES,
    "stable": {
        "cookie": COOKIE, "reason": REASON, "ttl": TTL,
        "via": Limit("`via`: not seen"),
        "request": Limit("`request`: outcome and socket predicted"),
        "reopened": Limit("TIME_WAIT that a SYN reopens: shown as `listener`"),
        "fast open": Limit("Fast Open's child: not seen before its accept"),
        "mptcp": Limit("accepts of MPTCP: not seen"),
        "looped request": Limit(
            "request at an own link-local address: predicted as `listener`"),
        "time_wait": Limit("`time_wait`: predicted, socket not seen",
                           WITH_DROP_SOCKET),
        "substate": Limit("`sock_substate`: not seen"),
        "none": Limit("`none`: predicted", WITH_DROP_REASON),
        "reset": Limit("`reset` of what is nobody's: not seen",
                       WITH_RESET_OF_NOBODY),
        "filter": Limit("`refused` by the filter: predicted",
                        WITH_DROP_REASON),
        "refused": Limit("`refused` before the filter: not seen",
                         WITH_DROP_SOCKET),
        "filtered request": Limit(
            "an ACK to a request that a filter refuses: shown as `request`",
            WITH_DROP_REASON),
        "refused request": Limit(
            "a request, of what is `refused`: its listener shown"),
        "backlog": Limit("`taken_up`, `backlog`: not seen"),
        "backlog full": Limit("`backlog_full`: predicted", WITH_DROP_REASON),
        "syn": Limit("what a listener did with a SYN: not seen"),
        "kept": Limit("`kept`, `ended`: not seen"),
        "listener closed": Limit("`listener_closed`: not seen"),
        "swallowed": Limit("`swallowed`, `acked`: not seen"),
        "ignored": Limit("`ignored`: not seen", WITH_RESET_OF_NOBODY),
        "late drop": Limit("why data was dropped at its socket: not seen"),
        "group hash": Limit("`group_hash`: not seen"),
        "icmp": Limit("UDP: `icmp`: not seen"),
        "merged": Limit("UDP: what GRO had merged: shown as its parts"),
        "encap": Limit("UDP: what an encapsulation takes: not seen"),
        "lost": Limit("UDP: `refused`: shown as `dropped`", WITH_DROP_REASON),
        "late checksum": Limit("a bad checksum after the match: not seen"),
    },
}


# What must be seen for a detail to be.
NEEDS = {"taken_up": "backlog", "backlog": "backlog",
         "request_made": "syn",
         "syn_dropped": "syn", "cookie_sent": "syn", "kept": "kept",
         "ended": "kept", "swallowed": "swallowed", "acked": "swallowed",
         "ignored": "ignored"}


def release():
    return tuple(int(x) for x in platform.release().split(".")[:2])


class Sight:
    """One backend's on one kernel."""

    told = set()  # the words of what the running test cannot see

    def __init__(self, backend, kernel=None):
        self.backend = backend
        self.limits = {x: y for x, y in LIMITS[backend].items()
                       if (kernel or release()) < y.since}

    def __call__(self, what):
        """Is it seen?"""
        if what not in self.limits:
            return True
        self.told.add(self.limits[what].words)
        return False

    def need(self, what):
        """Skips a test that is about nothing else."""
        if not self(what):
            pytest.skip(f"{self.backend}: docs/hooks.md: "
                        f"{self.limits[what].words}")

    def detail(self, outcome, detail):
        """What is shown of these two."""
        if detail == "reopened" and not self("reopened"):
            outcome, detail = "listener", "request_made"
        if detail == "listener_closed" and not self("listener closed"):
            detail = "reset"
        if outcome == "refused" and detail != "filter":
            named = self("reason") and (detail != "ttl" or self("ttl"))
            if named or self("refused"):
                return outcome, detail if named else None
            return (None if self("none") else "none"), None
        if detail == "denied":  # nobody's, and a policy is against it
            if self.backend != "stable" and not self("reason"):
                return "refused", None
            return outcome, "silent" if self("reset") else None
        if detail == "unanswered":  # nobody's, and signed
            return outcome, "silent" if self("reset") else None
        if detail == "reset" and outcome in ("none", "time_wait"):
            return outcome, "reset" if self("reset") else None
        needs = NEEDS.get(detail)
        if detail == "checksum" and outcome != "malformed":
            return outcome, detail if self("late checksum") else None
        return outcome, detail if not needs or self(needs) else None

    def word(self, pattern):
        """What judge.word() gives where the kernel did @pattern: F is a SYN
        that makes a child, O one that reopens TIME_WAIT."""
        if "O" in pattern:
            pattern = pattern.replace("O", "W" if self("reopened") else "L")
        return pattern.replace("F", "L")
