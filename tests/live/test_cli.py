# SPDX-License-Identifier: GPL-2.0-only
"""Mistakes on the command line and in recordings. Needs no kernel to trace."""

import ipaddress
import json
import os
import pathlib
import struct
import subprocess

import pytest

from tracer import TOOL, run_tool

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"
ABI, = struct.unpack_from("=H", (GOLDEN / "clients.rec").read_bytes(), 12)
# struct recording_head: magic, order, abi, len, clock offset, five texts.
HEAD = struct.pack("=8sIHHq64s16s160s160s160s", b"sockdmx\n", 0x01020304, ABI,
                   584, 0, b"6.0", b"fentry", b"", b"", b"")
# struct demux_end: type 5, no counts.
END = struct.pack("=HHIQ72x", 5, 88, 0, 1)
NOBODY = 65534


# What the message says, where it is not the last argument.
NAMED = {"-o json:": "'json' has no file", "-j -o text": "two outputs",
         "--one-bucket": "of the demo alone",
         "demo --one-bucket -u": "of the demo of TCP",
         "-r x -r y": "only once", "-p 1 -p 2": "only once",
         "--without x --without y": "only once",
         "demo -P 1": "takes no filter", "demo -- true": "no command",
         "--remote :1 --remote :2": "only once",
         "--netns 4026531840 --netns 4026531841": "only once",
         "-6 --remote 10.1.2.3": "cannot be one of IPv4",
         "--remote ::1 -4": "cannot be one of IPv6",
         "--remote 10.1.2.3/8": "that network is 10.0.0.0/8",
         "--remote 2001:db8::1/32": "that network is 2001:db8::/32",
         "--netns 4194304": "no process of that id",
         "--netns /proc/self/ns/uts": "is no network namespace",
         "-r x -- true": "'true' cannot run with -r",
         "-p 1 -- true": "-p and a command exclude each other",
         "nonsense -- true": "'nonsense' is no command"}


@pytest.mark.parametrize("args", [
    *(["-P", x] for x in ("0", "65536", "80x", "90-80", "", "80,", ",80",
                          "-80", "80-", "80--90", "80,,90", " 80", "+80",
                          "0x50", "1-65536", "99999999999999999999")),
    ["-b", "bogus"], ["-p", "0"], ["-p", "me"], ["-p", "-1"], ["-n", "0"],
    ["-n", "x"], ["-n", "99999999999999999999"], ["-d", "0"], ["-d", "-1"],
    ["-d", "nan"], ["-d", "inf"], ["-d", "1s"], ["-d", ""], ["-o", "xml"],
    ["-o", "json:"], ["-o", ""], ["-w", ""], ["-j", "-o", "text"],
    ["--buffer-size", "0"], ["--buffer-size", "1G"], ["--buffer-size", "x"],
    ["--buffer-size", "9999M"], ["--nonsense"], ["nonsense"], ["demo", "x"],
    ["demo", "-r", "x"], ["demo", "-P", "1"], ["--one-bucket"], ["demo", "--", "true"],
    ["demo", "--one-bucket", "-u"], ["-r", "x", "-r", "y"],
    ["-p", "1", "-p", "2"], ["--without", "x", "--without", "y"],
    ["--"], ["-P", "80", "--"], ["nonsense", "--", "true"],
    ["-r", "x", "--", "true"], ["-p", "1", "--", "true"],
    *(["--remote", x] for x in (
        "", "*", ":", ":0", ":65536", "10.1.2.3:http", "10/8", "10.1.2.3/33",
        "10.1.2.3/8", "10.0.0.0/8:", "localhost", "2001:db8::/129",
        "2001:db8::1/32", "[2001:db8::1", "[10.1.2.3]:443", "fe80::1%lo")),
    ["--remote", ":1", "--remote", ":2"], ["-6", "--remote", "10.1.2.3"],
    ["--remote", "::1", "-4"],
    *(["--netns", x] for x in (
        "", "no-such-name", "0", "4294967296", "4194304", "/no/such/file",
        "/dev/null", "/proc/self/ns/uts")),
    ["--netns", "4026531840", "--netns", "4026531841"],
    *(["--cgroup", x] for x in ("", "/no/such/group", "no/such", "/proc")),
], ids=" ".join)
def test_usage(args):
    """Exit 2, nothing on stdout, and a message that names what was wrong."""
    done = run_tool(*args)
    assert (done.returncode, done.stdout) == (2, b"")
    said = done.stderr.decode()
    assert "sockdemux-trace: " in said
    assert NAMED.get(" ".join(args), args[-1]) in said


