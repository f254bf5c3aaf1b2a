/* Trains without Python and prints, for every instruction set that the
 * machine has, a hash of the trained parameters and their cost:
 *
 *     neon f32 0123456789abcdef f64 0123456789abcdef
 *
 * All targets with fused multiply-add must print the same hashes. Also what a
 * sanitizer or a profiler is run on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fastnet.h"

enum { EXAMPLES = 500, INPUTS = 61, EPOCHS = 3 };

static const size_t sizes[] = {INPUTS, 30, 17, 10};
static const fn_network network = {3, sizes, FN_SIGMOID, FN_CROSS_ENTROPY};

static uint8_t inputs[EXAMPLES][INPUTS];
static int64_t labels[EXAMPLES], order[EXAMPLES];
static uint64_t raw[EXAMPLES > 4096 ? EXAMPLES : 4096];

/* splitmix64 (Steele, Lea and Flood 2014) */
static uint64_t next_random(void)
{
    static uint64_t state;
    uint64_t z = state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

static void *allocate(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!memory)
        exit(1);
    memset(memory, 0, bytes);
    return memory;
}

/* FNV-1a; the sign of a zero does not count. */
static uint64_t hash(const void *memory, size_t bytes, size_t element)
{
    uint64_t h = 0xCBF29CE484222325;
    const uint8_t *byte = memory;
    for (size_t i = 0; i < bytes; i += element) {
        uint8_t copy[8], zero[8] = {0};
        memcpy(copy, byte + i, element);
        copy[element - 1] &= 0x7F;
        const int is_zero = memcmp(copy, zero, element) == 0;
        for (size_t b = 0; b < element; b++)
            h = (h ^ (is_zero ? 0 : byte[i + b])) * 0x100000001B3;
    }
    return h;
}

/* Train from the same start; hash the parameters and the cost of the result. */
static uint64_t trained(fn_type type, const fn_examples *examples, size_t threads)
{
    const size_t element = type == FN_F32 ? sizeof(float) : sizeof(double);
    const fn_delta none = {NULL, NULL};
    fn_place places[3];
    const size_t length = fn_layout(&network, element, places);
    char *parameters = allocate(length * element);
    const size_t training = fn_workspace_size(type, &network, examples, 10, threads);
    const size_t evaluation = fn_evaluation_size(type, &network, examples, threads);
    void *workspace = allocate(training > evaluation ? training : evaluation);
    for (size_t l = 0, drawn = 0; l < 3; l++)
        for (size_t i = 0; i <= sizes[l]; i++) /* weights, then biases */
            for (size_t o = 0; o < sizes[l + 1]; o++) {
                const size_t at = places[l].weights + i * places[l].stride + o;
                double x;
                fn_standard_normal(1, raw + drawn++, &x);
                if (type == FN_F32)
                    ((float *)parameters)[at] = (float)x;
                else
                    ((double *)parameters)[at] = x;
            }
    for (size_t epoch = 0; epoch < EPOCHS; epoch++)
        fn_train(type, &network, parameters, examples, order, EXAMPLES, 10, 0.5, 0.999, none,
                 threads, workspace);
    size_t correct;
    const double cost = fn_evaluate(type, &network, parameters, examples, &correct, threads, workspace);
    const uint64_t result = hash(parameters, length * element, element)
                            ^ hash(&cost, sizeof cost, sizeof cost);
    free(workspace);
    free(parameters);
    return result;
}

int main(void)
{
    for (size_t i = 0; i < sizeof raw / sizeof *raw; i++)
        raw[i] = next_random();
    for (size_t s = 0; s < EXAMPLES; s++) {
        labels[s] = (int64_t)(next_random() % 10);
        for (size_t j = 0; j < INPUTS; j++) /* one in four is not zero */
            inputs[s][j] = next_random() % 4 ? 0 : (uint8_t)(next_random() >> 56);
    }
    fn_permutation(EXAMPLES, raw, order);
    const fn_examples examples = {
        .n = EXAMPLES, .inputs = inputs, .inputs_stride = INPUTS, .inputs_type = FN_U8,
        .scale = 1 / 255.0, .targets = labels, .targets_stride = sizeof *labels,
        .targets_type = FN_I64,
    };
    const char *isa;
    for (size_t i = 0; (isa = fn_isa_name(i)); i++) {
        fn_select(isa);
        const uint64_t f32 = trained(FN_F32, &examples, 1), f64 = trained(FN_F64, &examples, 1);
        printf("%s f32 %016llx f64 %016llx\n", isa, (unsigned long long)f32,
               (unsigned long long)f64);
    }
    return 0;
}
