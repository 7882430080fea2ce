/* timers.h: functions that are called when a number of ticks has passed. */
#ifndef FREERTOS_TIMERS_H
#define FREERTOS_TIMERS_H

#include "task.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct p4_timer *TimerHandle_t;
typedef void (*TimerCallbackFunction_t)(TimerHandle_t timer);

TimerHandle_t xTimerCreate(const char *name, TickType_t period, BaseType_t repeat, void *id,
                           TimerCallbackFunction_t callback);
BaseType_t xTimerGenericCommand(TimerHandle_t timer, BaseType_t command, TickType_t value, BaseType_t *woken,
                                TickType_t ticks);
BaseType_t xTimerIsTimerActive(TimerHandle_t timer);
void *pvTimerGetTimerID(TimerHandle_t timer);
void vTimerSetTimerID(TimerHandle_t timer, void *id);
TickType_t xTimerGetPeriod(TimerHandle_t timer);

#define tmrCOMMAND_START ((BaseType_t)1)
#define tmrCOMMAND_RESET ((BaseType_t)2)
#define tmrCOMMAND_STOP ((BaseType_t)3)
#define tmrCOMMAND_CHANGE_PERIOD ((BaseType_t)4)
#define tmrCOMMAND_DELETE ((BaseType_t)5)

#define xTimerStart(timer, ticks) xTimerGenericCommand(timer, tmrCOMMAND_START, xTaskGetTickCount(), NULL, ticks)
#define xTimerReset(timer, ticks) xTimerGenericCommand(timer, tmrCOMMAND_RESET, xTaskGetTickCount(), NULL, ticks)
#define xTimerStop(timer, ticks) xTimerGenericCommand(timer, tmrCOMMAND_STOP, 0, NULL, ticks)
#define xTimerChangePeriod(timer, period, ticks) \
    xTimerGenericCommand(timer, tmrCOMMAND_CHANGE_PERIOD, period, NULL, ticks)
#define xTimerDelete(timer, ticks) xTimerGenericCommand(timer, tmrCOMMAND_DELETE, 0, NULL, ticks)

#ifdef __cplusplus
}
#endif

#endif
