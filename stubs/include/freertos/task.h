/* task.h: tasks, delays, notifications. Stack sizes are in bytes. */
#ifndef FREERTOS_TASK_H
#define FREERTOS_TASK_H

#include "FreeRTOS.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct p4_task *TaskHandle_t;
typedef void (*TaskFunction_t)(void *argument);
typedef enum { eRunning, eReady, eBlocked, eSuspended, eDeleted, eInvalid } eTaskState;
typedef enum {
    eNoAction,
    eSetBits,
    eIncrement,
    eSetValueWithOverwrite,
    eSetValueWithoutOverwrite
} eNotifyAction;

#define tskIDLE_PRIORITY ((UBaseType_t)0)
#define tskNO_AFFINITY ((BaseType_t)0x7fffffff)

BaseType_t xTaskCreatePinnedToCore(TaskFunction_t function, const char *name, uint32_t stack, void *argument,
                                   UBaseType_t priority, TaskHandle_t *task, BaseType_t core);
void vTaskDelete(TaskHandle_t task);
void vTaskDelay(TickType_t ticks);
BaseType_t xTaskDelayUntil(TickType_t *last, TickType_t period);
void vTaskSuspend(TaskHandle_t task);
void vTaskResume(TaskHandle_t task);
void vTaskPrioritySet(TaskHandle_t task, UBaseType_t priority);
UBaseType_t uxTaskPriorityGet(TaskHandle_t task);
eTaskState eTaskGetState(TaskHandle_t task);
TickType_t xTaskGetTickCount(void);
TaskHandle_t xTaskGetCurrentTaskHandle(void);
char *pcTaskGetName(TaskHandle_t task);
UBaseType_t uxTaskGetNumberOfTasks(void);
UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t task);
void vTaskSuspendAll(void);
BaseType_t xTaskResumeAll(void);
void vPortYield(void);
BaseType_t xPortEnterCriticalTimeout(portMUX_TYPE *lock, BaseType_t timeout);
void vPortExitCriticalMultiCore(portMUX_TYPE *lock);
BaseType_t xTaskGenericNotify(TaskHandle_t task, UBaseType_t index, uint32_t value, eNotifyAction action,
                              uint32_t *before);
uint32_t ulTaskGenericNotifyTake(UBaseType_t index, BaseType_t clear, TickType_t ticks);
BaseType_t xTaskGenericNotifyWait(UBaseType_t index, uint32_t clear_before, uint32_t clear_after, uint32_t *value,
                                  TickType_t ticks);

static inline BaseType_t xTaskCreate(TaskFunction_t function, const char *name, uint32_t stack, void *argument,
                                     UBaseType_t priority, TaskHandle_t *task) {
    return xTaskCreatePinnedToCore(function, name, stack, argument, priority, task, tskNO_AFFINITY);
}

#define vTaskDelayUntil(last, period) ((void)xTaskDelayUntil(last, period))
#define taskYIELD() vPortYield()
#define portYIELD() vPortYield()
#define portENTER_CRITICAL(lock) ((void)xPortEnterCriticalTimeout(lock, portMUX_NO_TIMEOUT))
#define portEXIT_CRITICAL(lock) vPortExitCriticalMultiCore(lock)
#define taskENTER_CRITICAL(lock) portENTER_CRITICAL(lock)
#define taskEXIT_CRITICAL(lock) portEXIT_CRITICAL(lock)
#define xTaskNotify(task, value, action) xTaskGenericNotify(task, 0, value, action, NULL)
#define xTaskNotifyGive(task) xTaskGenericNotify(task, 0, 0, eIncrement, NULL)
#define ulTaskNotifyTake(clear, ticks) ulTaskGenericNotifyTake(0, clear, ticks)
#define xTaskNotifyWait(before, after, value, ticks) xTaskGenericNotifyWait(0, before, after, value, ticks)

#ifdef __cplusplus
}
#endif

#endif
