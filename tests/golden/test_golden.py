# SPDX-License-Identifier: GPL-2.0-only
"""Every recording here, through every sink.

NAME.rec is replayed as text and as JSON and compared with NAME.txt and
NAME.json byte by byte, and the list of its sockets with NAME.sockets.txt and
NAME.sockets.json; some also with --explain and NAME.explain.txt; as a
recording it must come out as it went in. Then
text and JSON are read back and must say the same of every event.

After a wanted change of the output, `make golden` writes the expected files
anew; `git diff` shows what became of it.
"""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
TOOL = os.environ.get("SOCKDEMUX_TRACE", str(HERE.parents[1] / "sockdemux-trace"))
RECORDINGS = sorted(HERE.glob("*.rec"))
EXPLAINED = sorted(HERE.glob("*.explain.txt"))
CUT = ["cut"]  # has no end, and half a record that no sink can give back

OUTPUTS = [(["-o", "text"], ".txt"), (["-o", "json"], ".json"),
           (["sockets"], ".sockets.txt"), (["sockets", "-j"], ".sockets.json")]

# One line of text: the time, the columns, then details in words.
LINE = re.compile(
    r"(?P<time>\d\d:\d\d:\d\d\.\d{6}) (?P<event>\S+) +(?:#(?P<sock>\d+)|-) +"
    r"(?P<remote>\S+:(?:\d+|\*|\?)) +(?P<local>\S+:(?:\d+|\*|\?))"
    r"(?P<rest>.*)")
# FLAGS and LEN are there for segments, and for datagrams, whose flags are UDP.
COLUMNS = re.compile(r" +(?P<flags>[A-Z?][A-Z|]*)? +(?P<len>\d+|\?)(?= |$)")


def arrival_of(line):
    """"segment", "datagram", or None."""
    found = LINE.fullmatch(line)
    columns = found and COLUMNS.match(found["rest"])
    if not columns:
        return None
    return "datagram" if columns["flags"] == "UDP" else "segment"


