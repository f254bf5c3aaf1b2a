/* The tables of kernels, one per type and instruction set, as kernels.def lists them. */
#ifndef FASTNET_CORE_TABLES_H
#define FASTNET_CORE_TABLES_H

#include "fastnet.h"

typedef float fn_f32;
typedef double fn_f64;

#define KERNEL(op, result, arguments, names) result (*op) arguments;
#define KERNEL_F64(op, result, arguments, names)
#define REAL fn_f32
typedef struct {
#include "api/kernels.def"
} fn_kernels_f32;
#undef REAL
#undef KERNEL_F64

#define KERNEL_F64 KERNEL
#define REAL fn_f64
typedef struct {
#include "api/kernels.def"
} fn_kernels_f64;
#undef REAL
#undef KERNEL_F64
#undef KERNEL

#endif
