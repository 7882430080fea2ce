"""Random sequences over boards, arrays, slices and modules, against NumPy; at the end nothing is left allocated."""

from __future__ import annotations

import gc
import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import p4kernel as p4
from p4kernel.memory import MemoryState

N = 6  # elements of a module's table
DTYPE: np.dtype[Any] = np.dtype(np.int32)


@p4.kernel
def combine(
    x: p4.In[np.int32], y: p4.In[np.int32], out: p4.InOut[np.int32], k: p4.i32, n: p4.i32 = p4.size("x", "y", "out")
) -> p4.i32:
    p4.c(r"""
        uint32_t sum = 0;
        for (int i = 0; i < n; ++i)
            sum += out[i] = (int32_t)((uint32_t)x[i] * k + y[i]);
        return (int32_t)sum;
    """)


def modules() -> tuple[p4.Module, Any]:
    """A module of its own; equal texts are built once."""
    m = p4.module(f"int32_t table[{N}] = {{1, 2, 3}}; int32_t calls; static uint32_t all;")

    @m.kernel
    def absorb(x: p4.In[np.int32], n: p4.i32 = p4.size("x")) -> p4.u32:
        p4.c(f"""
            calls++;
            for (int i = 0; i < n; ++i) {{
                table[i % {N}] = (int32_t)((uint32_t)table[i % {N}] + x[i]);
                all += x[i];
            }}
            return all;
        """)

    return m, absorb


@dataclass
class State:
    """What a module must have on one board."""

    table: npt.NDArray[np.int32] = field(default_factory=lambda: np.array([1, 2, 3] + [0] * (N - 3), np.int32))
    calls: int = 0
    all: int = 0


