"""Fuzz what reads a stranger's files: `make fuzz`, or `PYTHONPATH=src:tests python tests/fuzz/run.py --seconds 600`.

Each target runs under atheris, in a process of its own, for a quarter of the time. An input that is neither accepted
nor refused with a reason, that takes over 10 seconds or over 2 GB, ends it: it is kept in fuzzing/, and said. What
atheris prints is in fuzzing/{target}.log.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

NAMES = ("dataset", "tables", "records", "params")
FOUND = Path("fuzzing")


def main() -> int:
    """Run all targets, or the one that is named; the exit code is the number of those with a failure."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--seconds", type=int, default=600)
    command.add_argument("--target", choices=NAMES, help="in this process, until it fails or the time is over")
    options = command.parse_args()
    if options.target:
        fuzz(options.target, options.seconds)
    FOUND.mkdir(exist_ok=True)
    return sum(fuzz_apart(target, options.seconds // len(NAMES)) for target in NAMES)


def fuzz_apart(target: str, seconds: int) -> bool:
    """Fuzz one target in a process of its own, say how many inputs it got, and return whether it has failed."""
    log = FOUND / f"{target}.log"
    with log.open("w") as output:
        command = [sys.executable, __file__, "--target", target, "--seconds", str(seconds)]
        failed = subprocess.run(command, check=False, stdout=output, stderr=output).returncode != 0
    inputs = re.findall(r"stat::number_of_executed_units:\s*(\d+)", log.read_text(errors="replace"))
    tried = f"{int(inputs[-1]):,} inputs" if inputs else "ended before it could count its inputs"
    print(f"fuzz: {target}: {tried}, {f'one of them failed, see {log}' if failed else 'none failed'}", flush=True)
    return failed


def fuzz(name: str, seconds: int) -> None:
    """Feed one target with altered inputs; ends the process."""
    # ruff: noqa: PLC0415, atheris is installed by `make fuzz` alone, and follows what is imported under its eyes
    import atheris

    with atheris.instrument_imports(include=["affect", "PIL", "ruamel"]):
        from fuzz.targets import TARGETS
    from fuzz.seeds import seeds

    corpus = FOUND / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(name)):
        (corpus / f"seed-{number}").write_bytes(seed)
    with tempfile.TemporaryDirectory() as folder:

        def run_one(content: bytes) -> None:
            refusal = TARGETS[name](Path(folder), content)
            assert "\n" not in refusal

        limits = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-max_len=20000"]
        outputs = ["-print_final_stats=1", f"-artifact_prefix={FOUND}/{name}-"]
        atheris.Setup([sys.argv[0], *limits, *outputs, str(corpus)], run_one)
        atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
