/* From compressed examples to lists, and through the lists into the first layer.
 *
 * Lost in prototypes (MNIST, m = 10, AVX-512, Zen 4): lists shared by more than three examples,
 * which Cascade Lake likes (list_tmpl.h); the inputs that their union holds are 150, 229, 275,
 * 305, 326 and 382 for 1, 2, 3, 4, 5 and 10 examples. Two rows of one example each, taken in
 * turn. Lists of pairs on AVX2, Zen 3: 51 ms an epoch at 30 outputs, 40 ms without.
 *
 * The next examples are asked for one by one, as lists are made: between the lists' products,
 * where the weights come from the second cache, it takes 3 % more of an epoch (30 outputs,
 * AVX-512, Cascade Lake), and another 4 % where their offsets have not been asked for before.
 * Values from the union's words in turn, not from squeezed ones: 1 %, in float64 4 %.
 */

/* rows[k] = columns[k] * stride */
static FN_ALONE void FN(rows_of_u16)(size_t n, const uint16_t *restrict columns, uint32_t stride,
                                     uint32_t *restrict rows)
{
    for (size_t k = 0; k < n; k++)
        rows[k] = columns[k] * stride;
}

static FN_ALONE void FN(rows_of_u32)(size_t n, const uint32_t *restrict columns, uint32_t stride,
                                     uint32_t *restrict rows)
{
    for (size_t k = 0; k < n; k++)
        rows[k] = columns[k] * stride;
}

#ifdef FN_EXPAND
/* Where the weights start of the inputs in a mask of so many words; returns how many they are. */
static size_t FN(rows_of_mask)(size_t words, const uint64_t *mask, uint32_t stride, uint32_t *rows)
{
    size_t n = 0;
    for (size_t word = 0; word < words; word++) {
        const uint64_t here = mask[word];
        if (here == 0)
            continue;
FN_UNROLL(8)
        for (size_t j = 0; j < 64; j += FN_LANES) {
            const unsigned bits = (unsigned)(here >> j) & FN_LANE_BITS;
            FN(store_rows)(bits, (uint32_t)(64 * word + j) * stride, stride, rows + n);
            n += (size_t)__builtin_popcount(bits);
        }
    }
    return n;
}
#endif

/* One example's list, from its columns or mask; returns its length. */
static size_t FN(list_one)(const fn_examples *examples, size_t n_in, size_t at, uint32_t stride,
                           uint32_t *rows, real *x)
{
    const size_t first = (size_t)examples->offsets[at];
    const size_t n = (size_t)examples->offsets[at + 1] - first;
    (void)n_in;
#ifdef FN_EXPAND
    if (examples->masks)
        FN(rows_of_mask)(fn_words(n_in), examples->masks + at * fn_words(n_in), stride, rows);
    else
#endif
    if (examples->columns_type == FN_U16)
        FN(rows_of_u16)(n, (const uint16_t *)examples->columns + first, stride, rows);
    else
        FN(rows_of_u32)(n, (const uint32_t *)examples->columns + first, stride, rows);
    FN(scale)(examples->inputs_type, n,
              (const char *)examples->inputs + first * fn_bytes[examples->inputs_type],
              examples->scale, x);
    return n;
}

/* Move a list of n inputs as an image moves: what leaves it is left out. Inputs ascend, and
 * so the image's row is found by walking. Returns how many are left. */
static size_t FN(move_list)(fn_shift by, size_t side, uint32_t stride, size_t n, uint32_t *rows,
                            real *x)
{
    const uint32_t width = (uint32_t)side * stride;
    const uint32_t offset = ((uint32_t)by.down * (uint32_t)side + (uint32_t)by.right) * stride;
    uint32_t end = width, kept = 0;
    ptrdiff_t row = by.down;
    for (size_t k = 0; k < n; k++) {
        const uint32_t at = rows[k];
        for (; at >= end; end += width)
            row++;
        /* Unsigned: what is beyond the left edge is large. */
        const uint32_t column = at - (end - width) + (uint32_t)by.right * stride;
        rows[kept] = at + offset;
        x[kept] = x[k];
        kept += row >= 0 && row < (ptrdiff_t)side && column < width;
    }
    return kept;
}

/* The list of the example at `position` of the order, moved where training moves images. */
static size_t FN(list_at)(const fn_examples *examples, const fn_network *network,
                          const int64_t *order, size_t position, const fn_training *training,
                          uint32_t stride, uint32_t *rows, real *x)
{
    const size_t n = FN(list_one)(examples, network->sizes[0], FN(example)(order, position), stride,
                                  rows, x);
    if (!training || !training->shift)
        return n;
    return FN(move_list)(fn_shift_of(network, training, position), training->side, stride, n, rows, x);
}

