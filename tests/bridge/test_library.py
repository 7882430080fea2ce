"""What the firmware's C library does for kernels: sorting, memory, jumps, time, texts, random numbers."""

from __future__ import annotations

import random
import zlib
from datetime import UTC, datetime

import numpy as np
import pytest

import p4kernel as p4

pytestmark = pytest.mark.usefixtures("compiler", "board")

ORDER = """
    #include <stdlib.h>
    static int ascending(const void *a, const void *b) {
        int p = *(const int *)a, q = *(const int *)b;
        return (p > q) - (p < q);
    }
"""


def test_qsort_and_bsearch_call_the_kernels_function() -> None:
    @p4.kernel
    def sort(x: p4.InOut[np.int32], key: p4.i32, n: p4.i32 = p4.size("x")) -> p4.i32:
        p4.c(
            """
            qsort(x, n, sizeof *x, ascending);
            int32_t *found = bsearch(&key, x, n, sizeof *x, ascending);
            return found ? found - x : -1;
        """,
            preamble=ORDER,
        )

    rng = random.Random(3)
    for n in [*range(20), 1000]:
        values = [rng.randrange(-n, n + 1) for _ in range(n)]
        x = np.array(values, np.int32)
        key = rng.choice(values) if values else 0
        at = sort(x, key)
        assert x.tolist() == sorted(values)
        assert at == -1 if not values else x[at] == key
        assert sort(x, n + 1) == -1


def test_qsort_of_large_elements_inside_of_a_comparison_of_qsort() -> None:
    @p4.kernel
    def sort(x: p4.InOut[np.int32], rows: p4.i32 = p4.dim("x", 0)) -> None:
        p4.c(
            "qsort(x, rows, 5 * sizeof *x, by_sorted_rows);",
            preamble=ORDER
            + """
            static int by_sorted_rows(const void *a, const void *b) {
                qsort((void *)a, 5, sizeof(int), ascending);
                qsort((void *)b, 5, sizeof(int), ascending);
                return ascending(a, b);
            }
        """,
        )

    x = np.random.default_rng(1).integers(-99, 99, (30, 5), np.int32)
    want = np.sort(x, 1)
    sort(x)
    assert np.array_equal(x[:, 0], np.sort(want[:, 0]))
    assert sorted(map(tuple, x.tolist())) == sorted(map(tuple, want.tolist()))


def test_a_comparison_may_jump_out_as_often_as_it_likes() -> None:
    @p4.kernel
    def escape() -> p4.i32:
        p4.c(
            """
            int x[] = {3, 1, 2}, sum = 0;
            for (volatile int i = 0; i < 50; ++i) {
                int came = setjmp(place);
                if (came)
                    sum += came;
                else
                    qsort(x, 3, sizeof *x, out);
            }
            return sum;
        """,
            preamble="""
            #include <setjmp.h>
            #include <stdlib.h>
            static jmp_buf place;
            static int out(const void *a, const void *b) { longjmp(place, 2); }
        """,
        )

    assert escape() == 100


def test_setjmp_keeps_what_functions_have_to_keep() -> None:
    @p4.kernel
    def jump(x: p4.f32, n: p4.i32) -> p4.f32:
        p4.c(
            """
            volatile int count = 0;
            float y = x * 2;
            int a = n * 3, came = setjmp(place);
            if (came < 5) {
                ++count;
                deep(came + 1, 10);
            }
            if (longjmp_zero() != 1)
                return -1;
            return y + a + count * 1000;
        """,
            preamble="""
            #include <setjmp.h>
            static jmp_buf place, other;
            static void deep(int value, int depth) { if (depth) deep(value, depth - 1); else longjmp(place, value); }
            static int longjmp_zero(void) { int came = setjmp(other); if (!came) longjmp(other, 0); return came; }
        """,
        )

    assert jump(1.5, 7) == 3 + 21 + 5000


@pytest.mark.parametrize("body, address", [("longjmp((void *)16, 1);", 16), ("setjmp((void *)32);", 32)])
def test_a_jump_buffer_that_is_no_memory_faults(body: str, address: int) -> None:
    @p4.kernel
    def jump() -> None:
        p4.c(body, preamble="#include <setjmp.h>")

    with pytest.raises(p4.KernelFault) as caught:
        jump()
    assert caught.value.address == address


def test_sorting_what_is_no_memory_faults() -> None:
    @p4.kernel
    def sort(address: p4.u32, n: p4.u32, size: p4.u32) -> None:
        p4.c("qsort((void *)address, n, size, ascending);", preamble=ORDER)

    sort(0, 0, 4)
    sort(0, 4, 0)
    for address, n, size in ((0, 2, 4), (0x48000000, 1 << 31, 4), (0x48000000, 1 << 28, 4)):
        with pytest.raises(p4.KernelFault):
            sort(address, n, size)


