# SPDX-License-Identifier: Apache-2.0
"""Ports for the servers of a test: below those the kernel hands out, and no two test processes of a machine share any.

A number found by binding to port 0 and closing again lies in the range from which the kernel serves every outgoing
connection, so that it may be taken before the server binds it. Each process owns a block of numbers below that range
instead, for as long as it lives, by holding an abstract socket that is named after the block.
"""
import errno
import itertools
import os
import socket

FIRST, BLOCK = 10240, 512
_mine = {}  # process id: (the socket that holds the block, the numbers in turn); a forked child takes a block of its own


class NoPort(Exception):
    """No number is free."""


def _end():
    """The first port that the kernel may hand out by itself."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
        return int(f.read().split()[0])


def _block():
    for first in range(FIRST, _end() - BLOCK, BLOCK):
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            holder.bind(f"\0certwright-test-ports-{first}")
        except OSError:
            holder.close()
            continue
        return holder, itertools.cycle(range(first, first + BLOCK))
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
    """A port that is free for TCP and UDP on every address: prefer if that is so, else one that this process gives again only after
    all its others."""
    if prefer and _is_free(prefer):
        return prefer
    if os.getpid() not in _mine:
        _mine[os.getpid()] = _block()
    for port in itertools.islice(_mine[os.getpid()][1], BLOCK):
        if _is_free(port):
            return port
    raise NoPort(f"none of this test's {BLOCK} ports is free")
