/* esp_log.h: lines such as "I (123) tag: text", with milliseconds, on the host's stdout. */
#ifndef ESP_LOG_H
#define ESP_LOG_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESP_LOG_NONE,
    ESP_LOG_ERROR,
    ESP_LOG_WARN,
    ESP_LOG_INFO,
    ESP_LOG_DEBUG,
    ESP_LOG_VERBOSE
} esp_log_level_t;

void esp_log_write(esp_log_level_t level, const char *tag, const char *format, ...)
    __attribute__((__format__(__printf__, 3, 4)));
uint32_t esp_log_timestamp(void);
void esp_log_level_set(const char *tag, esp_log_level_t level);

/* Lines above this level are not compiled. */
#ifndef LOG_LOCAL_LEVEL
#define LOG_LOCAL_LEVEL ESP_LOG_INFO
#endif

#define ESP_LOG_LEVEL_LOCAL(level, letter, tag, ...)                                                            \
    do {                                                                                                        \
        if (LOG_LOCAL_LEVEL >= (level)) {                                                                       \
            esp_log_write(level, tag, letter " (%lu) %s: ", (unsigned long)esp_log_timestamp(), tag);           \
            esp_log_write(level, tag, __VA_ARGS__);                                                             \
            esp_log_write(level, tag, "\n");                                                                    \
        }                                                                                                       \
    } while (0)
#define ESP_LOGE(tag, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_ERROR, "E", tag, __VA_ARGS__)
#define ESP_LOGW(tag, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_WARN, "W", tag, __VA_ARGS__)
#define ESP_LOGI(tag, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_INFO, "I", tag, __VA_ARGS__)
#define ESP_LOGD(tag, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_DEBUG, "D", tag, __VA_ARGS__)
#define ESP_LOGV(tag, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_VERBOSE, "V", tag, __VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif
