/* Compresses dense rows: stores the non-zero inputs, and their columns or masks.
 *
 * Inputs are tested in words of 64, in vectors and without branches. Non-zero ones are stored
 * one by one, or, where the processor can compress lanes (FN_EXPAND), vector by vector.
 * Measurements: docs/tuning.md. */
#ifndef FASTNET_INPUT_COMPRESS_H
#define FASTNET_INPUT_COMPRESS_H

#include <stdint.h>
#include <string.h>

#include "core/check.h"
#include "core/contracts.h"
#include "fastnet.h"
#include "simd/compiler.h"
#include "simd/vec.h"

#define FN_WORD 64

/* Returns whether input j is non-zero; subnormal numbers are. Like all functions here with a
 * parameter `type`, it is inlined with a constant type. */
FN_INLINE uint8_t FN(nonzero)(const fn_type type, const void *row, size_t j)
{
    uint32_t bits32;
    uint64_t bits64;
    if (type == FN_U8)
        return ((const uint8_t *)row)[j] != 0;
    if (type == FN_F32) {
        memcpy(&bits32, (const float *)row + j, sizeof bits32);
        return bits32 << 1 != 0;
    }
    FN_ASSERT(type == FN_F64);
    memcpy(&bits64, (const double *)row + j, sizeof bits64);
    return bits64 << 1 != 0;
}

/* seen[j] = nonzero(j0 + j) for a whole word; 0 where j0 + j >= n_in. */
FN_INLINE void FN(find_nonzero)(const fn_type type, const void *row, size_t n_in, size_t j0,
                                uint8_t *seen)
{
    const size_t n = n_in - j0 < FN_WORD ? n_in - j0 : FN_WORD;
    size_t j = 0;
    for (; j + 16 <= n; j += 16)
        for (size_t i = j; i < j + 16; i++)
            seen[i] = FN(nonzero)(type, row, j0 + i);
    for (; j < n; j++)
        seen[j] = FN(nonzero)(type, row, j0 + j);
    for (; j < FN_WORD; j++)
        seen[j] = 0;
}

/* Returns a word whose bit j is nonzero(j0 + j). */
FN_INLINE uint64_t FN(mask_of)(const fn_type type, const void *row, size_t n_in, size_t j0)
{
    uint8_t seen[FN_WORD];
    uint64_t mask = 0;
    FN(find_nonzero)(type, row, n_in, j0, seen);
    for (size_t j = 0; j < FN_WORD; j += 8) {
        uint64_t bytes = 0; /* each is 0 or 1; on little-endian machines a single load */
        for (size_t i = 0; i < 8; i++)
            bytes |= (uint64_t)seen[j + i] << 8 * i;
        mask |= (bytes * 0x0102040810204080 >> 56) << j; /* byte i to bit i */
    }
    return mask;
}

/* Store input j0 + j for each bit j of the mask, from values[k] on, and their columns from
 * columns[k] on. column_bytes: 2 or 4; 0: no columns. */
FN_INLINE void FN(store_bits)(const fn_type type, const size_t column_bytes, uint64_t mask,
                              const void *row, size_t j0, size_t k, const fn_compressed to)
{
    for (; mask; mask &= mask - 1, k++) {
        const size_t j = j0 + (size_t)__builtin_ctzll(mask);
        if (type == FN_U8)
            ((uint8_t *)to.values)[k] = ((const uint8_t *)row)[j];
        else if (type == FN_F32)
            ((real *)to.values)[k] = (real)((const float *)row)[j];
        else
            ((real *)to.values)[k] = (real)((const double *)row)[j];
        if (column_bytes == 2)
            ((uint16_t *)to.columns)[k] = (uint16_t)j;
        else if (column_bytes == 4)
            ((uint32_t *)to.columns)[k] = (uint32_t)j;
    }
}

#ifdef FN_EXPAND
/* The same for a whole word of inputs, in vectors. May overwrite up to a vector after the last
 * value and column. */
