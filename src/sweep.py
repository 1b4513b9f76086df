"""Run an experiment for each combination: `python src/sweep.py -S train.seed=1,2,3 -S augment.copies=4,0`.

Each runs in a clone of the last commit, one after the other, and is an experiment of DVC in the end. Those that have
been run are found by their parameters: the same command goes on after an interruption, and a longer list runs what is
new. It ends with a Markdown table of the metrics: mean and deviation over the seeds, or the experiments side by side.
"""

import argparse
import re
import signal
import sys
import time

from affect.experiments.commands import find_changed_data, git, head
from affect.experiments.engine import LocalEngine
from affect.experiments.plan import RESULTS, Combination, choose_names, find_run, plan_sweep
from affect.experiments.reading import read_experiments
from affect.experiments.summary import summarise
from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.stage import run_command

# What an experiment is made of, besides the files that git knows.
SOURCES = ("*.dvc", "src", "data/splits", "data/weights")


def main() -> None:
    """Run the command."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--name", default="sweep", help="the experiments are called NAME-1, NAME-2 ...")
    command.add_argument(
        *("-S", "--set-param"),
        action="append",
        required=True,
        dest="overrides",
        metavar="NAME=VALUE,...",
        help="values of a parameter, as `dvc exp run -S` takes them",
    )
    arguments = command.parse_args()
    if not re.fullmatch(r"\w[\w-]*(\.[\w-]+)*", arguments.name):
        raise InputError(f"--name {arguments.name}: a name has letters, digits, _, - and single . only")
    combinations = plan_sweep(arguments.overrides)
    baseline = head()
    require_committed()
    # As Ctrl-C: what runs is ended. nohup has a closed terminal ignored.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    failed = run_missing(combinations, arguments.name, baseline)
    experiments = read_experiments([baseline])
    runs = [(combination, run) for combination in combinations if (run := find_run(combination, experiments))]
    if runs:
        print(summarise(runs, arguments.overrides))
    if failed:
        raise InputError(f"{len(failed)} of {len(combinations)} failed: {'; '.join(failed)}")


def run_missing(combinations: list[Combination], name: str, baseline: str) -> list[str]:
    """Run the combinations that have not been run; return a line for each that failed."""
    failed = []
    with LocalEngine.alone(baseline, paths.SWEEP) as engine:
        found = read_experiments([baseline])
        runs = [find_run(combination, found) for combination in combinations]
        missing = [position for position, run in enumerate(runs, 1) if run is None]
        names = dict(zip(missing, choose_names(name, missing, [run.name for run in found]), strict=True))
        for position, (combination, run) in enumerate(zip(combinations, runs, strict=True), 1):
            at = f"{position} of {len(combinations)}"
            if run:
                say(f"{at}: {combination} has been run: {run.name}")
                continue
            chosen, started = names[position], time.monotonic()
            log = engine.log(chosen)
            say(f"{at}: {combination} runs as {chosen}; what it prints is in {log}")
            try:
                error = engine.run(chosen, combination)
            except KeyboardInterrupt:
                say(f"{at}: {chosen} stopped; the same command goes on with it")
                raise
            if error:
                say(f"{at}: {chosen} failed: {error}")
                failed.append(f"{combination} ({log})")
            else:
                say(f"{at}: {chosen} done in {time.monotonic() - started:.0f} s")
    return failed


def require_committed() -> None:
    """Raise InputError where code, data or parameters differ from the last commit, of which the experiments are."""
    new = git("ls-files", "--others", "--exclude-standard", "--", *SOURCES).splitlines()
    if new:
        raise InputError(f"{new[0]} is not in git, so a sweep's experiments would lack it; commit it, or move it away")
    if data := find_changed_data():
        raise InputError(
            f"{data[0]} differs from what DVC has recorded, which a sweep's experiments have; `dvc add {data[0]}` and "
            f"commit {data[0]}.dvc, or bring it back with `dvc checkout {data[0]}`"
        )
    results = [f":(exclude){path}" for path in RESULTS if path != str(paths.PARAMS)]
    if changed := git("diff", "--name-only", "HEAD", "--", ".", *results).splitlines():
        more = f" (and {len(changed) - 1} more)" if len(changed) > 1 else ""
        raise InputError(
            f"{changed[0]}{more} differs from the last commit, of which a sweep's experiments are; commit it, or bring "
            f"it back with `git restore --staged --worktree {changed[0]}`"
        )


def say(line: str) -> None:
    """Print a line of progress; standard output is the table's."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    run_command(main)
