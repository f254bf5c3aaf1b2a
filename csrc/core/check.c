/* The checks of debug builds, and the report of a broken contract. */
#include "core/contracts.h"

#ifdef FN_DEBUG
#include <stdio.h>
#include <stdlib.h>

void fn_contract_broken(const char *condition, const char *file, int line)
{
    fprintf(stderr, "fastnet: %s:%d: expected %s\n", file, line, condition);
    abort();
}

int fn_is_zero(const void *memory, size_t bytes)
{
    const unsigned char *byte = memory;
    for (size_t i = 0; i < bytes; i++)
        if (byte[i])
            return 0;
    return 1;
}

static size_t column(const fn_examples *e, size_t k)
{
    return e->columns_type == FN_U16 ? ((const uint16_t *)e->columns)[k]
                                     : ((const uint32_t *)e->columns)[k];
}

/* Returns whether row s is valid: columns ascend and are below n_in, or there is a value for each
 * bit of the masks. */
static int row_holds(const fn_examples *e, size_t n_in, size_t s)
{
    const size_t from = (size_t)e->offsets[s], to = (size_t)e->offsets[s + 1];
    if (e->masks) {
        const uint64_t *masks = e->masks + s * fn_words(n_in);
        size_t bits = 0;
        for (size_t word = 0; word < fn_words(n_in); word++)
            bits += (size_t)__builtin_popcountll(masks[word]);
        return bits == to - from && (n_in % 64 == 0 || masks[n_in / 64] >> n_in % 64 == 0);
    }
    for (size_t k = from; k < to; k++)
        if (column(e, k) >= n_in || (k > from && column(e, k) <= column(e, k - 1)))
            return 0;
    return 1;
}

int fn_targets_hold(const fn_examples *e, size_t n_out)
{
    const size_t stride = e->n < 2 ? SIZE_MAX : e->targets_stride;
    if (!e->targets)
        return 0;
    switch (e->targets_type) {
    case FN_I64: return stride >= sizeof(int64_t);
    case FN_F32: case FN_F64: return stride >= n_out * fn_bytes[e->targets_type];
    case FN_U8: case FN_U16: case FN_U32: break;
    }
    return 0;
}

int fn_weights_hold(const double *weights, size_t m)
{
    for (size_t s = 0; weights && s < m; s++)
        if (!(weights[s] >= 0))
            return 0;
    return 1;
}

int fn_compressed_holds(const fn_examples *dense, fn_type type, const fn_compressed *to)
{
    const fn_type inputs = dense->inputs_type;
    return !dense->offsets
           && (inputs == FN_F64 || (type == FN_F32 && (inputs == FN_U8 || inputs == FN_F32)))
           && (!to->columns || to->columns_type == FN_U16 || to->columns_type == FN_U32);
}

int fn_examples_hold(const fn_examples *e, size_t n_in)
{
    if (!fn_weights_hold(e->weights, e->n))
        return 0;
    if (!e->offsets)
        return e->n < 2 || e->inputs_stride >= n_in * fn_bytes[e->inputs_type];
    if (!e->columns == !e->masks)
        return 0;
    for (size_t s = 0; s < e->n; s++) {
        const int64_t length = e->offsets[s + 1] - e->offsets[s];
        if (length < 0 || (size_t)length > e->longest || !row_holds(e, n_in, s))
            return 0;
    }
    const volatile char *end = (const char *)e->inputs
                               + (size_t)e->offsets[e->n] * fn_bytes[e->inputs_type];
    for (size_t i = 0; e->masks && i < FN_BYTES_AFTER_VALUES; i++)
        (void)end[i]; /* if it is not readable, the processor or a sanitizer aborts */
    return 1;
}

int fn_order_holds(const int64_t *order, size_t n, size_t examples)
{
    for (size_t i = 0; order && i < n; i++)
        if (order[i] < 0 || (size_t)order[i] >= examples)
            return 0;
    return 1;
}

int fn_training_holds(const fn_training *t, size_t n_in)
{
    return (fn_optimizers[t->optimizer].n_moments == 0 || t->moments)
           && (t->shift == 0 || (t->side * t->side == n_in && t->shift < t->side))
           && (!t->n_complete || t->n_snapshots == 0 || t->snapshots);
}
#endif
