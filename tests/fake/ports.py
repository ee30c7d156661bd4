# SPDX-License-Identifier: Apache-2.0
"""Ports for the servers of a test: below those the kernel hands out, and no two test processes of a machine share any.

A number found by binding to port 0 and closing again lies in the range from which the kernel serves every outgoing
connection, so that it may be taken before the server binds it. Each process owns a block of numbers below that range
instead, for as long as it lives, by holding an abstract socket that is named after the block; when that is used up it takes
a further one. No number is given twice: what asked an authority that has ended would ask the one that came in its place.
"""
import errno
import os
import socket
import threading

FIRST, BLOCK = 10240, 512
_lock = threading.Lock()
_mine = {}  # process id: (the sockets that hold its blocks, the numbers not given yet); a forked child takes blocks of its own


class NoPort(Exception):
    """No number is free."""


def _end():
    """The first port that the kernel may hand out by itself."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
        return int(f.read().split()[0])


def _add_block(holders, numbers):
    for first in range(FIRST, _end() - BLOCK, BLOCK):
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            holder.bind(f"\0certwright-test-ports-{first}")
        except OSError:
            holder.close()
            continue
        holders.append(holder)
        numbers.extend(range(first, first + BLOCK))
        return
    raise NoPort("every block of ports for tests is held by a running test")


def _is_free(port):
    """Nothing listens there, on IPv4 or IPv6, by TCP or UDP, and no connection of an ended server lingers."""
    for family in (socket.AF_INET, socket.AF_INET6):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            try:
                s = socket.socket(family, kind)
            except OSError:  # a host without IPv6
                continue
            with s:
                if family == socket.AF_INET6:
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                try:
                    s.bind(("" if family == socket.AF_INET else "::", port))
                except OSError as e:
                    if e.errno == errno.EADDRINUSE:
                        return False
    return True


def free_port(prefer=None):
    """A port that is free for TCP and UDP on every address: prefer if that is so, else one that this process has not given before."""
    if prefer and _is_free(prefer):
        return prefer
    holders, numbers = _mine.setdefault(os.getpid(), ([], []))
    while True:
        with _lock:
            if not numbers:
                _add_block(holders, numbers)
            port = numbers.pop(0)
        if _is_free(port):
            return port
