"""The README's Python blocks run, one after the other, and do what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"


def blocks(language: str, file: Path = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", file.read_text(), re.MULTILINE | re.DOTALL)


def test_python_blocks_run(tmp_path: Path) -> None:
    code = "\n".join(b for b in blocks("python") if "/dev/ttyACM0" not in b)
    script = tmp_path / "readme.py"
    script.write_text(
        f"{code}\nassert y.tolist() == [1, 3, 5, 7, 9], y\n"
        "s = np.full(8, 16, np.int16); o = np.zeros(8, np.int16); smooth(s, o); assert o[2:6].tolist() == [16] * 4\n"
        "assert norm(np.array([3, 4], np.float32)) == 5 and rotate(0x80000001, 4) == 0x18\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("virtual ESP32-P4") == 1


@pytest.mark.parametrize("revision", [1, 3])
@pytest.mark.parametrize("guide", ["pie/guide.md", "guides/kernels.md", "guides/board.md"])
def test_guides_run(guide: str, revision: int, tmp_path: Path) -> None:
    """Their blocks say by themselves what comes out."""
    code = "\n".join(blocks("python", ROOT / "p4kernel" / guide))
    assert code.count("assert ") >= 2
    script = tmp_path / "guide.py"
    script.write_text(code)
    environment = os.environ | {"P4KERNEL_BOARD": f"sim?revision={revision}"}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("section", ["Run it", "Test it"])
def test_sections_open_with_one_command(section: str) -> None:
    match = re.search(rf"^## {section}\n\n```sh\n(.*?)\n```", README.read_text(), re.MULTILINE | re.DOTALL)
    assert match is not None
    assert "\n" not in match[1]


def test_every_error_is_in_the_table() -> None:
    import p4kernel as p4
    from p4kernel import errors

    text = README.read_text()
    for name in errors.__all__:
        if name not in ("Error", "Frame", "Diagnostic", "Cancelled"):
            assert f"`{name}`" in text, name
            assert hasattr(p4, name)
