"""What a stranger's files may hold: damaged or foreign bytes are accepted or refused with a reason, never a crash."""

from pathlib import Path

import pytest
from fuzz.seeds import seeds
from fuzz.targets import TARGETS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CASES = [(target, number) for target in TARGETS for number in range(len(seeds(target)))]


@pytest.mark.parametrize(("target", "number"), CASES)
def test_what_is_valid_is_accepted(tmp_path: Path, target: str, number: int) -> None:
    assert TARGETS[target](tmp_path, seeds(target)[number]) == ""


@pytest.mark.parametrize(("target", "number"), CASES)
@settings(max_examples=100, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_damaged_is_accepted_or_refused(tmp_path: Path, target: str, number: int, data: st.DataObject) -> None:
    seed = seeds(target)[number]
    first = data.draw(st.integers(0, len(seed)))
    last = data.draw(st.integers(first, min(len(seed), first + 40)))
    for content in (seed[:first] + data.draw(st.binary(max_size=40)) + seed[last:], seed[:first]):
        assert "\n" not in TARGETS[target](tmp_path, content)


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=100, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_what_is_foreign_is_refused(tmp_path: Path, target: str, content: bytes) -> None:
    assert len(TARGETS[target](tmp_path, content).splitlines()) == 1
