"""Function pointers as checkers see them."""

from __future__ import annotations

import p4kernel as p4


@p4.kernel
def apply(f: p4.fn[[p4.i32, p4.f32], p4.i32], n: p4.i32) -> p4.i32:
    p4.c("return f(n, 1);")


@p4.kernel
def maybe(f: p4.fn[[], None] | None = None) -> None:
    p4.c("if (f) f();")


@p4.callback
def declared(i: p4.i32, x: p4.f32) -> p4.i32:
    return i + int(x)


def plain(i: int, x: float) -> int:
    return declared(i, x)


def use(board: p4.Board, module: p4.Module) -> int:
    apply(module.function("f"), 1)
    maybe()
    maybe(None)
    maybe(lambda: None)
    return apply(declared, 1) + apply(plain, 2) + apply(lambda i, x: i, 3) + apply(board.exports["abs"], 4)
