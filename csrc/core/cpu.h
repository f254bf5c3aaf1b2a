#ifndef FASTNET_CORE_CPU_H
#define FASTNET_CORE_CPU_H

/* Returns whether the processor has the instructions for which the AVX2 or AVX-512 kernels
 * (targets/) are compiled, and the operating system saves their registers. */
int fn_cpu_has_avx2(void);
int fn_cpu_has_avx512(void);

/* Returns whether the processor has AVX-512 and computes its vectors in halves, one after the other
 * (Zen 4). */
#if defined(__x86_64__)
int fn_cpu_halves_avx512(void);
#else
static inline int fn_cpu_halves_avx512(void) { return 0; }
#endif

#endif
