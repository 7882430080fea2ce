"""Bodies in C++."""

from __future__ import annotations

import numpy as np
import pytest

import p4kernel as p4


@pytest.mark.usefixtures("compiler")
def test_templates_and_lambdas() -> None:
    @p4.kernel
    def f(x: p4.InOut[np.int16], n: p4.i32 = p4.size("x")) -> p4.i32:
        p4.cpp(
            """
            auto twice = [](auto v) { return decltype(v)(v * 2); };
            std::transform(x, x + n, x, twice);
            std::sort(x, x + n, std::greater<>{});
            std::array<int, 3> extra{1, 2, 3};
            return std::accumulate(x, x + n, 0) + std::accumulate(extra.begin(), extra.end(), 0);
            """,
            preamble="#include <algorithm>\n#include <array>\n#include <numeric>",
        )

    x = np.array([3, -1, 7, 0], np.int16)
    assert f(x) == 18 + 6
    assert x.tolist() == [14, 6, 0, -2]


@pytest.mark.usefixtures("compiler")
def test_constructors_run_before_each_call() -> None:
    @p4.kernel
    def f() -> p4.i32:
        p4.cpp(
            "static Counter local(100); return global.value++ * 1000 + first.value++ * 10 + local.value++;",
            preamble="""
            struct Counter {
                int value;
                explicit Counter(int start) : value(start) {}
                ~Counter() { value = -1; }
            };
            static int order = 1;
            static Counter global(order++);
            __attribute__((init_priority(200))) static Counter first(order++);
            """,
        )

    # The one with a priority is made first.
    assert f() == 2 * 1000 + 1 * 10 + 100
    assert f() == 2 * 1000 + 1 * 10 + 100


@pytest.mark.usefixtures("compiler")
def test_virtual_functions() -> None:
    @p4.kernel
    def f(which: p4.i32) -> p4.i32:
        p4.cpp(
            "A a; B b; Base *all[] = {&a, &b}; Base *volatile one = all[which]; return one->value();",
            preamble="""
            struct Base { virtual int value() = 0; virtual ~Base() = default; };
            struct A : Base { int value() override { return 1; } };
            struct B : A { int value() override { return A::value() + 1; } };
            """,
        )

    assert (f(0), f(1)) == (1, 2)


@pytest.mark.usefixtures("compiler")
def test_a_pure_virtual_call_traps(capsys: pytest.CaptureFixture[str]) -> None:
    @p4.kernel
    def f() -> p4.i32:
        p4.cpp(
            "Derived d; return d.seen;",
            preamble="""
            struct Base { int seen; Base(); virtual int value() = 0; };
            __attribute__((noinline)) int ask(Base *base) { return base->value(); }
            Base::Base() { seen = ask(this); }
            struct Derived : Base { int value() override { return 1; } };
            """,
        )

    with pytest.raises(p4.KernelFault, match="illegal instruction|breakpoint"):
        f()
    assert "a pure virtual function was called" in capsys.readouterr().out


@pytest.mark.usefixtures("compiler")
def test_new_from_the_firmware(capsys: pytest.CaptureFixture[str]) -> None:
    @p4.kernel
    def f(n: p4.size_t) -> p4.i32:
        p4.cpp("""
            struct alignas(128) Wide { char bytes[128]; };
            auto *small = new volatile int[4];
            auto *large = new volatile char[n];
            auto *wide = new Wide;
            int result = reinterpret_cast<uintptr_t>(wide) % 128 + (small[3] = 5) + (large[n - 1] = 1);
            delete wide;
            delete[] large;
            delete[] small;
            return result;
        """)

    assert f(1 << 16) == 6
    with pytest.raises(p4.KernelFault):
        f(1 << 30)
    assert "operator new: the board has no 1073741824 bytes" in capsys.readouterr().out


