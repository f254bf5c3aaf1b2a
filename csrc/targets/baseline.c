#define FN_ISA baseline
#define FN_TARGET FN_BASELINE
#define FN_VECTOR_BYTES 16
#include "targets/target.h"
