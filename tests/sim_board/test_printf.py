"""printf's family on the board: formats and arguments at random, compared with the host's snprintf; limits; faults."""

from __future__ import annotations

import ctypes
import random
import struct

import pytest

from p4kernel.build.toolchain import Toolchain
from tests.sim_board.chip import DATA, LOAD_FAULT, PSRAM_END, STORE_FAULT, Chip, End

PROTOTYPES = """
    int snprintf(char *, size_t, const char *, ...), sprintf(char *, const char *, ...);
    int vsnprintf(char *, size_t, const char *, va_list), vsprintf(char *, const char *, va_list);
    int printf(const char *, ...), vprintf(const char *, va_list), puts(const char *), putchar(int);
"""
COUNT, ROOM = 150, 512

_host = ctypes.CDLL(None).snprintf
_host.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p]


def host_format(text: str, arguments: list[object]) -> bytes:
    buffer = ctypes.create_string_buffer(ROOM)
    size = _host(buffer, ROOM, text.encode(), *arguments)
    assert 0 <= size < ROOM
    return buffer.raw[:size]


def _literal(value: object) -> str:
    if isinstance(value, ctypes.c_longlong):
        return f"(long long){value.value}ull" if value.value >= 0 else f"(long long)({value.value + 1}ll - 1)"
    if isinstance(value, ctypes.c_int):
        return f"(int){value.value & 0xFFFFFFFF}u"
    if isinstance(value, ctypes.c_double):
        return {"inf": "__builtin_inf()", "-inf": "-__builtin_inf()"}.get(str(value.value), value.value.hex())
    assert isinstance(value, bytes)
    return f'"{value.decode()}"'


def _conversion(rng: random.Random) -> tuple[str, str, list[object]]:
    """A conversion as the board and as the host (where long has 64 bits) spell it, and its arguments."""
    flags = "".join(f for f in "-+ #0" if rng.random() < 0.25)
    arguments: list[object] = []
    width = rng.choice(("", "", str(rng.randint(1, 30)), "*"))
    if width == "*":
        # glibc pads with zeros on the right for a negative width and the flag 0, against the standard.
        arguments.append(ctypes.c_int(rng.randint(0 if "0" in flags else -20, 20)))
    precision = rng.choice(("", "", ".", f".{rng.randint(0, 20)}", ".*"))
    if precision == ".*":
        arguments.append(ctypes.c_int(rng.randint(-5, 20)))
    kind = rng.choice("diouxXcs" + "feEgGFaA")
    length = ""
    if kind in "diouxX":
        length = rng.choice(("", "h", "hh", "l", "ll", "z", "t", "j"))
        bits = rng.randint(1, 64 if length in ("ll", "j") else 32)
        value = rng.choice((0, 1, -1, rng.getrandbits(bits), -rng.getrandbits(bits)))
        arguments.append(ctypes.c_longlong(value) if length in ("ll", "j") else ctypes.c_int(value))
        flags = flags if kind in "di" else flags.replace("+", "").replace(" ", "")
        flags = flags.replace("#", "") if kind in "diu" else flags
    elif kind == "c":
        flags, precision = flags.replace("#", "").replace("0", "").replace("+", "").replace(" ", ""), ""
        arguments = [*arguments[: width == "*"], ctypes.c_int(rng.choice(b"Az~"))]
    elif kind == "s":
        flags = "-" if "-" in flags else ""
        arguments.append(rng.choice((b"", b"x", b"some text", b"0123456789abcdefghij")))
    else:
        real = rng.choice((0.0, -0.0, 1.0, -1.5, 0.1, 1e10, 9.9995, 1e-5, 123456789.0, 1e100, 5e-324, float("inf"), float("-inf"),
                            rng.uniform(-1000, 1000), struct.unpack("<d", struct.pack("<Q", rng.getrandbits(62)))[0]))  # fmt: skip
        if kind in "fF" and abs(real) < float("inf"):
            real = max(-1e100, min(1e100, real))
        arguments.append(ctypes.c_double(real))
    front = f"%{flags}{width}{precision}"
    wide = {"l": "", "z": "", "t": "", "j": "ll"}.get(length, length)
    return f"{front}{length}{kind}", f"{front}{wide}{kind}", arguments


