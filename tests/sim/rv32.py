"""Encoders for RV32IMAFC + Zicsr + Zifencei, written from the tables of the RISC-V ISA manual (not from the simulator's).

`word("add", rd, rs1, rs2)` gives a 32-bit form, `half("c.add", ...)` a compressed one, `code(...)` joins them to bytes.
"""

from __future__ import annotations

RNE, RTZ, RDN, RUP, RMM, DYN = 0, 1, 2, 3, 4, 7

_R = {  # opcode, funct3, funct7
    "add": (0x33, 0, 0x00), "sub": (0x33, 0, 0x20), "sll": (0x33, 1, 0x00), "slt": (0x33, 2, 0x00),
    "sltu": (0x33, 3, 0x00), "xor": (0x33, 4, 0x00), "srl": (0x33, 5, 0x00), "sra": (0x33, 5, 0x20),
    "or": (0x33, 6, 0x00), "and": (0x33, 7, 0x00),
    "mul": (0x33, 0, 0x01), "mulh": (0x33, 1, 0x01), "mulhsu": (0x33, 2, 0x01), "mulhu": (0x33, 3, 0x01),
    "div": (0x33, 4, 0x01), "divu": (0x33, 5, 0x01), "rem": (0x33, 6, 0x01), "remu": (0x33, 7, 0x01),
    "fsgnj.s": (0x53, 0, 0x10), "fsgnjn.s": (0x53, 1, 0x10), "fsgnjx.s": (0x53, 2, 0x10),
    "fmin.s": (0x53, 0, 0x14), "fmax.s": (0x53, 1, 0x14),
    "fle.s": (0x53, 0, 0x50), "flt.s": (0x53, 1, 0x50), "feq.s": (0x53, 2, 0x50),
}  # fmt: skip
_SHIFT = {"slli": (1, 0x00), "srli": (5, 0x00), "srai": (5, 0x20)}  # funct3, funct7
_I = {  # opcode, funct3
    "addi": (0x13, 0), "slti": (0x13, 2), "sltiu": (0x13, 3), "xori": (0x13, 4), "ori": (0x13, 6), "andi": (0x13, 7),
    "lb": (0x03, 0), "lh": (0x03, 1), "lw": (0x03, 2), "lbu": (0x03, 4), "lhu": (0x03, 5), "flw": (0x07, 2),
    "jalr": (0x67, 0),
}  # fmt: skip
_S = {"sb": (0x23, 0), "sh": (0x23, 1), "sw": (0x23, 2), "fsw": (0x27, 2)}
_B = {"beq": 0, "bne": 1, "blt": 4, "bge": 5, "bltu": 6, "bgeu": 7}
_CSR = {"csrrw": 1, "csrrs": 2, "csrrc": 3, "csrrwi": 5, "csrrsi": 6, "csrrci": 7}
_AMO = {
    "lr.w": 0x02, "sc.w": 0x03, "amoswap.w": 0x01, "amoadd.w": 0x00, "amoxor.w": 0x04, "amoand.w": 0x0C,
    "amoor.w": 0x08, "amomin.w": 0x10, "amomax.w": 0x14, "amominu.w": 0x18, "amomaxu.w": 0x1C,
}  # fmt: skip
_ROUNDED2 = {"fadd.s": 0x00, "fsub.s": 0x04, "fmul.s": 0x08, "fdiv.s": 0x0C}  # funct7
_ROUNDED1 = {  # funct7, rs2
    "fsqrt.s": (0x2C, 0), "fcvt.w.s": (0x60, 0), "fcvt.wu.s": (0x60, 1), "fcvt.s.w": (0x68, 0), "fcvt.s.wu": (0x68, 1),
}  # fmt: skip
_MOVED = {"fmv.x.w": (0x70, 0), "fclass.s": (0x70, 1), "fmv.w.x": (0x78, 0)}  # funct7, funct3
_FUSED = {"fmadd.s": 0x43, "fmsub.s": 0x47, "fnmsub.s": 0x4B, "fnmadd.s": 0x4F}
_FIXED = {
    "fence": 0x0FF0000F, "fence.i": 0x0000100F, "ecall": 0x00000073, "ebreak": 0x00100073, "mret": 0x30200073,
    "wfi": 0x10500073,
}  # fmt: skip

LOADS = ("lb", "lh", "lw", "lbu", "lhu")
STORES = ("sb", "sh", "sw")
BRANCHES = tuple(_B)
AMOS = tuple(name for name in _AMO if name.startswith("amo"))
FUSED = tuple(_FUSED)


