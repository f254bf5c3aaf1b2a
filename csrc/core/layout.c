/* The layout of the parameters and the scale of the inputs; the same for every instruction set. */
#include <math.h>
#include <string.h>

#include "fastnet.h"

size_t fn_layout(const fn_network *network, size_t bytes, fn_place *places)
{
    size_t at = 0;
    for (size_t l = 0; l < network->layers; l++) {
        places[l].stride = fn_stride(network->sizes[l + 1], bytes);
        places[l].weights = at;
        places[l].biases = at + network->sizes[l] * places[l].stride;
        at = places[l].biases + places[l].stride;
    }
    return at;
}

void fn_set_scale(fn_examples *examples, double scale)
{
    uint32_t bits;
    float upper = (float)scale;
    memcpy(&bits, &upper, sizeof bits);
    bits &= 0xFFFFFF00; /* the product of these 16 bits and the 8 of a byte is exact */
    memcpy(&upper, &bits, sizeof bits);
    const float lower = (float)(scale - (double)upper);
    int equal = examples->inputs_type == FN_U8 && isfinite(scale)
                && (lower == 0 || fabsf(lower) > 1e-30f); /* no products are subnormal */
    /* The sums are exact in double. Even values are rounded like their halves. */
    for (int value = 1; value < 256 && equal && lower != 0; value += 2) {
        const float once = (float)(value * scale), exact = (float)value * upper;
        const float rounded = (float)value * lower;
        equal = (float)((double)exact + (double)rounded) == once
                && (float)((double)exact + (double)value * (double)lower) == once;
    }
    examples->scale = scale;
    examples->upper = equal ? upper : 0;
    examples->lower = equal ? lower : 0;
}
