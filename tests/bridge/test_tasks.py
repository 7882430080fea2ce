"""FreeRTOS on the virtual board: tasks that take turns, queues, semaphores, and what goes wrong with them."""

from __future__ import annotations

import numpy as np
import pytest

import p4kernel as p4
from tests.bridge.conftest import open_board

pytestmark = pytest.mark.usefixtures("compiler", "board")

HEAD = """
    #include <freertos/FreeRTOS.h>
    #include <freertos/task.h>
    #include <freertos/queue.h>
    #include <freertos/semphr.h>
    #include <stdio.h>
    static int32_t *log, used;
    static void note(int value) { log[used++] = value; }
"""


def test_items_come_through_a_queue_in_order_and_in_time() -> None:
    @p4.kernel
    def run(out: p4.Out[np.int32]) -> p4.i32:
        p4.c(
            """
            log = out;
            QueueHandle_t queue = xQueueCreate(2, sizeof(int));
            xTaskCreate(producer, "producer", 2048, queue, 3, NULL);
            int item;
            while (xQueueReceive(queue, &item, 100)) {
                note(xTaskGetTickCount());
                note(item);
            }
            note(uxQueueMessagesWaiting(queue) * 100 + uxQueueSpacesAvailable(queue));
            vQueueDelete(queue);
            return xTaskGetTickCount();
        """,
            preamble=HEAD
            + """
            static void producer(void *queue) {
                for (int i = 0; i < 3; ++i) {
                    vTaskDelay(10);
                    xQueueSend(queue, &i, portMAX_DELAY);
                }
                vTaskDelete(NULL);
            }
        """,
        )

    out = np.zeros(7, np.int32)
    assert run(out) == 130
    assert out.tolist() == [10, 0, 20, 1, 30, 2, 2]


def test_a_full_queue_holds_the_sender_up_and_the_front_is_first() -> None:
    @p4.kernel
    def run(out: p4.Out[np.int32]) -> None:
        p4.c(
            """
            log = out;
            QueueHandle_t queue = xQueueCreate(2, sizeof(int));
            int item = 1;
            note(xQueueSend(queue, &item, 0)), item = 2;
            note(xQueueSendToFront(queue, &item, 0)), item = 3;
            note(xQueueSend(queue, &item, 5)), note(xTaskGetTickCount());
            xTaskCreate(taker, "taker", 2048, queue, 5, NULL);
            note(xQueueSend(queue, &item, 50)), note(xTaskGetTickCount());
            note(xQueuePeek(queue, &item, 0)), note(item);
            xQueueReceive(queue, &item, 0), note(item);
            xQueueReceive(queue, &item, 0), note(item);
            note(xQueueReceive(queue, &item, 0));
            QueueHandle_t box = xQueueCreate(1, sizeof(int));
            item = 8, xQueueOverwrite(box, &item), item = 9, xQueueOverwrite(box, &item);
            item = 0, xQueueReceive(box, &item, 0), note(item);
            xQueueOverwrite(box, &item), xQueueReset(box), note(uxQueueMessagesWaiting(box));
        """,
            preamble=HEAD
            + """
            static void taker(void *queue) {
                int item;
                vTaskDelay(7);
                xQueueReceive(queue, &item, 0);
                note(item);
                vTaskDelete(NULL);
            }
        """,
        )

    out = np.zeros(16, np.int32)
    run(out)
    assert out.tolist() == [1, 1, 0, 5, 2, 1, 12, 1, 1, 1, 3, 0, 9, 0, 0, 0]


def test_the_more_important_task_runs_first_and_equals_take_turns() -> None:
    @p4.kernel
    def run(out: p4.Out[np.int32], n: p4.i32 = p4.size("out")) -> p4.i32:
        p4.c(
            """
            log = out;
            room = n;
            xTaskCreate(high, "high", 2048, NULL, 9, NULL);
            note(-1);
            TaskHandle_t a, b;
            xTaskCreate(spin, "a", 2048, (void *)1, 1, &a);
            xTaskCreate(spin, "b", 2048, (void *)2, 1, &b);
            note(uxTaskGetNumberOfTasks());
            vTaskDelay(20);
            vTaskDelete(a), vTaskDelete(b);
            return uxTaskGetNumberOfTasks();
        """,
            preamble=HEAD
            + """
            static int room;
            static void high(void *argument) { note(9); vTaskDelete(NULL); }
            static void spin(void *argument) {
                TickType_t last = 0;
                for (;;)
                    if (xTaskGetTickCount() != last && used < room) {
                        last = xTaskGetTickCount();
                        note((int)argument);
                    }
            }
        """,
        )

    out = np.zeros(13, np.int32)
    assert run(out) == 1
    first, second, count, *turns = out.tolist()
    assert (first, second, count) == (9, -1, 3)
    assert sorted(turns) == [1] * 5 + [2] * 5 and turns[:2] != turns[1:3]  # a tick each
    with open_board():
        again = np.zeros(13, np.int32)
        run(again)
    assert np.array_equal(out, again)  # to the instruction


