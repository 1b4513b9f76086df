"""The report of a run, as Markdown and as one HTML page that needs nothing else."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from affect.core.predictions import DECIMALS
from affect.evaluation.comparison import MIN_DIGITS, TIE, count_digits
from affect.evaluation.groups.results import MIN_IMAGES
from affect.report.pages.joined import MATRIX_METRICS, Page, list_columns
from affect.report.plots.of_run import plot_all
from affect.report.provenance import package_versions
from affect.report.run_results import LABELS, Results

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class LocalExtras:
    """What differs at each run, or may not leave the machine: costs of the last training here, pictures of errors; and
    the pages of the other pipelines that were asked for."""

    timing: dict[str, dict[str, float]]
    pictures: dict[str, Path]
    pages: Sequence[Page] = ()


def render_markdown(results: Results, parameters: dict[str, Any]) -> str:
    """Return the summary: the table of metrics with intervals and verdicts, costs and differences."""
    return _render("report.md.j2", results, parameters, None, None)


def render_html(
    results: Results, parameters: dict[str, Any], dataset_hash: str | None, extras: LocalExtras | None = None
) -> str:
    """Return the whole report as one self-contained page.

    parameters: params.yaml. dataset_hash: as affect.report.provenance.dataset_hash returns it. Without
    `extras` the page is the same for the same results.
    """
    return _render("report.html.j2", results, parameters, dataset_hash, extras)


def _render(
    template: str,
    results: Results,
    parameters: dict[str, Any],
    dataset_hash: str | None,
    extras: LocalExtras | None,
) -> str:
    html = ".html" in template
    pages = extras.pages if extras else ()
    facts = {
        "evaluate": results.evaluate,
        "prepare": results.prepare,
        "train": results.train,
        "timing": extras.timing if extras else {},
        "external": {page.results["dataset"]["name"]: page.results for page in pages if page.is_external},
    }
    files = extras.pictures if extras else {}
    pictures = {network: data_uri(file.read_bytes(), "png") for network, file in files.items()}
    environment = make_environment(facts, html)
    return environment.get_template(template).render(
        results=results,
        networks=results.networks,
        parameters=parameters,
        settings=_flatten(parameters),
        dataset_hash=dataset_hash,
        versions=package_versions(),
        plots=[(plot.caption, data_uri(plot.svg.encode(), "svg+xml")) for plot in plot_all(results.plots)]
        if html
        else [],
        extras=extras,
        pictures=pictures,
        page_pictures={file: data_uri(file.read_bytes(), "png") for page in pages for file in page.pictures.values()},
        columns=list_columns(parameters["data"]["raw"], results.evaluate, pages),
        matrix_metrics=MATRIX_METRICS,
        sections=sorted({page.section for page in pages if not page.is_external}),
    )


def make_environment(facts: Mapping[str, Any], html: bool) -> Environment:
    """Return what renders the templates, in which `number` and `estimate` format what `facts` has at a path."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["code"] = _mark_code
    number = _NumberFormatter(facts, html)
    environment.globals |= {
        "number": number,
        "estimate": number.estimate,
        "LABELS": LABELS,
        "TIE": TIE,
        "MIN_IMAGES": MIN_IMAGES,
    }
    return environment


class _NumberFormatter:
    """Formats the number at a path of the results; a missing path raises KeyError."""

    def __init__(self, facts: Mapping[str, Any], html: bool) -> None:
        self.facts = facts
        self.html = html

    def __call__(self, *path: str | int, digits: int = MIN_DIGITS) -> str:
        value = self._look_up(path)
        # "z" drops the sign of what is rounded to 0.
        text = f"{value:,}" if isinstance(value, int) else f"{value:z.{digits}f}"
        if not self.html:
            return text
        return Markup('<span data-number="{}">{}</span>').format(".".join(map(str, path)), text.replace("-", "−"))

    def estimate(self, path: Sequence[str | int], interval: Sequence[str | int]) -> str:
        """Format a number and its interval, with digits that show on which side of 0 the bounds are."""
        digits = count_digits(self._look_up(interval))
        low, high = (self(*interval, bound, digits=digits) for bound in (0, 1))
        bounds = Markup("<small>[{}, {}]</small>").format(low, high) if self.html else f"[{low}, {high}]"
        return self(*path, digits=digits) + " " + bounds

    def p_value(self, *path: str | int) -> str:
        """Format a probability, with digits that tell it from 0."""
        value = self._look_up(path)
        return "= " + self(*path, digits=count_digits([value])) if value else f"< 1e-{DECIMALS}"

    def _look_up(self, path: Sequence[str | int]) -> Any:
        value: Any = self.facts
        for part in path:
            value = value[part]
        return value


def _flatten(parameters: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested parameters by their dotted names."""
    flat: dict[str, Any] = {}
    for name, value in parameters.items():
        flat |= _flatten(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def _mark_code(text: str) -> Markup:
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def data_uri(content: bytes, kind: str) -> str:
    """Return a picture as a page holds it. kind: png or svg+xml."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
