"""Run the Optuna search of docs/experiments.md with real DVC: `make test-optuna`.

First with a stage that takes no time, whose curves tell which trial is to be pruned; then with a real training of a
tiny configuration, pruned at its first epoch.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import optuna
import psutil
from conftest import ROOT, TINY, Workspace, commit_all, copy_repository, dvc_environment
from stub_experiments import make_repository, watched

NETWORK = "efficientnetb1"
# The third is worse than the two before it, and the fourth better.
RATES = (0.002, 0.004, 0.0001, 0.008)
PRUNER = "optuna.pruners.MedianPruner(n_startup_trials=2, n_warmup_steps=1)"
# No CCC is above 1.
PRUNES_ALL = "optuna.pruners.ThresholdPruner(lower=2.0)"


def main() -> int:
    """Compare the ends of the trials with what they have to be; the exit code is 1 if they differ."""
    with tempfile.TemporaryDirectory() as temporary:
        made_up = search_made_up(Path(temporary) / "stub")
        trained = search_trainings(Path(temporary) / "tiny")
    return 0 if made_up and trained else 1


def search_made_up(folder: Path) -> bool:
    """Search where a stage makes up its curves."""
    make_repository(folder)
    (watched(folder) / "slow").touch()
    study = create_study(folder)
    for rate in RATES:
        study.enqueue_trial({"train.learning_rate": rate})
    run_recipe(folder, {"n_trials=20": f"n_trials={len(RATES)}"})
    return check(folder, study, ["COMPLETE", "COMPLETE", "PRUNED", "COMPLETE"])


def search_trainings(folder: Path) -> bool:
    """Search with trainings that would take minutes, but for the pruner."""
    folder.mkdir()
    copy_repository(folder)
    Workspace.create(folder).set_params(**TINY | {"train.epochs": 300})
    commit_all(folder)
    study = create_study(folder)
    changes = {'"resnet50"': f'"{NETWORK}"', PRUNER: PRUNES_ALL, "n_trials=20": "n_trials=1"}
    run_recipe(folder, changes, ending="study.optimize")
    running = [process.info["cwd"] or "" for process in psutil.process_iter(["cwd"])]
    trainings = [place for place in running if Path(place).is_relative_to(folder)]
    reported = study.trials[0].intermediate_values
    print(f"tiny: pruned after {len(reported)} epochs, {len(trainings)} processes left")
    return check(folder, study, ["PRUNED"]) and 1 <= len(reported) < 300 and not trainings


def create_study(folder: Path) -> optuna.Study:
    """Create the recipe's study."""
    (folder / "data/cache/optuna").mkdir(parents=True)
    storage = f"sqlite:///{folder}/data/cache/optuna/study.db"
    return optuna.create_study(study_name="search", storage=storage, direction="maximize")


def run_recipe(folder: Path, changes: dict[str, str], ending: str = "") -> None:
    """Run the document's script with other values, up to the line that begins with `ending`."""
    text = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"```python\n(import secrets\n.*?)```", text, re.DOTALL)
    for value, other in changes.items():
        assert value in recipe, value
        recipe = recipe.replace(value, other)
    if ending:
        # Where no trial ends, there is no best one.
        recipe = recipe[: recipe.index("\n", recipe.index(f"\n{ending}") + 1)]
    environment = dvc_environment(folder) | {"STUB": str(watched(folder)), "PYTHONPATH": str(ROOT / "src")}
    subprocess.run([sys.executable, "-c", recipe], cwd=folder, env=environment, check=True)


def check(folder: Path, study: optuna.Study, expected: list[str]) -> bool:
    """Whether the trials have ended so, and have left nothing in DVC's folder."""
    states = [trial.state.name for trial in study.trials]
    left = [path.name for path in (folder / ".dvc/tmp/exps/standalone").iterdir()]
    print(f"{folder.name}: {', '.join(states)}; left in DVC's folder: {', '.join(left)}")
    return states == expected and left == ["run"]


if __name__ == "__main__":
    sys.exit(main())
