"""Reading stubs: annotations, bodies, and the errors that a stub's author sees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import p4kernel as p4
from p4kernel.errors import SignatureError
from p4kernel.signature import Array, Signature, read
from p4kernel.signature.scope import caller
from p4kernel.types import Direction

_In: Any = p4.In  # as no type checker would let it be used


def read_here(function: Any, **options: Any) -> Signature:
    return read(function, frame=caller(1), **options)


def test_prototype_of_all_kinds() -> None:
    def f(
        a: p4.i8, b: p4.u64, c: p4.f32, d: p4.f64, e: p4.bool_, f: p4.size_t, x: p4.In[np.int16], y: p4.Out[np.uint8],
        z: p4.ptr[np.float64], s: p4.cstr,
    ) -> p4.i64:  # fmt: skip
        p4.c("return 0;")

    signature = read_here(f)
    assert signature.prototype == (
        "int64_t f(int8_t a, uint64_t b, float c, double d, _Bool e, size_t f, const int16_t *x, uint8_t *y, "
        "double *z, const char *s)"
    )
    kinds = {p.name: p.type for p in signature.parameters}
    assert isinstance(kinds["y"], Array) and kinds["y"].direction is Direction.OUT
    assert isinstance(kinds["z"], Array) and kinds["z"].direction is Direction.INOUT


def test_text_annotations_find_closure_and_live_frames() -> None:
    element: Any = np.int16

    def make() -> Any:
        # element stands in the annotation only, so it is no free variable of f: it is found in this live frame
        def f(x: p4.In[element]) -> None:  # pyright: ignore[reportInvalidTypeForm]
            p4.c("")

        return read_here(f)

    kind = make().parameters[0].type
    assert isinstance(kind, Array) and kind.dtype == np.int16


def test_unknown_name_in_annotation_is_named() -> None:
    namespace: dict[str, Any] = {"p4": p4, "np": np}
    exec(
        "from __future__ import annotations\ndef f(x: p4.In[nowhere]) -> None:\n    p4.c('')\n",
        namespace,
    )
    with pytest.raises(SignatureError, match="'x' uses 'nowhere'"):
        read(namespace["f"])


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, ["int", "p4.i32"]),
        (np.float32, ["np.float32", "p4.In"]),
        (p4.In, ["element type"]),
        (_In[3], ["In[3]", "np.float32"]),
        (_In[float], ["In[float]", "no NumPy type"]),
        (_In[p4.i8], ["p4.In[p4.i8]: p4.i8 is no NumPy type", "as in p4.In[np.int8]"]),
        (_In[np.complex64], ["complex64", "no C type"]),
        (_In[np.float16], ["float16"]),
        (_In[np.object_], ["object"]),
        (_In[np.str_], ["dtype"]),
        (None, ["no type of a kernel parameter"]),
    ],
)
def test_annotations_that_are_no_p4_types(annotation: Any, words: list[str]) -> None:
    def f(x: Any) -> None:
        p4.c("")

    f.__annotations__ = {"x": annotation, "return": None}
    with pytest.raises(SignatureError) as caught:
        read(f)
    for word in ["'x'", *words]:
        assert word in str(caught.value)


def test_longlong_is_int64() -> None:
    def f(x: p4.In[np.longlong]) -> None:
        p4.c("")

    assert "int64_t" in read_here(f).prototype


def test_missing_return_annotation() -> None:
    def f(x: p4.i32):  # type: ignore[no-untyped-def]
        p4.c("")

    with pytest.raises(SignatureError, match="say what the kernel returns"):
        read_here(f)


def test_missing_parameter_annotation() -> None:
    def f(x) -> None:  # type: ignore[no-untyped-def]
        p4.c("")

    with pytest.raises(SignatureError, match="'x' has no type"):
        read_here(f)


def test_return_of_an_array() -> None:
    def f() -> p4.In[np.int32]:
        p4.c("")

    with pytest.raises(SignatureError, match=r"p4\.Out"):
        read_here(f)


def test_stub_without_body() -> None:
    def f() -> None:
        return None

    with pytest.raises(SignatureError, match="ended without a body"):
        read_here(f)


def test_swallowed_body() -> None:
    def f() -> None:
        try:
            p4.c("")
        except:  # noqa: E722
            return

    with pytest.raises(SignatureError, match="swallowed"):
        read_here(f)


def test_except_exception_does_not_swallow() -> None:
    def f() -> None:
        try:
            p4.c("int a;")
        except Exception:
            raise AssertionError from None

    assert read_here(f).body.text == "int a;"


@pytest.mark.parametrize(
    "use",
    [
        lambda x: f"{x}",
        lambda x: x + 1,
        lambda x: 1 - x,
        lambda x: bool(x),
        lambda x: x == 3,
        lambda x: x[0],
        lambda x: x.size,
        lambda x: [*x],
        lambda x: f"{x}",
        lambda x: len(x),
        lambda x: int(x),
        lambda x: x(1),
        lambda x: {x: 1},
    ],
)
def test_use_of_a_parameter_has_no_value(use: Any) -> None:
    def f(count: p4.i32) -> None:
        p4.c(str(use(count)))

    with pytest.raises((SignatureError, TypeError)) as caught:
        read_here(f)
    assert isinstance(caught.value, SignatureError) or "unhashable" in str(caught.value)
    if isinstance(caught.value, SignatureError):
        assert "'count' has no value" in str(caught.value)


def test_body_outside_a_kernel_is_an_error_that_says_so() -> None:
    with pytest.raises(BaseException, match="decorate the function") as caught:
        p4.c("int a;")
    assert not isinstance(caught.value, Exception)


def test_computed_text() -> None:
    taps = [1, 2, 3]

    def f() -> p4.i32:
        p4.c(f"return {sum(taps)};")

    assert read_here(f).body.text == "return 6;"


@pytest.mark.parametrize("name", ["int", "while", "p4_thing"])
def test_names_that_c_cannot_have(name: str) -> None:
    namespace: dict[str, Any] = {"p4": p4}
    exec(f"def {name if name != 'while' else 'f'}(x: p4.i32) -> None:\n    p4.c('')\n", namespace)
    function = namespace[name if name != "while" else "f"]
    if name == "while":
        function.__name__ = "while"
    with pytest.raises(SignatureError, match=name):
        read(function)


def test_sizes_are_checked_at_decoration() -> None:
    def unknown(x: p4.In[np.int8], n: p4.i32 = p4.size("y")) -> None:
        p4.c("")

    def of_scalar(x: p4.In[np.int8], k: p4.i32, n: p4.i32 = p4.size("k")) -> None:
        p4.c("")

    def as_float(x: p4.In[np.int8], n: p4.f32 = p4.size("x")) -> None:
        p4.c("")

    for stub, word in ((unknown, "'y'"), (of_scalar, "'k'"), (as_float, "integer type")):
        with pytest.raises(SignatureError, match=word):
            read_here(stub)
    with pytest.raises(SignatureError):
        p4.size()
    with pytest.raises(SignatureError):
        p4.dim("x", "y")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("out.size >", "relation"),
        ("__import__('os')", "can be called"),
        ("out.data > 1", r"\.data"),
        ("n.size > 1", "array parameters"),
        ("missing > 1", "'missing'"),
        ("(lambda: 1)()", "can"),
        ("out.size ** 2 > 1", "Pow"),
    ],
)
def test_requirements_that_are_refused(text: str, word: str) -> None:
    def f(out: p4.Out[np.int8], n: p4.i32) -> None:
        p4.c("")

    with pytest.raises(SignatureError, match=word):
        read_here(f, require=text)


def test_star_parameters_and_generators_are_refused() -> None:
    def star(*xs: p4.i32) -> None:
        p4.c("")

    def generator() -> Any:
        yield 1

    async def later() -> None:
        p4.c("")

    for stub in (star, generator, later, 3):
        with pytest.raises(SignatureError):
            read_here(stub)
