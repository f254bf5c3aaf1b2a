#define FN_ISA avx512
#define FN_TARGET FN_AVX512
#define FN_VECTOR_BYTES 64
#include "targets/target.h"
