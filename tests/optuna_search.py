"""Run the Optuna search of docs/experiments.md with real DVC and a stage that takes no time: `make test-optuna`."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import optuna
from conftest import ROOT, dvc_environment
from stub_experiments import make_repository, watched

# The third is worse than the two before it, and the fourth better.
RATES = (0.002, 0.004, 0.0001, 0.008)


def main() -> int:
    """Compare the ends of the trials with what they have to be; the exit code is 1 if they differ."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = make_repository(Path(temporary) / "repository")
        (watched(folder) / "slow").touch()
        (folder / "data/cache/optuna").mkdir(parents=True)
        storage = f"sqlite:///{folder}/data/cache/optuna/study.db"
        study = optuna.create_study(study_name="search", storage=storage, direction="maximize")
        for rate in RATES:
            study.enqueue_trial({"train.learning_rate": rate})
        environment = dvc_environment(folder) | {"STUB": str(watched(folder)), "PYTHONPATH": str(ROOT / "src")}
        subprocess.run([sys.executable, "-c", read_recipe()], cwd=folder, env=environment, check=True)
        states = [trial.state.name for trial in study.trials]
        left = [path.name for path in (folder / ".dvc/tmp/exps/standalone").iterdir()]
    print(f"trials: {', '.join(states)}; left in DVC's folder: {', '.join(left)}")
    as_expected = states == ["COMPLETE", "COMPLETE", "PRUNED", "COMPLETE"] and left == ["run"]
    return 0 if as_expected else 1


def read_recipe() -> str:
    """Return the document's script, for as many trials as there are rates."""
    text = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"```python\n(import time\n.*?)```", text, re.DOTALL)
    return recipe.replace("n_trials=20", f"n_trials={len(RATES)}")


if __name__ == "__main__":
    sys.exit(main())
