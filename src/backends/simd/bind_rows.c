/* bind_rows.c - softmax and log_softmax: along the last dimension rows, otherwise columns. */
#include "backends/simd/bind.h"
#include "ops/compose.h"

static cn_lines lines_of(const cn_call *c)
{
    const cn_shape *s = &cn_in(c, 0)->shape;
    return cn_lines_of(s, cn_wrap_dim(*(const int64_t *)c->params, s->ndim, c->op->name));
}

typedef void forward_fn(float *y, const float *x, int64_t rows, int64_t cols, int threads);
typedef void backward_fn(float *gx, const float *gy, const float *y, int64_t rows, int64_t cols,
                         int threads);

static bool columns(const cn_call *c, cn_lines l)
{
    const bool log =
        c->op->id == CN_OP_ID_log_softmax_along || c->op->id == CN_OP_ID_log_softmax_backward;
    const cn_simd_columns p = {
        cn_simd_out(c, 0),
        cn_simd_in(c, 0),
        c->n_in > 1 ? cn_simd_in(c, 1) : NULL,
        l.outer,
        l.size,
        l.inner,
        log,
    };
    cn_simd->softmax_columns(&p, cn_threads());
    return true;
}

static bool forward(const cn_call *c, forward_fn *fn)
{
    const cn_lines l = lines_of(c);
    if (l.inner > 1) return columns(c, l);
    fn(cn_simd_out(c, 0), cn_simd_in(c, 0), l.outer, l.size, cn_threads());
    return true;
}

static bool backward(const cn_call *c, backward_fn *fn)
{
    const cn_lines l = lines_of(c);
    if (l.inner > 1) return columns(c, l);
    fn(cn_simd_out(c, 0), cn_simd_in(c, 0), cn_simd_in(c, 1), l.outer, l.size, cn_threads());
    return true;
}

static bool softmax(const cn_call *c)
{
    return forward(c, cn_simd->softmax);
}

static bool log_softmax(const cn_call *c)
{
    return forward(c, cn_simd->log_softmax);
}

static bool softmax_backward(const cn_call *c)
{
    return backward(c, cn_simd->softmax_backward);
}

static bool log_softmax_backward(const cn_call *c)
{
    return backward(c, cn_simd->log_softmax_backward);
}

const cn_simd_binding cn_simd_rows[] = {
    { CN_OP_ID_softmax_along, softmax, cn_simd_refuses_empty },
    { CN_OP_ID_log_softmax_along, log_softmax, cn_simd_refuses_empty },
    { CN_OP_ID_softmax_backward, softmax_backward, cn_simd_refuses_empty },
    { CN_OP_ID_log_softmax_backward, log_softmax_backward, cn_simd_refuses_empty },
    { 0 },
};
