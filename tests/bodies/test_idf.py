"""Include folders and macros of an ESP-IDF project. The projects here are made up."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import p4kernel as p4
from p4kernel.commandline import CommandError, expand, split
from p4kernel.idf import Project, idf_project

Entries = list[dict[str, Any]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two components, the flags that ESP-IDF's builds have, and the folder of a C library."""
    root = tmp_path / "blinky"
    for folder in ("main/include", "components/dsp/inc", "build/config", "build/toolchain", "my headers"):
        (root / folder).mkdir(parents=True)
    (root / "main/include/board.h").write_text(
        '#include "sdkconfig.h"\n#include <dsp.h>\n#define LEDS (CONFIG_LEDS + DSP)\n'
    )
    (root / "components/dsp/inc/dsp.h").write_text("#pragma once\n#define DSP 100\nenum mode { OFF, ON };\n")
    (root / "build/config/sdkconfig.h").write_text("#define CONFIG_LEDS 4\n")
    (root / "my headers/spaced.h").write_text("#define SPACED 9\n")
    (root / "build/toolchain/cflags").write_text(
        '-march=rv32imafc_zicsr_zifencei_xesppie -fshort-enums "-DQUOTED=\\"a b\\""\n'
    )
    tools = tmp_path / "tools" / "bin"
    tools.mkdir(parents=True)
    (tmp_path / "tools/riscv32-esp-elf/include").mkdir(parents=True)
    (tmp_path / "tools/riscv32-esp-elf/include/newlib_only.h").write_text("#define NEWLIB 1\n")
    common = (
        f'{tools}/riscv32-esp-elf-gcc -DESP_PLATFORM -DIDF_VER=\\"v5.4\\" -DNAME=\'"blinky"\' -Iconfig -I../main/include '
        f"-isystem {root}/components/dsp/inc '-I{root}/my headers' @toolchain/cflags -Og -Wall -Werror=all -std=gnu17 "
        "-ffunction-sections -mabi=ilp32f -specs=nano.specs -MD -MT x -MF x.d -include sdkconfig_extra.h"
    )
    (root / "build/sdkconfig_extra.h").write_text("#define EXTRA 7\n")
    entries: Entries = [
        {
            "directory": f"{root}/build",
            "command": f"{common} -o esp-idf/main/CMakeFiles/__idf_main.dir/main.c.obj -c {root}/main/main.c",
            "file": f"{root}/main/main.c",
        },
        {
            "directory": f"{root}/build",
            "arguments": [f"{tools}/riscv32-esp-elf-gcc", "-DONLY_DSP", "-Iconfig", "-o",
                          "esp-idf/dsp/CMakeFiles/__idf_dsp.dir/dsp.c.obj", "-c", f"{root}/components/dsp/dsp.c"],
            "file": f"{root}/components/dsp/dsp.c",
        },
        {"directory": f"{root}/build", "command": "as -o x.o x.S", "file": "x.S"},
    ]  # fmt: skip
    (root / "build/compile_commands.json").write_text(json.dumps(entries))
    (root / "build/project_description.json").write_text('{"target": "esp32p4"}')
    return root


def includes(project: Project) -> list[str]:
    return [Path(place).name for place in project.include_dirs]


@pytest.mark.usefixtures("compiler")
def test_a_kernel_includes_what_the_project_can(project: Path) -> None:
    @p4.kernel(project=p4.idf_project(project))
    def f() -> p4.i32:
        p4.c(
            """
            _Static_assert(sizeof(enum mode) == 1, "short enums");
            _Static_assert(sizeof IDF_VER == 5 && sizeof NAME == 7 && sizeof QUOTED == 4, "quotes");
            return LEDS * 10 + EXTRA + ESP_PLATFORM * SPACED + NEWLIB;
            """,
            preamble='#include "board.h"\n#include <spaced.h>\n#include <newlib_only.h>',
        )

    assert f() == 104 * 10 + 7 + 9 + 1


def test_what_is_taken(project: Path) -> None:
    found = idf_project(project)
    assert found.component == "main"
    assert includes(found) == ["config", "include", "inc", "my headers", "include"]
    assert set(found.defines) == {"ESP_PLATFORM", 'IDF_VER="v5.4"', 'NAME="blinky"', 'QUOTED="a b"'}
    assert {flag[:2] for flag in found.flags if flag.startswith("-")} == {"-D", "-i", "-f"}
    assert [flag for flag in found.flags if flag.startswith("-f")] == ["-fshort-enums"]
    assert "5 include folders, 4 macros" in repr(found)


@pytest.mark.parametrize("place", ["", "build", "build/compile_commands.json"])
def test_where_it_is_looked_for(place: str, project: Path) -> None:
    assert idf_project(project / place).path == project / "build/compile_commands.json"


