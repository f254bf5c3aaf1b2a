/* Checks of the contracts of the C interface (fastnet.h), for FN_ASSERT. Only debug builds have
 * these functions. */
#ifndef FASTNET_CORE_CONTRACTS_H
#define FASTNET_CORE_CONTRACTS_H

#include "fastnet.h"

/* Returns whether examples with n_in inputs meet the contract of fastnet.h. Dense: rows fit in
 * their stride. Compressed: offsets ascend; no row is longer than `longest`; columns ascend and are
 * below n_in, or masks have one bit per value and the 128 bytes after the values are readable. */
int fn_examples_hold(const fn_examples *examples, size_t n_in);

/* Returns whether there are targets, of a valid type, for a network with n_out outputs. */
int fn_targets_hold(const fn_examples *examples, size_t n_out);

/* Returns whether the m weights of examples, or NULL, are 0 or more. */
int fn_weights_hold(const double *weights, size_t m);

/* Returns whether dense examples can be compressed to `to` by the kernel of this type. */
int fn_compressed_holds(const fn_examples *dense, fn_type type, const fn_compressed *to);

/* Returns whether `order`, NULL or [n], has indices of `examples` examples only. */
int fn_order_holds(const int64_t *order, size_t n, size_t examples);

/* Returns whether a training has its optimizer's moments, and valid shifts and snapshots. */
int fn_training_holds(const fn_training *training, size_t n_in);

/* Returns whether all of the bytes are zero. */
int fn_is_zero(const void *memory, size_t bytes);

/* Returns whether the address is that of a cache line. */
static inline int fn_is_aligned(const void *address) { return (uintptr_t)address % 64 == 0; }

/* Returns whether two arrays do not overlap. */
static inline int fn_are_apart(const void *a, size_t a_bytes, const void *b, size_t b_bytes)
{
    return (uintptr_t)a + a_bytes <= (uintptr_t)b || (uintptr_t)b + b_bytes <= (uintptr_t)a;
}

#endif
