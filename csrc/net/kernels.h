/* All kernels of one type for one instruction set, and their table. */
#ifndef FASTNET_NET_KERNELS_H
#define FASTNET_NET_KERNELS_H

#include "core/tables.h"
#include "input/compress.h"
#include "net/evaluate.h"
#include "net/gradient.h"
#include "net/layer.h"
#include "net/peak.h"
#include "net/train.h"
#include "ops/activation.h"
#include "ops/cost.h"
#include "ops/optimizer.h"
#include "simd/vec.h"

#define KERNEL(op, result, arguments, names) .op = FN(op),
#if FN_BITS == 64
#define KERNEL_F64 KERNEL
const fn_kernels_f64 FN(kernels) = {
#else
#define KERNEL_F64(op, result, arguments, names)
const fn_kernels_f32 FN(kernels) = {
#endif
#include "api/kernels.def"
};

#endif
