"""Networks that a test may cut: a process in a namespace of its own reaches our servers through a pair of cards.

A direction is cut by sending its packets to a hardware address that nobody has: they vanish without a word to either
side, as in a broken switch. That takes no packet filter, which not every kernel has.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Flag, auto
from itertools import count

import pytest

NOBODY = "02:00:00:00:00:01"

_numbers = count(1)


class Cut(Flag):
    """Which packets of a namespace vanish."""

    DEAF = auto()
    """Those that it should hear"""
    MUTE = auto()
    """Those that it sends"""
    BOTH = DEAF | MUTE


class Namespace:
    def __init__(self, server: str, number: int) -> None:
        self.name = f"ledger-{os.getpid()}-{number}"
        self.within = ("ip", "netns", "exec", self.name)
        """Runs the command that follows inside"""
        self._server = server
        self._card = f"led{os.getpid() % 100_000}x{number}"
        prefix = f"10.231.{os.getpid() % 250}"
        self._outer, self._inner = f"{prefix}.{number * 4 + 1}", f"{prefix}.{number * 4 + 2}"

    def make(self) -> None:
        _ip("netns", "add", self.name)
        _ip("link", "add", self._card, "type", "veth", "peer", "name", "uplink", "netns", self.name)
        _ip("address", "add", f"{self._outer}/30", "dev", self._card)
        _ip("link", "set", self._card, "up")
        for command in (
            ("link", "set", "lo", "up"),
            ("address", "add", f"{self._inner}/30", "dev", "uplink"),
            ("link", "set", "uplink", "up"),
            ("route", "add", self._server, "via", self._outer),
        ):
            _ip("-n", self.name, *command)

    def cut(self, directions: Cut) -> None:
        if Cut.DEAF in directions:
            _ip("neigh", "replace", self._inner, "lladdr", NOBODY, "dev", self._card, "nud", "permanent")
        if Cut.MUTE in directions:
            inside = ("neigh", "replace", self._outer, "lladdr", NOBODY, "dev", "uplink", "nud", "permanent")
            _ip("-n", self.name, *inside)

    def heal(self) -> None:
        _ip("neigh", "flush", "dev", self._card, "nud", "permanent")
        _ip("-n", self.name, "neigh", "flush", "dev", "uplink", "nud", "permanent")

    def remove(self) -> None:
        """Whatever there is of it."""
        _ip("link", "delete", self._card, check=False)
        _ip("netns", "delete", self.name, check=False)


class Network:
    """An address for servers, which namespaces can reach."""

    def __init__(self) -> None:
        self.address = f"10.231.{os.getpid() % 250}.254"
        self.namespaces: list[Namespace] = []

    def namespace(self) -> Namespace:
        namespace = Namespace(self.address, next(_numbers) % 63)
        self.namespaces.append(namespace)  # removed even where it is only half made
        namespace.make()
        return namespace


@contextmanager
def network() -> Iterator[Network]:
    made = Network()
    try:
        _ip("address", "add", f"{made.address}/32", "dev", "lo")
        yield made
    finally:
        for namespace in made.namespaces:
            namespace.remove()
        _ip("address", "delete", f"{made.address}/32", "dev", "lo", check=False)


def _ip(*arguments: str, check: bool = True) -> None:
    try:
        run = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.fail("network namespaces need the `ip` command: install iproute2, or use --no-namespaces")
    if check and run.returncode:
        if "not permitted" in run.stderr or "ermission denied" in run.stderr:
            pytest.fail(
                "this process may not make network namespaces: run as root (in a container with --privileged, or "
                "--cap-add NET_ADMIN --cap-add SYS_ADMIN), or leave these tests out with --no-namespaces"
            )
        raise AssertionError(f"ip {' '.join(arguments)}: {run.stderr.strip()}")
