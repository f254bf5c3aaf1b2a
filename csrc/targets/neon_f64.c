#define FN_ISA neon
#define FN_TARGET FN_NEON
#define FN_VECTOR_BYTES 16
#define FN_BITS 64
#include "net/kernels.h"
