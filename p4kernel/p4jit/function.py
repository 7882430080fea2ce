"""A function on the board: what ``jit.load`` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from p4kernel.board import Board
from p4kernel.call import Last
from p4kernel.p4jit import absent
from p4kernel.p4jit.arguments import RETURN_OFFSET, Arguments, Slots
from p4kernel.p4jit.binary import Binary
from p4kernel.p4jit.device import JITSession
from p4kernel.p4jit.errors import Freed
from p4kernel.p4jit.logs import log, verbose
from p4kernel.p4jit.program import Program
from p4kernel.types import DeviceArray

__all__ = ["JITFunction"]


class JITFunction:
    """Call it with NumPy scalars and arrays; with ``smart_args=False``, with the bytes of the slots."""

    sync_arrays: bool = True
    """Whether arrays that the function wrote to are updated."""

    def __init__(
        self, session: JITSession, board: Board, program: Program, binary: Binary, slots: DeviceArray[np.uint8],
        converter: Arguments | Slots,
    ) -> None:  # fmt: skip
        self.session = session
        self.binary = binary
        self.code_addr = binary.base_address
        self.args_addr = slots.address
        """Of the slots: 32 words, of which the last is the result of a call with smart_args=False."""
        self.smart_args = isinstance(converter, Arguments)
        self.valid = True
        self.stats = {"code_size": binary.total_size, "args_size": slots.nbytes}
        self._board = board
        self._name = program._made.__name__
        self._program = program
        self._slots = slots
        self._converter = converter
        self._kernel = program._made.on(board)

    def __call__(self, *args: Any) -> Any:
        """Runs it; its result as a NumPy scalar. With smart_args=False 0, and the result is in the last slot.

        Raises ArgumentError (a TypeError), WrongCount (a ValueError), Freed (a RuntimeError), KernelFault, KernelTimeout.
        """
        if not self.valid:
            raise Freed(f"{self._name} has been freed and is no longer valid; load it again")
        converter = self._converter
        if isinstance(converter, Slots):
            self._call_slots(converter, args)
            return 0
        values = converter.of(args, self.sync_arrays)
        verbose("Calling %s", self._name)
        result = converter.result(self._kernel(*values))
        self._tell()
        return result

    def _call_slots(self, converter: Slots, args: tuple[Any, ...]) -> None:
        memory = self._board.memory
        blob = converter.check(args)
        if blob:
            memory.write(self.args_addr, blob)
        result = self._kernel(*converter.arguments(self._slots.get().tobytes()))
        self._tell()
        if slot := converter.result(result):
            memory.write(self.args_addr + RETURN_OFFSET, slot)

    def _tell(self) -> None:
        last = self.last
        log.debug(
            "%s: %d instructions, %d calls of the firmware, %d bytes sent, %d received, %d round trips",
            self._name, last.instructions, last.firmware_calls, last.bytes_up, last.bytes_down,
            last.round_trips,
        )  # fmt: skip

    @property
    def last(self) -> Last:
        """What the last call in this thread cost."""
        return self._program._made.last

    def free(self) -> None:
        """Takes it off the board; a second time does nothing. Raises BoardError while a timer or a task may call it."""
        if not self.valid:
            return
        self._program.on(self._board).free()
        self.valid = False
        self._slots.free()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            raise absent.error("func", name, absent.FUNCTION)

    def __repr__(self) -> str:
        state = f"at 0x{self.code_addr:08x}" if self.valid else "freed"
        return f"<p4jit function {self.binary.metadata['prototype']}, {state}>"
