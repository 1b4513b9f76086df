"""Kill the pipeline at random moments and let it finish: `make chaos`, or `python tests/chaos.py --trials 20 --seed 1`.

In each trial DVC, the stage at work, or both are killed with SIGKILL, in a copy with a cache of its own and without the
run cache. The next `dvc repro` must finish with the bytes of a run that nothing disturbed, and must go on with a
training from its last finished epoch. Where DVC alone is killed, the next one starts while the stage may still be
running.
"""

import argparse
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from conftest import TINY, Workspace, commit_all, copy_repository, dvc_environment
from tqdm import tqdm

LONGER = {"augment.copies": 3, "train.epochs": 12}
REPRO = ("dvc", "repro", "--no-run-cache")
LIMIT = 600  # seconds, for what takes about one minute


def main() -> int:
    """Run the trials; the exit code is the number of those that failed."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--trials", type=int, default=20)
    command.add_argument("--seed", type=int, default=1)
    options = command.parse_args()
    draws = random.Random(options.seed)
    failed = resumed = 0
    with tempfile.TemporaryDirectory() as temporary:
        start = create(Path(temporary) / "start")
        undisturbed = Path(temporary) / "undisturbed"
        shutil.copytree(start, undisturbed)
        began = time.monotonic()
        repro(undisturbed)
        duration = time.monotonic() - began
        expected = hash_outputs(undisturbed)
        print(f"chaos: undisturbed: {duration:.0f} s, {len(expected)} output files")
        for number in tqdm(range(options.trials), desc="chaos", disable=None):
            victim = ("dvc", "stage", "both")[number % 3]
            moment = draws.uniform(1, duration)
            folder = Path(temporary) / f"trial-{number}"
            shutil.copytree(start, folder)
            killed_in, epochs, log = disturb(folder, victim, moment)
            faults = list(check(folder, expected, epochs, log))
            failed += bool(faults)
            resumed += "train: goes on after epoch" in log
            done = f" after {epochs} epochs" if killed_in.startswith("train") else ""
            print(
                f"chaos {number + 1}: {victim} killed after {moment:.1f} s, in {killed_in}{done}:",
                "; ".join(faults) or "the same bytes",
                flush=True,
            )
            shutil.rmtree(folder)
    print(f"chaos: {options.trials - failed} of {options.trials} ended with the same bytes, {resumed} resumed training")
    return failed


def create(folder: Path) -> Path:
    """Make a copy of the repository with tiny params, committed."""
    copy_repository(folder)
    Workspace.create(folder).set_params(**TINY | LONGER)
    commit_all(folder)
    return folder


def disturb(folder: Path, victim: str, moment: float) -> tuple[str, int, str]:
    """Start the pipeline, kill at the moment, and run it again to its end.

    Returns the stage that was at work, the epochs that it had finished, and what the second run printed.
    """
    log = folder / "killed.log"
    with log.open("w") as output:
        dvc = subprocess.Popen(
            REPRO, cwd=folder, env=dvc_environment(folder), stdout=output, stderr=output, start_new_session=True
        )
        time.sleep(moment)
        scripts = find_scripts(dvc.pid)
        if victim in ("dvc", "both"):
            kill(dvc.pid)
        if victim in ("stage", "both"):
            for script in scripts:
                kill(script)
        dvc.wait(LIMIT)
    text = log.read_text()
    second = repro(folder)
    stages = re.findall(r"Running stage '(.+)'", text)
    epochs = len(re.findall(r"^epoch \d+/", text, re.MULTILINE))
    return (stages[-1] if scripts and stages else "dvc itself"), epochs, second


def find_scripts(dvc: int) -> list[int]:
    """Return the processes of the stage at work, without its worker processes."""
    return [process.pid for process in psutil.Process(dvc).children(recursive=True) if runs_script(process)]


def runs_script(process: psutil.Process) -> bool:
    """Whether a process, which may have ended meanwhile, runs a script of src/."""
    try:
        return any(part.startswith("src/") for part in process.cmdline())
    except psutil.NoSuchProcess:
        return False


def kill(process: int) -> None:
    """Kill a process that may have ended by itself."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def repro(folder: Path) -> str:
    """Run the pipeline to its end and return what it printed."""
    result = subprocess.run(
        REPRO,
        cwd=folder,
        env=dvc_environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return result.stdout if result.returncode == 0 else f"{result.stdout}\nfailed with exit code {result.returncode}"


def check(folder: Path, expected: dict[str, str], epochs: int, log: str) -> list[str]:
    """Return what is wrong after the second run."""
    faults = []
    if "failed with exit code" in log:
        faults.append(f"dvc repro did not finish:\n{log}")
    outputs = hash_outputs(folder)
    if differing := {file for file in expected.keys() | outputs.keys() if expected.get(file) != outputs.get(file)}:
        faults.append(f"other bytes: {', '.join(sorted(differing))}")
    trains = "src/train.py" in log
    if epochs and trains and not re.search(rf"train: goes on after epoch ({epochs}|{epochs + 1}),", log):
        faults.append(f"the training did not go on after epoch {epochs}")
    cache = [file for file in (folder / "data" / "cache").iterdir() if file.suffix != ".lock"]
    if left := [str(file) for file in [*cache, *folder.rglob("*.tmp*")] if ".dvc" not in file.parts]:
        faults.append(f"left behind: {', '.join(left)}")
    return faults


def hash_outputs(folder: Path) -> dict[str, str]:
    """Return the hash of each file that the stages have made, and of dvc.lock."""
    outputs = [folder / "dvc.lock", folder / "data" / "dvc.lock"]
    for name in ("data/sample", "data/prepared", "data/augmented", "models", "metrics"):
        outputs += [file for file in (folder / name).rglob("*") if file.is_file() and "timing" not in file.parts]
    found = [file for file in outputs if file.exists()]
    return {str(file.relative_to(folder)): hashlib.md5(file.read_bytes()).hexdigest() for file in found}


if __name__ == "__main__":
    sys.exit(main())
