"""The generated tables: up to date, equal on both sides, and codecs that keep what they are given."""

from __future__ import annotations

import ast
import re
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from p4kernel.wire import _protocol, _tables, generate
from p4kernel.wire._generate_c import c_header
from tests.tools import require

ROOT = Path(__file__).parents[2]
HEADER = ROOT / "firmware" / "core" / "p4k_protocol.h"
RAW: dict[str, Any] = yaml.safe_load((ROOT / "stubs" / "protocol.yaml").read_text())
PAYLOADS: dict[str, list[list[str]]] = {"header": RAW["header"], **RAW["payloads"]}
SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8}


def title(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def sample(name: str) -> Any:
    """A payload whose fields all differ, and need all their bytes."""
    values: list[object] = []
    for i, (field, kind) in enumerate(PAYLOADS[name]):
        if field == "pad":
            continue
        if kind in SIZES:
            values.append(int.from_bytes(bytes(0x81 + (i + k) % 100 for k in range(SIZES[kind])), "little"))
        elif kind == "str8":
            values.append("é" * i)
        else:
            values.append(bytes(range(i, i + (int(kind[6:]) if kind.startswith("bytes:") else 5))))
    return getattr(_tables, title(name))(*values)


def by_hand(name: str, values: tuple[Any, ...]) -> bytes:
    """The bytes that protocol.yaml asks for, by other means than the generated code."""
    data, rest = b"", list(values)
    for field, kind in PAYLOADS[name]:
        if field == "pad":
            data += bytes(SIZES[kind])
        elif kind in SIZES:
            data += rest.pop(0).to_bytes(SIZES[kind], "little")
        elif kind == "str8":
            text = rest.pop(0).encode()
            data += bytes([len(text)]) + text
        else:
            data += rest.pop(0)
    return data


def test_the_generated_files_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check"]) == 0
    assert capsys.readouterr().err == ""


def test_a_stale_file_is_found_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "p4k_protocol.h"
    stale.write_text("old")
    source = tmp_path / "protocol.yaml"
    shutil.copy(ROOT / "stubs" / "protocol.yaml", source)
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "SOURCE", source)
    monkeypatch.setattr(generate, "OUTPUTS", {stale: c_header})
    assert generate.main(["--check"]) == 1
    assert "p4k_protocol.h does not match protocol.yaml" in capsys.readouterr().err
    assert stale.read_text() == "old"
    assert generate.main([]) == 0
    assert stale.read_text() == HEADER.read_text()


