"""The ELF file of a board's firmware: believed only when it is that very firmware's."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

import p4kernel as p4
from p4kernel.build.firmware import FirmwareElf
from p4kernel.sim import VirtualBoard
from p4kernel.sim.link import SimTransport
from p4kernel.urls import _print
from p4kernel.wire._tables import HelloRsp, Status, Type
from p4kernel.wire.frames import FrameReader, encode

GLOBAL, LOCAL, WEAK = 1, 0, 2
FUNC, OBJECT = 2, 1
EXEC, REL = 2, 1
RISCV, ARM = 243, 40


def elf(symbols: dict[str, tuple[int, int, int]], kind: int = EXEC, machine: int = RISCV) -> bytes:
    """A file with absolute symbols: name -> (address, binding, type)."""
    names, table = bytearray(b"\0"), bytearray(16)
    for name, (value, binding, type_) in symbols.items():
        table += struct.pack("<IIIBBH", len(names), value, 4, binding << 4 | type_, 0, 0xFFF1)
        names += name.encode() + b"\0"
    titles = b"\0.symtab\0.strtab\0.shstrtab\0"
    where = 52
    parts = [bytes(table), bytes(names), titles]
    offsets = [where, where + len(table), where + len(table) + len(names)]
    end = offsets[2] + len(titles)
    header = struct.pack(
        "<16sHHIIIIIHHHHHH", b"\x7fELF\x01\x01\x01", kind, machine, 1, 0, 0, end, 2, 52, 0, 0, 40, 4, 3
    )
    sections = bytes(40) + b"".join(
        struct.pack("<10I", name, type_, 0, 0, offset, len(part), link, 0, 1, size)
        for name, type_, offset, part, link, size in (
            (1, 2, offsets[0], parts[0], 2, 16),
            (9, 3, offsets[1], parts[1], 0, 0),
            (17, 3, offsets[2], parts[2], 0, 0),
        )
    )
    return header + b"".join(parts) + sections


class Named:
    """A link to a virtual board whose HELLO says that it runs the firmware with this SHA-256."""

    name = "named"

    def __init__(self, sha: bytes) -> None:
        self.inner = SimTransport("sim", VirtualBoard())
        self.sha = sha
        self._reader = FrameReader()

    def write(self, data: bytes) -> None:
        self.inner.write(data)

    def read(self, timeout: float) -> bytes:
        out = b""
        for f in self._reader.feed(self.inner.read(timeout)):
            payload = f.payload
            if f.type == Type.RSP and f.seq == 0 and f.arg == Status.OK:
                payload = HelloRsp.unpack(payload)._replace(firmware_sha=self.sha).pack()
            out += encode(f.type, f.session, f.seq, f.ack, f.arg, payload, f.flags, f.stream, f.version)
        return out

    def close(self) -> None:
        self.inner.close()


@p4.kernel
def hidden(x: p4.f32) -> p4.f32:
    p4.c("return hidden_value * hidden_sqrt(x);", preamble="float hidden_sqrt(float); extern const float hidden_value;")


def named_board(data: bytes) -> p4.Board:
    return p4.Board(Named(hashlib.sha256(data).digest()), "named", _print)


@pytest.fixture
def sqrt() -> int:
    board = p4.connect("sim")
    address = board.exports["sqrtf"]
    board.close()
    return address


def test_symbols_beyond_the_export_table_come_from_the_file(tmp_path: Path, sqrt: int) -> None:
    # The first allocation of a board: a variable of the firmware's, for this test.
    first = p4.connect("sim")
    address = first.memory.allocate(4)
    first.close()
    file = tmp_path / "firmware.elf"
    data = elf(
        {"hidden_sqrt": (sqrt, GLOBAL, FUNC), "hidden_value": (address, WEAK, OBJECT), "memcpy": (16, GLOBAL, FUNC)}
    )
    file.write_bytes(data)
    with named_board(data) as board:
        assert board.memory.allocate(4) == address
        board.memory.write(address, np.float32(2.5).tobytes())
        with pytest.raises(p4.LinkError, match="undefined symbol 'hidden_"):
            hidden(16)
        firmware = p4.firmware_elf(file)
        assert hidden(16) == 10
        assert firmware.symbols["hidden_sqrt"] == sqrt and "3 symbols" in repr(firmware)
        board.memory.free(address)
    board.close()


def test_functions_of_the_export_table_come_first(tmp_path: Path) -> None:
    @p4.kernel
    def copy(x: p4.In[np.uint8], y: p4.Out[np.uint8], n: p4.u32 = p4.size("x", "y")) -> None:
        p4.c("memcpy(y, x, n);", preamble="#include <string.h>")

    file = tmp_path / "firmware.elf"
    data = elf({"memcpy": (16, GLOBAL, FUNC)})
    file.write_bytes(data)
    y = np.zeros(100, np.uint8)
    with named_board(data) as board:
        p4.firmware_elf(file)
        copy(np.arange(100, dtype=np.uint8), y)
    board.close()
    assert y.tolist() == list(range(100))


def test_the_file_of_another_firmware_is_refused_before_a_symbol_is_used(tmp_path: Path, sqrt: int) -> None:
    file = tmp_path / "firmware.elf"
    data = elf({"hidden_sqrt": (sqrt, GLOBAL, FUNC), "hidden_value": (0x48000000, GLOBAL, OBJECT)})
    file.write_bytes(data + b"\0")
    with named_board(data) as board:
        with pytest.raises(p4.BoardError, match=r"firmware\.elf is not the firmware of named: its SHA-256 is"):
            p4.firmware_elf(file)
        with pytest.raises(p4.LinkError, match="undefined symbol"):
            hidden(16)
    board.close()


def test_a_board_that_was_flashed_meanwhile(tmp_path: Path, sqrt: int) -> None:
    file = tmp_path / "firmware.elf"
    data = elf({"hidden_sqrt": (sqrt, GLOBAL, FUNC), "hidden_value": (0x48000000, GLOBAL, OBJECT)})
    file.write_bytes(data)
    with named_board(data) as board:
        p4.firmware_elf(file, board)
        board.session.transport.sha = bytes(32)  # type: ignore[attr-defined]
        board.session.restart()
        with pytest.raises(p4.BoardError, match="is not the firmware"):
            hidden(16)
    board.close()


def test_what_is_local_or_nowhere_is_no_symbol(tmp_path: Path) -> None:
    file = tmp_path / "firmware.elf"
    file.write_bytes(
        elf({"a": (4, GLOBAL, FUNC), "b": (8, LOCAL, FUNC), "c": (0, GLOBAL, FUNC), "f.c": (4, GLOBAL, 4)})
    )
    assert dict(FirmwareElf(file).symbols) == {"a": 4}


@pytest.mark.parametrize(
    "data, said",
    [
        (None, "cannot be read"),
        (b"", "no 32-bit little-endian ELF"),
        (b"\x7fELF\x02\x01" + bytes(60), "no 32-bit little-endian ELF"),
        (elf({"a": (4, GLOBAL, FUNC)})[:70], "damaged|cut"),
        (elf({"a": (4, GLOBAL, FUNC)}, machine=ARM), "another machine"),
        (elf({"a": (4, GLOBAL, FUNC)}, kind=REL), "not a linked program"),
        (elf({}), "has no symbols"),
    ],
)
def test_what_is_no_firmware(tmp_path: Path, data: bytes | None, said: str) -> None:
    file = tmp_path / "firmware.elf"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(p4.LinkError, match=said) as caught:
        FirmwareElf(file)
    assert str(file) in str(caught.value)


def test_a_linked_program_of_the_compilers(tmp_path: Path) -> None:
    file = tmp_path / "program.elf"
    file.write_bytes(hidden.build.elf)
    assert "p4_entry" in FirmwareElf(file).symbols
    with p4.connect("sim") as board, pytest.raises(p4.BoardError, match="is not the firmware of sim"):
        p4.firmware_elf(file)
    board.close()


def test_a_closed_board(tmp_path: Path) -> None:
    file = tmp_path / "firmware.elf"
    file.write_bytes(elf({"a": (4, GLOBAL, FUNC)}))
    board = p4.connect("sim")
    board.close()
    with pytest.raises(p4.BoardError, match="closed"):
        p4.firmware_elf(file, board)
