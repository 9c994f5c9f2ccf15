/* kernels.c - compiled once per instruction set: with the compiler's flags for AVX-512 it becomes
   cn_simd_avx512, with those for AVX2 cn_simd_avx2. Everything else in here is static. */
#include "backends/simd/simd_table.h"

#include "backends/simd/parallel.h"
#include "backends/simd/vec.h"
#include "backends/simd/vmath.h"
#include "core/memory.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>

/* A float array is worth a second thread from about this size. Also the unit of fixed reductions.
   */
#define PIECE 32768

CN_INLINE int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
CN_INLINE int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}
CN_INLINE int64_t round_up(int64_t n, int64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* Each may use those before it. */
/* clang-format off */
#include "backends/simd/elementwise.inc"
#include "backends/simd/reduce.inc"
#include "backends/simd/extremes.inc"
#include "backends/simd/gemm.inc"
#include "backends/simd/softmax.inc"
#include "backends/simd/softmax_columns.inc"
#include "backends/simd/norm.inc"
#include "backends/simd/dropout.inc"
#include "backends/simd/attention.inc"
#include "backends/simd/attention_lanes.inc"
#include "backends/simd/pool.inc"
#include "backends/simd/gates.inc"
#include "backends/simd/steps.inc"
#include "backends/simd/lanes.inc"
#include "backends/simd/blocked.inc"
#include "backends/simd/winograd.inc"
/* clang-format on */

#if defined(__AVX512F__)
#define TABLE cn_simd_avx512
#define TABLE_NAME "avx512"
#else
#define TABLE cn_simd_avx2
#define TABLE_NAME "avx2"
#endif

extern const cn_simd_table TABLE;

const cn_simd_table TABLE = {
    .name = TABLE_NAME,
    .width = VW,
    .gemm = gemm,
    .gemm_packed_floats = gemm_packed_floats,
    .gemm_pack = gemm_pack,
    .unary = unary,
    .binary = binary,
    .binary_scalar = binary_scalar,
    .binary_along = binary_along,
    .slope = slope,
    .axpy = axpy,
    .sum = sum,
    .row_sums = row_sums,
    .column_sums = column_sums,
    .extremes = extremes,
    .softmax = softmax,
    .log_softmax = log_softmax,
    .softmax_backward = softmax_backward,
    .log_softmax_backward = log_softmax_backward,
    .softmax_columns = softmax_columns,
    .cross_entropy = cross_entropy,
    .cross_entropy_rows = cross_entropy_rows,
    .layer_norm = layer_norm,
    .layer_norm_backward = layer_norm_backward,
    .batch_norm = batch_norm,
    .batch_norm_backward = batch_norm_backward,
    .dropout = dropout,
    .dropout_backward = dropout_backward,
    .attention = attention,
    .attention_backward = attention_backward,
    .max_pool = max_pool,
    .max_pool_backward = max_pool_backward,
    .avg_pool = avg_pool,
    .avg_pool_backward = avg_pool_backward,
    .blocked_pool = blocked_pool,
    .blocked_pool_backward = blocked_pool_backward,
    .blocked_norm = blocked_norm,
    .winograd = winograd,
    .winograd_weight = winograd_weight,
    .lstm = lstm,
    .lstm_backward = lstm_backward,
    .gru = gru,
    .gru_backward = gru_backward,
    .step_takes = step_takes,
    .step = step,
    .step_back = step_back,
    .lanes_accepts = lanes_accepts,
    .lanes_saved_floats = lanes_saved_floats,
    .lanes_forward = lanes_forward,
    .lanes_backward = lanes_backward,
};