FN_INLINE void FN(store_lanes)(const fn_type type, const size_t column_bytes, uint64_t mask,
                               const void *row, size_t j0, size_t k, const fn_compressed to)
{
    typedef uint8_t bytes __attribute__((vector_size(FN_LANES), aligned(1), may_alias));
    typedef uint16_t shorts __attribute__((vector_size(2 * FN_LANES), aligned(2), may_alias));
    typedef uint32_t words __attribute__((vector_size(4 * FN_LANES), aligned(4), may_alias));
    ivec lanes;
    for (size_t i = 0; i < FN_LANES; i++)
        lanes[i] = (integer)i;
FN_UNROLL(8)
    for (size_t i = 0; i < FN_WORD; i += FN_LANES) {
        const unsigned bits = (unsigned)(mask >> i) & FN_LANE_BITS;
        const size_t j = j0 + i;
        if (type == FN_U8) {
            const ivec packed = FN(pack)(bits, FN(widen_bytes)((const uint8_t *)row + j));
            *(bytes *)((uint8_t *)to.values + k) = __builtin_convertvector(packed, bytes);
        } else {
            const vec from = type == FN_F32
                ? __builtin_convertvector(*(const FN(f32s) *)((const float *)row + j), vec)
                : __builtin_convertvector(*(const FN(f64s) *)((const double *)row + j), vec);
            FN(store)((real *)to.values + k, (vec)FN(pack)(bits, (ivec)from));
        }
        const ivec here = FN(pack)(bits, lanes + (integer)j);
        if (column_bytes == 2)
            *(shorts *)((uint16_t *)to.columns + k) = __builtin_convertvector(here, shorts);
        else if (column_bytes == 4)
            *(words *)((uint32_t *)to.columns + k) = __builtin_convertvector(here, words);
        k += (size_t)__builtin_popcount(bits);
    }
}
#endif

/* Compress one row: store its values from values[k] on, and its masks in `masks`, unless that is
 * NULL. Returns the k after its last value, or -1 if the capacity is too small. Inlined with
 * constant type and column_bytes. */
FN_INLINE int64_t FN(compress_row)(const fn_type type, const size_t column_bytes, const void *row,
                                   size_t n_in, size_t k, uint64_t *masks, const fn_compressed to)
{
    for (size_t j0 = 0; j0 < n_in; j0 += FN_WORD) {
        const uint64_t mask = FN(mask_of)(type, row, n_in, j0);
        const size_t count = (size_t)__builtin_popcountll(mask);
        if (masks)
            *masks++ = mask;
        if (count > to.capacity - k)
            return -1;
#ifdef FN_EXPAND
        /* no vector ends beyond k + FN_WORD, even if no input is zero */
        if (mask && n_in - j0 >= FN_WORD && to.capacity - k >= FN_WORD)
            FN(store_lanes)(type, column_bytes, mask, row, j0, k, to);
        else
#endif
            FN(store_bits)(type, column_bytes, mask, row, j0, k, to);
        k += count;
    }
    return (int64_t)k;
}

static size_t FN(compress)(const fn_examples *dense, size_t n_in, const fn_compressed *to)
{
    FN_ASSERT(fn_compressed_holds(dense, FN_BITS == 32 ? FN_F32 : FN_F64, to));
    const size_t column_bytes = to->columns ? fn_bytes[to->columns_type] : 0;
    for (size_t s = 0; s < dense->n; s++) {
        const void *row = (const char *)dense->inputs + s * dense->inputs_stride;
        uint64_t *masks = to->masks ? to->masks + s * fn_words(n_in) : NULL;
        const size_t k = (size_t)to->offsets[s];
        int64_t end;
        FN_ASSERT(to->offsets[s] >= 0 && k <= to->capacity);
#define FN_ROW(type, column_bytes) FN(compress_row)(type, column_bytes, row, n_in, k, masks, *to)
#define FN_ROW_OF(type)                                                                          \
    (column_bytes == 0 ? FN_ROW(type, 0) : column_bytes == 2 ? FN_ROW(type, 2) : FN_ROW(type, 4))
#if FN_BITS == 32
        if (dense->inputs_type == FN_U8)
            end = FN_ROW_OF(FN_U8);
        else if (dense->inputs_type == FN_F32)
            end = FN_ROW_OF(FN_F32);
        else
#endif
            end = FN_ROW_OF(FN_F64);
#undef FN_ROW_OF
#undef FN_ROW
        if (end < 0)
            return s;
        to->offsets[s + 1] = end;
    }
    return dense->n;
}
#undef FN_WORD

#endif
