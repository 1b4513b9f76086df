"""A table of experiments for a person: a row each, four metrics of each network, the parameters that differ.

Columns that do not fit beside each other continue in a further block below, with the same names.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from affect.experiments.reading import SUCCESS, WORKSPACE, Experiment
from affect.plumbing import paths
from affect.plumbing.errors import InputError

# Higher is better in each. Heading, width, task and metric.
SHOWN = (
    ("accuracy", 8, "emotion", "accuracy"),
    ("F1", 6, "emotion", "f1"),
    ("valence", 7, "valence", "ccc"),
    ("arousal", 7, "arousal", "ccc"),
)
LEGEND = "valence, arousal: CCC. * the best of a column."
MAX_WIDTH = 120
MIN_NAME, MAX_NAME = 12, 28
MAX_VALUE = 20
GAP = 2
# The width of a network's four metrics.
FIGURES = sum(width + GAP for _, width, _, _ in SHOWN)


@dataclass(frozen=True)
class Column:
    """What stays together when the table is cut into blocks: a network's four metrics, or a parameter."""

    heading: str
    cells: list[Text]
    right: bool = False

    @property
    def width(self) -> int:
        """The characters of a line."""
        return max(Text(line).cell_len for line in [*self.heading.splitlines(), *(cell.plain for cell in self.cells)])


def print_table(experiments: Sequence[Experiment], console: Console) -> None:
    """Print the table, as wide as the console at most, where a name and four metrics fit into it.

    Raises InputError where nothing has been run.
    """
    rows = choose_rows(experiments)
    if not any(row.metrics or row.is_experiment for row in rows):
        raise InputError(
            f"nothing has been run: neither HEAD nor an experiment has {paths.EVALUATE_METRICS} of its own"
        )
    # In a narrow terminal names are cut before figures are.
    longest = max(MIN_NAME, min(MAX_NAME, console.width - FIGURES - GAP))
    names = Column("\nexperiment", [_name(row, longest) for row in rows])
    networks = list(dict.fromkeys(network for row in rows for network in row.networks))
    columns = [_network_column(network, rows, first=not number) for number, network in enumerate(networks)]
    if not networks:
        columns.append(Column("", [Text(row.state) for row in rows]))
    columns += [
        Column(f"\n{label}", [Text(_show(row.params.get(name, "-"))) for row in rows], right=True)
        for name, label in name_differing(rows).items()
    ]
    for block in _cut(columns, console.width - names.width):
        console.print(_block([names, *block]), no_wrap=True, crop=False)
        console.print()
    console.print(LEGEND)


def choose_rows(experiments: Sequence[Experiment]) -> list[Experiment]:
    """Drop the workspace where it is as HEAD, and commits without experiments, HEAD apart."""
    workspace, head, *others = experiments
    is_head = workspace.params == head.params and workspace.metrics == head.metrics and workspace.state == head.state
    began = {row.baseline for row in others if row.is_experiment}
    rows = [row for row in others if row.is_experiment or row.baseline in began]
    return [*([] if is_head else [workspace]), head, *rows]


def name_differing(rows: Sequence[Experiment]) -> dict[str, str]:
    """Return each parameter of which the rows have two values or more, and its shortest name that is unambiguous."""
    names = list(dict.fromkeys(name for row in rows for name in row.params))
    differing = [name for name in names if len({_show(row.params[name]) for row in rows if name in row.params}) > 1]
    return {name: _shorten_name(name, names) for name in differing}


def _shorten_name(name: str, names: Sequence[str]) -> str:
    parts = name.split(".")
    endings = (".".join(parts[-length:]) for length in range(1, len(parts)))
    return next((end for end in endings if sum(f".{other}".endswith(f".{end}") for other in names) == 1), name)


def _name(row: Experiment, longest: int) -> Text:
    if row.is_experiment:
        return Text(f"  {_shorten(row.label, longest - 2)}")
    name = row.label if row.revision == WORKSPACE else f"{row.revision[:7]} {row.name}".strip()
    return Text(_shorten(name, longest), style="bold")


def _network_column(network: str, rows: Sequence[Experiment], first: bool) -> Column:
    values = [[row.metrics.get((network, task, metric)) for _, _, task, metric in SHOWN] for row in rows]
    best = [_best([row[number] for row in values]) for number in range(len(SHOWN))]
    headings = (" " * GAP).join(heading.rjust(width) for heading, width, _, _ in SHOWN)
    cells = [
        _numbers(figures, best) if row.state == SUCCESS else Text(row.state if first else "")
        for row, figures in zip(rows, values, strict=True)
    ]
    return Column(f"{network}\n{headings}", cells)


def _best(values: Sequence[float | None]) -> str | None:
    """Return the highest as it is shown, where there are two to choose from."""
    present = [value for value in values if value is not None]
    return f"{max(present):z.3f}" if len(present) > 1 else None


def _numbers(values: Sequence[float | None], best: Sequence[str | None]) -> Text:
    line = Text()
    for number, (value, highest) in enumerate(zip(values, best, strict=True)):
        shown = "-" if value is None else f"{value:z.3f}"
        is_best = shown == highest
        # The figures stand below each other, the mark behind them.
        cell = (shown + ("*" if is_best else " ")).rjust(SHOWN[number][1])
        line.append(" " * GAP if number else "").append(cell, style="bold" if is_best else "")
    return line


def _cut(columns: Sequence[Column], width: int) -> Iterator[list[Column]]:
    """Yield the columns in blocks of at most a width; a column that is wider stands alone."""
    block: list[Column] = []
    for column in columns:
        if block and sum(GAP + each.width for each in [*block, column]) > width:
            yield block
            block = []
        block.append(column)
    yield block


def _block(columns: Sequence[Column]) -> Table:
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="")
    for column in columns:
        table.add_column(column.heading, justify="right" if column.right else "left", no_wrap=True)
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*cells)
    return table


def _show(value: Any) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list) else "null" if value is None else str(value)
    return _shorten(text, MAX_VALUE)


def _shorten(text: str, longest: int) -> str:
    """Leave out the middle: names begin alike, and end with a number. longest: in cells of a terminal."""
    if cell_len(text) <= longest:
        return text
    half = longest // 2
    return f"{set_cell_size(text, longest - half - 1)}…{set_cell_size(text[::-1], half)[::-1]}"
