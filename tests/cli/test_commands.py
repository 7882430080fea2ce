"""The commands, but for serve: what they print, what they return, and how they fail."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import serial.tools.list_ports
import skimage.data
from click.testing import CliRunner, Result
from PIL import Image

import p4kernel as p4
from p4kernel.build import cache, toolchain
from p4kernel.cli import main

ROOT = Path(__file__).parents[2]
COMMANDS = ("demo", "doctor", "ports", "serve", "cache", "pie", "objdump")
Invoke = Callable[..., Result]


@pytest.fixture
def p4kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Invoke:
    """Runs the command with a build cache of its own and no board named."""
    monkeypatch.setenv("P4KERNEL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("P4KERNEL_BOARD", raising=False)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments)

    return invoke


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PATH", "IDF_TOOLS_PATH"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("P4KERNEL_CC", raising=False)
    monkeypatch.setattr(toolchain, "_zig", lambda: toolchain.Candidate("ziglang", None, None, None, "not installed"))


def words(text: str) -> str:
    return " ".join(text.split())


# -- all of them ------------------------------------------------------------------------------------------------


def test_no_command(p4kernel: Invoke) -> None:
    result = p4kernel()
    assert result.exit_code == 0
    assert result.output == p4kernel("--help").output
    assert all(f"\n  {name} " in result.output for name in COMMANDS)


def test_version(p4kernel: Invoke) -> None:
    assert p4kernel("--version").output == f"p4kernel {p4.__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples(p4kernel: Invoke, name: str) -> None:
    result = p4kernel(name, "--help")
    assert result.exit_code == 0
    assert re.search(rf"Examples:\n +p4kernel {name}", result.output)


def test_unknown_command(p4kernel: Invoke) -> None:
    result = p4kernel("demos")
    assert result.exit_code == 2
    assert "No such command 'demos'" in result.stderr


def test_error(p4kernel: Invoke) -> None:
    result = p4kernel("demo", "--board", "/dev/ttyNOWHERE")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("error: /dev/ttyNOWHERE: there is no such port")
    assert isinstance(result.exception, SystemExit)


def test_interrupt(p4kernel: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(serial.tools.list_ports, "comports", interrupted)
    result = p4kernel("ports")
    assert (result.exit_code, result.output) == (130, "")


def test_as_module() -> None:
    done = subprocess.run([sys.executable, "-m", "p4kernel"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: p4kernel [OPTIONS] [COMMAND]")


@pytest.mark.parametrize("wanted", [True, False])
def test_colours(p4kernel: Invoke, monkeypatch: pytest.MonkeyPatch, wanted: bool) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b" not in p4kernel("doctor").output
    monkeypatch.setenv("FORCE_COLOR", "1")
    if not wanted:
        monkeypatch.setenv("NO_COLOR", "1")
    assert bool(re.search(r"\x1b\[[\d;]*3[0-7]m", p4kernel("doctor").output)) == wanted


# -- ports ------------------------------------------------------------------------------------------------------


def test_ports(p4kernel: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        SimpleNamespace(device="/dev/ttyS0", description="n/a", vid=None, pid=None),
        SimpleNamespace(device="/dev/ttyACM0", description="USB JTAG", vid=0x303A, pid=0x1001),
    ]
    monkeypatch.setattr(serial.tools.list_ports, "comports", lambda: found)
    assert p4kernel("ports").output.splitlines() == ["/dev/ttyACM0  USB JTAG [303a:1001]", "/dev/ttyS0"]


def test_no_ports(p4kernel: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial.tools.list_ports, "comports", list)
    result = p4kernel("ports")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "No serial port is connected" in result.stderr
    assert "p4.connect('sim')" in result.stderr


# -- cache ------------------------------------------------------------------------------------------------------


def test_cache(p4kernel: Invoke, tmp_path: Path) -> None:
    folder = str(tmp_path / "cache")
    assert p4kernel("cache").output == f"{folder}\n0 entries, 0 bytes of at most 256 MB\n"
    cache.put_blob("0123456789", bytes(2000))
    assert re.fullmatch(rf"{re.escape(folder)}\n1 entries, 2 KB of at most 256 MB\n", p4kernel("cache", "show").output)
    assert p4kernel("cache", "clear").output == f"1 entries removed from {folder}\n"
    assert "\n0 entries, 0 bytes" in p4kernel("cache", "show").output


# -- doctor -----------------------------------------------------------------------------------------------------


def test_doctor(p4kernel: Invoke) -> None:
    result = p4kernel("doctor")
    assert result.exit_code == 0, result.output
    for text in (
        "NumPy",
        "native extension",
        "ziglang",
        "a kernel was built and ran",
        "Kernels can be built and run here.",
    ):
        assert text in result.output
    assert len(re.findall(r"\bused\n", result.output)) == 1
    assert "!!" not in result.output


@pytest.mark.usefixtures("no_compiler")
def test_doctor_without_compiler(p4kernel: Invoke) -> None:
    result = p4kernel("doctor")
    assert result.exit_code == 1
    assert "without a compiler no kernel was run" in result.output
    todo = result.output.partition("To do:")[2]
    assert "no compiler for the ESP32-P4 was found" in todo
    assert "pip install 'p4kernel[zig]'" in todo


def test_doctor_with_a_broken_compiler(p4kernel: Invoke, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "broken-gcc"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("P4KERNEL_CC", str(broken))
    result = p4kernel("doctor")
    assert result.exit_code == 1
    assert str(broken) in result.output.partition("To do:")[2]
    assert re.search(r"ok  +ziglang +works; not used", result.output)


def test_doctor_with_a_missing_board(p4kernel: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P4KERNEL_BOARD", "/dev/ttyNOWHERE")
    result = p4kernel("doctor")
    assert result.exit_code == 1
    assert "/dev/ttyNOWHERE: there is no such port" in words(result.output.partition("To do:")[2])
    assert "a kernel was built and ran" in result.output  # the virtual board is well


def test_doctor_without_extension(p4kernel: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("p4kernel.sim", "p4kernel.sim.link"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "p4kernel._native", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = p4kernel("doctor")
    assert result.exit_code == 1
    assert "the native extension is missing" in result.output.partition("To do:")[2]


def test_doctor_exports(p4kernel: Invoke) -> None:
    lines = p4kernel("doctor", "--exports").output.splitlines()
    with p4.connect("sim") as board:
        lacking = [line for line in lines if line.endswith("  /* not on this board */")]
        assert len(lines) - len(lacking) == len(board.exports)
        assert len(lacking) == len(board.absent)
    assert "esp_err_t gpio_set_level(gpio_num_t, uint32_t)  /* not on this board */" in lacking
    for line in ("float sinf(float)", "void *memcpy(void *, const void *, size_t)", "int printf(const char *, ...)"):
        assert line in lines


# -- demo -------------------------------------------------------------------------------------------------------


def test_demo(p4kernel: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    result = p4kernel("demo", "--out", str(path))
    assert result.exit_code == 0, result.output
    for text in (
        "equal to scipy.ndimage.sobel, in every pixel",
        "equal to scipy.signal.lfilter",
        "equal to NumPy's product, in every element",
        "equal to zlib.crc32",
        "clear_first_above: store access fault at address 0x00000000 (a NULL pointer?)",
        "in clear_first_above at",
        str(path),
    ):
        assert text in result.output
    assert result.output.count("instructions in") == 4
    with Image.open(path) as image:
        pixels = np.asarray(image)
    photo = skimage.data.camera()
    rows, cols = photo.shape
    assert pixels.shape == (rows, 2 * cols + 8)
    assert np.array_equal(pixels[:, :cols], photo)
    edges = pixels[:, -cols:]
    assert edges.min() == 0
    assert edges.max() == 255
    assert 0.01 < np.mean(edges > 64) < 0.5


def test_demo_of_pie(p4kernel: Invoke) -> None:
    result = p4kernel("demo", "--pie")
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.stdout.splitlines()] == [
        "instructions", "int8", "int16", "saturating", "RGB888", "8x8", "int8", "All"
    ]  # fmt: skip


def test_demo_without_its_packages(p4kernel: Invoke, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "skimage.data", None)
    result = p4kernel("demo", "--out", str(tmp_path / "out.png"))
    assert result.exit_code == 1
    assert "skimage" in result.stderr
    assert "pip install 'p4kernel[examples]'" in result.stderr
    assert "Traceback" not in result.output


def test_demo_into_no_folder(p4kernel: Invoke, tmp_path: Path) -> None:
    result = p4kernel("demo", "--out", str(tmp_path / "none" / "out.png"))
    assert result.exit_code == 1
    assert "there is no such folder" in result.stderr
    assert result.stdout == ""
