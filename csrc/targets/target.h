/* The whole of a target's file: FN_ISA, FN_TARGET and FN_VECTOR_BYTES are set before. */
#include "core/arena.h"
#include "core/contracts.h"
#include "core/cpu.h"
#include "core/plan.h"
#include "simd/simd.h"
#include "core/tables.h"
#include "core/threads.h"
#include "core/poll.h"

#define FN_F64(op) FN_JOIN4(fn_##op, _f64_, FN_ISA, )

/* What the value of a cost is computed from: a run of n outputs of several examples, each of which
 * counts weights[j] times (see ops/cost.h). */
typedef struct {
    fn_activation output;
    const double *parameters;       /* of the cost */
    size_t n;                       /* 0 to FN_RUN */
    const double *z, *y, *weights;  /* [n] */
} fn_run;

/* Doubles first: costs in float32 are summed with them. */
#define FN_BITS 64
#include "net/kernels.h"
#undef FN_BITS
#define FN_BITS 32
#include "net/kernels.h"
