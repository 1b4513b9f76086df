"""The page of a network's exported files: what they lose, and what they save."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affect.core.labels import TASKS
from affect.evaluation.comparison import MAX_LOSS, MIN_DIGITS
from affect.evaluation.groups.sides import METRICS
from affect.report.pages.left_behind import read_left_behind
from affect.report.provenance import package_versions
from affect.report.render import make_environment
from affect.report.run_results import LABELS

# What writes and runs exported files.
ENGINES = ("onnxruntime", "tf2onnx", "ai-edge-litert")


@dataclass(frozen=True)
class Exported:
    """What evaluate@NETWORK of pipelines/export has left in results.json and timing.json."""

    results: dict[str, Any]
    timing: dict[str, dict[str, float] | None]

    @property
    def network(self) -> str:
        """The network's name."""
        return self.results["network"]

    @property
    def files(self) -> list[str]:
        """The network's own file, then its exports."""
        return list(self.results["files"])

    @property
    def exports(self) -> list[str]:
        """The exports."""
        return self.files[1:]

    def metrics(self) -> list[tuple[str, str]]:
        """Return task and name of each metric, in order."""
        found = self.results[self.files[0]]
        return [(task, name) for task in TASKS for name in LABELS if name in found.get(task, {})]

    def change(self, export: str, task: str, metric: str) -> tuple[float, tuple[float, float]] | None:
        """Return what an export has more than the network of a metric, and the interval; None where none is defined."""
        for entry in self.results["comparison"]:
            of = (entry["first"], entry["second"], entry["task"], entry["metric"])
            if of == (self.files[0], export, task, metric):
                low, high = entry["interval"]
                return 0 - entry["difference"], (0 - high, 0 - low)
        return None

    def verdict(self, export: str) -> str:
        """Return same, or in which of accuracy, F1 and the CCCs an export is worse, by more than chance and visibly."""
        worse = [
            f"{task} {LABELS[metric]}".replace("emotion ", "")
            for task, metric in METRICS
            if (change := self.change(export, task, metric)) and change[1][1] < 0 and round(change[0], MIN_DIGITS) < 0
        ]
        return f"worse: {', '.join(worse)}" if worse else "same"

    def losses(self) -> dict[str, str]:
        """Return, by export, what it loses too much of."""
        lost: dict[str, list[str]] = {}
        for export in self.exports:
            for task, metric in METRICS:
                found = self.change(export, task, metric)
                if found and -found[0] >= MAX_LOSS:
                    lost.setdefault(export, []).append(f"{-found[0]:.3f} of {task} {metric}")
        return {export: ", ".join(parts) for export, parts in lost.items()}


def read_export(folder: Path) -> Exported:
    """Read what the stage has left in a folder of metrics/export. Raises InputError for what is not there."""
    return Exported(*read_left_behind(folder, ("results.json", "timing.json"), "docs/export.md"))


def render_export_html(exported: Exported, resamples: int) -> str:
    """Return the whole page, which needs nothing else. resamples: of the images, for the intervals."""
    return _render("export.html.j2", exported, resamples)


def render_export_markdown(exported: Exported, resamples: int) -> str:
    """Return the summary: sizes, and the metrics with what each export changes."""
    return _render("export.md.j2", exported, resamples)


def _render(template: str, exported: Exported, resamples: int) -> str:
    changes = {
        export: {f"{task} {metric}": exported.change(export, task, metric) for task, metric in exported.metrics()}
        for export in exported.exports
    }
    facts = {"export": {exported.network: exported.results}, "changes": changes, "timing": exported.timing}
    environment = make_environment(facts, ".html" in template)
    return environment.get_template(template).render(
        exported=exported, resamples=resamples, judged=METRICS, changes=changes, versions=package_versions(*ENGINES)
    )