def test_the_kernels_instructions_are_its_own() -> None:
    @p4.kernel
    def run() -> None:
        p4.c(
            'xTaskCreate(spin, "spin", 2048, NULL, 5, NULL); vTaskDelay(100);',
            preamble=HEAD
            + "static void spin(void *p) { for (volatile int i = 0; i < 300000; ++i) ; vTaskDelete(NULL); }",
        )

    run()
    assert run.last.instructions < 1000 and run.last.elapsed > 0


def test_semaphores_mutexes_and_who_lends_importance() -> None:
    @p4.kernel
    def run(out: p4.Out[np.int32]) -> None:
        p4.c(
            """
            log = out;
            SemaphoreHandle_t binary = xSemaphoreCreateBinary(), counting = xSemaphoreCreateCounting(3, 2);
            note(xSemaphoreTake(binary, 4)), note(xTaskGetTickCount());
            note(xSemaphoreGive(binary)), note(xSemaphoreGive(binary)), note(xSemaphoreTake(binary, 0));
            note(xSemaphoreTake(counting, 0) + xSemaphoreTake(counting, 0) + xSemaphoreTake(counting, 0));
            SemaphoreHandle_t mutex = xSemaphoreCreateMutex(), again = xSemaphoreCreateRecursiveMutex();
            note(xSemaphoreGive(mutex));
            xSemaphoreTake(mutex, 0);
            xTaskCreate(wants, "wants", 2048, mutex, 7, NULL);
            note(uxTaskPriorityGet(NULL));
            xSemaphoreGive(mutex);
            note(uxTaskPriorityGet(NULL));
            note(xSemaphoreTakeRecursive(again, 0) + xSemaphoreTakeRecursive(again, 0));
            note(xSemaphoreGiveRecursive(again) + xSemaphoreGiveRecursive(again) + xSemaphoreGiveRecursive(again));
        """,
            preamble=HEAD
            + """
            static void wants(void *mutex) {
                note(xSemaphoreGive(mutex));
                note(xSemaphoreTake(mutex, portMAX_DELAY));
                xSemaphoreGive(mutex);
                vTaskDelete(NULL);
            }
        """,
        )

    out = np.zeros(13, np.int32)
    run(out)
    assert out.tolist() == [0, 4, 1, 0, 1, 2, 0, 0, 7, 1, 1, 2, 2]


def test_notifications_suspension_and_states() -> None:
    @p4.kernel
    def run(out: p4.Out[np.int32]) -> None:
        p4.c(
            """
            log = out;
            TaskHandle_t task;
            xTaskCreate(waits, "waits", 2048, NULL, 4, &task);
            note(eTaskGetState(task)), note(eTaskGetState(NULL));
            xTaskNotifyGive(task);
            xTaskNotify(task, 5, eSetValueWithOverwrite);
            vTaskSuspend(task);
            note(eTaskGetState(task)), xTaskNotifyGive(task);
            vTaskPrioritySet(task, 0), note(uxTaskPriorityGet(task));
            vTaskResume(task);
            vTaskDelay(3);
        """,
            preamble=HEAD
            + """
            static void waits(void *p) {
                note(100 + ulTaskNotifyTake(pdTRUE, portMAX_DELAY));
                uint32_t value = 0;
                note(xTaskNotifyWait(0, 1, &value, 9)), note(200 + value);
                vTaskSuspend(NULL);
                note(300 + ulTaskNotifyTake(pdFALSE, 0));
                vTaskDelete(NULL);
            }
        """,
        )

    out = np.zeros(10, np.int32)
    run(out)
    blocked, running, suspended = 2, 0, 3
    assert out.tolist() == [blocked, running, 101, 1, 205, suspended, 0, 305, 0, 0]