def test_the_tables_import_nothing_heavy() -> None:
    source = Path(_tables.__file__).read_text()
    imports = {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    assert imports == {"__future__", "enum", "struct", "typing"}
    assert not any(isinstance(node, ast.Import) for node in ast.walk(ast.parse(source)))


def test_every_number_is_in_the_tables() -> None:
    enums = {"status": "Status", "phases": "Phase", "caps": "Cap", "directions": "Direction"}
    enums |= {"info_flags": "InfoFlag", "call_flags": "CallFlag"}
    for table, name in enums.items():
        assert {member.name: member.value for member in getattr(_tables, name)} == RAW[table]
    assert {member.name: member.value for member in _tables.Type} == {n: of["code"] for n, of in RAW["types"].items()}
    assert {member.name for member in _tables.REQUESTS} == {
        n for n, of in RAW["types"].items() if of["kind"] == "request"
    }
    for table, prefix in (("limits", "MAX"), ("defaults", "DEFAULT"), ("times", "MS")):
        for name, value in RAW[table].items():
            assert getattr(_tables, f"{prefix}_{name.upper()}") == value
    assert (RAW["version"], RAW["magic"]) == (_tables.VERSION, _tables.MAGIC)


@pytest.mark.parametrize("name", PAYLOADS)
def test_codec(name: str) -> None:
    payload = sample(name)
    data = payload.pack()
    assert data == by_hand(name, payload)
    for source in (data, bytearray(data), memoryview(data)):
        again = type(payload).unpack(source)
        assert again == payload and all(type(a) is type(b) for a, b in zip(again, payload, strict=True))
    size = getattr(_tables, f"{name.upper()}_SIZE")
    with pytest.raises(struct.error):
        type(payload).unpack(data[: size - 1])
    if PAYLOADS[name][-1][1] != "rest":
        for bad in (data + b"\0", data[:-1]):
            with pytest.raises(struct.error):
                type(payload).unpack(bad)


def test_strings_have_their_limits() -> None:
    entry = _tables.ExportEntry(1, "x" * 255)
    assert _tables.ExportEntry.unpack(entry.pack()) == entry
    with pytest.raises(struct.error, match="256 bytes where 255"):
        _tables.ExportEntry(1, "x" * 256).pack()
    assert _tables.ExportEntry.unpack(b"\0\0\0\0\2\xff\xfe").name == "\ufffd\ufffd"


def test_numbers_out_of_range_are_refused() -> None:
    for value in (-1, 1 << 32):
        with pytest.raises(struct.error):
            _tables.Free(value).pack()


def test_the_c_codec_agrees(tmp_path: Path) -> None:
    """Each sample goes through p4kw_get and p4kw_put, and comes out as it was; the constants are compared, too."""
    lines, expected = [], []
    for name in PAYLOADS:
        size = getattr(_tables, f"{name.upper()}_SIZE")
        if not size:
            continue
        data = sample(name).pack()[:size]
        bytes_ = ", ".join(map(str, data))
        lines.append(
            f"{{ static const uint8_t in[] = {{{bytes_}}}; uint8_t out[P4KW_{name.upper()}_SIZE]; p4kw_{name} v;"
            f" memset(out, 0xEE, sizeof out); p4kw_get_{name}(&v, in); p4kw_put_{name}(out, &v);"
            f' for (unsigned i = 0; i < sizeof out; i++) printf("%02x", out[i]); puts(""); }}'
        )
        expected.append(data.hex())
    constants = dict(re.findall(r"\b(P4K_\w+) = (\d+)", HEADER.read_text()))
    for member in _tables.Status:
        assert int(constants[f"P4K_ST_{member.name}"]) == member
    for kind in _tables.Type:
        assert int(constants[f"P4K_{kind.name}"]) == kind
    source = tmp_path / "codec.c"
    source.write_text('#include <stdio.h>\n#include "p4k_protocol.h"\nint main(void)\n{\n' + "\n".join(lines) + "\n}\n")
    program = tmp_path / "codec"
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{HEADER.parent}"]
    subprocess.run([require("gcc"), *flags, str(source), "-o", str(program)], check=True)
    assert subprocess.run([program], check=True, capture_output=True, text=True).stdout.split() == expected


@pytest.mark.parametrize(
    "change, message",
    [
        ({"more": 1}, "unknown or missing keys: .'more'"),
        (
            {"types": {"A": {"code": 1, "from": "host", "kind": "x"}, "B": {"code": 1, "from": "host", "kind": "x"}}},
            "one code",
        ),
        ({"types": {"A": {"code": 1, "from": "nobody", "kind": "x"}}}, "a sender that is none of"),
        ({"payloads": {"p": [["a", "u24"]]}}, "field a has the unknown type u24"),
        ({"payloads": {"p": [["a", "bytes:0"]]}}, "unknown type bytes:0"),
        ({"payloads": {"p": [["a", "str8"], ["b", "u8"]]}}, "fields of varying length come last"),
        ({"payloads": {"p": [["a", "rest"], ["b", "str8"]]}}, "rest at the end"),
    ],
)
def test_a_description_that_makes_no_sense(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / "protocol.yaml"
    path.write_text(yaml.safe_dump(RAW | change))
    with pytest.raises(ValueError, match=message):
        _protocol.load(path)
