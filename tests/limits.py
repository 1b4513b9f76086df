"""Check that the house can still be seen at a glance: `make lint`, or `python tests/limits.py`.

Whoever meets a limit divides the room by the field's nouns; docs/contributing.md says more.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "affect"
# Drawn faces are not the subject; most readers skip them.
LONG_MODULES = PACKAGE / "synthetic" / "faces"
# A file for each section of params.yaml, and what the sections share.
SECTIONS = PACKAGE / "plumbing" / "params"
MAX_MODULE_LINES = 200
MAX_MODULES = 8
MAX_README_LINES = 130


def main() -> int:
    """Print what is over a limit; the exit code is 1 if there is any."""
    faults = list(find_faults())
    for fault in faults:
        print(fault, file=sys.stderr)
    return min(len(faults), 1)


def find_faults() -> Iterator[str]:
    """Yield a line for each module, folder or README over its limit."""
    for file in sorted((ROOT / "src").rglob("*.py")):
        lines = count_lines(file)
        if lines > MAX_MODULE_LINES and not file.is_relative_to(LONG_MODULES):
            yield f"{file.relative_to(ROOT)} has {lines} lines, more than {MAX_MODULE_LINES}"
    # The rooms themselves are counted by nobody: import-linter's contract names each of them.
    for folder in sorted({file.parent for file in PACKAGE.rglob("*.py")} - {PACKAGE}):
        if not (folder / "__init__.py").exists():
            yield f"{folder.relative_to(ROOT)} has no __init__.py, so that import-linter passes over it"
        modules = [path for path in folder.iterdir() if is_module(path)]
        if len(modules) > MAX_MODULES and folder != SECTIONS:
            yield f"{folder.relative_to(ROOT)} holds {len(modules)} modules, more than {MAX_MODULES}"
    readme = count_lines(ROOT / "README.md")
    if readme > MAX_README_LINES:
        yield f"README.md has {readme} lines, more than {MAX_README_LINES}"


def count_lines(file: Path) -> int:
    """Count the lines of a text file."""
    return len(file.read_text(encoding="utf-8").splitlines())


def is_module(path: Path) -> bool:
    """Whether a path counts as a module of its folder: a file of Python, or a sub-folder."""
    return (path.suffix == ".py" and path.name != "__init__.py") or (path.is_dir() and any(path.rglob("*.py")))


if __name__ == "__main__":
    sys.exit(main())
