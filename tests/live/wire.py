# SPDX-License-Identifier: GPL-2.0-only
"""Segments made by hand, and what tcpdump captured, read back."""

import collections
import ipaddress
import signal
import socket
import struct
import subprocess

FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32,
         "ECE": 64, "CWR": 128}


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[:len(data) & ~1]))
    total += data[-1] << 8 if len(data) & 1 else 0
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def segment(source, target, flags, payload=b"", seq=1, ack=0, words=5,
            damage=0, cut=None, ttl=64):
    """A whole packet. @source, @target: (address, port). @words is what its
    TCP header claims to be long, @damage is added to the checksum, @cut bytes
    are left of TCP. @ttl is IPv6's hop limit too."""
    from_ip, to_ip = (ipaddress.ip_address(x[0]) for x in (source, target))
    bits = sum(FLAGS[x] for x in flags.split("|"))
    header = struct.pack("!HHIIBBHHH", source[1], target[1], seq, ack,
                         words << 4, bits, 65535, 0, 0)
    tcp = (header + payload)[:cut]
    if from_ip.version == 4:
        pseudo = struct.pack("!BBH", 0, 6, len(tcp))
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, ttl, 6,
                         0)
    else:
        pseudo = struct.pack("!II", len(tcp), 6)
        ip = struct.pack("!IHBB", 6 << 28, len(tcp), 6, ttl)
    addrs = from_ip.packed + to_ip.packed
    if len(tcp) >= 18:
        right = checksum(addrs + pseudo + tcp)
        tcp = (tcp[:16] + struct.pack("!H", (right + damage) & 0xFFFF) +
               tcp[18:])
    return ip + addrs + tcp


def datagram(source, target, payload, damage=0, claimed=None, check=None,
             proto=socket.IPPROTO_UDP):
    """The same of UDP; @claimed is the length in its header, @check the
    checksum, if not the right one and @damage."""
    from_ip, to_ip = (ipaddress.ip_address(x[0]) for x in (source, target))
    addrs = from_ip.packed + to_ip.packed
    length = 8 + len(payload)
    header = struct.pack("!HHH", source[1], target[1],
                         length if claimed is None else claimed)
    if from_ip.version == 4:
        pseudo = struct.pack("!BBH", 0, proto, length)
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 1, 0, 64, proto, 0)
    else:
        pseudo = struct.pack("!II", length, proto)
        ip = struct.pack("!IHBB", 6 << 28, length, proto, 64)
    if check is None:
        right = checksum(addrs + pseudo + header + b"\0\0" + payload)
        check = (right + damage) & 0xFFFF
    return ip + addrs + header + struct.pack("!H", check) + payload


def cut(packet, size):
    """Leaves @size bytes of what is in an IPv4 or IPv6 packet."""
    if packet[0] >> 4 == 4:
        return (packet[:2] + struct.pack("!H", 20 + size) +
                packet[4:20 + size])
    return packet[:4] + struct.pack("!H", size) + packet[6:40 + size]


def send_raw(namespace, packet):
    """The kernel fills in the checksum of the IPv4 header itself."""
    domain = socket.AF_INET if packet[0] >> 4 == 4 else socket.AF_INET6
    at, size = (16, 4) if domain == socket.AF_INET else (24, 16)
    to = str(ipaddress.ip_address(packet[at:at + size]))
    with namespace.socket(domain, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.sendto(packet, (to, 0))


# --- tcpdump -----------------------------------------------------------------


class Capture:
    """`with Capture(...) as seen:`; then seen.frames counts what tcpdump took
    in: (laddr, lport, raddr, rport, seq, ack, flags, window, payload bytes); of
    @proto "udp" there are no seq, ack, flags and window."""

    def __init__(self, namespace, device, path, proto="tcp"):
        self.command = ["ip", "netns", "exec", namespace.name, "tcpdump", "-i",
                        device, "-Q", "in", "-s", "128", "-B", "16384", "-U",
                        "--immediate-mode", "-Z", "root", "-w", path, proto]
        self.path = path

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stderr=subprocess.PIPE,
                                        text=True)
        for line in self.process.stderr:
            if "listening on" in line:
                return self
        raise AssertionError("tcpdump did not start")

    def __exit__(self, *unused):
        self.process.send_signal(signal.SIGINT)
        said = self.process.communicate(timeout=30)[1]
        assert "\n0 packets dropped by kernel" in said, said
        with open(self.path, "rb") as file:
            self.frames = collections.Counter(read_pcap(file.read()))


def read_pcap(data):
    at = 24
    while at < len(data):
        (kept,) = struct.unpack_from("=I", data, at + 8)
        yield read_frame(data[at + 16:at + 16 + kept])
        at += 16 + kept


def read_frame(frame):
    ip = frame[14:]
    if ip[0] >> 4 == 4:
        start, addrs, at, proto = (ip[0] & 15) * 4, ip[12:20], 4, ip[9]
        length = struct.unpack_from("!H", ip, 2)[0] - start
    else:
        start, addrs, at, proto = 40, ip[8:40], 16, ip[6]
        (length,) = struct.unpack_from("!H", ip, 4)
    raddr, laddr = (str(ipaddress.ip_address(x))
                    for x in (addrs[:at], addrs[at:]))
    if proto == socket.IPPROTO_UDP:
        sport, dport = struct.unpack_from("!HH", ip, start)
        return laddr, dport, raddr, sport, length - 8
    sport, dport, seq, ack, offset, bits, window = struct.unpack_from(
        "!HHIIBBH", ip, start)
    return (laddr, dport, raddr, sport, seq, ack, bits, window,
            length - (offset >> 4) * 4)


def as_frame(event):
    """A segment event in the same shape."""
    bits = sum(FLAGS[x] for x in event["flags"].split("|"))
    ends = tuple(event[x] for x in ("laddr", "lport", "raddr", "rport"))
    return ends + (event["seq"], event["ack"], bits, event["window"],
                   event["len"])
