"""End a process with all that it has started."""

import os
import signal
import subprocess

import psutil


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it has started, unless it has ended."""
    if process.poll() is None:
        started = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for child in started:
            try:
                child.kill()
            except psutil.NoSuchProcess:
                continue
        process.wait()


def interrupt_session(process: subprocess.Popen[bytes], patience: float) -> None:
    """End a process and its session as Ctrl-C does; kill what has not ended after `patience` seconds."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            kill_tree(process)
