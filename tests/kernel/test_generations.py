"""One kernel on boards of both generations of PIE, and code that met the wrong one."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import p4kernel as p4
from p4kernel import pie

PREAMBLE = "#include <p4_pie.h>\n"
URLS = {1: "sim?revision=1.3", 2: "sim?revision=3.1"}
_A = np.array([1, -2, 3, 32767, 5, -6, 7, -32768], np.int16)
_B = np.array([10, 20, -30, 1, 50, 60, 70, -1], np.int16)
_SUM = np.array([11, 18, -27, 32767, 55, 54, 77, -32768], np.int16)


def add_of(text: str, *flags: str) -> p4.Kernel[..., None]:
    """A new kernel object each time; ``text`` makes its code its own."""

    @p4.kernel(flags=flags)
    def add(a: p4.In[np.int16], b: p4.In[np.int16], out: p4.Out[np.int16]) -> None:
        p4.c(
            f"/* {text} */"
            '__asm__ volatile("esp.vld.128.ip q0, %0, 0\\n esp.vld.128.ip q1, %1, 0\\n'
            '                  esp.vadd.s16 q2, q0, q1\\n esp.vst.128.ip q2, %2, 0"'
            ': "+r"(a), "+r"(b), "+r"(out) : : "memory");',
            preamble=PREAMBLE,
        )

    return add


def sum_on(kernel: p4.Kernel[..., None], board: p4.Board) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    out = np.zeros(8, np.int16)
    kernel.on(board)(_A, _B, out)
    return out


@p4.kernel
def twice(x: p4.i32) -> p4.i32:
    p4.c("return 2 * x; /* no SIMD */")


def test_one_kernel_runs_on_boards_of_both_generations() -> None:
    add = add_of("both")
    boards = {generation: p4.connect(url) for generation, url in URLS.items()}
    for generation, board in boards.items():
        assert board.generation == generation
        assert np.array_equal(sum_on(add, board), _SUM)
        assert add.last.built_from == "built"
        assert add.build.image.generation == generation
    for board in boards.values():  # and never again
        assert np.array_equal(sum_on(add, board), _SUM)
        assert (add.last.built_from, add.last.build_seconds, add.last.load_seconds) == ("memory", 0.0, 0.0)
    again = add_of("both")
    for board in boards.values():
        sum_on(again, board)
        assert again.last.built_from == "memory"
        board.close()


def test_a_kernel_without_pie_is_compiled_once() -> None:
    images = []
    for url in URLS.values():
        with p4.connect(url) as board:
            assert twice(21) == 42
            images.append(twice.build)
            board.close()
    assert images[0].image is images[1].image
    assert images[0].image.generation == 0


def test_the_generation_of_a_build_that_is_looked_at() -> None:
    add = add_of("looked at")
    assert add.build.image.generation == 1
    assert "esp.vadd.s16" in add.disassemble()
    with p4.connect(URLS[2]) as board:
        assert add.build.image.generation == 2
        assert "esp.vadd.s16" in add.disassemble()
    assert add.build.image.generation == 1
    sum_on(add, board)
    assert add.build.image.generation == 2  # the board of the last call
    board.close()


@pytest.mark.parametrize(("pinned", "other"), [(1, 2), (2, 1)])
def test_a_kernel_that_is_pinned_to_the_other_generation(pinned: int, other: int) -> None:
    add = add_of("pinned", f"-DP4_PIE_GENERATION={pinned}")
    names = {1: "xespv 2.1", 2: "xespv 2.2"}
    with p4.connect(URLS[pinned]) as board:
        assert np.array_equal(sum_on(add, board), _SUM)
    board.close()
    with p4.connect(URLS[other]) as board:
        before = board.memory.state()
        with pytest.raises(p4.BoardError) as caught:
            sum_on(add, board)
        text = str(caught.value)
        with pytest.raises(p4.BoardError, match=re.escape(text)):  # it is not taken for loaded
            sum_on(add, board)
        assert text.startswith(f"this code has PIE instructions of {names[pinned]}")
        assert f"{URLS[other]} is an ESP32-P4 of revision {URLS[other][-3:]}, which has {names[other]}" in text
        assert "P4_PIE_GENERATION" in text and f"sim?revision={pinned * 2 - 1}" in text
        assert board.memory.state() == before
        assert twice(4) == 8  # the board is well
    board.close()


@pytest.mark.parametrize("generation", [1, 2])
def test_a_board_refuses_what_was_built_for_the_other(generation: int) -> None:
    image = add_of("prebuilt", f"-DP4_PIE_GENERATION={3 - generation}").build.image
    with p4.connect(URLS[generation]) as board:
        with pytest.raises(p4.BoardError, match=r"PIE instructions of xespv 2\.\d .*compile it for this board"):
            board.load(image)
        assert board.load(twice.build.image).address
    board.close()


def words_of_one_only(generation: int) -> list[str]:
    """Instructions whose words are nothing on the other generation's chips."""
    here, there = generation * 2 - 1, (3 - generation) * 2 - 1
    texts = [text for i in pie.instructions() if i.group in ("compare", "load") and (text := _first(i, here))]
    return [text for text in texts if pie.decode(pie.encode(text, here), there) is None]


