"""The page of what a network looks at: how true its maps are, and on which parts of the face they lie."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from affect.core.labels import EXPRESSIONS, TASKS
from affect.plumbing.errors import InputError
from affect.report.pages.left_behind import read_left_behind
from affect.report.plots.explained import BASELINES, METHOD_LABELS, plot_faithfulness, plot_features
from affect.report.provenance import package_versions
from affect.report.render import data_uri, make_environment

DOCUMENT = "docs/explain.md"
MEASURES = {"deletion": "deletion", "insertion": "insertion", "marked": "marked fifth"}
BEATEN = ("random", "centre")


@dataclass(frozen=True)
class Explained:
    """What evaluate@NETWORK of pipelines/explain has left: results.json, two tables, and the mean faces, if any."""

    results: dict[str, Any]
    curves: pd.DataFrame
    features: pd.DataFrame
    mean_faces: bytes | None

    @property
    def network(self) -> str:
        """The network's name."""
        return self.results["network"]

    @property
    def tasks(self) -> list[str]:
        """The tasks that the network has learnt."""
        return [task for task in TASKS if task in self.results["shown"]]

    @property
    def all_methods(self) -> list[str]:
        """The baselines, then the methods."""
        return list(self.results["faithfulness"])

    @property
    def regions(self) -> list[str]:
        """The parts of a picture; none where no landmarks are known."""
        return list(self.results.get("regions", {}).get("area", {}))

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Task and row of the table of regions: the expressions that were explained, and all of a task."""
        found = self.results.get("regions", {})
        named = [("emotion", name) for name in EXPRESSIONS if name in found.get("emotion", {})]
        return [*named, *((task, "all") for task in self.tasks if task in found)]

    def has(self, *path: str) -> bool:
        """Whether the results hold something at a path."""
        found: Any = self.results
        for part in path:
            if not isinstance(found, dict) or part not in found:
                return False
            found = found[part]
        return True

    def verdict(self, method: str, task: str) -> str:
        """Return shown, or why a method's maps of a task are not, and by which curves the middle of the picture is
        better, by an interval below 0."""
        if faults := self.results["faults"][method][task]:
            return f"not shown: {', '.join(faults)}"
        intervals = self.results["intervals"]["gain"]["centre"][method][task]
        better = [name for name in ("deletion", "insertion") if intervals[name][1] < 0]
        said = ["shown" if self.results["shown"][task] == method else "passes too"]
        return ", ".join(said + [f"the middle is better by {' and '.join(better)}"] * bool(better))

    def stands_out(self, task: str, row: str, region: str) -> bool:
        """Whether a region has more of a map than its share of the picture, by more than chance."""
        return region in self.results["above_area"][task][row]


def read_explained(folder: Path, pictures: Path) -> Explained:
    """Read what the stage has left in a folder of metrics/explain, and in one of data/explain.

    Raises InputError for what is not there.
    """
    (results,) = read_left_behind(folder, ("results.json",), DOCUMENT)
    try:
        curves, features = (pd.read_csv(folder / name) for name in ("curves.csv", "features.csv"))
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror}; {DOCUMENT} says how it is made") from None
    mean_faces = pictures / "mean_faces.png"
    return Explained(results, curves, features, mean_faces.read_bytes() if mean_faces.exists() else None)


def render_explain_html(explained: Explained, resamples: int) -> str:
    """Return the whole page, which needs nothing else. resamples: of the images, for the intervals."""
    return _render("explain.html.j2", explained, resamples)


def render_explain_markdown(explained: Explained, resamples: int) -> str:
    """Return the summary: how true the maps are, and the table of regions."""
    return _render("explain.md.j2", explained, resamples)


def _render(template: str, explained: Explained, resamples: int) -> str:
    html = ".html" in template
    environment = make_environment({"explain": {explained.network: explained.results}}, html)
    plots = [plot_faithfulness(explained.curves), plot_features(explained.features)] if html else []
    return environment.get_template(template).render(
        explained=explained,
        resamples=resamples,
        plots=[[(plot.caption, data_uri(plot.svg.encode(), "svg+xml")) for plot in group] for group in plots],
        mean_faces=data_uri(explained.mean_faces, "png") if explained.mean_faces else None,
        methods=METHOD_LABELS,
        measures=MEASURES,
        baselines=BASELINES,
        beaten=BEATEN,
        region_labels={name: "forehead and hair" if name == "hair" else name for name in explained.regions},
        versions=package_versions(),
    )
