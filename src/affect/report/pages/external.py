"""The page of the models on a dataset that they were not trained on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affect.core.labels import EXPRESSIONS, TASKS
from affect.report.pages.left_behind import read_left_behind
from affect.report.provenance import package_versions
from affect.report.render import make_environment
from affect.report.run_results import CLASS_LABELS, LABELS

# The ways to judge, in the order of the page; the second is there where the dataset lacks some of the expressions.
WAYS = ("free", "limited")
OF_WAY = {"free": "where any of 8 may be answered", "limited": "where only the dataset's may be answered"}


@dataclass(frozen=True)
class External:
    """What evaluate@NAME has left in results.json, and prepare@NAME in prepare.json."""

    results: dict[str, Any]
    prepare: dict[str, Any]

    @property
    def name(self) -> str:
        """The dataset's name in pipelines/external/params.yaml."""
        return self.results["dataset"]["name"]

    @property
    def networks(self) -> list[str]:
        """The networks' names."""
        return list(self.results["models"])

    @property
    def ways(self) -> list[str]:
        """The ways in which the networks were judged."""
        return [way for way in WAYS if way in self.results]

    @property
    def trained_on(self) -> dict[str, Any]:
        """What the models say that they were trained on: all were on the same records."""
        return self.results["models"][self.networks[0]]["card"]["trained_on"]

    @property
    def lacking(self) -> list[str]:
        """The expressions that the dataset lacks."""
        return [name for name in EXPRESSIONS if name not in self.results["classes"]]

    def metrics(self) -> list[tuple[str, str]]:
        """Return task and name of each metric that a network has in some way, in order."""
        found = [self.results[way][network] for way in self.ways for network in self.networks]
        return [(task, name) for task in TASKS for name in LABELS if any(name in one.get(task, {}) for one in found)]

    def class_labels(self) -> dict[str, str]:
        """Return name and label of each number that a network has for an expression."""
        found = [self.results[way][network]["classes"] for way in self.ways for network in self.networks]
        known = {name for entries in found for entry in entries for name in entry}
        return {name: label for name, label in CLASS_LABELS.items() if name in known}

    def notes(self) -> list[str]:
        """Return each note on what is undefined and why, but those on the expressions that are lacking.

        One that is not of both ways says of which.
        """
        by_way = {
            way: dict.fromkeys(note for network in self.networks for note in self.results[way][network]["notes"])
            for way in self.ways
        }
        shown = []
        for note in dict.fromkeys(note for notes in by_way.values() for note in notes):
            ways = [way for way, notes in by_way.items() if note in notes]
            if not note.startswith("emotion: no image is "):
                shown.append(note if ways == self.ways else f"{note} ({OF_WAY[ways[0]]})")
        return shown


def read_external(folder: Path) -> External:
    """Read what the two stages have left in a folder of metrics/external. Raises InputError for what is not there."""
    return External(*read_left_behind(folder, ("results.json", "prepare.json"), "docs/external.md"))


def render_external_html(external: External, resamples: int) -> str:
    """Return the whole page, which needs nothing else. resamples: of the images, for the intervals."""
    return _render("external.html.j2", external, resamples)


def render_external_markdown(external: External, resamples: int) -> str:
    """Return the summary: the metrics with their intervals."""
    return _render("external.md.j2", external, resamples)


def _render(template: str, external: External, resamples: int) -> str:
    facts = {"external": {external.name: external.results}, "prepare": {external.name: external.prepare}}
    environment = make_environment(facts, ".html" in template)
    return environment.get_template(template).render(
        external=external, resamples=resamples, versions=package_versions()
    )
