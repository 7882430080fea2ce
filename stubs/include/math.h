/* math.h: C99 for float and double. Double arithmetic is done in software on this chip: prefer the float functions.
 *
 * The macros are there for the reason that string.h gives: with them sqrtf, fabsf and fmaf (and fminf and fmaxf, with
 * clang) are one instruction, and a function of constants is a constant. errno is never set. */
#ifndef _MATH_H
#define _MATH_H

typedef float float_t;
typedef double double_t;

#define HUGE_VALF __builtin_huge_valf()
#define HUGE_VAL __builtin_huge_val()
#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")

#define M_E 2.71828182845904523536
#define M_LOG2E 1.44269504088896340736
#define M_LOG10E 0.43429448190325182765
#define M_LN2 0.69314718055994530942
#define M_LN10 2.30258509299404568402
#define M_PI 3.14159265358979323846
#define M_PI_2 1.57079632679489661923
#define M_PI_4 0.78539816339744830962
#define M_1_PI 0.31830988618379067154
#define M_2_PI 0.63661977236758134308
#define M_2_SQRTPI 1.12837916709551257390
#define M_SQRT2 1.41421356237309504880
#define M_SQRT1_2 0.70710678118654752440

#define FP_NAN 0
#define FP_INFINITE 1
#define FP_ZERO 2
#define FP_SUBNORMAL 3
#define FP_NORMAL 4
#define FP_ILOGB0 (-2147483647) /* as newlib and picolibc have it */
#define FP_ILOGBNAN 2147483647
#define FP_FAST_FMAF 1
#define MATH_ERRNO 1
#define MATH_ERREXCEPT 2
#define math_errhandling MATH_ERREXCEPT

#define fpclassify(x) __builtin_fpclassify(FP_NAN, FP_INFINITE, FP_NORMAL, FP_SUBNORMAL, FP_ZERO, (x))
#define isfinite(x) __builtin_isfinite(x)
#define isinf(x) __builtin_isinf(x)
#define isnan(x) __builtin_isnan(x)
#define isnormal(x) __builtin_isnormal(x)
#define signbit(x) (__builtin_signbit(x) != 0)
#define isgreater(x, y) __builtin_isgreater(x, y)
#define isgreaterequal(x, y) __builtin_isgreaterequal(x, y)
#define isless(x, y) __builtin_isless(x, y)
#define islessequal(x, y) __builtin_islessequal(x, y)
#define islessgreater(x, y) __builtin_islessgreater(x, y)
#define isunordered(x, y) __builtin_isunordered(x, y)

