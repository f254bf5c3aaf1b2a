#define FN_ISA baseline
#define FN_TARGET FN_BASELINE
#define FN_VECTOR_BYTES 16
#define FN_BITS 32
#include "net/kernels.h"
