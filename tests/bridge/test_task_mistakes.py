"""What goes wrong with tasks, queues and semaphores: said by name, and the board lives on."""

from __future__ import annotations

import pytest

import p4kernel as p4
from tests.bridge.test_tasks import HEAD

pytestmark = pytest.mark.usefixtures("compiler", "board")


def test_a_task_that_faults_ends_the_call_and_all_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    @p4.kernel
    def run(fault: p4.i32) -> p4.i32:
        p4.c(
            """
            if (fault)
                xTaskCreate(bad, "culprit", 2048, NULL, 5, NULL);
            return uxTaskGetNumberOfTasks();
        """,
            preamble=HEAD + "static void bad(void *p) { *(volatile int *)4 = 1; }",
        )

    with pytest.raises(p4.KernelFault, match="store access fault") as caught:
        run(1)
    assert caught.value.address == 4
    assert "the task 'culprit' failed" in capsys.readouterr().out
    assert run(0) == 1


def test_a_task_that_faults_between_calls_is_told_by_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    @p4.kernel
    def start() -> None:
        p4.c(
            'xTaskCreate(bad, "late", 2048, NULL, 5, NULL);',
            preamble=HEAD + "static void bad(void *p) { vTaskDelay(1); *(volatile int *)4 = 1; }",
        )

    @p4.kernel
    def other() -> p4.i32:
        p4.c("return 5;")

    with p4.connect("sim") as board:  # on which time passes
        start()
        with pytest.raises(p4.KernelFault) as caught:
            for _ in range(100_000):
                other()
        assert caught.value.address == 4
        assert "the task 'late' failed" in capsys.readouterr().out
        assert other() == 5
    board.close()


@pytest.mark.parametrize(
    "body, said",
    [
        ("xQueueSend((QueueHandle_t)8, &x, 0);", "xQueueSend: 0x00000008 is no queue"),
        ("QueueHandle_t q = xQueueCreate(1, 4); vQueueDelete(q); xQueueReceive(q, &x, 0);", "xQueueReceive: 0x4"),
        ("vTaskDelete((TaskHandle_t)&x);", "is no task"),
        ("vTaskDelete(NULL);", "the kernel itself ends by returning"),
        ("vTaskSuspendAll(); vTaskDelay(1);", "cannot wait in a critical section"),
        ("xTaskNotify((TaskHandle_t)4, 1, eSetBits);", "xTaskNotify: 0x00000004 is no task"),
        ("xTaskGenericNotify(NULL, 1, 1, eSetBits, NULL);", "index 0"),
        ('xTaskCreate(returns, "returns", 2048, NULL, 5, NULL);', "must end with vTaskDelete(NULL)"),
    ],
)
def test_misuse_is_said_by_name(body: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    @p4.kernel
    def wrong() -> None:
        p4.c(f"int x = 0; {body} (void)x;", preamble=HEAD + "static void returns(void *p) { }")

    with pytest.raises(p4.KernelFault, match="breakpoint"):
        wrong()
    assert said in capsys.readouterr().out


def test_what_cannot_be_made_is_null() -> None:
    @p4.kernel
    def run() -> p4.i32:
        p4.c(
            """
            TaskHandle_t task = NULL;
            int good = xTaskCreate(sleeps, "big", 1u << 30, NULL, 5, &task) == errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY;
            good &= xTaskCreate(sleeps, "small", 8, NULL, 5, NULL) == errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY && !task;
            good &= !xQueueCreate(0, 4) && !xQueueCreate(1u << 20, 1u << 20) && !xSemaphoreCreateCounting(1, 2);
            int made = 0;
            while (xTaskCreate(sleeps, "many", 256, NULL, 0, NULL) == pdPASS)
                ++made;
            return good ? made : -1;
        """,
            preamble=HEAD + "static void sleeps(void *p) { vTaskSuspend(NULL); }",
        )

    assert run() == 29  # of 32 places three are the kernel's and the timers'


def test_everybody_waits_for_ever(capsys: pytest.CaptureFixture[str]) -> None:
    @p4.kernel(timeout=100)
    def stuck() -> None:
        p4.c("xSemaphoreTake(xSemaphoreCreateBinary(), portMAX_DELAY);", preamble=HEAD)

    with pytest.raises(p4.KernelTimeout):
        stuck()
    assert "every task waits for another one" in capsys.readouterr().out


def test_a_mutex_of_a_kernel_that_was_ended_is_free() -> None:
    m = p4.module("""
        #include <freertos/FreeRTOS.h>
        #include <freertos/semphr.h>
        static SemaphoreHandle_t mutex;
    """)

    @m.kernel(max_instructions=100_000)
    def hold() -> None:
        p4.c("mutex = xSemaphoreCreateMutex(); xSemaphoreTake(mutex, 0); for (volatile int i = 0;;) i++;")

    @m.kernel
    def take() -> p4.i32:
        p4.c("return xSemaphoreTake(mutex, 10);")

    with pytest.raises(p4.KernelTimeout):
        hold()
    assert take() == 1


@pytest.mark.parametrize(
    "body, header",
    [("vTaskDelay(1);", "freertos/task.h"), ("xQueueSend(0, 0, 0);", "freertos/queue.h"), ("usleep(1);", "unistd.h")],
)
def test_a_header_that_was_forgotten_is_named(body: str, header: str) -> None:
    @p4.kernel
    def forgot() -> None:
        p4.c(body)

    with pytest.raises(p4.CompileError, match=f"it is declared in {header}"):
        forgot()
