"""pipelines/external/params.yaml: what a dataset does not say is as the defaults say, and mistakes are named."""

from pathlib import Path

import pytest
from conftest import ROOT

from affect.plumbing.errors import InputError
from affect.plumbing.params import load_external, load_params

FILE = ROOT / "pipelines" / "external" / "params.yaml"


def write(folder: Path, datasets: str) -> Path:
    file = folder / "params.yaml"
    file.write_text(FILE.read_text().replace("datasets: {}\n", f"datasets: {datasets}\n"))
    return file


def test_no_dataset_is_named_until_one_is_asked_for() -> None:
    assert load_external(FILE).datasets == {}


def test_the_defaults_are_those_of_the_experiment() -> None:
    data = load_params(ROOT / "params.yaml").data
    for name, value in load_external(FILE).defaults:
        assert name == "sample_size" or getattr(data, name) == value, name


def test_a_dataset_says_what_differs(tmp_path: Path) -> None:
    file = write(tmp_path, "{web: {raw: data/web, layout: folders, sample_size: 20, classes: ['1:surprise']}}")
    external = load_external(file)
    web = external.find("web")
    assert (web.raw, web.layout, web.sample_size, web.classes) == ("data/web", "folders", 20, ["1:surprise"])
    assert (web.max_dropped, web.min_side, web.seed) == (0.05, 16, 42)


@pytest.mark.parametrize(
    ("datasets", "message"),
    [
        ("{web: {raw: data/web, layout: zip}}", r"datasets\.web\.layout is 'zip', but should be 'affectnet'"),
        ("{web: {raw: data/web, sample: 3}}", r"datasets\.web\.sample is not a parameter"),
        ("{web: {layout: folders}}", r"datasets\.web\.raw is missing"),
        ("{web: data/web}", r"datasets\.web is 'data/web', but should"),
        ("{a/b: {raw: data/web}}", r"datasets\.a/b.* but should match pattern"),
        ("[data/web]", r"datasets is \['data/web'\], but should"),
        ("{web: {raw: data/web, person: '('}}", r"datasets\.web\.person is '\(', but should be a regular expression"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, datasets: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        load_external(write(tmp_path, datasets))
    assert "\n" not in str(refusal.value)


def test_an_unknown_name_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    external = load_external(write(tmp_path, "{web: {raw: data/web}, lab: {raw: data/lab}}"))
    with pytest.raises(InputError, match=r"params\.yaml: datasets has no 'wbe', but web, lab"):
        external.find("wbe")
