"""``p4kernel pie``: what people type, and what they are told."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result

from p4kernel.cli import main
from p4kernel.pie import encode, instructions


def pie(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["pie", *arguments])


def said(*arguments: str) -> str:
    result = pie(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert isinstance(result.exception, SystemExit)
    return result.stderr.removeprefix("error: ").rstrip("\n")


def shown(*arguments: str) -> str:
    result = pie(*arguments)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return result.stdout


def test_overview_names_every_group() -> None:
    text = shown()
    counts = {name: int(count) for name, count in re.findall(r"^  (\w+) +(\d+)  \w", text, re.MULTILINE)}
    members = [each.group for each in instructions()]
    assert counts == {group: members.count(group) for group in members}
    for command in ("--search", "--guide", "0x0201223b", "--revision 3"):
        assert command in text


def test_commands_in_the_overview_work() -> None:
    lines = [line for line in shown().splitlines() if line.startswith("  p4kernel pie ")]
    assert len(lines) == 5
    for line in lines:
        command = re.split(r"  +", line.strip())[0].removeprefix("p4kernel pie ")
        assert shown(*[part.strip('"') for part in re.findall(r'"[^"]*"|\S+', command)])


@pytest.mark.parametrize("name", ["esp.vld.128.ip", "vld.128.ip", "ESP.VLD.128.IP", "p4_vld_128_ip"])
def test_explanation(name: str) -> None:
    text = shown(name)
    for part in (
        "esp.vld.128.ip qu, rs1, off25616\n",
        "qu = 16 bytes at rs1; rs1 += off25616",
        "group      load",
        "esp.vld.128.ip q0, a0, 16",
        "p4_vld_128_ip(q0, p, 16);",
        "multiples of 16 from -2048 to 2032",
        f"0x{encode('esp.vld.128.ip q0, a0, 16', 1):08x}",
        f"0x{encode('esp.vld.128.ip q0, a0, 16', 3):08x}",
        "documented by Espressif; sure",
        "alignment: An address is masked",
        "esp.vld.128.xp",
    ):
        assert part in text, part


@pytest.mark.parametrize("name", [each.mnemonic for each in instructions()][::9])
def test_explanations_fit_a_terminal(name: str) -> None:
    lines = shown(name).splitlines()
    assert lines[0].startswith(name)
    bits = [line for line in lines if line.startswith("    bits  ")]
    assert len(bits) == sum(each.mnemonic == name and len(each.encodings) for each in instructions())
    prose = [line for i, line in enumerate(lines) if line not in bits and lines[i - 1] not in bits]
    assert max(map(len, prose)) <= 110
    assert not any("─" in line or "│" in line for line in lines)


def test_one_kind_of_chip() -> None:
    both, one = shown("vadd.s16"), shown("vadd.s16", "--revision", "1.3")
    assert "[, sat]" in both and "xespv 2.2 only" in both
    assert "[, sat]" not in one and "match" in one and "xespv 2.2 (" not in one
    assert said("vsl.u32", "--revision", "1").startswith("esp.vsl.u32 is not in xespv 2.1")
    assert "does not have it" in shown("vsl.u32")


def test_search() -> None:
    lines = shown("--search", "saturating add 16").splitlines()
    assert lines[0].split() == "esp.vadd.s16 qv = qx + qy in each signed 16-bit lane, saturated".split()
    assert said("--search", "bananas") == (
        "nothing fits all words of 'bananas'; use fewer, or see the groups with `p4kernel pie`"
    )


def test_a_group() -> None:
    text = shown("loop")
    assert text.splitlines()[0].startswith("loop: ")
    assert [line.split()[0] for line in text.splitlines()[1:]] == [
        each.mnemonic for each in instructions() if each.group == "loop"
    ]
    assert "forms of these that also load or store" in shown("mac")


def test_the_beginning_of_a_name_lists() -> None:
    names = [line.split()[0] for line in shown("vmax").splitlines() if line.startswith("  esp.")]
    assert {name.split(".")[1] for name in names} == {"vmax"} and len(names) == 18


def test_a_word_that_is_no_name_searches() -> None:
    assert shown("transpose").startswith("  esp.vzip.8 ")


def test_wrong_names() -> None:
    text = said("esp.vadd.s9")
    assert text.startswith("PIE has no instruction 'vadd.s9': near names are ")
    assert "esp.vadd.s8" in text and "--search" in text
    assert "--search" in said("esp.zzzzzz.s8")
    assert "--search" in said("dot", "product")


def test_encoding() -> None:
    text = "esp.vmulas.s8.xacc q0, q1"
    one, two = (f"0x{encode(text, revision):08x}" for revision in (1, 3))
    assert shown(text) == shown(*text.split()) == f"xespv 2.1  {one}  {text}\nxespv 2.2  {two}  {text}, sat\n"
    assert shown(text, "--revision", "3") == f"xespv 2.2  {two}  {text}, sat\n"
    assert shown("vmulas.s8.xacc q0, q1", "--revision", "1") == f"xespv 2.1  {one}  {text}\n"
    only = shown("esp.vsl.u32 q0, q1").splitlines()
    assert "is not in xespv 2.1" in only[0] and only[1].startswith("xespv 2.2  0x")
    assert "q9 is no PIE register: there are q0 to q7" in said("vld.128.ip q9, a0, 16")
    assert "multiples of 16 from -2048 to 2032 are" in said("vld.128.ip q0, a0, 8", "--revision", "1")


def test_decoding() -> None:
    word = encode("esp.vld.128.ip q0, a0, 16", 1)
    both = shown(f"0x{word:08x}").splitlines()
    assert both[0] == f"xespv 2.1  0x{word:08x}  esp.vld.128.ip q0, a0, 16" and len(both) == 2
    assert shown(f"0X{word:X}", "--revision", "1.3").splitlines() == both[:1]
    assert shown("0xdeadbeef").count("no instruction of PIE") == 2
    assert said("0x123456789") == "0x123456789 has more than the 32 bits of an instruction"


def test_json() -> None:
    (item,) = json.loads(shown("vadd.s16", "--json"))
    assert item["mnemonic"] == "esp.vadd.s16" and item["intrinsic"] == "p4_vadd_s16"
    assert [encoding["generation"] for encoding in item["encodings"]] == ["xespv 2.1", "xespv 2.2"]
    assert item["encodings"][1]["operands"][-1]["default"] == 1
    assert len(json.loads(shown("loop", "--json"))) == 6
    assert json.loads(shown("--search", "xor", "--json"))[0]["mnemonic"] == "esp.xorq"


@pytest.mark.parametrize(
    "arguments",
    [("--json",), ("0x1", "--json"), ("vadd.s8", "--search", "x"), ("--guide", "vadd.s8"), ("--revision", "x", "loop")],
)
def test_options_that_do_not_go_together(arguments: tuple[str, ...]) -> None:
    assert pie(*arguments).exit_code == 2


def test_guide() -> None:
    assert shown("--guide").startswith("# PIE")


def test_guide_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    monkeypatch.setattr("importlib.resources.files", lambda name: Path("/nowhere"))
    assert said("--guide") == "the guide is missing (No such file or directory); install p4kernel again"


def test_colours_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b" not in shown("vadd.s16")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1m" in shown("vadd.s16")
    assert "PIE" in shown("--guide") and "\x1b" in shown("--guide")


def test_the_command_line_starts_without_the_tables() -> None:
    code = (
        "import sys; from p4kernel.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([name for name in sys.modules if name.startswith(('p4kernel.pie._', 'capstone', 'elftools'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
