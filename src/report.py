"""Render the report with what differs at each run, and with pictures of the worst errors: `make report`."""

from affect.plumbing.stage import run_command

import json
from pathlib import Path

from affect.core.files import require_place, write_text
from affect.plumbing.params import load_params
from affect.report.provenance import dataset_hash
from affect.report.render import Unlocked, read_results, render_html

METRICS = Path("metrics")
LOCK = Path("dvc.lock")
PAGE = METRICS / "full_report.html"


def main() -> None:
    """Write metrics/full_report.html from what `dvc repro` has left in metrics/."""
    require_place(PAGE)
    params = load_params()
    results = read_results(METRICS)
    timing = {file.stem: json.loads(file.read_text()) for file in (METRICS / "timing").glob("*.json")}
    pictures = {network: METRICS / "plots" / "worst_errors" / f"{network}.png" for network in results.networks}
    unlocked = Unlocked(timing, {network: file for network, file in pictures.items() if file.exists()})
    page = render_html(results, params.reported, dataset_hash(params.data.raw, LOCK), unlocked)
    write_text(PAGE, page)
    print(f"report: {PAGE}")


if __name__ == "__main__":
    run_command(main)
