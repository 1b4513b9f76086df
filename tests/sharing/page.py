"""The commands of docs/sharing.md, as its reader runs them."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from conftest import ROOT, dvc_environment

PAGE = ROOT / "docs" / "sharing.md"
# The tests run in an environment that is set up already.
LEFT_OUT = "make setup && source .venv/bin/activate\n"


def read_commands() -> dict[str, str]:
    """The code blocks of the page, joined, by the heading that they stand under."""
    parts = re.split(r"^#+ (.+)\n", PAGE.read_text(), flags=re.MULTILINE)
    sections = zip(parts[1::2], parts[2::2], strict=True)
    blocks = {heading: "".join(re.findall(r"^```\n(.+?)^```$", text, re.M | re.S)) for heading, text in sections}
    return {heading: commands for heading, commands in blocks.items() if commands}


COMMANDS = read_commands()


def follow(heading: str, folder: Path, words: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the commands under a heading until one fails, with these words for the page's placeholders."""
    placeholders = "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words)
    commands = re.sub(placeholders, lambda found: words[found[0]], COMMANDS[heading].replace(LEFT_OUT, ""))
    return subprocess.run(
        ["bash", "-e", "-c", commands],
        cwd=folder,
        env=dvc_environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
