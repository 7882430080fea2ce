"""What kernels print: on sys.stdout of that moment, in order, while they run."""

from __future__ import annotations

import contextlib
import io
import sys

import numpy as np
import pytest

import p4kernel as p4

pytestmark = pytest.mark.usefixtures("board")


@p4.kernel(timeout=100)
def says(text: p4.cstr, times: p4.i32, forever: p4.bool_) -> None:
    p4.c(
        """
        for (int i = 0; i < times; ++i)
            printf("%s", text);
        for (volatile int i = 0; forever; ++i) ;
    """,
        preamble="#include <stdio.h>",
    )


class Heard(BaseException):
    pass


class Ear(io.StringIO):
    """Ends the kernel as soon as it has said something."""

    def write(self, text: str) -> int:
        super().write(text)
        raise Heard


def test_text_comes_while_the_kernel_runs() -> None:
    """The kernel never ends by itself: only what it prints can end it."""
    with contextlib.redirect_stdout(Ear()) as ear, pytest.raises(Heard):
        says("hello\n", 1, True)
    assert ear.getvalue() == "hello\n"


def test_stdout_is_looked_up_when_text_comes(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(first):
        says("one", 1, False)
    with contextlib.redirect_stdout(second):
        says("two", 1, False)
    says("three", 1, False)
    assert (first.getvalue(), second.getvalue(), capsys.readouterr().out) == ("one", "two", "three")


def test_without_a_stdout_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    says("text", 3, False)


def test_much_text_is_complete_and_in_order() -> None:
    @p4.kernel
    def lines(n: p4.i32) -> None:
        p4.c(r'for (int i = 0; i < n; ++i) printf("line %d\n", i);', preamble="#include <stdio.h>")

    with contextlib.redirect_stdout(io.StringIO()) as out:
        lines(50_000)
    assert out.getvalue() == "".join(f"line {i}\n" for i in range(50_000))


def test_a_character_that_two_frames_share() -> None:
    """Text is cut every 1024 bytes; characters here have three."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        says("€", 3000, False)
    assert out.getvalue() == "€" * 3000


def test_bytes_that_are_no_text() -> None:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        says(b"a\xffb", 1, False)
    assert out.getvalue() == "a\ufffdb"


def test_text_before_a_fault_and_of_the_log_functions() -> None:
    @p4.kernel
    def fails() -> p4.i32:
        p4.c(
            r"""
            ESP_LOGI("tag", "number %d", 5);
            ESP_LOGD("tag", "not compiled");
            esp_rom_printf("rom %s\n", "text");
            puts("last words");
            return *(volatile int *)0;
        """,
            preamble="#include <stdio.h>\n#include <esp_log.h>\n#include <esp_rom_sys.h>",
        )

    with contextlib.redirect_stdout(io.StringIO()) as out, pytest.raises(p4.KernelFault):
        fails()
    assert out.getvalue() == "I (0) tag: number 5\nrom text\nlast words\n"


def test_a_stdout_that_fails_ends_the_kernel() -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with contextlib.redirect_stdout(Broken()), pytest.raises(BrokenPipeError):
        says("x", 1, True)
    x = np.ones(1)
    assert x.sum() == 1
    with contextlib.redirect_stdout(io.StringIO()) as out:
        says("well", 1, False)
    assert out.getvalue() == "well"
