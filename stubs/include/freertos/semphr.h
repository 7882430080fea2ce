/* semphr.h: semaphores and mutexes, which are queues without items. */
#ifndef FREERTOS_SEMPHR_H
#define FREERTOS_SEMPHR_H

#include "queue.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef QueueHandle_t SemaphoreHandle_t;

QueueHandle_t xQueueCreateMutex(uint8_t type);
QueueHandle_t xQueueCreateCountingSemaphore(UBaseType_t most, UBaseType_t count);
BaseType_t xQueueSemaphoreTake(QueueHandle_t semaphore, TickType_t ticks);
BaseType_t xQueueTakeMutexRecursive(QueueHandle_t mutex, TickType_t ticks);
BaseType_t xQueueGiveMutexRecursive(QueueHandle_t mutex);

#define xSemaphoreCreateBinary() xQueueGenericCreate(1, 0, queueQUEUE_TYPE_BINARY_SEMAPHORE)
#define xSemaphoreCreateCounting(most, count) xQueueCreateCountingSemaphore(most, count)
#define xSemaphoreCreateMutex() xQueueCreateMutex(queueQUEUE_TYPE_MUTEX)
#define xSemaphoreCreateRecursiveMutex() xQueueCreateMutex(queueQUEUE_TYPE_RECURSIVE_MUTEX)
#define xSemaphoreTake(semaphore, ticks) xQueueSemaphoreTake(semaphore, ticks)
#define xSemaphoreGive(semaphore) xQueueGenericSend(semaphore, NULL, 0, queueSEND_TO_BACK)
#define xSemaphoreTakeRecursive(mutex, ticks) xQueueTakeMutexRecursive(mutex, ticks)
#define xSemaphoreGiveRecursive(mutex) xQueueGiveMutexRecursive(mutex)
#define uxSemaphoreGetCount(semaphore) uxQueueMessagesWaiting(semaphore)
#define vSemaphoreDelete(semaphore) vQueueDelete(semaphore)

#ifdef __cplusplus
}
#endif

#endif
