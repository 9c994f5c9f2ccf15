/* ldl.c - A = L D L^T of symmetric matrices that need not be definite, D of blocks of one or two. Bunch,
   Kaufman, Some stable methods for calculating inertia and solving symmetric linear systems, 1977. */
#include "ops/linalg/linalg.h"

#include <string.h>

#define T float
#define NAME(x) x##_f32
#include "ops/linalg/ldl.inc"
#define T double
#define NAME(x) x##_f64
#include "ops/linalg/ldl.inc"

static const char singular[] = "singular: nothing to divide by in column";

typedef struct {
    bool hermitian, check_errors;
} Factor;

static bool ldl_factor_ex_infer(const cn_call *c, cn_spec out[])
{
    if (!cn_want_matrix(c, 0, true)) return false;
    const cn_view *a = cn_in(c, 0);
    out[0] = (cn_spec){ a->dtype, a->shape };
    out[1] = (cn_spec){ CN_I32, cn_batch_shape(&a->shape, 1) };
    out[2] = (cn_spec){ CN_I32, cn_batch_shape(&a->shape, 2) };
    return true;
}

/* What is above the diagonal is not looked at, and comes out as zeros. */
static void clear_upper(const cn_view *v, int64_t n)
{
    size_t size = cn_dtype_size(v->dtype);
    for (int64_t i = 0; n && i < v->numel / n; i++) {
        char *row = cn_matrix_at(v, i, n);
        memset(row + (size_t)(i % n + 1) * size, 0, (size_t)(n - i % n - 1) * size);
    }
}

static bool ldl_factor_ex_kernel(const cn_call *c)
{
    const cn_view *ld = cn_out(c, 0), *pivots = cn_out(c, 1), *info = cn_out(c, 2);
    int64_t n = ld->shape.dim[ld->shape.ndim - 1];
    cn_copy_view(ld, cn_in(c, 0));
    clear_upper(ld, n);
    for (int64_t i = 0; i < info->numel; i++) {
        int64_t *p = cn_matrix_at(pivots, i, n);
        void *a = cn_matrix_at(ld, i, n * n);
        *(int64_t *)cn_matrix_at(info, i, 1) =
            ld->dtype == CN_F32 ? ldl_f32(a, n, p) : ldl_f64(a, n, p);
    }
    return !((const Factor *)c->params)->check_errors || cn_check_info(c, c->out[2], singular);
}

const cn_op cn_op_ldl_factor_ex = {
    CN_OP_HEAD(ldl_factor_ex, "linalg.ldl_factor_ex",
               "(Tensor self, *, bool hermitian=False, bool check_errors=False) -> (Tensor, "
               "Tensor, Tensor)"),
    .doc =
        "L and D in one matrix, from the lower triangle; the exchanges of rows (negative twice: a "
        "block of two); and 0 or the column where D is singular.",
    .flags = CN_ROWS | CN_NO_GRAD_OP,
    .params_size = sizeof(Factor),
    .infer = ldl_factor_ex_infer,
    .kernel = ldl_factor_ex_kernel,
    .samples = "[3,3] | #[2,3,3] | [2,5,5] hermitian=True | [1,1] | [0,0] | [2,0,0]",
};

static bool ldl_factor_compose(cn_call *c)
{
    cn_tensor *out[3];
    Factor p = { *(const bool *)c->params, false };
    return cn_apply(&cn_op_ldl_factor_ex, c->in, 1, &p, out, 3) &&
           cn_check_info(c, out[2], singular) && cn_set_out(c, 0, out[0]) &&
           cn_set_out(c, 1, out[1]);
}

const cn_op cn_op_ldl_factor = {
    CN_OP_HEAD(ldl_factor, "linalg.ldl_factor",
               "(Tensor self, *, bool hermitian=False) -> (Tensor, Tensor)"),
    .doc = "linalg.ldl_factor_ex of matrices whose D is not singular.",
    .flags = CN_NO_GRAD_OP,
    .params_size = sizeof(bool),
    .compose = ldl_factor_compose,
    .samples = "[3,3] | #[2,3,3]",
};

/* ---- solving ---------------------------------------------------------------------------------- */