class Walker:
    """Does things at random, and knows what must come of them."""

    def __init__(self, seed: int, boards: list[p4.Board]) -> None:
        self.rng = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.boards = boards
        self.arrays: list[tuple[p4.DeviceArray[Any], npt.NDArray[Any]]] = []  # views share memory on both sides
        self.modules: list[tuple[p4.Module, Any, dict[int, State]]] = []
        self.done: Counter[str] = Counter()

    def run(self, steps: int) -> None:
        kinds = [self.make, self.slice, self.store, self.fetch, self.drop, self.call, self.call, self.free,
                 self.module, self.absorb, self.absorb, self.globals, self.reset, self.unload]  # fmt: skip
        for _ in range(steps):
            step = self.rng.choice(kinds)
            if step() is not False:
                self.done[step.__name__] += 1

    def finish(self) -> None:
        for array, model in self.arrays:
            assert np.array_equal(array.get(), model)
        self.arrays.clear()
        self.modules.clear()

    def values(self, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        return self.numbers.integers(-(1 << 31), 1 << 31, shape, DTYPE.type)

    def make(self) -> bool:
        if len(self.arrays) > 30:
            return False
        shape = tuple(self.rng.choices((1, 2, 3, 5, 12, 0), (4, 4, 4, 4, 2, 1), k=self.rng.randrange(4)))
        memory = self.rng.choice(("any", "psram", "sram"))
        values = self.values(shape)
        self.arrays.append((p4.array(values, memory=memory, board=self.rng.choice(self.boards)), values.copy()))
        return True

    def pick(self) -> tuple[p4.DeviceArray[Any], npt.NDArray[Any]] | None:
        return self.rng.choice(self.arrays) if self.arrays else None

    def key(self, shape: tuple[int, ...]) -> tuple[Any, ...]:
        r = self.rng
        keys: list[Any] = []
        for n in shape[: r.randrange(len(shape) + 1)]:
            if n and r.random() < 0.3:
                keys.append(r.randrange(-n, n))
            else:
                first, last = (r.choice((None, r.randrange(-n - 1, n + 2))) for _ in range(2))
                keys.append(slice(first, last, r.choice((None, None, 1, 2, -1, -3))))
        return (*keys, ...)

    def slice(self) -> bool:
        pair = self.pick()
        if pair is None or len(self.arrays) > 30:
            return False
        array, model = pair
        what = self.rng.randrange(3)
        if what == 0:
            self.arrays.append((array.T, model.T))
        elif what == 1 and array.contiguous and model.flags.c_contiguous:
            self.arrays.append((array.reshape(-1), model.reshape(-1)))
        else:
            key = self.key(model.shape)
            self.arrays.append((array[key], model[key]))
        assert self.arrays[-1][0].shape == self.arrays[-1][1].shape
        return True

    def store(self) -> bool:
        pair = self.pick()
        if pair is None:
            return False
        array, model = pair
        key = self.key(model.shape)
        value = self.values(model[key].shape) if self.rng.random() < 0.7 else int(self.values(())[()])
        array[key] = value
        model[key] = value
        return True

    def fetch(self) -> bool:
        pair = self.pick()
        if pair is None:
            return False
        assert np.array_equal(pair[0].get(), pair[1])
        return True

    def drop(self) -> bool:
        if not self.arrays:
            return False
        self.arrays.pop(self.rng.randrange(len(self.arrays)))
        return True

    def free(self) -> bool:
        """Frees an array, after which no view of it can be used."""
        pair = self.pick()
        if pair is None or self.rng.random() < 0.7:
            return False
        array, model = pair
        array.free()
        base = model.base if model.base is not None else model
        gone = [p for p in self.arrays if (p[1].base if p[1].base is not None else p[1]) is base]
        for other, _ in gone:
            with pytest.raises(p4.BoardError, match="freed"):
                other.get()
        self.arrays = [p for p in self.arrays if not any(p is g for g in gone)]
        return True

    def call(self) -> bool:
        """Arrays on one board, of the host and on it, in one piece and not."""
        r = self.rng
        board = r.choice(self.boards)
        there = [p for p in self.arrays if p[0].board is board and p[0].contiguous]
        n = r.choice([p[1].size for p in there] or [3])
        fitting = [p for p in there if p[1].size == n]

        def argument() -> tuple[Any, npt.NDArray[Any]]:
            if fitting and r.random() < 0.7:
                return r.choice(fitting)
            values = self.values((n,))
            return values, values

        (x, mx), (y, my), (out, mo) = argument(), argument(), argument()
        if any(
            np.shares_memory(a, mo) and a.__array_interface__["data"] != mo.__array_interface__["data"]
            for a in (mx, my)
        ):
            return False  # the order of the stores would matter
        k = r.randrange(-100, 100)
        wanted = (mx.reshape(-1).astype(np.int64) * k + my.reshape(-1)).astype(np.int32)
        total = int(wanted.sum(dtype=np.int64)) & 0xFFFFFFFF
        assert combine.on(board)(x, y, out, k) & 0xFFFFFFFF == total
        mo[...] = wanted.reshape(mo.shape)
        assert np.array_equal(np.asarray(out), mo)
        return True

    def module(self) -> bool:
        if len(self.modules) > 5:
            self.modules.pop(self.rng.randrange(len(self.modules)))
        else:
            self.modules.append((*modules(), {}))
        return True

    def some_module(self) -> tuple[p4.Module, Any, State, p4.Board, dict[int, State]] | None:
        if not self.modules:
            return None
        m, absorb, states = self.rng.choice(self.modules)
        board = self.rng.choice(self.boards)
        return m, absorb, states.setdefault(id(board), State()), board, states

    def absorb(self) -> bool:
        chosen = self.some_module()
        if chosen is None:
            return False
        _, absorb, state, board, _ = chosen
        there = [p for p in self.arrays if p[0].board is board and p[0].contiguous]
        x, model = self.rng.choice(there) if there and self.rng.random() < 0.7 else (None, self.values((5,)))
        flat = model.reshape(-1)
        state.calls += 1
        state.all = (state.all + int(flat.sum(dtype=np.int64))) & 0xFFFFFFFF
        assert absorb.on(board)(model if x is None else x) == state.all
        with np.errstate(over="ignore"):
            for i, value in enumerate(flat):
                state.table[i % N] += value
        return True

    def globals(self) -> bool:
        chosen = self.some_module()
        if chosen is None:
            return False
        m, _, state, board, _ = chosen
        here = m.on(board)
        assert here.calls == state.calls and np.array_equal(here.table[:], state.table)
        i, value = self.rng.randrange(N), self.values((2,))
        here.table[i] = value[0]
        state.table[i] = value[0]
        here.table[1::3] = value
        state.table[1::3] = value
        here.calls = state.calls = self.rng.randrange(1000)
        return True

    def reset(self) -> bool:
        chosen = self.some_module()
        if chosen is None:
            return False
        m, _, _, board, states = chosen
        m.on(board).reset()
        states[id(board)] = State()
        return True

    def unload(self) -> bool:
        chosen = self.some_module()
        if chosen is None:
            return False
        m, _, _, board, states = chosen
        if m.on(board).loaded:
            m.on(board).free()
            with pytest.raises(p4.BoardError, match="freed"):
                m.on(board).free()
        m.on(board).load()
        states[id(board)] = State()
        return True


def at_rest(board: p4.Board) -> MemoryState:
    """What the board holds besides plain kernels, of which it has one, and the stack."""
    gc.collect()
    x = np.zeros(1, np.int32)
    combine.on(board)(x, x, np.zeros(1, np.int32), 1)
    return board.memory.state()


@pytest.mark.parametrize("seed", range(4))
def test_one_walker(seed: int) -> None:
    boards = [p4.connect("sim?psram=8M") for _ in range(2)]
    before = [at_rest(board) for board in boards]
    walker = Walker(seed, boards)
    walker.run(400)
    assert min(walker.done.values()) > 0 and len(walker.done) == 12
    walker.finish()
    assert [at_rest(board) for board in boards] == before
    for board in boards:
        board.close()


def test_walkers_in_threads() -> None:
    """Each has arrays and modules of its own, on boards that all share."""
    boards = [p4.connect("sim?psram=8M") for _ in range(2)]
    before = [at_rest(board) for board in boards]
    walkers = [Walker(10 + i, boards) for i in range(3)]
    failed: list[BaseException] = []

    def work(walker: Walker) -> None:
        try:
            walker.run(150)
            walker.finish()
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=work, args=(walker,)) for walker in walkers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert [at_rest(board) for board in boards] == before
    for board in boards:
        board.close()