def _case(rng: random.Random) -> tuple[str, str, list[object]]:
    parts = [_conversion(rng) for _ in range(rng.randint(1, 6))]
    texts = [rng.choice(("", "a", "%%", " = ")) for _ in parts]
    board = "".join(t + p[0] for t, p in zip(texts, parts, strict=True))
    host = "".join(t + p[1] for t, p in zip(texts, parts, strict=True))
    return board, host, [a for p in parts for a in p[2]]


@pytest.mark.parametrize("through", ["snprintf", "vsnprintf", "sprintf", "vsprintf"])
def test_formats_equal_the_hosts(chip: Chip, chain: Toolchain, through: str) -> None:
    rng = random.Random(through)
    cases = [_case(rng) for _ in range(COUNT)]
    size = "" if through.endswith("sprintf") and "n" not in through[:3] else f"{ROOM}, "
    call = f"{through}(to, {size}format, list)" if through[0] == "v" else ""
    helper = f"""static int format_to(char *to, const char *format, ...) {{
        va_list list; va_start(list, format); int n = {call}; va_end(list); return n; }}""" if call else ""  # fmt: skip
    lines = []
    for i, (text, _, arguments) in enumerate(cases):
        to = f"d + {i * (ROOM + 4)}"
        rest = "".join(", " + _literal(a) for a in arguments)
        start = f'format_to({to}, "{text}"' if call else f'{through}({to}, {size}"{text}"'
        lines.append(f"*(int *)({to} + {ROOM}) = {start}{rest});")
    program = PROTOTYPES + helper + "void entry(char *d) {" + "\n".join(lines) + "}"
    chip.write(DATA, b"\xaa" * (COUNT * (ROOM + 4)))
    assert chip.run(program, chain, flags=("-Wno-format",)) == End("exit")
    for i, (text, host, arguments) in enumerate(cases):
        row = chip.read(DATA + i * (ROOM + 4), ROOM + 4)
        wanted = host_format(host, arguments)
        assert row[: len(wanted) + 2] == wanted + b"\0\xaa", (text, arguments)
        assert struct.unpack("<i", row[ROOM:]) == (len(wanted),), text


OTHERS: list[tuple[str, bytes]] = [
    ('"%p|%p", (void *)0x4ff00010, (void *)0', b"0x4ff00010|0x0"),
    ('"%s|%8s|%.3s", (char *)0, (char *)0, "abcdef"', b"(null)|  (null)|abc"),
    ('"%f %F %e %g %a", __builtin_nan(""), __builtin_nan(""), -__builtin_inf(), 1.0f, 1.0', b"nan NAN -inf 1 0x1p+0"),
    ('"%05f|%-6f|%+f", __builtin_inf(), __builtin_inf(), __builtin_inf()', b"  inf|inf   |+inf"),
    ('"%q %5! %", 1', b"%q %5! %"),
    ('"%hhd %hd %hhu", 511, 65535, -1', b"-1 -1 255"),
    ('"%.1200f", 0.5', b"0." + b"5".ljust(1200, b"0")),
    ('"%.1200e", 1.5', b"1." + b"5".ljust(1200, b"0") + b"e+00"),
    ('"%-1300.1200e|", 1.5', b"1." + b"5".ljust(1200, b"0") + b"e+00" + b" " * 94 + b"|"),
    ('"%01300.1200f|", -1.5', b"-" + b"0" * 97 + b"1." + b"5".ljust(1200, b"0") + b"|"),
    ('"%f", 1e308', b"%f" % 1e308),
    ('"%*d|%-*d|%.*d", -5, 1, -5, 2, -1, 3', b"1    |2    |3"),
    ('"%d %lld %d %lld %d %f %d %f", 1, 2ll, 3, 4ll, 5, 6.0, 7, 8.0', b"1 2 3 4 5 6.000000 7 8.000000"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "wanted"), OTHERS, ids=[a.split('"')[1][:12] for a, _ in OTHERS])
