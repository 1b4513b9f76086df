"""Trainings and sweeps by a real Slurm on this machine: `make test-slurm`, which installs it.

pytest does not collect it by itself.
"""

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import dvc_environment, run
from launched import require_bytes_of_two_devices
from slurm_cluster import cluster
from swept import SEEDS, SWEEP, make_repository, read_results, sweep_here


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with cluster(tmp_path_factory.mktemp("slurm")) as environment:
        yield environment


def test_two_tasks_of_srun_train_the_bytes_of_two_devices_and_dvc_lock_says_the_same(
    slurm: dict[str, str], tmp_path: Path
) -> None:
    require_bytes_of_two_devices(tmp_path, AFFECT_LAUNCH="srun -n2 --overcommit", SLURM_CONF=slurm["SLURM_CONF"])


def test_a_sweep_as_jobs_has_the_bytes_of_one_here(slurm: dict[str, str], tmp_path: Path) -> None:
    """A sweep that is killed leaves its jobs, and the next one finds them."""
    expected = sweep_here(tmp_path / "here")
    assert set(expected) == set(SEEDS)
    folder = make_repository(tmp_path / "jobs")
    environment = dvc_environment(folder) | {"SLURM_CONF": slurm["SLURM_CONF"]}
    command = [*SWEEP, "--engine", "slurm", "-R", "cpus_per_task=1"]
    killed = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    assert killed.stderr is not None
    ids = []
    for line in killed.stderr:
        if " of Slurm, " in line:
            ids.append(line.partition(" is job ")[2].split()[0])
        if len(ids) == len(SEEDS):
            break
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    again = run(folder, *command, SLURM_CONF=slurm["SLURM_CONF"])
    assert all(f"is job {id} of Slurm" in again.stderr for id in ids)
    assert "Mean ± standard deviation over 2 runs" in again.stdout
    assert read_results(folder) == expected
    assert not list((folder / "data" / "cache" / "sweep").glob("*/clone"))


def test_a_job_that_is_cancelled_is_told_and_runs_again(slurm: dict[str, str], tmp_path: Path) -> None:
    folder = make_repository(tmp_path / "jobs")
    environment = dvc_environment(folder) | {"SLURM_CONF": slurm["SLURM_CONF"]}
    command = [*SWEEP[:-1], "train.seed=1", "--engine", "slurm"]
    process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    line = next(line for line in process.stderr if " of Slurm, " in line)
    time.sleep(10)
    subprocess.run(["scancel", line.partition(" is job ")[2].split()[0]], env=environment, check=True)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 1
    # Slurm ends the job's DVC, or all of the job at once.
    assert "it was ended by SIG" in said or "has ended without a result" in said
    run(folder, *command, SLURM_CONF=slurm["SLURM_CONF"])
    assert set(read_results(folder)) == {1}
