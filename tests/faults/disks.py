"""Small disks that a test may fill: a file system in memory, mounted where a server keeps its data."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

LEAST_BYTES = 4096


class Disk:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ballast = folder / "ballast"

    def free_bytes(self) -> int:
        status = os.statvfs(self._folder)
        return status.f_bavail * status.f_frsize

    def fill(self, leave_bytes: int = 0) -> None:
        """Take all room but so much."""
        with self._ballast.open("ab") as ballast:
            while (room := self.free_bytes() - leave_bytes) >= LEAST_BYTES:
                try:
                    os.posix_fallocate(ballast.fileno(), ballast.tell(), room)
                except OSError:  # somebody else was faster
                    continue
                ballast.seek(0, os.SEEK_END)

    def make_room(self) -> None:
        self._ballast.unlink()


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Disk]:
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.fail(
            f"no small disk can be mounted ({mounted.stderr.strip()}): run as root (in a container with --privileged, "
            "or --cap-add SYS_ADMIN), or leave these tests out with --no-namespaces"
        )
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
