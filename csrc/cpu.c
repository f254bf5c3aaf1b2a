#include "cpu.h"

/* The compiler's runtime asks both cpuid and xgetbv. */
#if defined(__x86_64__)
int fn_cpu_has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

int fn_cpu_has_avx512(void)
{
    return fn_cpu_has_avx2() && __builtin_cpu_supports("avx512f")
           && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")
           && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

int fn_cpu_halves_avx512(void) { return __builtin_cpu_is("amdfam19h"); }
#endif
