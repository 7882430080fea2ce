"""``P4JIT``: loads functions from C and C++ files."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from p4kernel.arrays import empty
from p4kernel.board import Board
from p4kernel.build import Options as BuildOptions
from p4kernel.build import Unit
from p4kernel.errors import LinkError
from p4kernel.options import Options, checked
from p4kernel.p4jit import absent
from p4kernel.p4jit.arguments import SLOTS, Arguments, Slots, by_address, by_array
from p4kernel.p4jit.binary import Binary
from p4kernel.p4jit.caps import MALLOC_CAP_8BIT, MALLOC_CAP_SPIRAM, kind_of
from p4kernel.p4jit.device import HeapStats, JITSession
from p4kernel.p4jit.function import JITFunction
from p4kernel.p4jit.logs import log, verbose
from p4kernel.p4jit.program import WHOLE, Program, failures
from p4kernel.p4jit.source import SourceText
from p4kernel.signature.cparse import Prototype
from p4kernel.signature.scope import caller

__all__ = ["P4JIT"]

_SPIRAM = MALLOC_CAP_SPIRAM | MALLOC_CAP_8BIT
_CONFIG = "config/toolchain.yaml"


class P4JIT:
    """A board, and the functions that are loaded on it.

    ``port`` is a serial port or any URL that ``p4.connect`` takes. None: the current board, else that of
    P4KERNEL_BOARD, else the virtual one. Raises NoDevice, which is a RuntimeError.
    """

    def __init__(self, port: str | None = None, config_path: str = _CONFIG) -> None:
        self.session = JITSession()
        self.session.connect(port)
        if config_path != _CONFIG:
            log.warning(
                "%s is not read: compilers are found by themselves (P4KERNEL_CC names one), and load() takes options",
                config_path,
            )

    def get_heap_stats(self, print_s: bool = False) -> HeapStats:
        """Free and total memory in bytes; with ``print_s`` they are printed."""
        stats = self.session.device.get_heap_info()
        if print_s:
            print("Heap:")
            for name, size in stats.items():
                assert isinstance(size, int)
                print(f"  {name:<15}: {size:>10} bytes ({size / 1024:>9.2f} KB)")
        return stats

    def load(
        self,
        source: str | os.PathLike[str],
        function_name: str,
        base_address: int | None = None,
        arg_address: int | None = None,
        optimization: str = "O3",
        output_dir: str | os.PathLike[str] | None = None,
        use_firmware_elf: bool = True,
        code_caps: int = _SPIRAM,
        data_caps: int = _SPIRAM,
        alignment: int = 16,
        smart_args: bool = True,
        *,
        timeout: float | None = None,
    ) -> JITFunction:
        """Builds a function of a C or C++ file and puts it on the board.

        Args:
            source: the file, from the current folder, or C text. Other source files in its folder are compiled and linked
                too when the function needs what neither it nor the firmware defines.
            function_name: as in C; in C++ it may be ``extern "C"`` or not.
            base_address: of no effect, as in P4-JIT: the board says where the code lies.
            arg_address: the same for the slots.
            optimization: "O0" to "O3", "Os" or "Oz".
            output_dir: folder for the ELF file, the bytes, and the addresses as JSON; None: nothing is written.
            use_firmware_elf: whether functions of the firmware may be called.
            code_caps: MALLOC_CAP_... that say which memory the code lies in.
            data_caps: the same for the slots and for arrays during a call.
            alignment: bytes that code starts at a multiple of.
            smart_args: whether calls take NumPy values; else they take the bytes of the slots.
            timeout: seconds after which a call is ended with KernelTimeout; None: the board's limit (10 s).

        Raises FileNotFoundError, FunctionNotFound (a ValueError), CompilationFailed and LinkingFailed (RuntimeErrors),
        SignatureError, OutOfMemory (a MemoryError).
        """
        board = self.session.device.board
        text = SourceText.of(source, caller(1))
        options = checked(
            Options(
                opt=optimization.removeprefix("-"),
                flags=WHOLE,
                timeout=timeout,
                place=kind_of(code_caps, "code_caps"),
                arrays=kind_of(data_caps, "data_caps"),
                align=alignment,
                folder=str(text.path.parent if text.path is not None else Path.cwd()),
            )
        )
        log.info("Pass 1: Preliminary Build")
        verbose("Compiling %s", text.name)
        with failures():
            prototype = text.prototype(function_name, BuildOptions(opt=options.opt, folder=options.folder))
            program = _program(text, prototype, options, board, smart_args, use_firmware_elf)
            kernel = program._made
            converter = Arguments(kernel.signature, prototype) if smart_args else Slots(kernel.signature)
            log.info("Allocating device memory")
            slots = empty(4 * SLOTS, np.uint8, memory=options.arrays, board=board)
            log.info("Pass 2: Re-linking with allocated addresses")
            log.info("Uploading binary to device")
            program.on(board).load()
        binary = _binary(program, board, prototype)
        verbose("Code at 0x%08X (%d bytes), slots at 0x%08X", binary.base_address, binary.total_size, slots.address)
        if output_dir is not None:
            folder = Path(output_dir)
            binary.save_elf(folder / f"{function_name}.elf")
            binary.save_bin(folder / f"{function_name}.bin")
            binary.save_metadata(folder / f"{function_name}.json")
        log.info("Function loaded successfully.")
        return JITFunction(self.session, board, program, binary, slots, converter)

    if not TYPE_CHECKING:  # to a checker these are mistakes

        def __getattr__(self, name: str) -> NoReturn:
            raise absent.error("jit", name, absent.P4JIT)


def _program(
    text: SourceText, prototype: Prototype, options: Options, board: Board, smart_args: bool, firmware: bool
) -> Program:
    given = (by_array if smart_args else by_address)(prototype)
    program = Program(text, prototype, given, options)
    others: tuple[Unit, ...] | None = None
    try:
        missing = program.missing(board, firmware)
    except LinkError:  # the function is only declared in its file
        others = text.siblings()
        if not others:
            raise
        missing = [prototype.name]
    if missing and (others := others or text.siblings()):
        verbose("Compiling %s, for %s", ", ".join(Path(unit.name).name for unit in others), ", ".join(missing))
        program = Program(text, prototype, given, replace(options, lto=True), others)
        missing = program.missing(board, firmware)
    if missing and not firmware:
        raise LinkError(
            f"{', '.join(missing)}: not defined in {text.name} or beside it; use_firmware_elf=True takes "
            "functions from the firmware"
        )
    return program  # what is still missing may be in the ELF file that p4.firmware_elf gave, which the board looks at


def _binary(program: Program, board: Board, prototype: Prototype) -> Binary:
    build = program.inspected(board)
    image = build.image
    base = program.base(board)
    data = image.at(base, board._resolver(image))
    return Binary(build, data + bytes(image.size - len(data)), base, prototype)
