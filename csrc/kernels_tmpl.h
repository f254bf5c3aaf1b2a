/* All kernels of one type (FN_BITS) for one instruction set, and their table. */
#include "real.h"

#include "exp_log_tmpl.h"
#include "tanh_gelu_tmpl.h"
#include "transpose_tmpl.h"
#include "activation_tmpl.h"
#include "cost_tmpl.h"
#include "tile_tmpl.h"
#include "large_tmpl.h"
#include "narrow_tmpl.h"
#include "optimizer_tmpl.h"
#include "layer_tmpl.h"
#include "compress_tmpl.h"
#include "gather_tmpl.h"
#include "list_tmpl.h"
#include "sparse_tmpl.h"
#include "block_tmpl.h"
#include "workspace_tmpl.h"
#include "forward_tmpl.h"
#include "minibatch_tmpl.h"
#include "evaluate_tmpl.h"
#include "peak_tmpl.h"

#define KERNEL(op, result, arguments, names) .op = FN(op),
#if FN_BITS == 64
#define KERNEL_F64 KERNEL
const fn_kernels_f64 FN(kernels) = {
#else
#define KERNEL_F64(op, result, arguments, names)
const fn_kernels_f32 FN(kernels) = {
#endif
#include "kernels.def"
};
#undef KERNEL
#undef KERNEL_F64
