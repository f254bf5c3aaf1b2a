#include "core/cpu.h"

#include "core/plan.h"

/* __builtin_cpu_supports checks both cpuid and xgetbv. */
#if defined(__x86_64__)
#include <cpuid.h>

int fn_cpu_has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

int fn_cpu_has_avx512(void)
{
    return fn_cpu_has_avx2() && __builtin_cpu_supports("avx512f")
           && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")
           && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("bmi")
           && __builtin_cpu_supports("bmi2");
}

static unsigned family; /* read once: cpuid is slow in a virtual machine */

__attribute__((constructor)) static void read_family(void)
{
    unsigned eax, ebx, ecx, edx;
    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx))
        family = (eax >> 8 & 0xF) + (eax >> 20 & 0xFF);
}

/* Family 0x19 is Zen 3, without AVX-512, and Zen 4. Compilers before 2021 have no name for it. */
int fn_cpu_halves_avx512(void)
{
    return family == 0x19 && __builtin_cpu_is("amd") && __builtin_cpu_supports("avx512f");
}
#endif

fn_processor fn_this_processor(void)
{
    return (fn_processor){.halves_avx512 = fn_cpu_halves_avx512()};
}