@pytest.mark.usefixtures("compiler")
def test_new_from_the_program() -> None:
    """A program may bring its own heap: operator new and delete find it."""

    @p4.kernel
    def f(n: p4.i32) -> p4.i32:
        p4.cpp(
            """
            auto *numbers = new int[n];
            for (int i = 0; i < n; ++i) numbers[i] = i;
            auto *wide = new Wide;
            int bad = reinterpret_cast<uintptr_t>(wide) % 64;
            int sum = bad;
            for (int i = 0; i < n; ++i) sum += numbers[i];
            delete[] numbers;
            delete wide;
            return sum * 100 + live;
            """,
            preamble="""
            #include <new>
            struct alignas(64) Wide { char bytes[100]; };
            static int live;
            alignas(16) static char heap[4096];
            static size_t used;
            extern "C" void *malloc(size_t size) {
                void *block = heap + used;
                used += (size + 15) & ~size_t(15);
                ++live;
                return used <= sizeof heap ? block : nullptr;
            }
            extern "C" void free(void *block) { live -= block != nullptr; }
            """,
        )

    assert f(10) == 4500


@pytest.mark.usefixtures("compiler")
def test_headers_together() -> None:
    names = (
        "algorithm array cfloat cinttypes climits cmath cstddef cstdint cstdio cstdlib cstring functional "
        "initializer_list iterator limits new numeric type_traits utility"
    ).split()

    @p4.kernel(flags=["-Wextra", "-Werror", "-DN=4", "-DT=1", "-DIt=2", "-DA=3"])
    def f(x: p4.f32) -> p4.f32:
        p4.cpp(
            """
            using namespace std;
            static_assert(numeric_limits<int8_t>::min() == -128 && numeric_limits<uint64_t>::max() == ~0ULL);
            static_assert(numeric_limits<bool>::max() && !numeric_limits<bool>::min());
            static_assert(is_same_v<make_unsigned_t<short>, unsigned short> && is_same_v<decay_t<const int[4]>, const int *>);
            static_assert(is_convertible_v<int, float> && !is_convertible_v<int *, int> && is_void_v<void>);
            static_assert(conjunction<is_integral<int>, negation<is_pointer<int>>>::value && is_function_v<int(int)>);
            static_assert(sum(make_index_sequence<5>{}) == 10 && min({3, 1, 2}) == 1 && gcd(12, 18) == 6);
            static_assert(pair(1, 2.0) < make_pair(1, 3.0) && clamp(7, 0, 5) == 5);
            constexpr array sorted = [] { array v{3, 1, 2}; sort(v.begin(), v.end()); return v; }();
            static_assert(sorted[0] == 1 && sorted[2] == 3 && binary_search(sorted.begin(), sorted.end(), 2));
            return sqrt(x) + std::abs(-x) + (isnan(x) ? 1.0f : 0.0f);
            """,
            preamble="".join(f"#include <{name}>\n" for name in names)
            + "template <size_t... i> constexpr size_t sum(std::index_sequence<i...>) { return (i + ...); }",
        )

    assert f(4.0) == 6.0
    assert f.build.image.imports == ()  # the square root is an instruction


