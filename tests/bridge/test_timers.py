"""esp_timer and FreeRTOS' timers: functions of kernels and modules that are called when their time has come."""

from __future__ import annotations

import numpy as np
import pytest

import p4kernel as p4

pytestmark = pytest.mark.usefixtures("compiler", "board")

HEAD = """
    #include <esp_timer.h>
    #include <freertos/FreeRTOS.h>
    #include <freertos/task.h>
    #include <freertos/timers.h>
    static int32_t *log, used, count;
    static void note(void *value) { log[used++] = (int)value * 1000000 + esp_timer_get_time(); }
    static void counts(void *step) { count += (int)step; }
    static esp_timer_handle_t timer_of(esp_timer_cb_t callback, int arg) {
        esp_timer_create_args_t args = {.callback = callback, .arg = (void *)arg, .name = "test"};
        esp_timer_handle_t timer;
        return esp_timer_create(&args, &timer) == ESP_OK ? timer : NULL;
    }
"""


def test_esp_timers_are_called_in_time_while_the_kernel_computes() -> None:
    @p4.kernel
    def run(out: p4.Out[np.int32]) -> p4.i32:
        p4.c(
            """
            log = out;
            esp_timer_handle_t once = timer_of(note, 1), often = timer_of(note, 2);
            esp_timer_start_once(once, 25000);
            esp_timer_start_periodic(often, 10000);
            while (esp_timer_get_time() < 35000) ;
            esp_timer_stop(often);
            int active = esp_timer_is_active(often) * 2 + esp_timer_is_active(once);
            vTaskDelay(100);
            return used * 10 + active;
        """,
            preamble=HEAD,
        )

    out = np.zeros(4, np.int32)
    assert run(out) == 40
    assert (out // 1_000_000).tolist() == [2, 2, 1, 2]
    assert (out % 1_000_000 // 100).tolist() == [100, 200, 250, 300]  # to the tenth of a millisecond


def test_freertos_timers() -> None:
    @p4.kernel
    def run(out: p4.Out[np.int32]) -> p4.i32:
        p4.c(
            """
            log = out;
            TimerHandle_t often = xTimerCreate("often", 20, pdTRUE, (void *)3, fires);
            TimerHandle_t once = xTimerCreate("once", 50, pdFALSE, (void *)4, fires);
            int states = xTimerIsTimerActive(often);
            xTimerStart(often, 0), xTimerStart(once, 0);
            states = states * 10 + xTimerIsTimerActive(once);
            vTaskDelay(45);
            xTimerReset(once, 0);
            xTimerChangePeriod(often, 30, 0);
            vTaskDelay(60);
            xTimerStop(often, 0);
            vTaskDelay(100);
            states = states * 100 + xTimerGetPeriod(often);
            xTimerDelete(often, 0), xTimerDelete(once, 0);
            return states;
        """,
            preamble=HEAD
            + """
            static void fires(TimerHandle_t timer) {
                log[used++] = (int)pvTimerGetTimerID(timer) * 1000 + xTaskGetTickCount();
                vTimerSetTimerID(timer, (char *)pvTimerGetTimerID(timer) + 10);
            }
        """,
        )

    out = np.zeros(6, np.int32)
    assert run(out) == 130
    assert out.tolist() == [3020, 13040, 23075, 4095, 33105, 0]


def test_a_timer_fires_after_the_call_returned_as_long_as_its_module_is_loaded(board: p4.Board) -> None:
    m = p4.module(HEAD + "static esp_timer_handle_t timer;")

    @m.kernel
    def start(step: p4.i32) -> None:
        p4.c("timer = timer_of(counts, step); esp_timer_start_periodic(timer, 1000);")

    @m.kernel
    def wait(ticks: p4.u32) -> p4.i32:
        p4.c("vTaskDelay(ticks); return count;")

    @m.kernel
    def stop() -> p4.i32:
        p4.c("return esp_timer_delete(timer) * 10000 + esp_timer_stop(timer) * 100 + esp_timer_delete(timer);")

    start(2)
    first = wait(100)
    assert 196 <= first <= 204
    assert wait(100) == first + 200
    assert stop() == 0x103 * 10000
    last = wait(0)
    assert wait(100) == last


def _filler(i: int) -> p4.Kernel[[], int]:
    @p4.kernel
    def filler() -> p4.i32:
        p4.c(f"return {i};")

    return filler


def test_a_plain_kernels_image_stays_while_a_timer_may_call_it(board: p4.Board) -> None:
    @p4.kernel
    def start(to: p4.u32) -> None:
        p4.c(
            "esp_timer_start_periodic(timer_of(adds, to), 1000);",
            preamble=HEAD + "static void adds(void *to) { ++*(volatile int *)to; }",
        )

    @p4.kernel
    def wait(ticks: p4.u32, at: p4.u32) -> p4.i32:
        p4.c("vTaskDelay(ticks); return *(volatile int *)at;", preamble=HEAD)

    address = board.memory.allocate(4)
    start(address)
    assert [_filler(i)() for i in range(40)] == list(range(40))  # more than the board holds
    before = wait(10, address)
    assert wait(10, address) == before + 10
    loaded = board.loaded(start.build.image)
    assert loaded is not None
    from p4kernel.wire._tables import Type, Unload

    with pytest.raises(p4.BoardError, match="a task or a timer on the board still uses this code"):
        board.request(Type.UNLOAD, Unload(loaded.image).pack())
    board.memory.free(address)


def test_a_timers_function_may_wait_and_others_are_called_later() -> None:
    @p4.kernel
    def run(out: p4.Out[np.int32]) -> p4.i32:
        p4.c(
            """
            log = out;
            esp_timer_start_once(timer_of(sleeps, 1), 5000);
            esp_timer_start_once(timer_of(note, 2), 10000);
            vTaskDelay(100);
            return used;
        """,
            preamble=HEAD + "static void sleeps(void *value) { vTaskDelay(20); note(value); }",
        )

    out = np.zeros(2, np.int32)
    assert run(out) == 2
    assert (out // 1_000_000).tolist() == [1, 2] and out[1] % 1_000_000 >= 25_000


def test_what_esp_timer_refuses() -> None:
    @p4.kernel
    def run() -> p4.i32:
        p4.c(
            """
            esp_timer_create_args_t none = {.callback = NULL};
            esp_timer_handle_t timer = timer_of(counts, 1), gone = timer_of(counts, 1);
            int good = esp_timer_create(&none, &gone) == ESP_ERR_INVALID_ARG && esp_timer_create(NULL, &gone) == ESP_ERR_INVALID_ARG;
            good &= esp_timer_stop(timer) == ESP_ERR_INVALID_STATE && esp_timer_restart(timer, 5) == ESP_ERR_INVALID_STATE;
            good &= esp_timer_start_once(timer, 500) == ESP_OK && esp_timer_start_once(timer, 5) == ESP_ERR_INVALID_STATE;
            good &= esp_timer_restart(timer, 50) == ESP_OK && esp_timer_delete(timer) == ESP_ERR_INVALID_STATE;
            esp_rom_delay_us(60), taskYIELD();
            good &= count == 1 && esp_timer_delete(timer) == ESP_OK && esp_timer_delete(timer) == ESP_ERR_INVALID_ARG;
            good &= esp_timer_start_once(timer, 1) == ESP_ERR_INVALID_ARG && esp_timer_stop(timer) == ESP_ERR_INVALID_ARG;
            good &= esp_timer_restart(timer, 1) == ESP_ERR_INVALID_ARG && !xTimerCreate("x", 0, 0, NULL, NULL);
            int made = 0;
            while (timer_of(counts, 1))
                ++made;
            return good ? made : -1;
        """,
            preamble=HEAD + "#include <esp_rom_sys.h>",
        )

    assert run() == 63


@pytest.mark.parametrize(
    "body, said",
    [
        ("esp_timer_is_active((esp_timer_handle_t)8);", "esp_timer_is_active: 0x00000008 is no timer"),
        ("xTimerStart((TimerHandle_t)8, 0);", "xTimerGenericCommand: 0x00000008 is no timer"),
        (
            'TimerHandle_t t = xTimerCreate("t", 1, 0, NULL, NULL); xTimerGenericCommand(t, 77, 0, NULL, 0);',
            "command 77",
        ),
        ("ESP_ERROR_CHECK(esp_timer_stop(NULL));", ""),
    ],
)
def test_misuse_is_said_by_name(body: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    @p4.kernel
    def wrong() -> None:
        p4.c(body, preamble=HEAD)

    with pytest.raises(p4.KernelFault, match="breakpoint"):
        wrong()
    assert said in capsys.readouterr().out


def test_a_timer_without_a_function_faults_as_the_timers_task(capsys: pytest.CaptureFixture[str]) -> None:
    @p4.kernel
    def run() -> None:
        p4.c(
            'xTimerStart(xTimerCreate("t", 1, 0, NULL, (TimerCallbackFunction_t)16), 0); vTaskDelay(10);', preamble=HEAD
        )

    with pytest.raises(p4.KernelFault, match="instruction access fault"):
        run()
    assert "the task 'Tmr Svc' failed" in capsys.readouterr().out