#ifdef __cplusplus
extern "C" {
#endif

float acosf(float x);
float asinf(float x);
float atanf(float x);
float cosf(float x);
float sinf(float x);
float tanf(float x);
float acoshf(float x);
float asinhf(float x);
float atanhf(float x);
float coshf(float x);
float sinhf(float x);
float tanhf(float x);
float expf(float x);
float exp2f(float x);
float expm1f(float x);
float logf(float x);
float log10f(float x);
float log1pf(float x);
float log2f(float x);
float logbf(float x);
float cbrtf(float x);
float fabsf(float x);
float sqrtf(float x);
float erff(float x);
float erfcf(float x);
float lgammaf(float x);
float tgammaf(float x);
float ceilf(float x);
float floorf(float x);
float nearbyintf(float x);
float rintf(float x);
float roundf(float x);
float truncf(float x);
float atan2f(float x, float y);
float powf(float x, float y);
float hypotf(float x, float y);
float fmodf(float x, float y);
float remainderf(float x, float y);
float copysignf(float x, float y);
float nextafterf(float x, float y);
float fdimf(float x, float y);
float fmaxf(float x, float y);
float fminf(float x, float y);
float fmaf(float x, float y, float z);
float nanf(const char *tag);
void sincosf(float x, float *sine, float *cosine);
float frexpf(float x, int *exponent);
float ldexpf(float x, int exponent);
float modff(float x, float *whole);
float scalbnf(float x, int exponent);
float scalblnf(float x, long exponent);
float remquof(float x, float y, int *quotient);
int ilogbf(float x);
long lrintf(float x);
long long llrintf(float x);
long lroundf(float x);
long long llroundf(float x);

double acos(double x);
double asin(double x);
double atan(double x);
double cos(double x);
double sin(double x);
double tan(double x);
double acosh(double x);
double asinh(double x);
double atanh(double x);
double cosh(double x);
double sinh(double x);
double tanh(double x);
double exp(double x);
double exp2(double x);
double expm1(double x);
double log(double x);
double log10(double x);
double log1p(double x);
double log2(double x);
double logb(double x);
double cbrt(double x);
double fabs(double x);
double sqrt(double x);
double erf(double x);
double erfc(double x);
double lgamma(double x);
double tgamma(double x);
double ceil(double x);
double floor(double x);
double nearbyint(double x);
double rint(double x);
double round(double x);
double trunc(double x);
double atan2(double x, double y);
double pow(double x, double y);
double hypot(double x, double y);
double fmod(double x, double y);
double remainder(double x, double y);
double copysign(double x, double y);
double nextafter(double x, double y);
double fdim(double x, double y);
double fmax(double x, double y);
double fmin(double x, double y);
double fma(double x, double y, double z);
double nan(const char *tag);
void sincos(double x, double *sine, double *cosine);
double frexp(double x, int *exponent);
double ldexp(double x, int exponent);
double modf(double x, double *whole);
double scalbn(double x, int exponent);
double scalbln(double x, long exponent);
double remquo(double x, double y, int *quotient);
int ilogb(double x);
long lrint(double x);
long long llrint(double x);
long lround(double x);
long long llround(double x);

#ifdef __cplusplus
}
#else
#define acosf(...) __builtin_acosf(__VA_ARGS__)
#define asinf(...) __builtin_asinf(__VA_ARGS__)
#define atanf(...) __builtin_atanf(__VA_ARGS__)
#define cosf(...) __builtin_cosf(__VA_ARGS__)
#define sinf(...) __builtin_sinf(__VA_ARGS__)
#define tanf(...) __builtin_tanf(__VA_ARGS__)
#define acoshf(...) __builtin_acoshf(__VA_ARGS__)
#define asinhf(...) __builtin_asinhf(__VA_ARGS__)
#define atanhf(...) __builtin_atanhf(__VA_ARGS__)
#define coshf(...) __builtin_coshf(__VA_ARGS__)
#define sinhf(...) __builtin_sinhf(__VA_ARGS__)
#define tanhf(...) __builtin_tanhf(__VA_ARGS__)
#define expf(...) __builtin_expf(__VA_ARGS__)
#define exp2f(...) __builtin_exp2f(__VA_ARGS__)
#define expm1f(...) __builtin_expm1f(__VA_ARGS__)
#define logf(...) __builtin_logf(__VA_ARGS__)
#define log10f(...) __builtin_log10f(__VA_ARGS__)
#define log1pf(...) __builtin_log1pf(__VA_ARGS__)
#define log2f(...) __builtin_log2f(__VA_ARGS__)
#define logbf(...) __builtin_logbf(__VA_ARGS__)
#define cbrtf(...) __builtin_cbrtf(__VA_ARGS__)
#define fabsf(...) __builtin_fabsf(__VA_ARGS__)
#define sqrtf(...) __builtin_sqrtf(__VA_ARGS__)
#define erff(...) __builtin_erff(__VA_ARGS__)
#define erfcf(...) __builtin_erfcf(__VA_ARGS__)
#define lgammaf(...) __builtin_lgammaf(__VA_ARGS__)
#define tgammaf(...) __builtin_tgammaf(__VA_ARGS__)
#define ceilf(...) __builtin_ceilf(__VA_ARGS__)
#define floorf(...) __builtin_floorf(__VA_ARGS__)
#define nearbyintf(...) __builtin_nearbyintf(__VA_ARGS__)
#define rintf(...) __builtin_rintf(__VA_ARGS__)
#define roundf(...) __builtin_roundf(__VA_ARGS__)
#define truncf(...) __builtin_truncf(__VA_ARGS__)
#define atan2f(...) __builtin_atan2f(__VA_ARGS__)
#define powf(...) __builtin_powf(__VA_ARGS__)
#define hypotf(...) __builtin_hypotf(__VA_ARGS__)
#define fmodf(...) __builtin_fmodf(__VA_ARGS__)
#define remainderf(...) __builtin_remainderf(__VA_ARGS__)
#define copysignf(...) __builtin_copysignf(__VA_ARGS__)
#define nextafterf(...) __builtin_nextafterf(__VA_ARGS__)
#define fdimf(...) __builtin_fdimf(__VA_ARGS__)
#define fmaxf(...) __builtin_fmaxf(__VA_ARGS__)
#define fminf(...) __builtin_fminf(__VA_ARGS__)
#define fmaf(...) __builtin_fmaf(__VA_ARGS__)
#define frexpf(...) __builtin_frexpf(__VA_ARGS__)
#define ldexpf(...) __builtin_ldexpf(__VA_ARGS__)
#define modff(...) __builtin_modff(__VA_ARGS__)
#define scalbnf(...) __builtin_scalbnf(__VA_ARGS__)
#define scalblnf(...) __builtin_scalblnf(__VA_ARGS__)
#define remquof(...) __builtin_remquof(__VA_ARGS__)
#define ilogbf(...) __builtin_ilogbf(__VA_ARGS__)
#define lrintf(...) __builtin_lrintf(__VA_ARGS__)
#define llrintf(...) __builtin_llrintf(__VA_ARGS__)
#define lroundf(...) __builtin_lroundf(__VA_ARGS__)
#define llroundf(...) __builtin_llroundf(__VA_ARGS__)
#define acos(...) __builtin_acos(__VA_ARGS__)
#define asin(...) __builtin_asin(__VA_ARGS__)
#define atan(...) __builtin_atan(__VA_ARGS__)
#define cos(...) __builtin_cos(__VA_ARGS__)
#define sin(...) __builtin_sin(__VA_ARGS__)
#define tan(...) __builtin_tan(__VA_ARGS__)
#define acosh(...) __builtin_acosh(__VA_ARGS__)
#define asinh(...) __builtin_asinh(__VA_ARGS__)
#define atanh(...) __builtin_atanh(__VA_ARGS__)
#define cosh(...) __builtin_cosh(__VA_ARGS__)
#define sinh(...) __builtin_sinh(__VA_ARGS__)
#define tanh(...) __builtin_tanh(__VA_ARGS__)
#define exp(...) __builtin_exp(__VA_ARGS__)
#define exp2(...) __builtin_exp2(__VA_ARGS__)
#define expm1(...) __builtin_expm1(__VA_ARGS__)
#define log(...) __builtin_log(__VA_ARGS__)
#define log10(...) __builtin_log10(__VA_ARGS__)
#define log1p(...) __builtin_log1p(__VA_ARGS__)
#define log2(...) __builtin_log2(__VA_ARGS__)
#define logb(...) __builtin_logb(__VA_ARGS__)
#define cbrt(...) __builtin_cbrt(__VA_ARGS__)
#define fabs(...) __builtin_fabs(__VA_ARGS__)
#define sqrt(...) __builtin_sqrt(__VA_ARGS__)
#define erf(...) __builtin_erf(__VA_ARGS__)
#define erfc(...) __builtin_erfc(__VA_ARGS__)
#define lgamma(...) __builtin_lgamma(__VA_ARGS__)
#define tgamma(...) __builtin_tgamma(__VA_ARGS__)
#define ceil(...) __builtin_ceil(__VA_ARGS__)
#define floor(...) __builtin_floor(__VA_ARGS__)
#define nearbyint(...) __builtin_nearbyint(__VA_ARGS__)
#define rint(...) __builtin_rint(__VA_ARGS__)
#define round(...) __builtin_round(__VA_ARGS__)
#define trunc(...) __builtin_trunc(__VA_ARGS__)
#define atan2(...) __builtin_atan2(__VA_ARGS__)
#define pow(...) __builtin_pow(__VA_ARGS__)
#define hypot(...) __builtin_hypot(__VA_ARGS__)
#define fmod(...) __builtin_fmod(__VA_ARGS__)
#define remainder(...) __builtin_remainder(__VA_ARGS__)
#define copysign(...) __builtin_copysign(__VA_ARGS__)
#define nextafter(...) __builtin_nextafter(__VA_ARGS__)
#define fdim(...) __builtin_fdim(__VA_ARGS__)
#define fmax(...) __builtin_fmax(__VA_ARGS__)
#define fmin(...) __builtin_fmin(__VA_ARGS__)
#define fma(...) __builtin_fma(__VA_ARGS__)
#define frexp(...) __builtin_frexp(__VA_ARGS__)
#define ldexp(...) __builtin_ldexp(__VA_ARGS__)
#define modf(...) __builtin_modf(__VA_ARGS__)
#define scalbn(...) __builtin_scalbn(__VA_ARGS__)
#define scalbln(...) __builtin_scalbln(__VA_ARGS__)
#define remquo(...) __builtin_remquo(__VA_ARGS__)
#define ilogb(...) __builtin_ilogb(__VA_ARGS__)
#define lrint(...) __builtin_lrint(__VA_ARGS__)
#define llrint(...) __builtin_llrint(__VA_ARGS__)
#define lround(...) __builtin_lround(__VA_ARGS__)
#define llround(...) __builtin_llround(__VA_ARGS__)
#endif

#endif
