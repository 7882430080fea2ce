"""The engines that every test of behaviour runs on."""

from __future__ import annotations

import pytest

from .machine import ENGINES, Machine


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def machine(engine: str) -> Machine:
    return Machine(engine)