def test_nobody_else_runs_in_a_critical_section() -> None:
    @p4.kernel
    def run() -> p4.i32:
        p4.c(
            """
            portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED;
            portENTER_CRITICAL(&lock);
            xTaskCreate(adds, "adds", 2048, NULL, 9, NULL);
            int before = used;
            portEXIT_CRITICAL(&lock);
            vTaskSuspendAll();
            xTaskCreate(adds, "adds", 2048, NULL, 9, NULL);
            int between = used;
            xTaskResumeAll();
            return before * 100 + between * 10 + used;
        """,
            preamble=HEAD + "static void adds(void *p) { ++used; vTaskDelete(NULL); }",
        )

    assert run() == 12


def test_delay_until_keeps_the_pace() -> None:
    @p4.kernel
    def run() -> p4.i32:
        p4.c(
            """
            TickType_t last = xTaskGetTickCount();
            for (int i = 0; i < 5; ++i) {
                esp_rom_delay_us(3300);
                vTaskDelayUntil(&last, 10);
            }
            esp_rom_delay_us(30000);
            return xTaskDelayUntil(&last, 10) * 1000 + xTaskGetTickCount();
        """,
            preamble=HEAD + "#include <esp_rom_sys.h>",
        )

    assert run() == 80


def test_a_task_goes_on_after_the_call_returned() -> None:
    m = p4.module("""
        #include <freertos/FreeRTOS.h>
        #include <freertos/task.h>
        static int count;
        static TaskHandle_t task;
        static void counts(void *step) { for (;;) { vTaskDelay(10); count += (int)step; } }
    """)

    @m.kernel
    def start(step: p4.i32) -> None:
        p4.c('xTaskCreate(counts, "counts", 2048, (void *)step, 5, &task);')

    @m.kernel
    def wait(ticks: p4.u32) -> p4.i32:
        p4.c("vTaskDelay(ticks); return count;")

    @m.kernel
    def stop() -> None:
        p4.c("vTaskDelete(task);")

    start(3)
    assert wait(5) == 0
    assert wait(50) == 15
    assert wait(100) == 45
    stop()
    assert wait(100) == 45


def test_a_module_whose_task_runs_stays_on_the_board(board: p4.Board) -> None:
    m = p4.module("""
        #include <freertos/FreeRTOS.h>
        #include <freertos/task.h>
        static void writes(void *to) { for (;;) { vTaskDelay(1); ++*(volatile int *)to; } }
    """)

    @m.kernel
    def start(to: p4.u32) -> None:
        p4.c('xTaskCreate(writes, "writes", 2048, (void *)to, 5, NULL);')

    @p4.kernel
    def wait(ticks: p4.u32, at: p4.u32) -> p4.i32:
        p4.c(
            "vTaskDelay(ticks); return *(volatile int *)at;",
            preamble="#include <freertos/FreeRTOS.h>\n#include <freertos/task.h>",
        )

    address = board.memory.allocate(4)
    start(address)
    images = board.memory.state().images
    del start, m
    before = wait(10, address)
    assert before >= 8
    assert wait(10, address) == before + 10  # its code has not gone with the module
    assert board.memory.state().images == images + 1
    board.memory.free(address)


def test_tasks_end_with_the_session(board: p4.Board) -> None:
    @p4.kernel
    def count() -> p4.i32:
        p4.c(
            'xTaskCreate(sleeps, "sleeps", 2048, NULL, 5, NULL); return uxTaskGetNumberOfTasks();',
            preamble=HEAD + "static void sleeps(void *p) { vTaskSuspend(NULL); }",
        )

    assert [count(), count()] == [2, 3]
    board.session.restart()
    assert count() == 2


def test_time_passes_between_calls_for_tasks() -> None:
    m = p4.module("""
        #include <freertos/FreeRTOS.h>
        #include <freertos/task.h>
        static volatile int count;
        static void counts(void *step) { for (;;) { vTaskDelay(1); ++count; } }
    """)

    @m.kernel
    def start() -> None:
        p4.c('xTaskCreate(counts, "counts", 2048, NULL, 5, NULL);')

    @m.kernel
    def look() -> p4.i32:
        p4.c("return count;")

    with p4.connect("sim") as board:
        start()
        while look() < 20:
            pass
        del start, look, m
    board.close()


def test_limits_count_the_kernels_own_instructions() -> None:
    @p4.kernel(max_instructions=50_000)
    def run() -> None:
        p4.c(
            'xTaskCreate(spin, "spin", 2048, NULL, 5, NULL); vTaskDelay(100); for (volatile int i = 0;;) i++;',
            preamble=HEAD
            + "static void spin(void *p) { for (volatile int i = 0; i < 99999; ++i) ; vTaskDelete(NULL); }",
        )

    with pytest.raises(p4.KernelTimeout) as caught:
        run()
    assert caught.value.instructions == 50_000