def _first(instruction: pie.Instruction, revision: int) -> str | None:
    encoding = instruction.encodings.get(pie.generation_of(revision))
    return pie.decode(encoding.match, revision) if encoding is not None and not encoding.alias_of else None


@pytest.mark.parametrize(("generation", "name", "here"), [(1, "xespv 2.1", "xespv 2.2"), (2, "xespv 2.2", "xespv 2.1")])
def test_words_without_a_mark_on_the_wrong_board(generation: int, name: str, here: str) -> None:
    texts = words_of_one_only(generation)
    word = pie.encode(texts[0], generation * 2 - 1)

    @p4.kernel
    def unmarked() -> None:
        p4.asm(f"    .word 0x{word:08x}\n    ret")

    assert unmarked.build.image.generation == 0
    board = p4.connect(URLS[3 - generation])
    with pytest.raises(p4.KernelFault) as caught:
        unmarked.on(board)()
    board.close()
    assert caught.value.message == (
        f"unmarked: illegal instruction 0x{word:08x} ({texts[0]} of {name}; this board has {here})"
    )
    assert caught.value.backtrace[0].function == "unmarked"


@pytest.mark.parametrize(
    ("csr", "text", "why"),
    [
        (0x7F2, "esp.zero.q q1", "the SIMD unit is switched off: CSR 0x7f2 is 0"),
        (0x7F1, "esp.lp.counti 0, 5", "the hardware loops are switched off: CSR 0x7f1 is 0"),
    ],
)
def test_a_unit_that_the_kernel_switched_off(board: p4.Board, csr: int, text: str, why: str) -> None:
    @p4.kernel
    def off() -> None:
        p4.asm(f"    csrwi 0x{csr:x}, 0\n    {text}\n    ret", preamble=PREAMBLE)

    with pytest.raises(p4.KernelFault) as caught:
        off()
    assert caught.value.message == f"off: illegal instruction 0x{pie.encode(text):08x} ({text}, but {why})"


def test_an_access_that_faults_names_the_instruction(board: p4.Board) -> None:
    @p4.kernel
    def astray() -> None:
        p4.asm("    li a1, 64\n    esp.vst.128.ip q3, a1, -16\n    ret", preamble=PREAMBLE)

    with pytest.raises(p4.KernelFault, match=r"^astray: store access fault at address 0x00000040 in ") as caught:
        astray()
    assert caught.value.message.endswith(" in esp.vst.128.ip q3, a1, -16 (a NULL pointer?)")


def test_other_illegal_words_are_not_explained(board: p4.Board) -> None:
    @p4.kernel
    def plain() -> None:
        p4.asm("    .word 0xffffffff\n    ret")

    with pytest.raises(p4.KernelFault) as caught:
        plain()
    assert caught.value.message == "plain: illegal instruction 0xffffffff"


def test_calls_do_not_import_the_tables(tmp_path: Path) -> None:
    """PIE's tables cost more than a warm start has."""
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            f"""
            import sys
            import numpy as np
            import p4kernel as p4

            @p4.kernel
            def zero(out: p4.Out[np.uint8]) -> None:
                p4.c('__asm__ volatile("esp.zero.q q0; esp.vst.128.ip q0, %0, 0" : "+r"(out) : : "memory");',
                     preamble={PREAMBLE!r})

            out = np.ones(16, np.uint8)
            zero(out)
            assert not out.any() and zero.build.image.generation == 1
            print(sorted(name for name in sys.modules if name.startswith(("p4kernel.pie", "elftools", "capstone"))))
            """
        )
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_mistake_in_c_needs_no_board() -> None:
    """Outside `with board:` the text is compiled first: its errors come before the board's absence."""
    p4.connect("sim").close()  # from here on, a call that names no board has none

    @p4.kernel
    def wrong() -> None:
        p4.c("nonsense")

    with pytest.raises(p4.CompileError):
        wrong()