def test_memory_is_taken_given_back_and_resized(board: p4.Board) -> None:
    @p4.kernel
    def work() -> p4.i32:
        p4.c(
            """
            unsigned char *a = malloc(100), *b = calloc(10, 30), *c = aligned_alloc(4096, 5), *d = malloc(0);
            int good = a && b && c && d && a != d && (uintptr_t)c % 4096 == 0;
            for (int i = 0; i < 300; ++i)
                good &= b[i] == 0;
            memset(a, 7, 100);
            a = realloc(a, 10000);
            for (int i = 0; i < 100; ++i)
                good &= a[i] == 7;
            a = realloc(a, 10);
            good &= a[9] == 7 && heap_caps_get_allocated_size(a) == 10;
            free(a), free(b), free(c), free(d), free(NULL);
            char *copy = strdup("text"), *part = strndup("abcdef", 3);
            good &= !strcmp(copy, "text") && !strcmp(part, "abc");
            free(copy);
            heap_caps_free(part);
            good &= !malloc(1u << 30) && !calloc(1u << 20, 1u << 20) && !realloc(NULL, 0xfffffff0) && !aligned_alloc(3, 3);
            return good && !realloc(malloc(4), 0);
        """,
            preamble="#include <stdlib.h>\n#include <string.h>\n#include <esp_heap_caps.h>",
        )

    work()
    free = [region.free for region in board.memory.state().regions]
    assert work() == 1
    assert [region.free for region in board.memory.state().regions] == free


def test_memory_of_a_kind() -> None:
    @p4.kernel
    def where(caps: p4.u32) -> p4.u32:
        p4.c(
            """
            uint32_t before = heap_caps_get_free_size(caps);
            void *p = heap_caps_malloc(1000, caps);
            int good = p && heap_caps_get_free_size(caps) == before - 1024 && before <= heap_caps_get_total_size(caps)
                && heap_caps_get_largest_free_block(caps) <= before && esp_get_free_heap_size() >= before;
            heap_caps_free(p);
            return good ? (uint32_t)p >> 20 : 0;
        """,
            preamble="#include <esp_heap_caps.h>\n#include <esp_system.h>",
        )

    spiram, internal, tcm = 1 << 10, 1 << 11, 1 << 16
    assert 0x480 <= where(spiram) < 0x4A0
    assert where(internal) == 0x4FF
    assert where(tcm) == 0x301


def test_memory_stays_until_the_session_ends(board: p4.Board) -> None:
    @p4.kernel
    def keep(n: p4.u32) -> p4.u32:
        p4.c("uint32_t *p = malloc(n); *p = 77; return (uint32_t)p;", preamble="#include <stdlib.h>")

    @p4.kernel
    def look(address: p4.u32) -> p4.u32:
        p4.c("return *(uint32_t *)address;")

    look(keep(4))
    free = [region.free for region in board.memory.state().regions]
    addresses = [keep(100_000) for _ in range(3)]
    assert [look(a) for a in addresses] == [77] * 3
    assert board.memory.state().regions[0].free < free[0] - 300_000
    board.session.restart()
    look(keep(4))
    assert [region.free for region in board.memory.state().regions] == free


