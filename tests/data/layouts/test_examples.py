"""The commands of data/README.md set what they say, through DVC's own reading of -S."""

import re
import shlex
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import ROOT
from dvc.utils.hydra import apply_overrides

from affect.plumbing.params import Data, load_params

COMMANDS = re.findall(
    r"^dvc exp run .+$", (ROOT / "data" / "README.md").read_text(encoding="utf-8").replace("\\\n", ""), re.MULTILINE
)


def read_example(command: str, folder: Path) -> Data:
    """Return section data as the command's experiment would have it."""
    words = shlex.split(command)
    overrides = [word for before, word in pairwise(words) if before == "-S"]
    shutil.copy(ROOT / "params.yaml", folder)
    apply_overrides(folder / "params.yaml", overrides)
    return load_params(folder / "params.yaml").data


@pytest.mark.parametrize("command", COMMANDS)
def test_an_example_is_accepted_by_dvc_and_by_us(tmp_path: Path, command: str) -> None:
    data = read_example(command, tmp_path)
    assert data.raw.startswith("data/")
    assert f"data.raw={data.raw}" in command
    assert data.layout in command or data.layout == "affectnet"


def test_lists_come_through_the_command_line_as_they_are_written(tmp_path: Path) -> None:
    by_layout = [read_example(command, tmp_path) for command in COMMANDS]
    assert ["1:surprise", "2:fear", "3:disgust", "4:happy", "5:sad", "6:anger", "7:neutral"] in [
        data.classes for data in by_layout
    ]
    assert {"path": "file_name", "expression": "label", "box": "x y w h"} in [data.column_map for data in by_layout]
    assert (-10.0, 10.0) in [data.va_bounds for data in by_layout]
    assert [data.person for data in by_layout if data.person is not None] == [-1, "^(S[0-9]+)_"]
    assert {data.layout for data in by_layout} == {"affectnet", "affectnet_csv", "folders", "table", "fer2013"}