def test_a_relative_path_is_taken_from_the_python_file(project: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import p4kernel as p4\nfound = p4.idf_project('blinky')\n")
    names: dict[str, Any] = {}
    exec(compile(program.read_text(), str(program), "exec"), names)
    assert names["found"].path == project / "build/compile_commands.json"


def test_components(project: Path) -> None:
    dsp = idf_project(project, component="dsp")
    assert dsp.defines == ("ONLY_DSP",)
    assert includes(dsp) == ["config", "include"]
    everything = idf_project(project, component=None)
    assert {"ONLY_DSP", "ESP_PLATFORM"} <= set(everything.defines)
    with pytest.raises(p4.Error, match="no C file of a component 'wifi'; it has dsp, main"):
        idf_project(project, component="wifi")


def test_a_changed_header_is_compiled_anew(project: Path) -> None:
    results = []
    for leds in (4, 4, 5):
        header = project / "build/config/sdkconfig.h"
        header.write_text(f"#define CONFIG_LEDS {leds}\n")
        os.utime(header, (1e9 + leds, 1e9 + leds))

        @p4.kernel(project=idf_project(project))
        def f() -> p4.i32:
            p4.c("return LEDS;", preamble='#include "board.h"')

        results.append((f(), f.build.from_cache == "built"))
    assert [value for value, _ in results] == [104, 104, 105]
    assert results[2][1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read: Expecting"),
        ("{}", "it holds no list"),
        ("[3]", "entry 0: it must have a directory and a file"),
        ('[{"directory": "/", "file": "a.c"}]', r"entry 0: it must have a command \(text\) or arguments"),
        ('[{"directory": "/", "file": "a.c", "arguments": "gcc"}]', "entry 0: it must have a command"),
        ('[{"directory": "/", "file": "a.c", "command": "gcc \'open"}]', "entry 0: the command has no closing quotation"),
        ("[]", "no C file of a component 'main'; it has none at all"),
        ('[{"directory": "/", "file": "a.c", "command": "gcc -I/nothere -o esp-idf/main/CMakeFiles/a.obj -c a.c"}]',
         "none of its 1 include folders is there .*built on another machine"),
        ('[{"directory": "/", "file": "a.c", "command": "gcc @gone -o esp-idf/main/CMakeFiles/a.obj -c a.c"}]',
         "response file /gone cannot be read"),
    ],
)  # fmt: skip
def test_broken_databases(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "compile_commands.json").write_text(text)
    with pytest.raises(p4.Error, match=message):
        idf_project(tmp_path)


def test_no_build(tmp_path: Path, project: Path) -> None:
    with pytest.raises(p4.Error, match="there is no .*nothere"):
        idf_project(tmp_path / "nothere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(p4.Error, match="idf.py build"):
        idf_project(tmp_path / "empty")
    (project / "build/project_description.json").write_text('{"target": "esp32s3"}')
    with pytest.raises(p4.Error, match="was built for esp32s3.*set-target esp32p4"):
        idf_project(project)
    (project / "build/project_description.json").write_text("[")
    with pytest.raises(p4.Error, match="project_description.json cannot be read"):
        idf_project(project)


def test_a_response_file_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("-DX @b")
    (tmp_path / "b").write_text("@a")
    with pytest.raises(CommandError, match="does one include itself"):
        expand(["@a"], os.fspath(tmp_path))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (r"""gcc -DV=\"1\" '-DW="a b"' -I/x\ y""", ["gcc", '-DV="1"', '-DW="a b"', "-I/x y"]),
        (
            r'C:\esp\gcc.exe -DV=\"1\" "-IC:\My Dir\i" -c C:\x.c',
            [r"C:\esp\gcc.exe", '-DV="1"', r"-IC:\My Dir\i", "-c", r"C:\x.c"],
        ),
        (r'"C:\Program Files\gcc.exe" "-DP=\"a b\\\"" ""', [r"C:\Program Files\gcc.exe", '-DP="a b\\"', ""]),
        (r'C:/esp/gcc.exe "a""b" c\\d "e\\"', ["C:/esp/gcc.exe", 'a"b', r"c\\d", "e\\"]),
        ("\\\\server\\gcc.exe  -Ix\t-Iy", [r"\\server\gcc.exe", "-Ix", "-Iy"]),
    ],
)
def test_splitting(text: str, words: list[str]) -> None:
    assert split(text) == words


def test_windows_paths_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "inc").mkdir()
    entry = {
        "directory": r"C:\p\build",
        "command": r'C:\t\riscv32-esp-elf-gcc.exe -IC:\p\inc -isystem "C:\my p\x" -I'
        + os.fspath(tmp_path / "inc").replace("\\", "/")
        + r" -o esp-idf\main\CMakeFiles\__idf_main.dir\m.c.obj -c C:\p\main\m.c",
        "file": r"C:\p\main\m.c",
    }
    (tmp_path / "compile_commands.json").write_text(json.dumps([entry]))
    found = idf_project(tmp_path)
    assert found.include_dirs[:2] == (r"C:\p\inc", r"C:\my p\x")
