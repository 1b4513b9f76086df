"""What a person sees of many experiments: width, order, marks, and the parameters that differ."""

import io
import re
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from affect.experiments.reading import Experiment
from affect.experiments.results.table import print_table
from affect.plumbing.errors import InputError

HEAD, OLD = "a" * 40, "b" * 40


def metrics(*accuracies: float, networks: tuple[str, ...] = ("resnet50", "efficientnetb1")) -> dict:
    return {
        (network, task, metric): value
        for network, value in zip(networks, accuracies, strict=True)
        for task, metric in (("emotion", "accuracy"), ("emotion", "f1"), ("valence", "ccc"), ("arousal", "ccc"))
    }


def commit(params: dict[str, Any], revision: str = HEAD, name: str = "main") -> Experiment:
    return Experiment(name, revision, revision, "success", params, metrics(0.5, 0.6))


def experiment(
    name: str, params: dict[str, Any], *accuracies: float, state: str = "success", baseline: str = HEAD
) -> Experiment:
    return Experiment(name, name.rjust(40, "c"), baseline, state, params, metrics(*accuracies) if accuracies else {})


def workspace_of(head: Experiment) -> Experiment:
    return Experiment("", "workspace", "", head.state, head.params, head.metrics)


def show(experiments: list[Experiment], width: int = 120) -> list[str]:
    written = io.StringIO()
    head = experiments[0]
    print_table([workspace_of(head), *experiments], Console(file=written, width=width, highlight=False, markup=False))
    return [line.rstrip() for line in written.getvalue().splitlines()]


SEED = {"train.seed": 42, "train.epochs": 6}


def test_the_table_as_a_whole() -> None:
    rows = [
        commit(SEED),
        experiment("seeds-1", SEED | {"train.seed": 1}, 0.7004, 0.4),
        experiment("seeds-2", SEED | {"train.seed": 2}, 0.6996, 0.6),
        experiment("seeds-3", SEED | {"train.seed": 3}, state="failed"),
    ]
    assert (
        "\n".join(show(rows))
        == """\
              resnet50                            efficientnetb1
experiment    accuracy      F1  valence  arousal  accuracy      F1  valence  arousal  seed
aaaaaaa main    0.500   0.500    0.500    0.500     0.600*  0.600*   0.600*   0.600*    42
  seeds-1       0.700*  0.700*   0.700*   0.700*    0.400   0.400    0.400    0.400      1
  seeds-2       0.700*  0.700*   0.700*   0.700*    0.600*  0.600*   0.600*   0.600*     2
  seeds-3     failed                                                                     3

valence, arousal: CCC. * the best of a column."""
    )


def test_the_workspace_is_shown_where_it_is_not_as_head() -> None:
    written = io.StringIO()
    edited = Experiment("", "workspace", "", "not run", SEED | {"train.epochs": 9}, {})
    print_table([edited, commit(SEED)], Console(file=written, width=120))
    lines = written.getvalue().splitlines()
    assert lines[1].split()[-1] == "epochs"
    assert lines[2].split() == ["workspace", "not", "run", "9"]


def test_a_commit_that_no_experiment_began_from_is_left_out() -> None:
    lines = show(
        [commit({}), commit({}, OLD, ""), commit({}, "d" * 40, ""), experiment("old", {}, 0.1, 0.1, baseline="d" * 40)]
    )
    assert [line.split()[0] for line in lines[2:5]] == ["aaaaaaa", "ddddddd", "old"]


def test_names_of_parameters_are_short_where_that_is_unambiguous() -> None:
    same = {"train.seed": 1, "data.seed": 1, "train.rate": 0.1, "backbones": ["a", "b"], "old": 1}
    other = {"train.seed": 2, "data.seed": 1, "train.rate": 0.2, "backbones": ["a"], "model.weights": None}
    lines = show([commit(same), experiment("x", other, 0.1, 0.1)])
    assert lines[1].split()[-3:] == ["train.seed", "rate", "backbones"]
    assert lines[3].split()[-3:] == ["2", "0.2", "a"]


@pytest.mark.parametrize("width", [120, 100, 70])
def test_what_does_not_fit_stands_below_with_the_same_names(width: int) -> None:
    names = [f"section.parameter_of_some_length_{number}" for number in range(9)]
    first = commit(dict.fromkeys(names, 1))
    networks = tuple(f"network{number}" for number in range(4))
    long = "a-name-that-somebody-has-made-up-and-that-goes-on-for-ever-"
    values: list[dict[str, Any]] = [dict.fromkeys(names, "a text " * 9), dict.fromkeys(names, 2)]
    rows = [
        Experiment(f"{long}{number}", f"{number}" * 40, HEAD, "success", params, metrics(*[0.1] * 4, networks=networks))
        for number, params in enumerate(values)
    ]
    lines = show([first, *rows], width)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert all(text.count(shown) == 1 for shown in [*networks, *(name.split(".")[1] for name in names)])
    blocks = text.split("\n\n")[:-1]
    assert len(blocks) > 1
    for block in blocks:
        assert [line.split()[0] for line in block.splitlines()[-3:]] == [
            "aaaaaaa",
            "a-name-that-s…n-for-ever-0"[:12] + block.splitlines()[-2].split()[0][12:],
            block.splitlines()[-1].split()[0],
        ]
        assert block.splitlines()[-2].split()[0].endswith("-0")
        assert block.splitlines()[-1].split()[0].endswith("-1")


def test_in_a_narrow_terminal_names_are_cut_and_figures_are_not() -> None:
    """A Japanese character takes two cells."""
    rows = [commit({}), Experiment("実験" * 11, "2" * 40, HEAD, "success", {}, metrics(0.1, networks=("resnet50",)))]
    lines = show(rows, 60)
    assert max(map(cell_len, lines)) <= 60
    assert re.findall(r"0\.100", "".join(line for line in lines if "実" in line)) == ["0.100"] * 4


def test_the_best_is_bold_on_a_terminal() -> None:
    written = io.StringIO()
    head = commit({})
    console = Console(file=written, width=120, force_terminal=True, color_system="standard", highlight=False)
    print_table([workspace_of(head), head, experiment("x", {}, 0.9, 0.1)], console)
    assert "\x1b[1m  0.900*\x1b[0m" in written.getvalue()


def test_one_run_alone_is_not_called_the_best() -> None:
    assert "*" not in show([commit({})])[2]


def test_nothing_to_show_is_told() -> None:
    head = Experiment("main", HEAD, HEAD, "not run", {}, {})
    with pytest.raises(InputError, match="nothing has been run"):
        show([head])
