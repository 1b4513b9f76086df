"""The choice of what runs a sweep. The engines run in test_sweep.py, by `make test-slurm` and by `make test-ray`."""

import sys

import pytest

from affect.experiments.sweep.engines import Choice, Local
from affect.experiments.sweep.ray_engine import Ray
from affect.plumbing.errors import InputError


@pytest.mark.parametrize(("engine", "package"), [("slurm", "submitit"), ("ray", "ray")])
def test_an_engine_whose_package_is_missing_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, engine: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=rf"--engine {engine} takes {package}, .*; pip install {package}==\d"):
        Choice(engine).make(0)


def test_what_a_job_takes_is_read_as_yaml_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", sys)
    engine = Choice("ray", ("num_cpus=2", "num_gpus=0.5", "accelerator_type=H100")).make(0)
    assert isinstance(engine, Ray)
    assert engine.resources == {"num_cpus": 2, "num_gpus": 0.5, "accelerator_type": "H100"}


def test_the_local_engine_takes_no_resources() -> None:
    assert isinstance(Choice().make(0), Local)
    with pytest.raises(InputError, match="the local engine takes none"):
        Choice("local", ("num_gpus=1",)).make(0)


@pytest.mark.parametrize("resource", ["gpus", "=1", "gpus="])
def test_a_resource_is_a_name_and_a_value(resource: str) -> None:
    with pytest.raises(InputError, match=f"--resource {resource}: give NAME=VALUE"):
        Choice("local", (resource,)).make(0)
    with pytest.raises(InputError, match="is no value in YAML"):
        Choice("local", ("gpus=[",)).make(0)


@pytest.mark.parametrize("name", ["name", "nodes", "tasks_per_node"])
def test_a_job_of_several_tasks_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Each would run the experiment."""
    monkeypatch.setitem(sys.modules, "submitit", sys)
    with pytest.raises(InputError, match=f"--resource {name}: an experiment is one task of one host"):
        Choice("slurm", (f"{name}=2",)).make(0)
