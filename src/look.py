"""Say what a folder of face images would give, before anything is prepared, and the command that runs it.

    python src/look.py data/mine
    python src/look.py data/mine -S data.layout=table -S 'data.columns=[path:file_name]'

-S takes the parameters of section data as `dvc exp run -S` does. All labels are read, and 200 of the pictures.
"""

import argparse
import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import shorten

from ruamel.yaml import YAML

from affect.data.layouts.registry import LAYOUTS, UNSET, find_layouts
from affect.data.survey import describe, survey
from affect.data.tables import list_tables, read_header
from affect.experiments.sweep.plan import overridden
from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.params import Data, load_params
from affect.plumbing.stage import printable, run_command

# What `-S` takes for a text without quotes.
PLAIN = re.compile(r"[A-Za-z][\w./:+-]*(?: +[\w./:+-]+)*")
KEYWORDS = ("null", "true", "false", "nan", "inf")
# How a dataset is read where nothing is said; another dataset's settings are not those of this one.
OF_ONE_DATASET = UNSET | {"person": None, "split_file": None, "folds": None, "fold": 1}
SHAPES = {
    "affectnet": "images/{id}.jpg and annotations/{id}_exp.npy, or train_set and val_set of these",
    "affectnet_csv": "training.csv, validation.csv or automatically_annotated.csv of AffectNet's release of 2017",
    "folders": "a folder for each expression, or in train, val and test such folders",
    "table": "a CSV with the columns path and expression; with others, name the layout as well: "
    "-S data.layout=table -S 'data.columns=[path:NAME,expression:NAME]'",
    "fer2013": "a CSV with the columns emotion, pixels and Usage",
}


def main() -> None:
    """Run the command."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("folder", type=Path)
    command.add_argument(
        *("-S", "--set-param"),
        action="append",
        default=[],
        dest="overrides",
        metavar="NAME=VALUE",
        help="of section data",
    )
    arguments = command.parse_args()
    folder, overrides = arguments.folder, arguments.overrides
    if others := [given for given in overrides if not given.startswith("data.")]:
        raise InputError(f"-S {others[0]}: not a parameter of section data, of which alone a look depends")
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; a dataset is the folder that holds its pictures and labels")
    current = load_params().data
    if not any(given.startswith("data.layout=") for given in overrides):
        fitting = find_layouts(folder)
        if len(fitting) != 1:
            show(name_layouts(folder, fitting))
            sys.exit(0 if fitting else 1)
        overrides.append(f"data.layout={fitting[0]}")
    data = override(folder, overrides)
    show([*describe(data, survey(data, data.image_size)), "", *say_how_to_run(current, data)])


def show(lines: Iterable[str]) -> None:
    """Print lines in which odd names can't move the cursor."""
    print(*map(printable, lines), sep="\n")


def name_layouts(folder: Path, fitting: list[str]) -> list[str]:
    """Say which layouts a folder could be, where that is none or several."""
    shown = [f"  {name:13} {SHAPES[name]}" for name in fitting or LAYOUTS]
    if fitting:
        asked = [f"  python src/look.py {shlex.quote(str(folder))} -S data.layout={name}" for name in fitting]
        return [
            f"{folder} fits {len(fitting)} layouts, of which you choose",
            *shown,
            "",
            "What each would give:",
            *asked,
        ]
    inside = shorten(", ".join(sorted(path.name for path in folder.iterdir())), 80, placeholder=" ...")
    tables = [f"  columns of {file.name}: {', '.join(read_header(file))}" for file in list_tables(folder)]
    return [f"{folder} fits no layout; it holds {inside or 'nothing'}", *tables, "The layouts are:", *shown]


def override(folder: Path, overrides: list[str]) -> Data:
    """Return section data of params.yaml for another folder, with overrides as `dvc exp run -S` takes them."""
    yaml = YAML()
    content = yaml.load(paths.PARAMS)
    content["data"] |= OF_ONE_DATASET | {"raw": str(folder)}
    with TemporaryDirectory() as place:
        base = Path(place) / paths.PARAMS.name
        yaml.dump(content, base)
        with overridden(base, overrides) as copy:
            return load_params(copy).data


def say_how_to_run(current: Data, data: Data) -> Iterator[str]:
    """Yield the commands that let DVC track the dataset, and run the experiment on it."""
    folder, root = Path(data.raw).resolve(), Path.cwd()
    inside = folder.is_relative_to(root)
    place = folder.relative_to(root) if inside else find_free_place(folder.name)
    yield "Run it:"
    if not inside:
        yield f"  cp -r {shlex.quote(data.raw)} {shlex.quote(str(place))}"
    if not inside or not is_tracked(place):
        notes = shlex.quote(f"{place}.dvc"), shlex.quote(str(place.parent / ".gitignore"))
        yield f"  dvc add {shlex.quote(str(place))}"
        yield f"  git add {' '.join(notes)} && git commit -m {shlex.quote(f'Track {place.name}')}"
    wanted = data.model_dump() | {"raw": str(place), "sample_size": None}
    had = current.model_dump()
    changed = [
        f"-S {shlex.quote(f'data.{name}={write(value)}')}" for name, value in wanted.items() if value != had[name]
    ]
    yield f"  dvc exp run {' '.join(changed)}"


def find_free_place(name: str) -> Path:
    """Return a folder for a dataset in data/ in whose place there is nothing, nor anything to come."""
    places = (Path("data") / (name if number == 1 else f"{name}-{number}") for number in count(1))
    return next(
        place
        for place in places
        if place not in paths.OUTPUTS and not place.exists() and not place.with_name(f"{place.name}.dvc").exists()
    )


def is_tracked(place: Path) -> bool:
    """Whether DVC has a folder of the repository, as what a stage makes or by a .dvc file, or one that it lies in."""
    return any(
        folder in paths.OUTPUTS or folder.with_name(f"{folder.name}.dvc").is_file()
        for folder in (place, *place.parents)
        if folder.name
    )


def write(value: object) -> str:
    """Return a value as `-S` takes it."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{','.join(map(write, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and not (PLAIN.fullmatch(value) and value.casefold() not in KEYWORDS):
        # Backslashes before a quote, and before what would stand for another parameter, are the only ones that count.
        escaped = re.sub(r"(\\*)('|\$\{|$)", lambda found: found[1] * 2 + (f"\\{found[2]}" if found[2] else ""), value)
        return f"'{escaped}'"
    return str(value)


if __name__ == "__main__":
    run_command(main)