/* Exchanges must stay inside, and blocks of two be whole. */
static bool good_pivots(const int64_t *p, int64_t n)
{
    for (int64_t k = 0; k < n; k++) {
        int64_t at = p[k] < 0 ? -p[k] : p[k];
        if (at < 1 || at > n) return false;
        if (p[k] < 0 && (k + 1 == n || p[k + 1] != p[k])) return false;
        k += p[k] < 0;
    }
    return true;
}

static bool ldl_solve_infer(const cn_call *c, cn_spec out[])
{
    if (!cn_want_matrix(c, 0, true) || !cn_want_matrix(c, 2, false)) return false;
    cn_tensor *ld = c->in[0], *pivots = c->in[1], *b = c->in[2];
    cn_shape want = cn_batch_shape(&ld->v.shape, 1);
    if (!cn_shape_equal(&pivots->v.shape, &want) || pivots->v.dtype == CN_BOOL ||
        cn_dtype_is_float(pivots->v.dtype))
        return cn_fail(CN_EINVALID, "linalg.ldl_solve: pivots are integers, one per row of LD");
    if (ld->v.dtype != b->v.dtype || cn_size(ld, -1) != cn_size(b, -2))
        return cn_fail(CN_EINVALID,
                       "linalg.ldl_solve: B must have the type of LD and as many rows");
    cn_shape a = cn_batch_shape(&ld->v.shape, 2), x = cn_batch_shape(&b->v.shape, 2), both;
    if (!cn_shape_broadcast(&a, &x, &both, "linalg.ldl_solve")) return false;
    *out = (cn_spec){ b->v.dtype, cn_with_sizes(both, cn_size(b, -2), cn_size(b, -1)) };
    return true;
}

static bool solve_one(const void *ld, const int64_t *pivots, void *x, int64_t n, int64_t m,
                      cn_dtype dtype)
{
    if (!good_pivots(pivots, n))
        return cn_fail(CN_EINVALID, "linalg.ldl_solve: the pivots are not those of ldl_factor");
    if (dtype == CN_F32) forward_f32(ld, n, pivots, x, m), backward_f32(ld, n, pivots, x, m);
    else forward_f64(ld, n, pivots, x, m), backward_f64(ld, n, pivots, x, m);
    return true;
}

static cn_tensor *spread(cn_tensor *t, cn_shape shape)
{
    cn_tensor *y = cn_expand(t, shape);
    return y ? cn_rows(y) : NULL;
}

static bool ldl_solve_kernel(const cn_call *c)
{
    const cn_view *x = cn_out(c, 0);
    int nd = x->shape.ndim;
    int64_t n = x->shape.dim[nd - 2], m = x->shape.dim[nd - 1];
    cn_shape batch = cn_batch_shape(&x->shape, 2), row = batch;
    row.dim[row.ndim++] = n;
    size_t mark = cn_mark();
    bool was = cn_set_grad_enabled(false);
    cn_tensor *ld = spread(c->in[0], cn_with_sizes(batch, n, n)), *pivots = spread(c->in[1], row),
              *b = cn_expand(c->in[2], x->shape);
    bool ok = ld && pivots && b;
    if (ok) cn_copy_view(x, &b->v);
    for (int64_t i = 0; ok && i < cn_batch_size(x, 2); i++)
        ok = solve_one(cn_matrix_at(&ld->v, i, n * n), cn_matrix_at(&pivots->v, i, n),
                       cn_matrix_at(x, i, n * m), n, m, x->dtype);
    cn_set_grad_enabled(was);
    cn_release(mark);
    return ok;
}

const cn_op cn_op_ldl_solve = {
    CN_OP_HEAD(ldl_solve, "linalg.ldl_solve",
               "(Tensor LD, Tensor pivots, Tensor B, *, bool hermitian=False) -> Tensor"),
    .doc = "The X of A X = B from linalg.ldl_factor of A.",
    .flags = CN_ROWS | CN_NO_GRAD_OP,
    .params_size = sizeof(bool),
    .infer = ldl_solve_infer,
    .kernel = ldl_solve_kernel,
    .samples = "#[3,3] i32+<3[3] [3,2] | #[2,3,3] i32+<3[2,3] [3,2] | [2,2] i64(-2,-2) [2,1] | "
               "#[0,0] i32+<1[0] [0,2]",
};
