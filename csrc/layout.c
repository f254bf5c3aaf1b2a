/* Where things lie; the same for every instruction set. */
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