def replay(recording, *options):
    env = {**os.environ, "TZ": "UTC", "NO_COLOR": "1", "LC_ALL": "C"}
    done = subprocess.run([TOOL, "-r", recording, *options], env=env,
                          capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def by_name(recording):
    return recording.stem


@pytest.mark.parametrize("recording", RECORDINGS, ids=by_name)
@pytest.mark.parametrize("options, suffix", OUTPUTS)
def test_expected(recording, options, suffix):
    expected = recording.with_suffix(suffix).read_bytes()
    assert replay(recording, *options).decode() == expected.decode()


@pytest.mark.parametrize("expected", EXPLAINED, ids=lambda x: x.name)
def test_explained(expected):
    recording = expected.with_name(expected.name.replace("explain.txt", "rec"))
    assert replay(recording, "--explain").decode() == expected.read_text()


@pytest.mark.parametrize("recording", RECORDINGS, ids=by_name)
def test_explain_adds_lines(recording):
    """Below each arrival's, indented, and at most 100 columns; to JSON none."""
    plain = replay(recording).decode().splitlines()
    lines = replay(recording, "--explain").decode().splitlines()
    added = [x for x in lines if x.startswith(" " * 16)
             and "there before" not in x]
    assert [x for x in lines if x not in added] == plain
    assert all(len(x) <= 100 for x in added)
    arrivals = 0
    for line, below in zip(lines, lines[1:]):
        is_arrival = arrival_of(line) is not None
        arrivals += is_arrival
        assert below in added if is_arrival else (
            below not in added or line in added), line
    events = [json.loads(x) for x in replay(recording, "-j").splitlines()]
    assert arrivals == sum(x["event"] in ("segment", "datagram")
                           for x in events)
    assert replay(recording, "-j", "--explain") == replay(recording, "-j")


@pytest.mark.parametrize("recording", RECORDINGS, ids=by_name)
def test_numbers_at_the_end(recording):
    """Relative with --detail, as they are with -S; nothing else changes."""
    events = [json.loads(x) for x in replay(recording, "-j").splitlines()]
    segments = [x for x in events if x["event"] == "segment"]
    for options, after in ([], ""), (["--detail"], "_rel"), (["-S"], ""):
        lines = [x for x in replay(recording, *options).decode().splitlines()
                 if arrival_of(x) == "segment"]
        assert len(lines) == len(segments)
        for line, event in zip(lines, segments):
            has_ack = "ACK" in event.get("flags", "")
            words = (word(event, "seq" + after, " seq ") or "") + (
                has_ack and word(event, "ack" + after, " ack ") or "") + (
                word(event, "window", " win ") or "")
            assert options and words in line or " win " not in line


@pytest.mark.parametrize("recording", RECORDINGS, ids=by_name)
def test_recorded_again(recording):
    again = replay(recording, "-o", "record")
    whole = recording.read_bytes()
    if recording.stem in CUT:
        assert whole.startswith(again) and len(whole) - len(again) == 20
    else:
        assert again == whole


@pytest.mark.parametrize("recording", RECORDINGS, ids=by_name)
def test_quiet_is_the_summary(recording):
    events = [json.loads(line) for line in replay(recording, "-j").splitlines()]
    quiet = replay(recording, "-j", "-q").splitlines()
    assert [json.loads(line) for line in quiet] == events[-1:]
    whole = replay(recording, "-o", "text")
    assert whole.endswith(replay(recording, "-o", "text", "-q"))


ARRIVALS = "segment", "datagram"


def ends(event, side):
    """The addr:port that text shows, from JSON's own keys."""
    if event["event"] not in ARRIVALS and event[side + "port"] == 0:
        return "*:*"
    addr = str(event.get(side + "addr", "?"))
    port = event.get(side + "port", "?")
    return f"[{addr}]:{port}" if ":" in addr else f"{addr}:{port}"


def escaped(comm):
    """A command name as text shows it."""
    plain = lambda byte: 0x20 <= byte < 0x7f and byte != 0x5c
    return "".join(chr(byte) if plain(byte) else f"\\x{byte:02x}"
                   for byte in comm.encode())


def word(event, key, before, after=""):
    return f"{before}{event[key]}{after}" if key in event else None


def details(event):
    """The words that must stand in an event's line, and those that must not."""
    segment = event["event"] in ARRIVALS
    accept = event["event"] == "accept"
    close = event["event"] == "close"
    before = event["event"] == "socket"
    named = accept or before or event["event"] in ("listen", "bind",
                                                      "connect")
    words = {
        "via": segment and word(event, "via", " "),
        " v4-mapped": event.get("mapped") and " v4-mapped",
        " segs ": segment and event["segs"] != 1 and word(event, "segs",
                                                          " segs "),
        "state": before and word(event, "sock_state", " "),
        " fd ": (accept or before) and word(event, "fd", " fd "),
        "pid": named and word(event, "pid", "[", "]"),
        # A segment's own line may say it too; where it has a child, the
        # accept line of that does.
        " of #": (accept or before) and word(event, "parent", " of #"),
        " owners ": before and word(event, "owners", " owners "),
        " child #": word(event, "child", " child #"),
        # A listener's, or where a segment waits.
        " backlog ": (word(event, "backlog", " backlog ") or
                      event.get("detail") == "backlog" and " backlog"),
        " datagrams ": close and word(event, "datagrams", " datagrams "),
        " copy ": word(event, "copy", " copy "),
        " score ": word(event, "score", " score "),
        " group ": event["event"] == "datagram" and word(
            event, "group_index", " group "),
        " icmp": event.get("icmp") and " icmp",
        " dropped": event.get("dropped") and " dropped",
        " segments ": close and word(event, "segments", " segments "),
        " reset": event.get("reset") and " reset",
        " bad checksum": event.get("bad_checksum") and " bad checksum",
        " looked up again": event.get("repeated_lookup") and " looked up again",
        " explained": event.get("verdict") == "explained" and " explained",
        " unexplained": event.get("verdict") == "unexplained" and " unexplained",
        ": ": "why" in event and word(event, "why", ": "),
    }
    present = [text for text in words.values() if text]
    absent = [key for key, text in words.items()
              if not text and key.startswith(" ") and key != " of #"]
    return present, absent


def check_line(line, event):
    found = LINE.fullmatch(line)
    assert found, line
    segment = event["event"] in ARRIVALS
    assert event["time"][11:26] == found["time"]
    assert int(found["sock"] or 0) == event.get("sock", 0)
    assert found["remote"] == ends(event, "r")
    assert found["local"] == ends(event, "l")
    rest = found["rest"]
    if segment:
        assert found["event"] == event.get("outcome", "?")
        columns = COLUMNS.match(rest)
        assert columns, line
        assert (columns["flags"] or "") == (
            "UDP" if event["event"] == "datagram" else event.get("flags", "?"))
        assert columns["len"] == str(event.get("len", "?"))
        rest = rest[columns.end():]
    else:
        assert found["event"] == event["event"]
    present, absent = details(event)
    for text in present:
        assert text in rest, line
    parent = re.search(r" of #(\d+)", rest)
    assert not parent or int(parent[1]) == event["parent"], line
    comm = escaped(event.get("comm", "")) if event["event"] in (
        "accept", "bind", "connect", "listen", "socket") else ""
    if "�" not in event.get("comm", ""):  # those bytes are gone in JSON
        assert comm in rest, line
        for text in absent:
            assert text not in rest.replace(comm, ""), line


def shown(events):
    """Of the sockets that were there before, text has only the listeners where
    no filter asks for few."""
    return [x for x in events if x["event"] != "socket"
            or x["sock_state"] == "LISTEN"]


@pytest.mark.parametrize("recording", RECORDINGS, ids=by_name)
def test_text_and_json_say_the_same(recording):
    text = replay(recording, "-o", "text").decode("ascii")
    every = [json.loads(line) for line in replay(recording, "-j").splitlines()]
    events = shown(every)
    lines, _, summary = text.partition("\n\n")
    lines = lines.splitlines()[1:]
    more = [x for x in lines if "were there before" in x]
    lines = [x for x in lines if x not in more]
    left = {x["sock"] for x in every if x not in events}
    assert more == ([f"{'':16}{len(left)} more sockets were there before"]
                    if left else [])
    assert len(lines) == len(events) - 1
    for line, event in zip(lines, events):
        check_line(line, event)
    check_summary(summary, events[-1])


def test_all_older_sockets_under_a_filter():
    recording = HERE / "older.rec"
    text = replay(recording, "-o", "text", "-P", "80,443").decode("ascii")
    events = [json.loads(line) for line in replay(recording, "-j").splitlines()]
    lines = text.partition("\n\n")[0].splitlines()[1:]
    assert len(lines) == len(events) - 1
    for line, event in zip(lines, events):
        check_line(line, event)


def check_udp_summary(text, summary):
    assert re.search(rf"^{summary['datagrams']} datagrams?, "
                     rf"{summary['copies']} records? ", text, re.MULTILINE)
    shown = re.findall(r"^port (\d+) of UDP:.*; (\d+) datagrams?, (\d+) "
                       r"matched, (\d+) cop(?:y|ies), (\d+) misdelivered$",
                       text, re.MULTILINE)
    assert shown == [tuple(str(port[key]) for key in (
        "port", "datagrams", "matched", "copies", "misdelivered"))
        for port in summary["udp_ports"]]
    assert ("\nPROVED: " in text) == (summary["verdict"] == "proved")


def check_summary(text, summary):
    assert summary["event"] == "summary"
    known = "filtered" in summary
    if "datagrams" in summary:
        check_udp_summary(text, summary)
        if not summary["segments"]:  # -u alone
            return
    assert text.startswith(f"{summary['segments']} segment")
    counts = ([f"{summary[key]} {words}" for key, words in (
        ("filtered", "filtered out"), ("lost", "lost"),
        ("skipped", "skipped"))] if known else ["skipped unknown"])
    for words in counts + [f"{summary['accepted']} accepted"]:
        assert re.search(rf"\b{re.escape(words)}\b", text)
    assert ("\nNOT PROVED:\n" in text) == (summary["verdict"] != "proved")
    assert ("\nPROVED: " in text) == (summary["verdict"] == "proved")
    for why in summary["why"]:
        assert why in text
    shown = re.findall(r"^port (\d+):.*\n? .*?(\d+) segments?, (\d+) matched, "
                       r"(\d+) misdelivered$", text, re.MULTILINE)
    assert shown == [tuple(str(port[key]) for key in (
        "port", "segments", "matched", "misdelivered"))
        for port in summary["ports"]]


@pytest.mark.parametrize("recording", RECORDINGS, ids=by_name)
def test_nothing_hostile_comes_out(recording):
    for options in (["-o", "text"], ["-j"]):
        out = replay(recording, *options)
        # C1 controls are two bytes of UTF-8, and a terminal obeys them.
        bad = re.search(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", out)
        assert not bad, out[max(0, bad.start() - 60):bad.end()]


def regenerate():
    for recording in RECORDINGS:
        for options, suffix in OUTPUTS:
            recording.with_suffix(suffix).write_bytes(
                replay(recording, *options))
    for expected in EXPLAINED:
        recording = expected.with_name(
            expected.name.replace("explain.txt", "rec"))
        expected.write_bytes(replay(recording, "--explain"))


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(f"usage: {shlex.quote(sys.argv[0])} --write")
    regenerate()
