"""What may lie in the place of an output that no command of ours has made."""

import os
import socket
from collections.abc import Callable
from pathlib import Path


def make_folder(path: Path) -> None:
    path.mkdir()
    (path / "thesis.txt").write_text("years of work")


def make_link_to_folder(path: Path) -> None:
    make_folder(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def make_link_to_file(path: Path) -> None:
    path.with_name("elsewhere").write_text("years of work")
    path.symlink_to("elsewhere")


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


OTHERS: dict[str, Callable[[Path], None]] = {
    "folder": make_folder,
    "empty folder": Path.mkdir,
    "link to a folder": make_link_to_folder,
    "link to a file": make_link_to_file,
    "link to nothing": lambda path: path.symlink_to("nowhere"),
    "named pipe": os.mkfifo,
    "socket": make_socket,
}
