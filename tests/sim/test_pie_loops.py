"""Hardware loops, what is illegal, and the generated table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from p4kernel._native import ffi, lib
from p4kernel.sim import generate_pie

from .machine import BASE, EBREAK, Machine
from .pie import PieMachine, available, pie_word
from .rv32 import code, word

ONE = word("addi", 10, 10, 1)
ILLEGAL = 2


@pytest.fixture
def pie(engine: str) -> PieMachine:
    return PieMachine(engine)


def _setupi(index: int, count: int, instructions: int) -> int:
    """A loop over the instructions that follow."""
    return pie_word("esp.lp.setupi", index, count, 4 * instructions)


def test_committed_table_is_the_generated_one() -> None:
    assert Path(generate_pie.OUTPUT).read_text(encoding="utf-8") == generate_pie.text()


@pytest.mark.parametrize(("count", "rounds"), [(0, 1), (1, 1), (2, 2), (4095, 4095)])
def test_rounds(pie: PieMachine, count: int, rounds: int) -> None:
    pie.execute(code(_setupi(0, count, 2), ONE, word("addi", 11, 11, 2)))
    assert (pie.state.x[10], pie.state.x[11]) == (rounds, 2 * rounds)
    assert pie.unit.loop_count[0] == 0
    assert pie.state.instret == 1 + 2 * rounds


def test_one_instruction_is_a_body(pie: PieMachine) -> None:
    pie.execute(code(_setupi(1, 100, 1), ONE))
    assert pie.state.x[10] == 100


def test_count_from_a_register(pie: PieMachine) -> None:
    pie.execute(code(pie_word("esp.lp.setup", 0, 5, 8), ONE, ONE), {5: 100_000})
    assert pie.state.x[10] == 200_000


def test_set_up_piece_by_piece(pie: PieMachine) -> None:
    start = pie_word("esp.lp.starti", 0, 12)
    pie.execute(code(start, pie_word("esp.lp.counti", 0, 7), pie_word("esp.lp.endi", 0, 8), ONE, ONE))
    assert pie.state.x[10] == 14


@pytest.mark.parametrize("after", [0, 1, 3])
def test_nested(pie: PieMachine, after: int) -> None:
    """With the inner loop's last instruction as the outer's, too, when nothing comes after it."""
    inner = [_setupi(0, 5, 1), ONE]
    outer = [word("addi", 11, 11, 1), *inner, *[word("addi", 12, 12, 1)] * after]
    pie.execute(code(_setupi(1, 9, len(outer)), *outer))
    assert list(pie.state.x[10:13]) == [45, 9, 9 * after]


def test_set_up_again_by_an_outer_loop_of_branches(pie: PieMachine) -> None:
    body = [_setupi(0, 3, 2), ONE, ONE, word("addi", 5, 5, -1)]
    pie.execute(code(*body, word("bne", 5, 0, -4 * len(body))), {5: 50})
    assert pie.state.x[10] == 300


def test_a_jump_out_of_the_last_instruction_leaves_the_loop_as_it_is(pie: PieMachine) -> None:
    pie.execute(code(_setupi(0, 5, 2), ONE, word("beq", 10, 11, 8), ONE), {11: 3})
    assert pie.state.x[10] == 3
    assert pie.unit.loop_count[0] == 3


def test_every_budget(pie: PieMachine) -> None:
    """The state after n instructions is the same in one run and step by step."""
    program = code(_setupi(1, 3, 4), ONE, _setupi(0, 4, 2), word("addi", 11, 11, 1), word("addi", 12, 12, 1), EBREAK)
    oracle = PieMachine("slow")
    for budget in range(1, 40):
        for machine in (pie, oracle):
            machine.write(BASE, program)
            machine.state.x[10] = machine.state.x[11] = machine.state.x[12] = 0
            for loop in range(2):
                machine.unit.loop_count[loop] = 0
            machine.start(BASE)
        assert pie.run(budget) == oracle.run(budget)
        assert pie.everything() == oracle.everything(), budget


def test_trap_inside_a_body_loses_no_count(pie: PieMachine) -> None:
    handler = BASE + 0x1000
    skip = code(word("csrrs", 31, 0x341, 0), word("addi", 31, 31, 4), word("csrrw", 0, 0x341, 31), word("mret"))
    pie.write(handler, skip)
    pie.state.mtvec = handler
    pie.write(BASE, code(_setupi(0, 6, 3), ONE, word("ecall"), ONE, word("jal", 0, 0)))
    pie.start(BASE)
    pie.run(1000)
    assert pie.state.x[10] == 12


def test_trap_at_the_end_of_a_body(pie: PieMachine) -> None:
    """The instruction that traps is no round; its handler sees the count as it is."""
    load = pie_word("esp.vld.128.ip", 0, 12, 16)
    trap = pie.trap_of(code(_setupi(0, 6, 2), ONE, load), {12: 0x1000})
    assert (trap.cause, trap.tval, trap.pc) == (5, 0x1000, BASE + 8)
    assert pie.unit.loop_count[0] == 6
    assert pie.state.x[10] == 1


def test_body_that_changes_itself(pie: PieMachine) -> None:
    """The last instruction stores into the body: the next round runs what it wrote."""
    pie.set_q(0, code(word("addi", 10, 10, 100), word("addi", 0, 0, 0), word("addi", 0, 0, 0), word("addi", 0, 0, 0)))
    store = pie_word("esp.vst.128.ip", 0, 12, 0)
    nop = word("addi", 0, 0, 0)
    pie.execute(code(nop, nop, nop, _setupi(0, 3, 5), ONE, nop, nop, nop, store), {12: BASE + 16})
    assert pie.state.x[10] == 201


def test_counts_are_registers(pie: PieMachine) -> None:
    pie.execute(code(word("csrrwi", 0, 0x7C8, 5), word("csrrs", 10, 0x7C8, 0), word("csrrw", 0, 0x7C8, 0)))
    assert pie.state.x[10] == 5
    assert pie.unit.loop_count[0] == 0


@pytest.mark.parametrize("generation", [1, 2])
def test_off_means_illegal(engine: str, generation: int) -> None:
    pie = PieMachine(engine, generation)
    pie.unit.pie_state = pie.unit.loop_state = 0
    pie.push()
    for insn in available(generation):
        bits = insn.encodings[generation].match
        pie.write(BASE, code(bits, EBREAK))
        pie.start(BASE)
        trap = pie.run_to_trap()
        if insn.group == "scalar":
            assert trap.cause == 3, insn.mnemonic
        else:
            assert (trap.cause, trap.tval) == (ILLEGAL, bits), insn.mnemonic
    assert pie.trap_of(code(word("csrrs", 10, 0x7C6, 0))).cause == ILLEGAL
    on = code(word("csrrwi", 0, 0x7F2, 1), word("csrrwi", 0, 0x7F1, 1))
    pie.execute(on + code(pie_word("esp.zero.q", 0, generation=generation), _setupi(0, 2, 1), ONE), {10: 0})
    assert (pie.unit.pie_state, pie.unit.loop_state, pie.state.x[10]) == (3, 3, 2)


def test_words_of_the_other_generation_are_illegal(engine: str) -> None:
    """Unless they mean something else there: a few instructions of generation 2 take most of generation 1's words."""
    for generation, other, least in ((1, 2, 300), (2, 1, 30)):
        pie = PieMachine(engine, generation)
        mine = [i.encodings[generation] for i in available(generation)]
        foreign = [i.encodings[other].match for i in available(other)]
        illegal = [w for w in foreign if not any(w & e.mask == e.match for e in mine)]
        assert len(illegal) > least
        for bits in illegal:
            assert pie.trap_of(code(bits)).cause == ILLEGAL, hex(bits)


def test_a_new_core_has_the_unit_off(engine: str) -> None:
    fresh = Machine(engine)
    state: Any = ffi.new("p4s_pie_state *")
    lib.p4s_pie_get(fresh.sim, state)
    assert (state.pie_state, state.loop_state, state.cfg) == (0, 0, 0)