def test_hostile_argument():
    done = run_tool("--remote", "a\x1b[31mb")
    assert done.returncode == 2
    assert b"\x1b" not in done.stderr and b"a\\x1b[31mb" in done.stderr


def test_replay_has_no_cgroup(tmp_path):
    """What the recording does not say cannot be asked for."""
    with open("/proc/self/mounts") as mounts:
        if not any(x.split()[2] == "cgroup2" for x in mounts):
            pytest.skip("cgroup v2 is not mounted")
    path = tmp_path / "good"
    path.write_bytes(HEAD + END)
    code, out, said = replay(path, "--cgroup", "/")
    assert (code, out) == (2, "") and "does not say which cgroup" in said


def replayed(name, *args):
    """Its events, by what names each also where others are missing."""
    done = run_tool("-r", str(GOLDEN / name), "-j", *args)
    assert (done.returncode, done.stderr) == (0, b"")
    *events, summary = [json.loads(x) for x in done.stdout.splitlines()]
    assert summary["segments"] == sum(x["event"] == "segment" for x in events)
    return {(x["event"], x["mono_ns"]): x for x in events}, summary


def is_from(event, network, port=None):
    addr = ipaddress.ip_address(event["raddr"])
    addr = getattr(addr, "ipv4_mapped", None) or addr
    return not event["rport"] or (
        (not network or addr in ipaddress.ip_network(network)) and
        port in (None, event["rport"]))


@pytest.mark.parametrize("option, wanted", [
    ("--netns=4026531840", lambda x: x["netns"] == 4026531840),
    ("--netns=4026531999", lambda x: False),
    ("--remote=198.51.100.7", lambda x: is_from(x, "198.51.100.7")),
    ("--remote=192.0.2.2:65535", lambda x: is_from(x, "192.0.2.2", 65535)),
    ("--remote=198.51.100.0/24", lambda x: is_from(x, "198.51.100.0/24")),
    ("--remote=::ffff:127.0.0.1", lambda x: is_from(x, "127.0.0.1")),
    ("--remote=0.0.0.0/0", lambda x: is_from(x, "0.0.0.0/0")),
    ("--remote=::/0", lambda x: is_from(x, "::/0")),
    ("--remote=2001:db8::/32", lambda x: is_from(x, "2001:db8::/32")),
    ("--remote=:40002", lambda x: is_from(x, None, 40002)),
])
def test_replay_filters(option, wanted):
    """By what the records say, on any machine. A listener is anybody's."""
    for name in ("clients.rec", "families.rec", "real_mapped_reopened.rec",
                 "real_three_clients.rec"):
        whole, before = replayed(name)
        kept, after = replayed(name, option)
        expected = {x for x, y in whole.items() if wanted(y)}
        differ = kept.keys() ^ expected
        assert all(x[0] in ("listen", "close") and not whole[x]["rport"]
                   for x in differ)
        assert after["filtered"] - before["filtered"] == (
            before["segments"] - after["segments"])


def replay(path, *args):
    done = run_tool("-r", str(path), *args)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_good_recording(tmp_path):
    path = tmp_path / "good"
    path.write_bytes(HEAD + END)
    code, out, said = replay(path, "-j")
    assert (code, said) == (0, "") and '"event":"summary"' in out


OTHER_ORDER = struct.pack(">8sIHH568x", b"sockdmx\n", 0x01020304, 2, 584)
OTHER_FORMAT = HEAD[:12] + b"\x63\0" + HEAD[14:]
BAD_LENGTH = HEAD[:14] + b"\1\0" + HEAD[16:]


