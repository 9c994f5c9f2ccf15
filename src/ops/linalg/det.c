/* det.c - determinants, from the diagonal of U and the exchanges of LU. */
#include "ops/linalg/linalg.h"

#include <float.h>
#include <math.h>

static bool det_infer(const cn_call *c, cn_spec out[])
{
    if (!cn_want_matrix(c, 0, true)) return false;
    for (int i = 0; i < c->n_out; i++)
        out[i] = (cn_spec){ cn_in(c, 0)->dtype, cn_batch_shape(&cn_in(c, 0)->shape, 2) };
    return true;
}

static cn_tensor *product_of(cn_tensor *t)
{
    struct {
        cn_opt_int dim;
        bool keepdim;
        int32_t dtype;
    } p = { { true, -1 }, false, CN_NO_DTYPE };
    return CN_CALL(prod, &p, t);
}

/* 1 or -1: the determinant of the permutation. Each exchange with another row changes the sign. */
static cn_tensor *parity(cn_tensor *pivots, cn_dtype dtype)
{
    if (!pivots) return NULL;
    cn_tensor *places = cn_add(cn_counting(cn_size(pivots, -1)), cn_number_i64(1));
    cn_tensor *moved = cn_to(cn_ne(pivots, places), dtype);
    return product_of(cn_sub(cn_number(1), cn_mul(cn_number(2), moved)));
}

static cn_tensor *det_from(cn_tensor *lu, cn_tensor *pivots)
{
    return lu ? cn_mul(product_of(cn_diagonal_of(lu)), parity(pivots, lu->v.dtype)) : NULL;
}

/* ---- det ------------------------------------------------------------------------------------

   The gradient of det(A) is its matrix of cofactors, det(A) A^-T where A has an inverse. */

static bool det_forward(const cn_call *c, cn_tensor *y[])
{
    cn_tensor *lu[3];
    if (!cn_lu_factors(c->in[0], lu)) return false;
    y[0] = det_from(lu[0], lu[1]);
    return true;
}

static bool det_kernel(const cn_call *c)
{
    return cn_run_composed(c, det_forward);
}

static double epsilon(const cn_tensor *t)
{
    return t->v.dtype == CN_F32 ? (double)FLT_EPSILON : DBL_EPSILON;
}

/* By one LU for det and inverse, so that errors of a tiny pivot cancel; one that is 0 is made tiny,
   for cofactors are continuous. */
static cn_tensor *cofactors_once(cn_tensor *a)
{
    cn_tensor *f[3];
    if (!a || !cn_lu_factors(a, f)) return NULL;
    cn_tensor *zero = cn_eq(cn_diagonal_of(f[0]), cn_number_i64(0));
    cn_tensor *tiny = cn_mul(cn_to(zero, a->v.dtype), cn_number(epsilon(a)));
    cn_tensor *lu = cn_add(f[0], cn_on_diagonal(tiny)), *det = det_from(lu, f[1]);
    cn_tensor *scale = cn_unsqueeze(cn_unsqueeze(det, -1), -1);
    cn_tensor *eye = cn_eye_like(a, cn_size(a, -1));
    return cn_lu_solution(lu, f[1], cn_mul(scale, eye), true);
}

/* With A = U S V^T: det(U) det(V) U adj(S) V^T, where adj(S) has the products of all others. */
static cn_tensor *cofactors_by_svd(cn_tensor *a)
{
    struct {
        bool full;
        const char *driver;
    } p = { false, NULL };
    cn_tensor *f[3];
    if (!cn_apply(&cn_op_linalg_svd, &a, 1, &p, f, 3)) return NULL;
    cn_tensor *own = cn_eye(cn_size(f[1], -1), CN_BOOL);
    cn_tensor *one = cn_ones(cn_scalar_shape(), a->v.dtype);
    cn_tensor *others = product_of(cn_where(own, one, cn_unsqueeze(f[1], -2)));
    cn_tensor *sign = cn_mul(CN_CALL(linalg_det, NULL, f[0]), CN_CALL(linalg_det, NULL, f[2]));
    cn_tensor *y = cn_matmul(cn_scaled_columns(f[0], others), f[2]);
    return cn_mul(y, cn_unsqueeze(cn_unsqueeze(sign, -1), -1));
}

/* A form that can itself be differentiated: matrices take the way that suits them, and the other
   way a matrix that does it no harm. */