def _field(value: int, high: int, low: int, at: int) -> int:
    return (value >> low & ((1 << (high - low + 1)) - 1)) << at


def _check(value: int, bits: int, step: int = 1) -> None:
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1) or value % step:
        raise ValueError(f"{value} does not fit {bits} bits in steps of {step}")


def _branch(name: str, rs1: int, rs2: int, offset: int) -> int:
    _check(offset, 13, 2)
    return (
        0x63 | _B[name] << 12 | rs1 << 15 | rs2 << 20 | _field(offset, 11, 11, 7) | _field(offset, 4, 1, 8)
        | _field(offset, 10, 5, 25) | _field(offset, 12, 12, 31)
    )  # fmt: skip


def _jal(rd: int, offset: int) -> int:
    _check(offset, 21, 2)
    return (
        0x6F | rd << 7 | _field(offset, 19, 12, 12) | _field(offset, 11, 11, 20) | _field(offset, 10, 1, 21)
        | _field(offset, 20, 20, 31)
    )  # fmt: skip


def _r(opcode: int, funct3: int, funct7: int, rd: int, rs1: int, rs2: int) -> int:
    return opcode | rd << 7 | funct3 << 12 | rs1 << 15 | rs2 << 20 | funct7 << 25


def word(name: str, *args: int) -> int:
    """A 32-bit instruction. Operands in assembly order; loads `rd, rs1, offset`, stores `rs2, rs1, offset`, AMOs
    `rd, rs1, rs2`, CSR forms `rd, csr, rs1`; a rounding mode comes last and is DYN when left out."""
    if name in _R:
        return _r(*_R[name], *args)
    if name in _SHIFT:
        return _r(0x13, *_SHIFT[name], *args)
    if name in _I:
        rd, rs1, imm = args
        _check(imm, 12)
        return _I[name][0] | rd << 7 | _I[name][1] << 12 | rs1 << 15 | (imm & 0xFFF) << 20
    if name in _S:
        rs2, rs1, imm = args
        _check(imm, 12)
        opcode, funct3 = _S[name]
        return opcode | _field(imm, 4, 0, 7) | funct3 << 12 | rs1 << 15 | rs2 << 20 | _field(imm, 11, 5, 25)
    if name in _B:
        return _branch(name, *args)
    if name == "jal":
        return _jal(*args)
    if name in ("lui", "auipc"):
        rd, upper = args
        return (0x37 if name == "lui" else 0x17) | rd << 7 | (upper & 0xFFFFF) << 12
    if name in _CSR:
        rd, csr, rs1 = args
        return 0x73 | rd << 7 | _CSR[name] << 12 | rs1 << 15 | csr << 20
    if name in _AMO:
        rd, rs1, rs2 = args if name != "lr.w" else (*args, 0)
        return _r(0x2F, 2, _AMO[name] << 2, rd, rs1, rs2)
    if name in _FIXED:
        return _FIXED[name]
    return _float(name, *args)


def _float(name: str, *args: int) -> int:
    if name in _FUSED:
        rd, rs1, rs2, rs3, *rm = args
        return _r(_FUSED[name], rm[0] if rm else DYN, rs3 << 2, rd, rs1, rs2)
    if name in _ROUNDED2:
        rd, rs1, rs2, *rm = args
        return _r(0x53, rm[0] if rm else DYN, _ROUNDED2[name], rd, rs1, rs2)
    if name in _ROUNDED1:
        rd, rs1, *rm = args
        funct7, rs2 = _ROUNDED1[name]
        return _r(0x53, rm[0] if rm else DYN, funct7, rd, rs1, rs2)
    funct7, funct3 = _MOVED[name]
    rd, rs1 = args
    return _r(0x53, funct3, funct7, rd, rs1, 0)


def _short(register: int) -> int:
    if not 8 <= register <= 15:
        raise ValueError(f"x{register} has no short number")
    return register - 8


def _c_word_offset(offset: int) -> int:
    return _field(offset, 5, 3, 10) | _field(offset, 2, 2, 6) | _field(offset, 6, 6, 5)


def _c_imm(imm: int) -> int:
    _check(imm, 6)
    return _field(imm, 5, 5, 12) | _field(imm, 4, 0, 2)


def _c_jump(offset: int) -> int:
    _check(offset, 12, 2)
    places = ((11, 11, 12), (4, 4, 11), (9, 8, 9), (10, 10, 8), (6, 6, 7), (7, 7, 6), (3, 1, 3), (5, 5, 2))
    return sum(_field(offset, *place) for place in places)