@pytest.mark.usefixtures("compiler")
def test_algorithms_agree_with_numpy() -> None:
    @p4.kernel
    def f(x: p4.InOut[np.int32], y: p4.Out[np.int32], found: p4.Out[np.int32], n: p4.i32 = p4.size("x", "y")) -> None:
        p4.cpp(
            """
            std::partial_sum(x, x + n, y);
            found[0] = std::max_element(x, x + n) - x;
            found[1] = std::count_if(x, x + n, [](int v) { return v & 1; });
            std::nth_element(x, x + n / 2, x + n);
            found[2] = x[n / 2];
            std::sort(x, x + n);
            found[3] = std::lower_bound(x, x + n, 10) - x;
            found[4] = std::unique(x, x + n) - x;
            """,
            preamble="#include <algorithm>\n#include <numeric>",
        )

    dice = np.random.default_rng(3)
    for n in (1, 2, 7, 100):
        x = dice.integers(-50, 50, n).astype(np.int32)
        y, found, before = np.zeros_like(x), np.zeros(5, np.int32), x.copy()
        f(x, y, found)
        ordered = np.sort(before)
        unique = np.unique(before)
        assert np.array_equal(y, np.cumsum(before))
        assert found.tolist() == [
            int(np.argmax(before)), int(np.sum(before & 1)), int(ordered[n // 2]), int(np.searchsorted(ordered, 10)),
            unique.size,
        ]  # fmt: skip
        assert np.array_equal(x[: unique.size], unique)


@pytest.mark.usefixtures("compiler")
def test_the_standard_can_be_another() -> None:
    @p4.kernel(flags=["-std=gnu++20"])
    def f() -> p4.i32:
        p4.cpp("static_assert(__cplusplus > 201703L); return 1;")

    assert f() == 1


@pytest.mark.usefixtures("compiler")
def test_a_fault_in_a_method() -> None:
    @p4.kernel
    def f(x: p4.i32) -> p4.i32:
        p4.cpp(
            "geometry::Area area; return area.of(reinterpret_cast<volatile int *>(x));",
            preamble="namespace geometry { struct Area { __attribute__((noinline)) int of(volatile int *p) { return *p; } }; }",
        )

    with pytest.raises(p4.KernelFault, match="NULL pointer") as caught:
        f(8)
    frame = caught.value.backtrace[0]
    assert frame.function == "geometry::Area::of"
    assert frame.file == __file__


# -- mistakes ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("compiler")
def test_throw() -> None:
    @p4.kernel
    def f(x: p4.i32) -> p4.i32:
        p4.cpp(r"""
            if (x < 0)
                throw x;
            return x;
        """)

    with pytest.raises(p4.CompileError, match="test_cpp.py.*kernels have no exceptions") as caught:
        f(1)
    place = caught.value.diagnostics[0]
    with open(place.file) as file:  # noqa: PTH123
        assert "throw x;" in file.read().splitlines()[place.line - 1]


@pytest.mark.usefixtures("compiler")
def test_word_of_cpp() -> None:
    @p4.kernel
    def f(new: p4.i32) -> p4.i32:
        p4.cpp("return 1;")

    with pytest.raises(p4.SignatureError, match="'new' is a word of C\\+\\+"):
        f(1)


@pytest.mark.usefixtures("compiler")
def test_rtti_and_dynamic_cast() -> None:
    @p4.kernel
    def f() -> p4.i32:
        p4.cpp(
            "A *volatile a = new B; return dynamic_cast<B *>(a) != nullptr;",
            preamble="struct A { virtual ~A() {} }; struct B : A {};",
        )

    with pytest.raises(p4.CompileError, match="rtti"):
        f()


@pytest.mark.parametrize("flag", ["-fexceptions", "-frtti", "-fcxx-exceptions"])
def test_flags_that_are_not_for_kernels(flag: str) -> None:
    @p4.kernel(flags=[flag])
    def f() -> p4.i32:
        p4.cpp("return 1;")

    with pytest.raises(p4.CompileError, match="not for kernels"):
        f()


@pytest.mark.usefixtures("compiler")
def test_a_function_of_c_without_extern() -> None:
    @p4.kernel
    def f(x: p4.f32) -> p4.f32:
        p4.cpp("return sinf(x);", preamble="float sinf(float);")

    with pytest.raises(p4.LinkError, match=r"'sinf' \(_Z4sinff\).*extern \"C\""):
        f(1.0)


@pytest.mark.usefixtures("compiler")
def test_a_header_that_is_not_there() -> None:
    @p4.kernel
    def f() -> p4.i32:
        p4.cpp("return 0;", preamble="#include <vector>")

    with pytest.raises(p4.CompileError, match="vector"):
        f()


def test_constructors_in_a_c_kernel() -> None:
    @p4.kernel
    def f() -> p4.i32:
        p4.c("return n;", preamble="volatile int n; __attribute__((constructor)) static void start(void) { n = 1; }")

    with pytest.raises(p4.LinkError, match="constructors are run in kernels of p4.cpp and p4.files"):
        f()