static cn_tensor *cofactors(cn_tensor *a, cn_tensor *det)
{
    if (!a || !det) return NULL;
    int64_t n = cn_size(a, -1);
    cn_tensor *scale = cn_unsqueeze(cn_unsqueeze(det, -1), -1);
    cn_tensor *singular = cn_lt(cn_abs(scale), cn_number(100 * epsilon(a)));
    cn_tensor *eye = cn_eye_like(a, n);
    cn_tensor *regular = cn_where(singular, eye, a);
    cn_tensor *harmless = cn_on_diagonal(cn_arange(1, (double)n + 1, 1, a->v.dtype));
    cn_tensor *by_svd = cofactors_by_svd(cn_where(singular, a, harmless));
    cn_tensor *by_lu = cn_mul(cn_solve_matrices(cn_mt(regular), eye), scale);
    return cn_where(singular, by_svd, by_lu);
}

static void det_backward(cn_grads *g)
{
    cn_tensor *a = cn_saved_in(g, 0), *gy = cn_unsqueeze(cn_unsqueeze(cn_gout(g, 0), -1), -1);
    cn_tensor *adj = cn_grad_enabled() ? cofactors(a, cn_saved_out(g, 0)) : cofactors_once(a);
    cn_give(g, 0, cn_mul(gy, adj));
}

const cn_op cn_op_linalg_det = {
    CN_OP_HEAD(linalg_det, "linalg.det", "(Tensor A) -> Tensor"),
    .aliases = "det",
    .doc = "The determinants of square matrices.",
    .infer = det_infer,
    .kernel = det_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_OUT(0),
    .backward = det_backward,
    .samples = "[3,3] | [2,3,3] | #[4,4] | [1,1] | [0,0] | [2,0,0] | [0,2,2]",
};

cn_tensor *cn_linalg_det(cn_tensor *a)
{
    return CN_CALL(linalg_det, NULL, a);
}

/* ---- slogdet, logdet ----------------------------------------------------------------------- */

static bool slogdet_forward(const cn_call *c, cn_tensor *y[])
{
    cn_tensor *lu[3];
    if (!cn_lu_factors(c->in[0], lu)) return false;
    cn_tensor *diagonal = cn_diagonal_of(lu[0]);
    y[0] = cn_mul(product_of(cn_sign(diagonal)), parity(lu[1], cn_in(c, 0)->dtype));
    y[1] = cn_sum(cn_log(cn_abs(diagonal)), .dim = CN_SHAPE(-1));
    return true;
}

static bool slogdet_kernel(const cn_call *c)
{
    return cn_run_composed(c, slogdet_forward);
}

/* d log|det A| = A^-T. */
static void slogdet_backward(cn_grads *g)
{
    cn_tensor *a = cn_saved_in(g, 0), *gy = cn_unsqueeze(cn_unsqueeze(cn_gout(g, 1), -1), -1);
    if (a) cn_give(g, 0, cn_solve_matrices(cn_mt(a), cn_mul(gy, cn_eye_like(a, cn_size(a, -1)))));
}

const cn_op cn_op_slogdet = {
    CN_OP_HEAD(slogdet, "linalg.slogdet", "(Tensor A) -> (Tensor, Tensor)"),
    .aliases = "slogdet",
    .doc = "The sign of the determinant, 0 of a singular matrix, and log |det A|.",
    .infer = det_infer,
    .kernel = slogdet_kernel,
    .saves = CN_SAVE_IN(0),
    .backward = slogdet_backward,
    .samples = "[3,3] | [2,3,3] | #[4,4] | [0,0] | [0,2,2]",
};

static bool logdet_compose(cn_call *c)
{
    cn_tensor *y[2];
    if (!cn_apply(&cn_op_slogdet, c->in, 1, NULL, y, 2)) return false;
    cn_tensor *negative = cn_lt(y[0], cn_number_i64(0));
    return cn_set_out(c, 0, cn_masked_fill(y[1], negative, cn_number((double)NAN)));
}

const cn_op cn_op_logdet = {
    CN_OP_HEAD(logdet, "logdet", "(Tensor input) -> Tensor"),
    .doc = "log det input: NaN of a negative determinant, -inf of 0.",
    .compose = logdet_compose,
    .samples = "#[3,3] | #[2,2,2] | [0,0]",
};
