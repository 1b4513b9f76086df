"""No number in the README's table of results that the committed run did not produce."""

import json
import re

from conftest import ROOT

ROW = re.compile(r"^\| (\S+) \| (emotion|valence|arousal) \| (.+) \|$", re.MULTILINE)
COLUMNS = {
    "emotion": ["accuracy", "f1", "cohen_kappa", "krippendorff_alpha", "auc_roc", "auc_pr"],
    "valence": ["rmse", "corr", "sagr", "ccc", "mae", "r2"],
    "arousal": ["rmse", "corr", "sagr", "ccc", "mae", "r2"],
}


def test_the_results_table_is_the_committed_run() -> None:
    metrics = json.loads((ROOT / "metrics" / "evaluate.json").read_text())
    rows = ROW.findall((ROOT / "README.md").read_text())
    shown = {(backbone, task): [cell.strip() for cell in cells.split("|")] for backbone, task, cells in rows}
    backbones = [name for name, results in metrics.items() if isinstance(results, dict)]
    assert set(shown) == {(backbone, task) for backbone in backbones for task in COLUMNS}
    for (backbone, task), cells in shown.items():
        values = [metrics[backbone][task].get(name) for name in COLUMNS[task]]
        assert cells == ["undefined" if value is None else f"{value:.3f}" for value in values]