@pytest.mark.parametrize(
    "body, names",
    [
        ("char *p = malloc(4); free(p); free(p);", ["free(0x"]),
        ("int x; free(&x);", ["free(0x"]),
        ("static int x[4]; free(realloc(x, 5));", ["realloc(0x"]),
        ("free(malloc(4) + 4);", ["free(0x"]),
        ("heap_caps_free((void *)8);", ["heap_caps_free(0x00000008)"]),
    ],
)
def test_memory_that_is_not_theirs_ends_kernels(
    body: str, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    @p4.kernel
    def wrong() -> None:
        p4.c(body, preamble="#include <stdlib.h>\n#include <esp_heap_caps.h>")

    with pytest.raises(p4.KernelFault, match="breakpoint"):
        wrong()
    said = capsys.readouterr().out
    assert names and all(name in said for name in names)


def test_texts() -> None:
    @p4.kernel
    def texts(out: p4.Out[np.uint8], n: p4.i32 = p4.size("out")) -> p4.i32:
        p4.c(
            r"""
            char buffer[12] = "ab", list[] = ",,one,two;,three;", *rest, *word;
            int good = strlcpy(buffer, "a long text here", sizeof buffer) == 16 && !strcmp(buffer, "a long text");
            good &= strlcpy(buffer, "xy", 0) == 2 && buffer[0] == 'a' && strlcpy(buffer, "xy", 9) == 2;
            good &= strlcat(buffer, "0123456789abc", sizeof buffer) == 15 && !strcmp(buffer, "xy012345678");
            good &= strlcat(buffer, "zz", 4) == 6;
            char *to = (char *)out;
            for (word = strtok_r(list, ",;", &rest); word; word = strtok_r(NULL, ",;", &rest))
                to += sprintf(to, "%s|", word);
            return good && !strtok_r(NULL, ",", &rest);
        """,
            preamble="#include <string.h>\n#include <stdio.h>",
        )

    out = np.zeros(40, np.uint8)
    assert texts(out) == 1
    assert out.tobytes().rstrip(b"\0") == b"one|two|three|"


def test_checksums_of_the_rom() -> None:
    @p4.kernel
    def sums(x: p4.In[np.uint8], out: p4.Out[np.uint32], n: p4.u32 = p4.size("x")) -> None:
        p4.c(
            "out[0] = esp_rom_crc32_le(0, x, n); out[1] = esp_rom_crc16_le(0, x, n); out[2] = esp_rom_crc8_le(0, x, n);",
            preamble="#include <esp_rom_crc.h>",
        )

    def reflected(data: bytes, polynomial: int, mask: int) -> int:
        crc = mask
        for byte in data:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ polynomial if crc & 1 else crc >> 1
        return crc ^ mask

    for data in (b"123456789", b"", bytes(range(256))):
        out = np.zeros(3, np.uint32)
        sums(np.frombuffer(data, np.uint8), out)
        assert out.tolist() == [zlib.crc32(data), reflected(data, 0x8408, 0xFFFF), reflected(data, 0xE0, 0xFF)]
    assert reflected(b"123456789", 0x8408, 0xFFFF) == 0x906E  # CRC-16/X-25, of the catalogue


def test_random_numbers() -> None:
    @p4.kernel
    def numbers(out: p4.Out[np.uint32], n: p4.i32 = p4.size("out")) -> p4.i32:
        p4.c(
            """
            unsigned state = 5, same = 5;
            srand(42);
            for (int i = 0; i < n; ++i)
                out[i] = rand();
            srand(42);
            int good = (unsigned)rand() == out[0] && rand_r(&state) == rand_r(&same) && state != 5 && rand_r(&state) >= 0;
            uint32_t a[4] = {0}, b[4] = {0};
            esp_fill_random(a, sizeof a), esp_fill_random(b, sizeof b);
            return good && memcmp(a, b, sizeof a) && esp_random() != esp_random();
        """,
            preamble="#include <stdlib.h>\n#include <string.h>\n#include <esp_random.h>",
        )

    out = np.zeros(1000, np.uint32)
    assert numbers(out) == 1
    assert out.max() < 1 << 31 and len(set(out.tolist())) > 990 and abs(out.mean() / (1 << 30) - 1) < 0.1


def test_the_calendar() -> None:
    @p4.kernel
    def calendar(t: p4.i64, parts: p4.Out[np.int32], text: p4.Out[np.uint8]) -> p4.i64:
        p4.c(
            """
            time_t when = t;
            struct tm tm, local;
            gmtime_r(&when, &tm), localtime_r(&when, &local);
            memcpy(parts, &tm, sizeof tm);
            strftime((char *)text, 60, "%Y-%m-%d %H:%M:%S %A %Z", &tm);
            tm.tm_mday += 40;
            return memcmp(&tm, &local, 12) ? -1 : mktime(&tm) + (time_t)difftime(10, 5) - 5;
        """,
            preamble="#include <time.h>\n#include <string.h>",
        )

    for t in (0, 951_782_400, 1_700_000_000, 4_102_444_799, -1):
        parts, text = np.zeros(9, np.int32), np.zeros(60, np.uint8)
        assert calendar(t, parts, text) == t + 40 * 86400
        want = datetime.fromtimestamp(t, UTC)
        assert parts.tolist()[:6] == [want.second, want.minute, want.hour, want.day, want.month - 1, want.year - 1900]
        assert text.tobytes().rstrip(b"\0").decode() == want.strftime("%Y-%m-%d %H:%M:%S %A UTC")


def test_time_is_what_instructions_take_and_sleep_adds() -> None:
    @p4.kernel
    def times(out: p4.Out[np.int64]) -> None:
        p4.c(
            """
            struct timeval now;
            out[0] = esp_timer_get_time();
            usleep(2500000);
            out[1] = esp_timer_get_time();
            esp_rom_delay_us(100);
            out[2] = esp_timer_get_time();
            gettimeofday(&now, NULL);
            out[3] = time(NULL), out[4] = now.tv_sec, out[5] = now.tv_usec, out[6] = clock();
            sleep(3);
            out[7] = time(&now.tv_sec), out[8] = esp_rom_get_cpu_ticks_per_us();
        """,
            preamble="#include <esp_timer.h>\n#include <esp_rom_sys.h>\n#include <sys/time.h>\n#include <unistd.h>",
        )

    out = np.zeros(9, np.int64)
    times(out)
    start, slept, spun, seconds, tv_sec, tv_usec, clock, later, mhz = out.tolist()
    assert (start, slept, spun) == (0, 2_500_000, 2_500_100)
    assert (seconds, tv_sec, tv_usec, clock) == (2, 2, 500_100, 2_500_100)
    assert (later, mhz) == (5, 360)


def test_a_function_that_the_virtual_board_lacks(board: p4.Board) -> None:
    @p4.kernel
    def blink() -> None:
        p4.c("gpio_set_level(2, 1);", preamble="#include <driver/gpio.h>")

    with pytest.raises(p4.LinkError, match="'gpio_set_level' is a function that the virtual board does not have"):
        blink()
    assert "gpio_set_level" in board.absent and "gpio_set_level" not in board.exports

    @p4.kernel
    def optional() -> p4.i32:
        p4.c("return gpio_get_level ? 1 : 0;", preamble="extern __attribute__((weak)) int gpio_get_level(int);")

    assert optional() == 0
