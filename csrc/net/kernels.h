/* All kernels of one type (FN_BITS) for one instruction set, and their table. */
#include "simd/vec.h"

#include "math/exp_log.h"
#include "math/tanh_gelu.h"
#include "gemm/transpose.h"
#include "ops/activation.h"
#include "ops/cost.h"
#include "gemm/tile.h"
#include "gemm/large.h"
#include "gemm/narrow.h"
#include "ops/optimizer.h"
#include "net/layer.h"
#include "input/compress.h"
#include "input/gather.h"
#include "input/list.h"
#include "input/build_lists.h"
#include "input/block.h"
#include "net/workspace.h"
#include "net/forward.h"
#include "net/minibatch.h"
#include "net/evaluate.h"
#include "net/peak.h"

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
#undef KERNEL
#undef KERNEL_F64