@pytest.mark.parametrize("content, message", [
    (b"", "is no recording"), (b"hello\n", "is no recording"),
    (b"\xd4\xc3\xb2\xa1" + bytes(500), "is no recording"),
    (HEAD[:-1], "is cut"), (OTHER_ORDER, "byte order"),
    (OTHER_FORMAT, "has format 99"), (BAD_LENGTH, "bad length"),
    (HEAD + bytes(16) + END, "is damaged at byte 584"),
    (HEAD + END[:2] + b"\x0f\0" + END[4:], "is damaged at byte 584"),
], ids=["empty", "text", "pcap", "short head", "byte order", "format",
        "head length", "zeros", "record length"])
def test_foreign_recording(tmp_path, content, message):
    path = tmp_path / "foreign"
    path.write_bytes(content)
    code, _, said = replay(path, "-j")
    assert code == 1 and message in said and str(path) in said


@pytest.mark.parametrize("cut", [b"", END[:40], END[:7]])
def test_cut_recording(tmp_path, cut):
    path = tmp_path / "cut"
    path.write_bytes(HEAD + cut)
    code, out, said = replay(path, "-j")
    assert code == 0 and '"not_proved"' in out and "is cut" in out
    assert ("ends in the middle" in said) == bool(cut)


def test_damaged_record(tmp_path):
    """Left out and counted; the next one is whole again."""
    path = tmp_path / "damaged"
    path.write_bytes(HEAD + struct.pack("=HHIQ", 1, 16, 0, 1) + END)
    code, out, said = replay(path, "-j")
    assert code == 0 and "damaged" in out and "damaged" in said
    assert '"not_proved"' in out


def test_unreadable_recording(tmp_path):
    assert replay(tmp_path / "none")[0] == 1
    assert "No such file" in replay(tmp_path / "none")[2]
    assert replay(tmp_path)[0] == 1
    assert "Is a directory" in replay(tmp_path)[2]
    hostile = replay(tmp_path / "a\x1b[31mb")[2]
    assert hostile and "\x1b" not in hostile


def test_own_recording_is_kept(tmp_path):
    path = tmp_path / "same"
    path.write_bytes(HEAD + END)
    assert replay(path, "-w", str(path))[0] == 2
    assert path.read_bytes() == HEAD + END


def test_outputs_that_cannot_be(tmp_path):
    path = tmp_path / "good"
    path.write_bytes(HEAD + END)
    code, _, said = replay(path, "-j", "-w", str(tmp_path / "no" / "file"))
    assert code == 1 and "No such file" in said
    code, _, said = replay(path, "-w", "/dev/full")
    assert code == 1 and "No space left" in said and "/dev/full" in said
    with open("/dev/full", "w") as full:
        done = subprocess.run([TOOL, "-r", str(path), "-j"], stdout=full,
                              stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1 and b"No space left" in done.stderr


@pytest.mark.parametrize("args", [[], ["-j"], ["-w", "-"]])
def test_closed_stdout(args):
    done = run_tool("-r", str(GOLDEN / "clients.rec"), *args,
                    preexec_fn=lambda: os.close(1))
    assert done.returncode == 1
    assert b"standard output is closed" in done.stderr


@pytest.mark.skipif(os.getuid(), reason="only root can become nobody")
def test_no_root(public):
    """It says so once, whatever else each backend would miss."""
    done = run_tool(executable=public + "/sockdemux-trace",
                    preexec_fn=lambda: os.setuid(NOBODY))
    assert done.returncode == 3
    said = done.stderr.decode()
    assert "CAP_BPF" in said and "CAP_PERFMON" in said and "root" in said
    assert len(said.splitlines()) == 1


def test_help_and_version():
    done = run_tool("--help")
    assert done.returncode == 0 and b"--port" in done.stdout
    done = run_tool("-V")
    assert done.returncode == 0
    assert done.stdout.startswith(b"sockdemux-trace ")
