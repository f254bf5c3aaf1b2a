/* Which table of kernels is used. */
#include <string.h>

#include "cpu.h"
#include "fastnet.h"

typedef struct {
    const char *name;
    const fn_kernels_f32 *f32;
    const fn_kernels_f64 *f64;
    int (*available)(void);
} target;

static int always(void) { return 1; }

#define TARGET(isa, available) {#isa, &fn_kernels_f32_##isa, &fn_kernels_f64_##isa, available}
#define DECLARE(isa)                                \
    extern const fn_kernels_f32 fn_kernels_f32_##isa; \
    extern const fn_kernels_f64 fn_kernels_f64_##isa;

/* From the plainest to the best. */
#if defined(__x86_64__)
DECLARE(baseline)
DECLARE(avx2)
DECLARE(avx512)
static const target targets[] = {
    TARGET(baseline, always),
    TARGET(avx2, fn_cpu_has_avx2),
    TARGET(avx512, fn_cpu_has_avx512),
};
#elif defined(__aarch64__)
DECLARE(neon)
static const target targets[] = {TARGET(neon, always)};
#else
DECLARE(baseline)
static const target targets[] = {TARGET(baseline, always)};
#endif

enum { TARGETS = sizeof targets / sizeof *targets };

const fn_kernels_f32 *fn_f32_kernels;
const fn_kernels_f64 *fn_f64_kernels;
static const char *selected;

const char *fn_isa_name(size_t i)
{
    for (size_t t = 0; t < TARGETS; t++)
        if (targets[t].available() && i-- == 0)
            return targets[t].name;
    return NULL;
}

int fn_select(const char *isa)
{
    for (size_t t = 0; t < TARGETS; t++)
        if (strcmp(targets[t].name, isa) == 0 && targets[t].available()) {
            fn_f32_kernels = targets[t].f32;
            fn_f64_kernels = targets[t].f64;
            selected = targets[t].name;
            return 0;
        }
    return -1;
}

const char *fn_selected(void) { return selected; }
