/* The selected table of kernels, and the calls through it. */
#include <string.h>

#include "core/cpu.h"
#include "core/plan.h"
#include "simd/subnormals.h"
#include "core/tables.h"

typedef struct {
    const char *name;
    fn_target target;
    const fn_kernels_f32 *f32;
    const fn_kernels_f64 *f64;
    int (*available)(void);
} entry;

static int always(void) { return 1; }

#define TARGET(isa, target, available) \
    {#isa, target, &fn_kernels_f32_##isa, &fn_kernels_f64_##isa, available}
#define DECLARE(isa)                                \
    extern const fn_kernels_f32 fn_kernels_f32_##isa; \
    extern const fn_kernels_f64 fn_kernels_f64_##isa;

/* From the slowest to the fastest. */
#if defined(__x86_64__)
DECLARE(baseline)
DECLARE(avx2)
DECLARE(avx512)
static const entry targets[] = {
    TARGET(baseline, FN_BASELINE, always),
    TARGET(avx2, FN_AVX2, fn_cpu_has_avx2),
    TARGET(avx512, FN_AVX512, fn_cpu_has_avx512),
};
#elif defined(__aarch64__)
DECLARE(neon)
static const entry targets[] = {TARGET(neon, FN_NEON, always)};
#else
DECLARE(baseline)
static const entry targets[] = {TARGET(baseline, FN_BASELINE, always)};
#endif

enum { TARGETS = sizeof targets / sizeof *targets };

static const entry *selected = targets; /* until fn_select */

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
            selected = &targets[t];
            return 0;
        }
    return -1;
}

const char *fn_selected(void) { return selected->name; }

fn_target fn_selected_target(void) { return selected->target; }

/* CALL_<result> calls a kernel with subnormal numbers treated as zero, restores the caller's
 * treatment of them, and returns the kernel's result. */
#define CALL(result, call)                                \
    const uint64_t before = fn_flush_subnormals();        \
    const result returned = (call);                       \
    fn_restore_subnormals(before);                        \
    return returned;
#define CALL_size_t(call) CALL(size_t, call)
#define CALL_int(call) CALL(int, call)
#define CALL_double(call) CALL(double, call)
#define CALL_void(call)                                   \
    const uint64_t before = fn_flush_subnormals();        \
    call;                                                 \
    fn_restore_subnormals(before);

#define REAL void
#define KERNEL(op, result, arguments, names)                                               \
    result fn_##op(fn_type type, FN_UNPACKED arguments)                                    \
    {                                                                                      \
        CALL_##result((type == FN_F32 ? selected->f32->op names : selected->f64->op names)) \
    }
#define KERNEL_F64(op, result, arguments, names)            \
    result fn_##op(fn_type type, FN_UNPACKED arguments)     \
    {                                                       \
        (void)type;                                         \
        CALL_##result(selected->f64->op names)              \
    }
#include "api/kernels.def"
