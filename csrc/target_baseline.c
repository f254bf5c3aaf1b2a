#define FN_ISA baseline
#define FN_VECTOR_BYTES 16
#include "target.h"
