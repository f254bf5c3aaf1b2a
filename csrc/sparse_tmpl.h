/* From compressed examples to lists, and through the lists into the first layer. */

/* Values as they are stored, to reals, each value * scale rounded once. `exact`
 * says that the scale is a real itself: then a product of reals is the same. */
FN_INLINE real FN(scaled)(const fn_type type, const int exact, const void *values, size_t k,
                          double scale)
{
    if (type == FN_U8)
        return exact ? (real)((const uint8_t *)values)[k] * (real)scale
                     : (real)(((const uint8_t *)values)[k] * scale);
    if (type == FN_F32)
        return exact ? (real)((const float *)values)[k] * (real)scale
                     : (real)(((const float *)values)[k] * scale);
    return (real)(((const double *)values)[k] * scale);
}

#ifdef FN_EXPAND
/* The same for FN_LANES values from p, which may be more than are there. */
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
#endif

/* One example's list, from its columns. */
FN_INLINE void FN(list_one)(const fn_type type, const int exact, const fn_examples *examples,
                            size_t at, uint32_t *restrict columns, real *restrict x)
{
    const size_t from = (size_t)examples->offsets[at], n = (size_t)examples->offsets[at + 1] - from;
    const char *values = (const char *)examples->inputs + from * fn_bytes[type];
    for (size_t k = 0; k < n; k++)
        x[k] = FN(scaled)(type, exact, values, k, examples->scale);
    if (examples->columns_type == FN_U16)
        for (size_t k = 0; k < n; k++)
            columns[k] = ((const uint16_t *)examples->columns)[from + k];
    else
        memcpy(columns, (const uint32_t *)examples->columns + from, n * sizeof *columns);
}

#ifdef FN_EXPAND
/* The inputs that are in the union of masks; returns how many. */
static size_t FN(list_union)(size_t words, const uint64_t *all, uint32_t *columns)
{
    size_t n = 0;
    for (size_t j = 0; j < 64 * words; j += FN_LANES) {
        const unsigned bits = (unsigned)(all[j / 64] >> j % 64) & FN_LANE_BITS;
        FN(store_columns)(bits, (uint32_t)j, columns + n);
        n += (size_t)__builtin_popcount(bits);
    }
    return n;
}

/* One example's values among those of the union: x[k] for the k-th of its inputs. */
FN_INLINE void FN(spread)(const fn_type type, const int exact, const fn_examples *examples,
                          size_t at, const uint64_t *all, size_t words, real *restrict x)
{
    const uint64_t *own = examples->masks + at * words;
    const char *values = (const char *)examples->inputs + (size_t)examples->offsets[at] * fn_bytes[type];
    for (size_t word = 0; word < words; word++) {
        const uint64_t here = all[word], ours = own[word];
        if (here == 0)
            continue;
#pragma GCC unroll 8
        for (size_t j = 0; j < 64; j += FN_LANES) {
            const unsigned bits = (unsigned)(here >> j) & FN_LANE_BITS;
            const unsigned mine = (unsigned)(ours >> j) & FN_LANE_BITS;
            const vec packed = FN(scaled_lanes)(type, exact, values, examples->scale);
            FN(store)(x, FN(expand)(_pext_u32(mine, bits), packed));
            x += __builtin_popcount(bits);
            values += (size_t)__builtin_popcount(mine) * fn_bytes[type];
        }
    }
}
#endif

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

static int FN(way)(const fn_network *network, double density)
{
    (void)network;
    if (density > 0.5)
        return FN_DENSE;
    return FN_GROUP > 1 && density > 0.05 ? FN_MASKS : FN_COLUMNS;
}

/* Elements that a list may take: its inputs, and a vector that is stored behind them. */
static size_t FN(list_room)(const fn_examples *examples, size_t n_in)
{
    const size_t most = examples->longest * FN_GROUP;
    return fn_stride((most < n_in ? most : n_in) + FN_LANES, sizeof(real));
}

static size_t FN(groups)(const fn_examples *examples, size_t m)
{
    const size_t most = examples->masks ? FN_GROUP : 1;
    return (m + most - 1) / most;
}

/* The lists of examples order[first .. first+m), or first .. first+m where order
 * is NULL; the groups are as even as can be. room: as list_room says. */
static void FN(make_lists)(const fn_examples *examples, size_t n_in, const int64_t *order,
                           size_t first, size_t m, size_t room, FN(list) *lists,
                           uint32_t *columns, real *x, uint64_t *all)
{
    const size_t groups = FN(groups)(examples, m), words = fn_words(n_in);
    (void)all, (void)words;
    for (size_t q = 0; q < groups; q++, columns += room) {
        const size_t from = m * q / groups, to = m * (q + 1) / groups;
        lists[q] = (FN(list)){.g = to - from, .columns = columns, .x = x, .room = room};
#ifdef FN_EXPAND
        if (examples->masks) {
            memset(all, 0, words * sizeof *all);
            for (size_t s = from; s < to; s++) {
                const size_t at = order ? (size_t)order[first + s] : first + s;
                for (size_t word = 0; word < words; word++)
                    all[word] |= examples->masks[at * words + word];
            }
            lists[q].n = FN(list_union)(words, all, columns);
        }
#endif
        for (size_t s = from; s < to; s++, x += room) {
            const size_t at = order ? (size_t)order[first + s] : first + s;
#ifdef FN_EXPAND
#define FN_CALL(type, exact) FN(spread)(type, exact, examples, at, all, words, x)
            if (examples->masks) {
                FN_EACH_TYPE(examples, FN_CALL);
                continue;
            }
#undef FN_CALL
#endif
#define FN_CALL(type, exact) FN(list_one)(type, exact, examples, at, columns, x)
            FN_EACH_TYPE(examples, FN_CALL);
#undef FN_CALL
            lists[q].n = (size_t)(examples->offsets[at + 1] - examples->offsets[at]);
        }
    }
}

/* z[s] = b + sum_i x[s][i] w[i] over the lists. */
static void FN(weighted_input_of_lists)(size_t groups, const FN(list) *lists, size_t n_out, size_t m,
                                        const real *weights, const real *biases, real *z)
{
    const size_t stride = fn_stride(n_out, sizeof(real));
    FN(start_from_biases)(m, n_out, biases, z);
    for (size_t q = 0; q < groups; z += lists[q++].g * stride)
        FN_EACH_PASS(lists[q].g, n_out, v, nv)
            FN(lists)[lists[q].g - 1][nv - 1].forward(lists + q, weights + v * FN_LANES, stride,
                                                      z + v * FN_LANES);
}

/* w[i] = decay w[i] + sum_s x[s][i] delta[s] over the lists; b = b + sum_s delta[s]. */
static void FN(update_of_lists)(size_t groups, const FN(list) *lists, size_t n_in, size_t n_out,
                                size_t m, const real *delta, double decay, real *weights,
                                real *biases)
{
    const size_t stride = fn_stride(n_out, sizeof(real));
    FN(decay)(n_in, n_out, decay, weights);
    FN(update_biases)(m, n_out, delta, biases);
    for (size_t q = 0; q < groups; delta += lists[q++].g * stride)
        FN_EACH_PASS(lists[q].g, n_out, v, nv)
            FN(lists)[lists[q].g - 1][nv - 1].update(lists + q, weights + v * FN_LANES, stride,
                                                     delta + v * FN_LANES);
}
