"""The lines of a listing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from p4kernel.listing.instructions import Disassembler, Instruction
from p4kernel.listing.lines import LineTable, Place
from p4kernel.listing.program import Code, Name, Program

__all__ = ["render"]

_NOP_HALVES = (b"\x00\x00", b"\x01\x00", b"\x13\x00")  # zeros, c.nop; the halves of nop are 0013 0000


def render(
    program: Program,
    generation: int,
    lines: LineTable,
    source: Callable[[Place], str],
    *,
    origin: int = 0,
    function: str | None = None,
) -> Iterator[str]:
    """Every function with its source lines, or one of them. Addresses are shown without ``origin``."""
    disassembler = Disassembler(generation)
    headed = len(program.codes) > 1 or not origin
    for code in program.codes:
        pieces = [piece for piece in _pieces(code) if function is None or piece.is_of(function)]
        if pieces and headed:
            yield f"\nSection {code.name}:"
        view = _View(program, code, disassembler, lines, source, origin or code.origin)
        for piece in pieces:
            yield from view.piece(piece)


class _Piece:
    """Code under one or more names. ``owner`` is the function around a label in it."""

    def __init__(self, names: list[Name], owner: Name | None, start: int, end: int) -> None:
        self.names, self.owner, self.start, self.end = names, owner, start, end

    def is_of(self, function: str) -> bool:
        return any(name.name == function for name in self.names) or (
            self.owner is not None and self.owner.name == function
        )


def _pieces(code: Code) -> list[_Piece]:
    """The code from name to name; what lies behind a function's end only if it is more than filling."""
    end = code.start + len(code.data)
    heads: dict[int, list[Name]] = {}
    for name in code.names:
        if code.start <= name.address < end:
            heads.setdefault(name.address, []).append(name)
    starts = sorted(heads)
    if not starts or starts[0] != code.start:
        starts.insert(0, code.start)
    pieces = []
    owner: Name | None = None
    for start, stop in zip(starts, [*starts[1:], end], strict=True):
        names = heads.get(start, [])
        functions = [name for name in names if name.function]
        if functions:
            owner = max(functions, key=lambda name: name.size)
        elif owner is not None and owner.size and start >= owner.address + owner.size:
            owner = None
        limit = stop
        if owner is not None and owner.size and start < owner.address + owner.size < stop:
            limit = owner.address + owner.size
        pieces.append(_Piece(names, owner, start, limit))
        if limit < stop and not _is_filling(code.data[limit - code.start : stop - code.start]):
            pieces.append(_Piece([], None, limit, stop))
    return [piece for piece in pieces if piece.names or piece.owner or not _is_filling(_bytes(code, piece))]


def _bytes(code: Code, piece: _Piece) -> bytes:
    return code.data[piece.start - code.start : piece.end - code.start]


def _is_filling(data: bytes) -> bool:
    return all(data[i : i + 2] in _NOP_HALVES for i in range(0, len(data), 2))


class _View:
    def __init__(
        self,
        program: Program,
        code: Code,
        disassembler: Disassembler,
        lines: LineTable,
        source: Callable[[Place], str],
        origin: int,
    ) -> None:
        self._program, self._code, self._disassembler = program, code, disassembler
        self._lines, self._source, self._origin = lines, source, origin
        self._place: Place | None = None
        self._text = ""
        self._loop_ends: dict[int, list[int]] = {}

    def piece(self, piece: _Piece) -> Iterator[str]:
        inner = bool(piece.owner and piece.owner not in piece.names)
        if not inner:
            yield ""
            self._place, self._text = None, ""
            self._loop_ends.clear()
        for name in piece.names:
            yield f"{name.name}:"
        for instruction in self._instructions(piece):
            place = self._lines.find(instruction.address)
            if place is not None and place != self._place:
                self._place, text = place, self._source(place)
                if text != self._text:  # several lines of a text that p4kernel has made stand for one of the user's
                    yield f"; {text}"
                self._text = text
            yield self._line(instruction, piece.owner)

    def _instructions(self, piece: _Piece) -> Iterator[Instruction]:
        """Instructions, and words where the assembler says that there is data."""
        at = piece.start
        while at < piece.end:
            inside = next(((a, b) for a, b in self._code.data_ranges if a <= at < b), None)
            if inside is not None:
                end = min(inside[1], piece.end)
                yield from self._disassembler.data(self._at(at, end - at), at)
            else:
                end = min((a for a, _ in self._code.data_ranges if at < a < piece.end), default=piece.end)
                yield from self._disassembler.instructions(self._at(at, end - at), at)
            at = end

    def _at(self, address: int, size: int) -> bytes:
        return self._code.data[address - self._code.start : address - self._code.start + size]

    def _line(self, item: Instruction, owner: Name | None) -> str:
        operands, remarks = list(item.operands), []
        reference = self._program.references.get(item.address)
        target = item.target if reference is None or reference.target is None else reference.target
        if target is not None and (reference is None or reference.target is not None):
            operands.append(f"0x{(target - self._origin) & 0xFFFFFFFF:x}" + self._name_of(target, owner))
        elif reference is not None:
            if item.target is not None:
                operands.append(reference.text)
            else:
                remarks.append(reference.text)
        if item.refers is not None and not self._program.relocatable:
            remarks += filter(None, [self._program.describe(item.refers)])
        remarks += self._loops(item)
        text = f"{item.mnemonic:<10} {', '.join(operands)}".rstrip()
        code = self._at(item.address, item.size)[::-1].hex()
        line = f"{item.address - self._origin:6x}:  {code:<8}  {text}"
        return f"{line:<56} # {', '.join(remarks)}" if remarks else line

    def _name_of(self, target: int, owner: Name | None) -> str:
        """Where a jump leads when it leaves the function, or goes to a name in it."""
        name = self._program.describe(target)
        if not name or (owner is not None and name.startswith(f"{owner.name}+")):
            return ""
        return f" <{name}>"

    def _loops(self, item: Instruction) -> list[str]:
        """What hardware loops do at an instruction. A loop's end is where its last instruction begins."""
        remarks = [f"last of hardware loop {number}" for number in self._loop_ends.pop(item.address, ())]
        if item.pie is not None and item.target is not None and item.pie.instruction.op != "lp_starti":
            self._loop_ends.setdefault(item.target, []).append(item.pie.values[0])
        return remarks