#ifdef FN_EXPAND
/* The same as scaled for FN_LANES values from p, which may be more than are there. */
FN_INLINE vec FN(scaled_lanes)(const fn_type type, const int exact, const char *p, double scale)
{
    if (type == FN_U8 && exact)
        return __builtin_convertvector(FN(widen_bytes)(p), vec) * (real)scale;
    if (type == FN_F32 && exact)
        return __builtin_convertvector(*(const FN(f32s) *)p, vec) * (real)scale;
    FN(f64s) wide;
    if (type == FN_U8)
        wide = __builtin_convertvector(FN(widen_bytes)(p), FN(f64s));
    else if (type == FN_F32)
        wide = __builtin_convertvector(*(const FN(f32s) *)p, FN(f64s));
    else
        wide = *(const FN(f64s) *)p;
    return __builtin_convertvector(wide * scale, vec);
}

/* Which of the inputs in `all` are one example's own, next to each other. */
FN_INLINE void FN(squeeze)(size_t words, const uint64_t *own, const uint64_t *all,
                           uint64_t *restrict bits)
{
    uint64_t part = 0;
    size_t filled = 0;
    for (size_t word = 0; word < words; word++) {
        const uint64_t ours = _pext_u64(own[word], all[word]);
        const uint64_t low = part | ours << filled, high = ours >> 1 >> (63 - filled);
        *bits = low;
        filled += (size_t)__builtin_popcountll(all[word]);
        const uint64_t full = filled / 64;
        part = low ^ ((low ^ high) & -full); /* no branch: unpredictable */
        bits += full;
        filled %= 64;
    }
    *bits = part;
}

/* One example's values among the n of the union: x[k] for the k-th of its inputs. */
FN_INLINE void FN(spread)(const fn_type type, const int exact, const fn_examples *examples,
                          size_t at, size_t n, const uint64_t *bits, real *restrict x)
{
    const char *values = (const char *)examples->inputs + (size_t)examples->offsets[at] * fn_bytes[type];
    for (size_t k = 0; k < n; k += FN_LANES) {
        const unsigned mine = (unsigned)(bits[k / 64] >> k % 64) & FN_LANE_BITS;
        FN(store)(x + k, FN(expand)(mine, FN(scaled_lanes)(type, exact, values, examples->scale)));
        values += (size_t)__builtin_popcount(mine) * fn_bytes[type];
    }
}

/* The body once for each type of values, and for a scale that is exact or not. */
#define FN_EACH_TYPE(examples, CALL)                                         \
    do {                                                                     \
        const int exact_ = (real)(examples)->scale == (examples)->scale;     \
        switch ((examples)->inputs_type) {                                   \
        case FN_U8:                                                          \
            if (exact_) { CALL(FN_U8, 1); } else { CALL(FN_U8, 0); }         \
            break;                                                           \
        case FN_F32:                                                         \
            if (exact_) { CALL(FN_F32, 1); } else { CALL(FN_F32, 0); }       \
            break;                                                           \
        default: CALL(FN_F64, 0); break;                                     \
        }                                                                    \
    } while (0)
#endif


/* At most this share of the inputs may be other than zero on the sparse way. Measured by
 * bench/choose_ways.py (AVX2, Zen 3, float32): the two ways are equal at 0.35 to 0.44 for
 * 10 to 1024 outputs and m = 10, at 0.31 to 0.41 for m = 100; at m = 1 lists are ahead up
 * to 1. AVX-512, Cascade Lake: 0.31 to 0.46 for 30 to 256 outputs and m = 10 to 100, both types. */
#define FN_MOST_DENSITY 0.4

/* From this share on, examples share lists where they can. The share is an estimate: below, the
 * lists of two examples have next to nothing in common. */
#define FN_LEAST_SHARED_DENSITY 0.05

static int FN(way)(const fn_network *network, double density)
{
    const size_t stride = fn_stride(network->sizes[1], sizeof(real));
    if (density > FN_MOST_DENSITY || network->sizes[0] > UINT32_MAX / stride)
        return FN_DENSE;
    return FN_GROUP > 1 && density > FN_LEAST_SHARED_DENSITY ? FN_MASKS : FN_COLUMNS;
}

