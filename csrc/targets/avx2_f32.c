#define FN_ISA avx2
#define FN_TARGET FN_AVX2
#define FN_VECTOR_BYTES 32
#define FN_BITS 32
#include "net/kernels.h"
