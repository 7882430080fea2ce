/* time.h, sys/time.h and unistd.h: the board's clock, which began in 1970. */
#include <string.h>
#include <time.h>

#include "exports.h"
#include "rtos.h"

static int64_t seconds(p4x *x) { return (int64_t)(p4r_us(x->rtos) / 1000000u); }

int64_t p4x_time(p4x *x, uint32_t place)
{
    int64_t now = seconds(x);
    if (place)
        p4x_put(x, place, &now, sizeof now);
    return now;
}

uint32_t p4x_clock(p4x *x) { return (uint32_t)p4r_us(x->rtos); }

double p4x_difftime(p4x *x, int64_t end, int64_t begin)
{
    (void)x;
    return (double)end - (double)begin;
}

int32_t p4x_gettimeofday(p4x *x, uint32_t now, uint32_t zone)
{
    struct {
        int64_t seconds;
        int32_t us, pad;
    } value = {seconds(x), (int32_t)(p4r_us(x->rtos) % 1000000u), 0};
    (void)zone;
    p4x_put(x, now, &value, sizeof value);
    return 0;
}

/* struct tm of the chip: nine ints. */
enum { PARTS = 9 };

static void to_guest(p4x *x, uint32_t parts, const struct tm *t)
{
    int32_t words[PARTS] = {t->tm_sec,  t->tm_min,  t->tm_hour, t->tm_mday, t->tm_mon,
                            t->tm_year, t->tm_wday, t->tm_yday, t->tm_isdst};
    p4x_put(x, parts, words, sizeof words);
}

static bool from_guest(p4x *x, uint32_t parts, struct tm *t)
{
    int32_t w[PARTS];
    const uint8_t *p = p4x_load(x, parts, sizeof w);
    if (!p)
        return false;
    memcpy(w, p, sizeof w);
    *t = (struct tm){.tm_sec = w[0],  .tm_min = w[1],  .tm_hour = w[2], .tm_mday = w[3], .tm_mon = w[4],
                     .tm_year = w[5], .tm_wday = w[6], .tm_yday = w[7], .tm_isdst = w[8]};
    return true;
}

uint32_t p4x_gmtime_r(p4x *x, uint32_t time, uint32_t parts)
{
    int64_t value;
    const uint8_t *p = p4x_load(x, time, sizeof value);
    time_t host;
    struct tm t;
    if (!p)
        return 0;
    memcpy(&value, p, sizeof value);
    host = (time_t)value;
    if (host != value || !gmtime_r(&host, &t)) /* a year that an int does not hold */
        return 0;
    to_guest(x, parts, &t);
    return parts;
}

uint32_t p4x_localtime_r(p4x *x, uint32_t time, uint32_t parts) { return p4x_gmtime_r(x, time, parts); }

int64_t p4x_mktime(p4x *x, uint32_t parts)
{
    struct tm t;
    time_t value;
    if (!from_guest(x, parts, &t))
        return -1;
    value = timegm(&t);
    if (value == (time_t)-1 && t.tm_year != 69)
        return -1;
    to_guest(x, parts, &t);
    return value;
}

enum { TEXT_MOST = 4096 };

uint32_t p4x_strftime(p4x *x, uint32_t to, uint32_t size, uint32_t format, uint32_t parts)
{
    uint32_t length;
    const char *f = p4x_string(x, format, &length);
    char text[TEXT_MOST];
    struct tm t;
    size_t n;
    locale_t before;
    if (!f || !from_guest(x, parts, &t))
        return 0;
    t.tm_zone = (char *)"UTC";
    before = uselocale(x->c_locale);
    n = strftime(text, size < sizeof text ? size : sizeof text, f, &t);
    uselocale(before);
    if (n)
        p4x_put(x, to, text, (uint32_t)n + 1);
    else if (size)
        p4x_put(x, to, "", 1);
    return (uint32_t)n;
}

int32_t p4x_usleep(p4x *x, uint32_t us)
{
    p4r_sleep_us(x->rtos, us);
    return 0;
}

uint32_t p4x_sleep(p4x *x, uint32_t s)
{
    p4r_sleep_us(x->rtos, (uint64_t)s * 1000000u);
    return 0;
}
