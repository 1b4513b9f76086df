"""The pages of the pipelines that are more than the experiment, as far as they are of its present models.

Each page lies beside a results.json that holds, in `models`, the MD5 of every model file that it is about.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup

from affect.evaluation.groups.sides import METRICS
from affect.plumbing import paths
from affect.plumbing.errors import InputError

RESULTS_FILE = "results.json"
PAGE_FILE = "report.html"
# Of pipelines/explain: pictures that are of people, by name, and what they show.
PICTURES = {
    "faces.png": "A face of each predicted expression, its id and true expression below, and the maps that are shown.",
    "neighbours.png": "The worst errors, and the four held-out faces that the network takes for most like each.",
}
_MAIN = re.compile(r"<main>(.*)</main>", re.DOTALL)
_TITLE = re.compile(r"<h1>(.*?)</h1>", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """A page: what stands between <main> and </main>, its heading, the results that it shows, and the pictures of
    people that belong to it, by their captions."""

    title: Markup
    content: Markup
    results: dict[str, Any]
    pictures: Mapping[str, Path] = field(default_factory=dict)

    @property
    def is_external(self) -> bool:
        """Whether it is of the models on a dataset that they were not trained on."""
        return "free" in self.results

    @property
    def section(self) -> tuple[str, str]:
        """The anchor and the heading of the part of the report in which it stands; those of other datasets come first,
        under the matrix, which has its own."""
        if self.is_external:
            return "", ""
        return (
            ("looks", "What the networks look at") if "faithfulness" in self.results else ("exported", "Exported files")
        )


@dataclass(frozen=True)
class Column:
    """What the networks were tested on, a column of the matrix.

    dataset: as data.raw names it. judged: on which split, or in which way. path: of the results by network in the facts
    of the report. results: those. limited: whether predictions were limited to the dataset's expressions.
    """

    dataset: str
    judged: str
    path: list[str]
    results: dict[str, Any]
    limited: bool = False


# What the matrix shows of each network on each dataset.
MATRIX_METRICS = METRICS


def list_columns(dataset: str, evaluate: dict[str, Any], pages: Sequence[Page]) -> list[Column]:
    """Return the columns of the matrix: the held-out split of the run, then each other dataset in each way.

    dataset: of the run. evaluate: metrics/evaluate.json.
    """
    columns = [Column(dataset, f"{evaluate['split']} split, {evaluate['images']:,} images", ["evaluate"], evaluate)]
    for page in pages:
        if not page.is_external:
            continue
        tested, classes = page.results["dataset"], page.results["classes"]
        path = ["external", tested["name"]]
        images = f"{tested['images']:,} images"
        columns.append(Column(tested["dataset"], f"any of 8, {images}", [*path, "free"], page.results["free"]))
        if "limited" in page.results:
            judged, results = f"one of its {len(classes)}, {images}", page.results["limited"]
            columns.append(Column(tested["dataset"], judged, [*path, "limited"], results, limited=True))
    return columns


def read_pages(metrics: Path, models: Mapping[str, str], mirror: bool = False) -> tuple[list[Page], list[str]]:
    """Return the pages below `metrics` that are of present models alone, and a line for each that is left out.

    models: the MD5 of each present model's file by its network. mirror: evaluate.mirror of the run, of which a page
    that says its own must be. Raises InputError for a damaged page.
    """
    pages, left_out = [], []
    for file in sorted(metrics.glob(f"**/{RESULTS_FILE}")):
        page = _read_page(file)
        others = [name for name, made in page.results["models"].items() if models.get(name) != made["md5"]]
        if others:
            left_out.append(f"{file.with_name(PAGE_FILE)} is left out: it is of another {' and '.join(others)}")
        elif page.results.get("mirror", mirror) != mirror:
            left_out.append(f"{file.with_name(PAGE_FILE)} is left out: evaluate.mirror is another in it")
        else:
            pages.append(page)
    return pages, left_out


def _read_page(file: Path) -> Page:
    page = file.with_name(PAGE_FILE)
    try:
        results = json.loads(file.read_text(encoding="utf-8"))
        html = page.read_text(encoding="utf-8")
        md5s = [made["md5"] for made in results["models"].values()]
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror}; run the pipeline that makes {file.parent}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{file}: damaged ({error!r}); run the pipeline that makes {file.parent}") from None
    content, title = _MAIN.search(html), _TITLE.search(html)
    if not md5s or content is None or title is None:
        raise InputError(f"{page}: not a page of this repository; run the pipeline that makes {file.parent}")
    return Page(Markup(title[1].strip()), Markup(content[1]), results, _find_pictures(results))


def _find_pictures(results: Mapping[str, Any]) -> dict[str, Path]:
    """Return the pictures of a page's people that are here, and are those of the page."""
    found = {}
    for name, made in results.get("pictures", {}).items():
        file = paths.EXPLAIN / results["network"] / name
        if name in PICTURES and file.is_file() and paths.file_md5(file) == made:
            found[PICTURES[name]] = file
    return found
