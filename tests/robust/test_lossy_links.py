"""Links that lose, change, double and reorder bytes and frames: right results or a clean error, nothing twice."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.robust.chaos import Accountant
from tests.robust.common import Worker


def campaign(seed: int, users: int, steps: int, rate: float, interrupts: float) -> tuple[Counter[str], Counter[str]]:
    """Some users, each on a link of its own, at once, as they mostly wait; what they did, and the damage."""
    accountants = [Accountant(seed * 100 + i, rate, interrupts) for i in range(users)]
    workers = [Worker(lambda a=accountant: a.run(steps)) for accountant in accountants]  # type: ignore[misc]
    for worker in workers:
        worker.finish()
    for accountant in accountants:
        accountant.finish()
    return sum((a.done for a in accountants), Counter()), sum((a.chaos.damage for a in accountants), Counter())


@pytest.mark.parametrize(
    ("rate", "interrupts", "steps"), [(0.02, 0.0, 60), (0.1, 0.0, 15), (0.02, 0.02, 40)], ids=["some", "much", "ctrl-c"]
)
def test_nothing_runs_twice(rate: float, interrupts: float, steps: int) -> None:
    done, damage = campaign(30, 5, steps, rate, interrupts)
    assert done["ok"] > steps, done
    assert len(damage) > 5, damage
