/* From dense examples to compressed ones: what is not zero, and where it stands. */
#include <string.h>

#include "fastnet.h"

size_t fn_words(size_t n_in) { return (n_in + 63) / 64; }

/* Bit j: whether byte j of eight is other than zero. */
static uint64_t mask_of_bytes(const uint8_t *byte)
{
    const uint64_t sevens = 0x7F7F7F7F7F7F7F7F;
    uint64_t eight = 0;
    for (size_t j = 0; j < 8; j++) /* one load where the first byte is the lowest */
        eight |= (uint64_t)byte[j] << 8 * j;
    eight = (((eight & sevens) + sevens) | eight) >> 7 & 0x0101010101010101;
    return eight * 0x0102040810204080 >> 56;
}

/* Bit j: whether input j0 + j of the row is other than zero. */
static uint64_t mask_of(fn_type type, const void *row, size_t j0, size_t width)
{
    uint64_t mask = 0;
    if (type == FN_U8) {
        const uint8_t *x = (const uint8_t *)row + j0;
        size_t j = 0;
        for (; j + 8 <= width; j += 8)
            mask |= mask_of_bytes(x + j) << j;
        for (; j < width; j++)
            mask |= (uint64_t)(x[j] != 0) << j;
    } else if (type == FN_F32) {
        for (size_t j = 0; j < width; j++)
            mask |= (uint64_t)(((const float *)row)[j0 + j] != 0) << j;
    } else {
        for (size_t j = 0; j < width; j++)
            mask |= (uint64_t)(((const double *)row)[j0 + j] != 0) << j;
    }
    return mask;
}

static const void *row_of(const fn_examples *dense, size_t s)
{
    return (const char *)dense->inputs + s * dense->inputs_stride;
}

static size_t width_of(size_t n_in, size_t word)
{
    return n_in - 64 * word < 64 ? n_in - 64 * word : 64;
}

void fn_count(const fn_examples *dense, size_t n_in, int64_t *offsets)
{
    offsets[0] = 0;
    for (size_t s = 0; s < dense->n; s++) {
        int64_t count = 0;
        for (size_t word = 0; word < fn_words(n_in); word++)
            count += __builtin_popcountll(mask_of(dense->inputs_type, row_of(dense, s), 64 * word,
                                                  width_of(n_in, word)));
        offsets[s + 1] = offsets[s] + count;
    }
}

void fn_compress(const fn_examples *dense, size_t n_in, void *values, void *columns,
                 fn_type columns_type, uint64_t *masks)
{
    const fn_type type = dense->inputs_type;
    size_t k = 0;
    for (size_t s = 0; s < dense->n; s++) {
        const void *row = row_of(dense, s);
        for (size_t word = 0; word < fn_words(n_in); word++) {
            uint64_t left = mask_of(type, row, 64 * word, width_of(n_in, word));
            if (masks)
                *masks++ = left;
            for (; left; left &= left - 1, k++) {
                const size_t j = 64 * word + (size_t)__builtin_ctzll(left);
                if (type == FN_U8)
                    ((uint8_t *)values)[k] = ((const uint8_t *)row)[j];
                else if (type == FN_F32)
                    ((float *)values)[k] = ((const float *)row)[j];
                else
                    ((double *)values)[k] = ((const double *)row)[j];
                if (columns && columns_type == FN_U16)
                    ((uint16_t *)columns)[k] = (uint16_t)j;
                else if (columns)
                    ((uint32_t *)columns)[k] = (uint32_t)j;
            }
        }
    }
}
