"""Render the report with what differs at each run, with pictures of the worst errors, and with the pages of the other
pipelines that are of the present models: `make report`."""

import json
import sys
from pathlib import Path

from affect.core.files import write_text
from affect.core.places import require_place
from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.params import Params, load_params
from affect.plumbing.stage import run_command
from affect.report.pages.joined import read_pages
from affect.report.provenance import changed_parameters, dataset_hash, model_hashes
from affect.report.render import LocalExtras, render_html
from affect.report.run_results import read_results

MAX_SHOWN = 3


def main() -> None:
    """Write metrics/full_report.html from what `dvc repro` has left in metrics/."""
    require_place(paths.FULL_REPORT)
    params = load_params()
    results = read_results(paths.METRICS)
    require_same_parameters(params, results.networks)
    timing = {network: timing for network in results.networks if (timing := read_timing(paths.model_file(network)))}
    pictures = {network: paths.WORST_ERRORS / f"{network}.png" for network in results.networks}
    pages, left_out = read_pages(paths.METRICS, model_hashes(results.networks, paths.LOCK), params.evaluate.mirror)
    for line in left_out:
        print(f"report: {line}", file=sys.stderr)
    extras = LocalExtras(timing, {network: file for network, file in pictures.items() if file.exists()}, pages)
    page = render_html(results, params.reported, dataset_hash(params.data.raw, paths.LOCK), extras)
    write_text(paths.FULL_REPORT, page)
    print(f"report: {paths.FULL_REPORT}")


def require_same_parameters(params: Params, networks: list[str]) -> None:
    """Raise InputError where params.yaml is not what the run in metrics/ had: the page would tell of another run."""
    if changed := changed_parameters(params.reported, networks, paths.LOCK):
        more = f", and {len(changed) - MAX_SHOWN} more" if len(changed) > MAX_SHOWN else ""
        raise InputError(
            f"{paths.METRICS} is of a run with other parameters ({'; '.join(changed[:MAX_SHOWN])}{more}); run dvc "
            f"repro, or bring {paths.PARAMS} back"
        )


def read_timing(model: Path) -> dict[str, float] | None:
    """Return seconds and memory of the training that made this model; None where it was not trained here."""
    if not model.is_file() or not paths.timing_file(model).is_file():
        return None
    return json.loads(paths.timing_file(model).read_text(encoding="utf-8"))


if __name__ == "__main__":
    run_command(main)