def _c_branch(offset: int) -> int:
    _check(offset, 9, 2)
    places = ((8, 8, 12), (4, 3, 10), (7, 6, 5), (2, 1, 3), (5, 5, 2))
    return sum(_field(offset, *place) for place in places)


_C_ARITHMETIC = {"c.sub": 0, "c.xor": 1, "c.or": 2, "c.and": 3}
_C_MEMORY = {"c.lw": 0x4000, "c.flw": 0x6000, "c.sw": 0xC000, "c.fsw": 0xE000}
_C_STACK_LOAD = {"c.lwsp": 0x4002, "c.flwsp": 0x6002}
_C_STACK_STORE = {"c.swsp": 0xC002, "c.fswsp": 0xE002}
_C_SHIFT = {"c.srli": 0x8001, "c.srai": 0x8401}
_C_IMMEDIATE = {"c.addi": 0x0001, "c.li": 0x4001, "c.lui": 0x6001}


def half(name: str, *args: int) -> int:
    """A compressed instruction; operands as in `word`, immediates in their real size (c.lui: the value of bits 17..12)."""
    if name in _C_MEMORY:
        data, base, offset = args
        return _C_MEMORY[name] | _short(base) << 7 | _short(data) << 2 | _c_word_offset(offset)
    if name in _C_STACK_LOAD:
        rd, offset = args
        return (
            _C_STACK_LOAD[name] | rd << 7 | _field(offset, 5, 5, 12) | _field(offset, 4, 2, 4) | _field(offset, 7, 6, 2)
        )
    if name in _C_STACK_STORE:
        rs2, offset = args
        return _C_STACK_STORE[name] | rs2 << 2 | _field(offset, 5, 2, 9) | _field(offset, 7, 6, 7)
    if name in _C_IMMEDIATE:
        rd, imm = args
        return _C_IMMEDIATE[name] | rd << 7 | _c_imm(imm)
    if name in _C_SHIFT:
        rd, amount = args
        return _C_SHIFT[name] | _short(rd) << 7 | (amount & 31) << 2
    if name in _C_ARITHMETIC:
        rd, rs2 = args
        return 0x8C01 | _short(rd) << 7 | _C_ARITHMETIC[name] << 5 | _short(rs2) << 2
    return _half_other(name, *args)


def _half_other(name: str, *args: int) -> int:
    places: tuple[tuple[int, int, int], ...]
    match name, args:
        case "c.nop", ():
            return 0x0001
        case "c.ebreak", ():
            return 0x9002
        case "c.addi4spn", (rd, imm):
            places = ((5, 4, 11), (9, 6, 7), (2, 2, 6), (3, 3, 5))
            return _short(rd) << 2 | sum(_field(imm, *place) for place in places)
        case "c.addi16sp", (imm,):
            _check(imm, 10, 16)
            places = ((9, 9, 12), (4, 4, 6), (6, 6, 5), (8, 7, 3), (5, 5, 2))
            return 0x6101 | sum(_field(imm, *place) for place in places)
        case "c.andi", (rd, imm):
            return 0x8801 | _short(rd) << 7 | _c_imm(imm)
        case "c.slli", (rd, amount):
            return 0x0002 | rd << 7 | (amount & 31) << 2
        case "c.jal", (offset,):
            return 0x2001 | _c_jump(offset)
        case "c.j", (offset,):
            return 0xA001 | _c_jump(offset)
        case "c.beqz", (rs1, offset):
            return 0xC001 | _short(rs1) << 7 | _c_branch(offset)
        case "c.bnez", (rs1, offset):
            return 0xE001 | _short(rs1) << 7 | _c_branch(offset)
        case "c.jr", (rs1,):
            return 0x8002 | rs1 << 7
        case "c.jalr", (rs1,):
            return 0x9002 | rs1 << 7
        case "c.mv", (rd, rs2):
            return 0x8002 | rd << 7 | rs2 << 2
        case "c.add", (rd, rs2):
            return 0x9002 | rd << 7 | rs2 << 2
    raise ValueError(f"no instruction {name} with operands {args}")


def code(*instructions: int) -> bytes:
    """Bytes of instructions; the low two bits tell whether one is a word or a half."""
    return b"".join(i.to_bytes(4 if i & 3 == 3 else 2, "little") for i in instructions)


def load_constant(rd: int, value: int) -> bytes:
    """lui and addi (8 bytes, whatever the value)."""
    value &= 0xFFFFFFFF
    low = (value & 0xFFF) - ((value & 0x800) << 1)
    return code(word("lui", rd, (value - low) >> 12), word("addi", rd, rd, low))