def test_what_the_host_does_otherwise(chip: Chip, chain: Toolchain, arguments: str, wanted: bytes) -> None:
    text = PROTOTYPES + f"void entry(char *d) {{ *(int *)d = snprintf(d + 4, 2000, {arguments}); }}"
    assert chip.run(text, chain, flags=("-Wno-format", "-Wno-format-extra-args")) == End("exit")
    data = chip.read(DATA, 2004)
    assert data[4:].partition(b"\0")[0] == wanted
    assert struct.unpack_from("<i", data) == (len(wanted),)


def test_count_so_far(chip: Chip, chain: Toolchain) -> None:
    text = (
        PROTOTYPES
        + 'void entry(int *d) { char b[20]; d[1] = d[2] = -1; snprintf(b, 20, "abc%n%d%hhn", d, 1234, &d[1]); }'
    )
    assert chip.run(text, chain, flags=("-Wno-format",)) == End("exit")
    assert struct.unpack("<2i", chip.read(DATA, 8)) == (3, 0xFFFFFF07 - (1 << 32))


@pytest.mark.parametrize(
    ("size", "wanted"), [(0, b"\xaa\xaa\xaa\xaa"), (1, b"\0\xaa\xaa\xaa"), (3, b"he\0\xaa"), (6, b"hell")]
)
def test_snprintf_keeps_within_its_size(chip: Chip, zig: Toolchain, size: int, wanted: bytes) -> None:
    chip.write(DATA, b"\xaa" * 8)
    text = PROTOTYPES + f'void entry(char *d) {{ d[8] = snprintf(d, {size}, "%s", "hello"); }}'
    assert chip.run(text, zig) == End("exit")
    assert chip.read(DATA, 4) == wanted
    assert chip.read(DATA + 8, 1) == b"\5"


def test_an_enormous_width_costs_nothing(chip: Chip, zig: Toolchain) -> None:
    text = (
        PROTOTYPES
        + """void entry(int *d) {
        d[0] = snprintf((char *)(d + 4), 8, "%2000000000d", 1); d[1] = snprintf(0, 0, "%*d%*d", 2147483647, 1, 9, 1); }"""
    )
    assert chip.run(text, zig) == End("exit")
    assert struct.unpack("<2i", chip.read(DATA, 8)) == (2000000000, -1)
    assert chip.read(DATA + 16, 8) == b"       \0"


FAULTS: list[tuple[str, int, int]] = [
    ("printf((char *)4)", LOAD_FAULT, 4),
    ('printf("%s", (char *)0x1000)', LOAD_FAULT, 0x1000),
    (f'printf("%.9s", (char *){PSRAM_END - 4})', LOAD_FAULT, PSRAM_END),
    ('printf("%n", (int *)8)', STORE_FAULT, 8),
    ('sprintf((char *)0x10, "x")', STORE_FAULT, 0x10),
    (f'snprintf((char *){PSRAM_END - 4}, 20, "12345678")', STORE_FAULT, PSRAM_END),
    ('vprintf("%d", (va_list)0x20)', LOAD_FAULT, 0x20),
    ("puts((char *)0)", LOAD_FAULT, 0),
]


@pytest.mark.parametrize(("call", "cause", "address"), FAULTS, ids=[f[0] for f in FAULTS])
def test_a_bad_pointer_is_a_fault_at_that_address(
    chip: Chip, zig: Toolchain, call: str, cause: int, address: int
) -> None:
    # Memory must not be zero where a text is to end beyond it.
    chip.write(PSRAM_END - 16, b"x" * 16)
    end = chip.run(PROTOTYPES + f"void entry(void *d) {{ {call}; }}", zig, flags=("-Wno-format",))
    assert (end.how, end.cause, end.address) == ("trap", cause, address)