/* Elements that a list may take: its inputs, and a vector that is stored behind them. */
static size_t FN(list_room)(const fn_examples *examples, size_t n_in)
{
    const size_t most = examples->masks ? examples->longest * FN_GROUP : examples->longest;
    return fn_stride((most < n_in ? most : n_in) + FN_LANES, sizeof(real));
}

static size_t FN(groups)(const fn_examples *examples, size_t m)
{
    const size_t most = examples->masks ? FN_GROUP : 1;
    return (m + most - 1) / most;
}

/* The lists of examples order[first .. first+m), or first .. first+m where order is NULL. Those
 * of the order's n_order that are needed FN_AHEAD later are asked for meanwhile, since here the
 * memory has nothing else to do, and the offsets of those as much later again. room: as list_room
 * says; all: 2 words + 1 for words of inputs. */
static void FN(make_lists)(const fn_examples *examples, const fn_network *network,
                           const int64_t *order, size_t n_order, size_t first, size_t m, size_t room,
                           FN(list) *lists, uint32_t *rows, real *x, uint64_t *all,
                           const fn_training *training)
{
    const size_t groups = FN(groups)(examples, m), words = fn_words(network->sizes[0]);
    const uint32_t stride = (uint32_t)fn_stride(network->sizes[1], sizeof(real));
    (void)all, (void)words;
    for (size_t q = 0; q < groups; q++, rows += room) {
        const size_t from = fn_part(m, 1, q, groups), to = fn_part(m, 1, q + 1, groups);
        lists[q] = (FN(list)){.g = to - from, .rows = rows, .x = x, .room = room};
#ifdef FN_EXPAND
        if (to - from > 1) {
            memset(all, 0, words * sizeof *all);
            for (size_t s = from; s < to; s++) {
                const size_t at = FN(example)(order, first + s);
                for (size_t word = 0; word < words; word++)
                    all[word] |= examples->masks[at * words + word];
            }
            lists[q].n = FN(rows_of_mask)(words, all, stride, rows);
        }
#endif
        for (size_t s = from; s < to; s++, x += room) {
            const size_t soon = first + s + FN_AHEAD, later = soon + FN_AHEAD;
            if (order && soon < n_order)
                FN(prefetch_example)(examples, network->sizes[0], (size_t)order[soon]);
            if (order && later < n_order)
                __builtin_prefetch(examples->offsets + order[later]);
#ifdef FN_EXPAND
#define FN_CALL(type, exact) FN(spread)(type, exact, examples, at, lists[q].n, own, x)
            if (to - from > 1) {
                const size_t at = FN(example)(order, first + s);
                uint64_t *own = all + words;
                FN(squeeze)(words, examples->masks + at * words, all, own);
                FN_EACH_TYPE(examples, FN_CALL);
                continue;
            }
#undef FN_CALL
#endif
            lists[q].n = FN(list_at)(examples, network, order, first + s, training, stride, rows, x);
        }
    }
}

/* z[s] += sum_i x[s][i] w[i] over lists of at most FN_CHUNK examples. */
static void FN(weighted_input_of_lists)(size_t groups, const FN(list) *lists, size_t n_out,
                                        const real *weights, real *z, size_t z_stride)
{
    const size_t vectors = (n_out + FN_LANES - 1) / FN_LANES;
    for (size_t v = 0, nv; v < vectors; v += nv) {
        nv = fn_next(vectors - v, FN_FORWARD_VECTORS);
        const size_t o = v * FN_LANES;
        real *s = z;
        for (const FN(list) *list = lists; list < lists + groups; list++) {
            FN(list_forwards)[list->g - 1][nv - 1](list, weights + o, z_stride, s + o);
            s += list->g * z_stride;
        }
    }
}

/* w[i] += sum_s x[s][i] delta[s] over lists of at most FN_CHUNK examples, for n_out outputs
 * of each row. */
static void FN(update_of_lists)(size_t groups, const FN(list) *lists, size_t n_out, size_t stride,
                                const real *delta, real *weights)
{
    const size_t vectors = (n_out + FN_LANES - 1) / FN_LANES;
    for (size_t v = 0, nv; v < vectors; v += nv) {
        nv = fn_next(vectors - v, FN_UPDATE_VECTORS);
        const size_t o = v * FN_LANES;
        const real *s = delta;
        for (const FN(list) *list = lists; list < lists + groups; list++) {
            FN(list_updates)[list->g - 1][nv - 1](list, weights + o, stride, s + o);
            s += list->g * stride;
        }
    }
}
