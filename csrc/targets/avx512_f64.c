#define FN_ISA avx512
#define FN_TARGET FN_AVX512
#define FN_VECTOR_BYTES 64
#define FN_BITS 64
#include "net/kernels.h"
