/* stdlib.h: magnitudes, and texts to numbers. */
#include <stdlib.h>
#include <string.h>

#include "exports.h"

int32_t p4x_abs(int32_t a) { return a < 0 ? (int32_t)(0 - (uint32_t)a) : a; }

int32_t p4x_labs(int32_t a) { return p4x_abs(a); }

int64_t p4x_llabs(int64_t a) { return a < 0 ? p4x___negdi2(a) : a; }

static int64_t whole(p4x *x, uint32_t in, uint32_t end, int32_t base, bool is_signed, int bits)
{
    uint32_t size, used = 0;
    const char *text = p4x_string(x, in, &size);
    int64_t value = 0;
    bool base_is_good = base == 0 || (base >= 2 && base <= 36);
    if (text && base_is_good) {
        char *stop;
        int64_t top = bits == 32 ? INT32_MAX : INT64_MAX;
        if (is_signed) {
            value = strtoll(text, &stop, base);
            value = value > top ? top : value < -top - 1 ? -top - 1 : value;
        } else {
            /* A minus sign negates in the type, and strtoull does so in 64 bits: undo it to see the magnitude. */
            bool minus = text[strspn(text, " \t\n\v\f\r")] == '-';
            uint64_t size64 = strtoull(text, &stop, base);
            if (bits == 32 && (minus ? 0 - size64 : size64) > UINT32_MAX)
                size64 = UINT32_MAX;
            value = (int64_t)size64;
        }
        used = (uint32_t)(stop - text);
    }
    if (text && end) {
        in += used;
        p4x_put(x, end, &in, sizeof in);
    }
    return value;
}

int32_t p4x_strtol(p4x *x, uint32_t in, uint32_t end, int32_t base)
{
    return (int32_t)whole(x, in, end, base, true, 32);
}

uint32_t p4x_strtoul(p4x *x, uint32_t in, uint32_t end, int32_t base)
{
    return (uint32_t)whole(x, in, end, base, false, 32);
}

int64_t p4x_strtoll(p4x *x, uint32_t in, uint32_t end, int32_t base) { return whole(x, in, end, base, true, 64); }

uint64_t p4x_strtoull(p4x *x, uint32_t in, uint32_t end, int32_t base)
{
    return (uint64_t)whole(x, in, end, base, false, 64);
}

int32_t p4x_atoi(p4x *x, uint32_t in) { return p4x_strtol(x, in, 0, 10); }

int32_t p4x_atol(p4x *x, uint32_t in) { return p4x_strtol(x, in, 0, 10); }

int64_t p4x_atoll(p4x *x, uint32_t in) { return p4x_strtoll(x, in, 0, 10); }

/* The host's function, in the C locale: the process may have one with decimal commas. */
#define TO_FLOAT(name, type, function)                            \
    type name(p4x *x, uint32_t in, uint32_t end)                  \
    {                                                             \
        uint32_t size;                                            \
        const char *text = p4x_string(x, in, &size);              \
        locale_t before;                                          \
        type value;                                               \
        char *stop;                                               \
        if (!text)                                                \
            return 0;                                             \
        before = uselocale(x->c_locale);                          \
        value = function(text, &stop);                            \
        uselocale(before);                                        \
        in += (uint32_t)(stop - text);                            \
        if (end)                                                  \
            p4x_put(x, end, &in, sizeof in);                      \
        return value;                                             \
    }
TO_FLOAT(p4x_strtod, double, strtod)
TO_FLOAT(p4x_strtof, float, strtof)

double p4x_atof(p4x *x, uint32_t in) { return p4x_strtod(x, in, 0); }
