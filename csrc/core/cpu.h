#ifndef FASTNET_CORE_CPU_H
#define FASTNET_CORE_CPU_H

/* Whether the processor has, and the operating system saves the registers of,
 * what the kernels for AVX2 and AVX-512 (targets/) are compiled for. */
int fn_cpu_has_avx2(void);
int fn_cpu_has_avx512(void);

/* Whether the processor has AVX-512 and takes its vectors in halves, one after the other
 * (Zen 4). */
#if defined(__x86_64__)
int fn_cpu_halves_avx512(void);
#else
static inline int fn_cpu_halves_avx512(void) { return 0; }
#endif

#endif
