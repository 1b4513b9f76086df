"""The layout of predictions can be read without the libraries that make them."""

import subprocess
import sys

import pytest
from conftest import ROOT

LIGHT = ["affect.core.predictions", "affect.evaluation.results", "affect.report.render", "report", "sweep", "prepare"]


@pytest.mark.parametrize("module", LIGHT)
def test_what_needs_no_network_imports_no_keras(module: str) -> None:
    code = f"import sys, {module}; print([name for name in ('keras', 'tensorflow') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "src", capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("[]\n", "")
