/* Functions of doubles, for units of both types, since costs are summed in double. FN_F64(op) is
 * the name of FN(op) for float64 and the same instruction set. */
#ifndef FASTNET_OPS_DOUBLES_H
#define FASTNET_OPS_DOUBLES_H

#include <stddef.h>
#include <stdint.h>

#include "simd/compiler.h"

#define FN_F64(op) FN_JOIN4(fn_##op, _f64_, FN_ISA, )

/* y[i] = op(x[i]) for n numbers; y may be x. */
void FN_F64(exp)(size_t n, const double *x, double *y);
void FN_F64(log)(size_t n, const double *x, double *y);
void FN_F64(sigmoid)(size_t n, const double *x, double *y);
void FN_F64(tanh)(size_t n, const double *x, double *y);

#if FN_BITS == 32
typedef double FN_F64(vec) __attribute__((vector_size(FN_VECTOR_BYTES), aligned(8), may_alias));
typedef int64_t FN_F64(ivec) __attribute__((vector_size(FN_VECTOR_BYTES), aligned(8), may_alias));

FN_INLINE FN_F64(vec) FN_F64(load)(const double *p) { return *(const FN_F64(vec) *)p; }
FN_INLINE void FN_F64(store)(double *p, FN_F64(vec) x) { *(FN_F64(vec) *)p = x; }
FN_INLINE FN_F64(vec) FN_F64(select)(FN_F64(ivec) mask, FN_F64(vec) a, FN_F64(vec) b)
{
    return (FN_F64(vec))((mask & (FN_F64(ivec))a) | (~mask & (FN_F64(ivec))b));
}
#endif

#endif
