"""Ray on this machine: `make test-ray`, which installs it and JAX. pytest does not collect it by itself."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from conftest import ROOT, dvc_environment, restore_ctrl_c, run
from launched import require_bytes_of_two_devices
from swept import SEEDS, SWEEP, make_repository, read_results, sweep_here

COMMAND = (*SWEEP, "--engine", "ray", "-R", "num_cpus=1")


def test_two_workers_of_the_script_of_the_docs_train_the_bytes_of_two_devices(tmp_path: Path) -> None:
    """On processors, which JaxTrainer takes where it is to take GPUs and JAX is to take processors."""
    (script,) = re.findall(r"```python\n(.+?)```", (ROOT / "docs" / "scale.md").read_text(), re.DOTALL)
    on_gpus, environment = 'use_gpu=True, resources_per_worker={"GPU": 8}', '"KERAS_BACKEND": "jax"'
    assert on_gpus in script
    assert environment in script
    script = script.replace(f", {on_gpus})", "),\n    jax_config=JaxConfig(use_gpu=True)")
    script = script.replace(environment, f'{environment}, "JAX_PLATFORMS": "cpu"')
    file = tmp_path / "by_ray.py"
    file.write_text(f"from ray.train.v2.jax import JaxConfig\n{script}")
    require_bytes_of_two_devices(
        tmp_path, AFFECT_LAUNCH=f"{sys.executable} {file}", RAY_ADDRESS="local", HOME=str(tmp_path)
    )


def test_a_sweep_as_tasks_has_the_bytes_of_one_here(tmp_path: Path) -> None:
    expected = sweep_here(tmp_path / "here")
    assert set(expected) == set(SEEDS)
    folder = make_repository(tmp_path / "tasks")
    said = run(folder, *COMMAND)
    assert said.stderr.count(" is a task of Ray, as ") == len(SEEDS)
    assert read_results(folder) == expected


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ("num_cpus=9999", "no machine of Ray has CPU 9999, but CPU "),
        ("memory=100000000000000", "no machine of Ray has CPU 1, memory 1e+14, but CPU "),
        ("resources={TPU: 4}", "no machine of Ray has CPU 1, TPU 4, but CPU "),
        *(("xyz=1", "xyz"), ("num_cpus=many", "--resource")),
    ],
)
def test_what_ray_has_not_got_is_refused(tmp_path: Path, resource: str, reason: str) -> None:
    folder = make_repository(tmp_path / "tasks")
    command = [*SWEEP, "--engine", "ray", "-R", resource]
    ran = subprocess.run(command, cwd=folder, env=dvc_environment(folder), capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    (line,) = [line for line in ran.stderr.splitlines() if line.startswith("sweep: ")]
    assert reason in line
    assert "Traceback" not in ran.stderr


NO_ANSWER = ", where no Ray answers: "


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        *(("127.0.0.1:1", NO_ANSWER), ("ray://127.0.0.1:1", NO_ANSWER), ("nowhere.invalid:6379", NO_ANSWER)),
        *(("127.0.0.1:99999", NO_ANSWER), ("nowhere", "; give HOST:PORT")),
    ],
)
def test_a_ray_that_does_not_answer_is_told(tmp_path: Path, address: str, reason: str) -> None:
    """Ray itself tries for minutes."""
    folder = make_repository(tmp_path / "tasks")
    ran = subprocess.run(
        [*SWEEP, "--engine", "ray"],
        cwd=folder,
        env=dvc_environment(folder) | {"RAY_ADDRESS": address},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"sweep: RAY_ADDRESS is {address}{reason}")
    assert ran.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_leave_no_process(tmp_path: Path, number: signal.Signals) -> None:
    folder = make_repository(tmp_path / "tasks")
    process = subprocess.Popen(
        COMMAND,
        cwd=folder,
        env=dvc_environment(folder),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=restore_ctrl_c,  # noqa: PLW1509, the tests start no threads
    )
    clones = folder / "data" / "cache" / "sweep"
    while not list(clones.glob("*/clone/data/sample")):
        assert process.poll() is None
    process.send_signal(number)
    said = process.communicate(timeout=120)[1]
    assert said.count("stopped; the same command goes on with it") == len(SEEDS)
    running = [found.info["cwd"] or "" for found in psutil.process_iter(["cwd"])]
    assert not [place for place in running if Path(place).is_relative_to(folder)]
    assert not list(clones.glob("*/clone"))
