/* pinv.c - what singular values decide: pseudo-inverse, rank, condition, least squares. */
#include "ops/linalg/linalg.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* What counts as zero: the larger of atol and rtol times the largest value. Without both rtol is the
   larger size times epsilon; with a positive atol alone it is 0. Both may differ for each matrix. */
static cn_tensor *threshold(const cn_tensor *a, cn_tensor *values, cn_tensor *atol, cn_tensor *rtol)
{
    int64_t m = cn_size(a, -2), n = cn_size(a, -1);
    double epsilon = a->v.dtype == CN_F32 ? (double)FLT_EPSILON : DBL_EPSILON;
    cn_tensor *zero = cn_number(0), *usual = cn_number(epsilon * (double)(m > n ? m : n));
    cn_tensor *largest = cn_amax(values, .dim = CN_SHAPE(-1), .keepdim = true);
    if (!rtol) rtol = atol ? cn_where(cn_gt(atol, zero), zero, usual) : usual;
    if (rtol && rtol->v.shape.ndim) rtol = cn_unsqueeze(rtol, -1);
    if (atol && atol->v.shape.ndim) atol = cn_unsqueeze(atol, -1);
    return cn_maximum(cn_mul(largest, rtol), atol ? atol : zero);
}

/* ---- pinv ---------------------------------------------------------------------------------- */

static bool pinv_infer(const cn_call *c, cn_spec out[])
{
    if (!cn_want_matrix(c, 0, *(const bool *)c->params)) return false;
    const cn_shape *s = &cn_in(c, 0)->shape;
    *out = (cn_spec){ cn_in(c, 0)->dtype, cn_with_sizes(cn_batch_shape(s, 2), s->dim[s->ndim - 1],
                                                        s->dim[s->ndim - 2]) };
    return true;
}

/* left diag(values) right^T as (left, values, right): of a symmetric matrix V, w, V. */
static bool spectral(cn_tensor *a, bool hermitian, cn_tensor *f[3])
{
    if (!hermitian) {
        struct {
            bool full;
            const char *driver;
        } p = { false, NULL };
        if (!cn_apply(&cn_op_linalg_svd, &a, 1, &p, f, 3)) return false;
        f[2] = cn_mt(f[2]);
        return f[2] != NULL;
    }
    const char *uplo = "L";
    cn_tensor *eigen[2];
    if (!cn_apply(&cn_op_linalg_eigh, &a, 1, &uplo, eigen, 2)) return false;
    f[0] = f[2] = eigen[1], f[1] = eigen[0];
    return true;
}

static bool pinv_forward(const cn_call *c, cn_tensor *y[])
{
    cn_tensor *f[3];
    if (!spectral(c->in[0], *(const bool *)c->params, f)) return false;
    if (f[1]->v.numel == 0) return y[0] = cn_zeros(c->out[0]->v.shape, c->out[0]->v.dtype), true;
    cn_tensor *size = cn_abs(f[1]),
              *keep = cn_gt(size, threshold(c->in[0], size, c->in[1], c->in[2]));
    cn_tensor *inverse = cn_where(keep, cn_reciprocal(f[1]), cn_zeros(CN_SHAPE(1), f[1]->v.dtype));
    y[0] = cn_matmul(cn_scaled_columns(f[2], inverse), cn_mt(f[0]));
    return true;
}

static bool pinv_kernel(const cn_call *c)
{
    return cn_run_composed(c, pinv_forward);
}

/* With P the pseudo-inverse: -P^T g P^T + (1 - A P) g^T P P^T + P^T P g^T (1 - P A). Golub, Pereyra,
   The differentiation of pseudo-inverses, 1973. */
static void pinv_backward(cn_grads *g)
{
    cn_tensor *a = cn_saved_in(g, 0), *p = cn_saved_out(g, 0), *gt = cn_mt(cn_gout(g, 0));
    cn_tensor *pt = cn_mt(p);
    cn_tensor *inside = cn_matmul(cn_matmul(pt, cn_mt(gt)), pt);
    cn_tensor *k = cn_matmul(gt, cn_matmul(p, pt)), *l = cn_matmul(cn_matmul(pt, p), gt);
    cn_tensor *left = cn_sub(k, cn_matmul(a, cn_matmul(p, k)));
    cn_tensor *right = cn_sub(l, cn_matmul(cn_matmul(l, p), a));
    cn_give(g, 0, cn_sub(cn_add(left, right), inside));
}

const cn_op cn_op_pinv = {
    CN_OP_HEAD(
        pinv, "linalg.pinv",
        "(Tensor A, *, Tensor|Scalar? atol=None, Tensor|Scalar? rtol=None, bool hermitian=False) -> Tensor"),
    .doc =
        "The pseudo-inverse; singular values up to max(atol, rtol times the largest) count as 0.",
    .params_size = sizeof(bool),
    .optional = CN_SAVE_IN(1) | CN_SAVE_IN(2),
    .infer = pinv_infer,
    .kernel = pinv_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_OUT(0),
    .backward = pinv_backward,
    .samples =
        "#[3,3] | [2,3,2] | [2,4] rtol=0.001 | [3,2] atol=0.01 | [2,3,2] rtol=f64+[2] | [0,3] | [0,2,2]",
};

static cn_tensor *pinv_of(cn_tensor *a, double rtol)
{
    return CN_CALL(pinv, &(bool){ false }, a, NULL, cn_number(rtol));
}

static bool pinverse_compose(cn_call *c)
{
    return cn_set_out(c, 0, pinv_of(c->in[0], *(const double *)c->params));
}

const cn_op cn_op_pinverse = {
    CN_OP_HEAD(pinverse, "pinverse", "(Tensor input, float rcond=1e-15) -> Tensor"),
    .doc = "linalg.pinv with rtol=rcond.",
    .params_size = sizeof(double),
    .compose = pinverse_compose,
    .samples = "[3,2] | [2,2,3] 0.001",
};

/* ---- rank and condition -------------------------------------------------------------------- */

static cn_tensor *rank_of(cn_tensor *a, cn_tensor *values, cn_tensor *atol, cn_tensor *rtol)
{
    if (!values) return NULL;
    if (values->v.numel == 0) return cn_zeros(cn_batch_shape(&values->v.shape, 1), CN_I64);
    return cn_sum(cn_gt(values, threshold(a, values, atol, rtol)), .dim = CN_SHAPE(-1));
}

static bool matrix_rank_compose(cn_call *c)
{
    bool hermitian = *(const bool *)c->params;
    cn_tensor *f[3];
    return cn_want_matrix(c, 0, hermitian) && spectral(c->in[0], hermitian, f) &&
           cn_set_out(c, 0, rank_of(c->in[0], cn_abs(f[1]), c->in[1], c->in[2]));
}

const cn_op cn_op_matrix_rank = {
    CN_OP_HEAD(
        matrix_rank, "linalg.matrix_rank",
        "(Tensor A, *, Tensor|Scalar? atol=None, Tensor|Scalar? rtol=None, bool hermitian=False) -> Tensor"),
    .doc = "How many singular values are larger than max(atol, rtol times the largest).",
    .params_size = sizeof(bool),
    .optional = CN_SAVE_IN(1) | CN_SAVE_IN(2),
    .flags = CN_NO_GRAD_OP,
    .compose = matrix_rank_compose,
    .samples =
        "[3,3] | [2,3,2] atol=0.5 | [2,3] rtol=0.9 | [2,3,2] atol=f64+[2] | #[3,3] hermitian=True | [0,3] | [0,2,2]",
};

/* norm(A) norm(A^-1); infinite where there is no inverse. */
static cn_tensor *cond_by_norms(cn_tensor *a, const cn_number_arg *p)
{
    cn_tensor *inverse[2];
    if (!cn_apply(&cn_op_inv_ex, &a, 1, &(bool){ false }, inverse, 2)) return NULL;
    cn_tensor *y = cn_mul(cn_matrix_norm(a, p), cn_matrix_norm(inverse[0], p));
    cn_tensor *singular = cn_ne(inverse[1], cn_number_i64(0));
    return cn_masked_fill(y, singular, cn_number((double)INFINITY));
}

static bool cond_compose(cn_call *c)
{
    const cn_number_arg *p = c->params;
    cn_tensor *a = c->in[0];
    double order = p->kind == CN_NUM_NONE    ? 2
                   : p->kind == CN_NUM_FLOAT ? p->u.f
                   : p->kind == CN_NUM_WORD  ? 0
                                             : (double)p->u.i;
    bool by_values = fabs(order) == 2;
    if (!cn_want_matrix(c, 0, !by_values)) return false;
    if (a->v.numel == 0)
        return cn_set_out(c, 0, cn_zeros(cn_batch_shape(&a->v.shape, 2), a->v.dtype));
    if (!by_values) return cn_set_out(c, 0, cond_by_norms(a, p));
    cn_tensor *s = cn_singular_values(a);
    cn_tensor *largest = cn_select(s, -1, 0), *smallest = cn_select(s, -1, -1);
    return cn_set_out(c, 0, order > 0 ? cn_div(largest, smallest) : cn_div(smallest, largest));
}

const cn_op cn_op_cond = {
    CN_OP_HEAD(cond, "linalg.cond", "(Tensor A, Scalar|str? p=None) -> Tensor"),
    .doc = "The condition for the norm p (none: 2): norm(A) norm(A^-1).",
    .params_size = sizeof(cn_number_arg),
    .compose = cond_compose,
    .samples = "#[3,3] | [2,3,2] -2 | #[2,3,3] fro | #[3,3] 1 | #[3,3] -inf | #[3,3] p=nuc",
};

/* ---- least squares ------------------------------------------------------------------------- */

typedef struct {
    cn_opt_float rcond;
    const char *driver;
} Lstsq;

static bool is_driver(const Lstsq *p, const char *name)
{
    return strcmp(p->driver ? p->driver : "gelsy", name) == 0;
}

/* Matrices of right sides, or a vector for each matrix. */
static bool lstsq_inputs(cn_call *c, cn_tensor **b, bool *vector)
{
    const Lstsq *p = c->params;
    cn_tensor *a = c->in[0];
    if (!is_driver(p, "gels") && !is_driver(p, "gelsy") && !is_driver(p, "gelsd") &&
        !is_driver(p, "gelss"))
        return cn_fail(CN_EINVALID, "linalg.lstsq: driver is gels, gelsy, gelsd or gelss, not '%s'",
                       p->driver);
    if (!cn_want_matrix(c, 0, false) || !cn_want_dims(c, 1, 1, CN_MAX_DIMS) || !cn_want_real(c, 1))
        return false;
    *vector = c->in[1]->v.shape.ndim == a->v.shape.ndim - 1;
    *b = *vector ? cn_unsqueeze(c->in[1], -1) : c->in[1];
    if (!*b) return false;
    if (cn_size(*b, -2) == cn_size(a, -2) && a->v.dtype == (*b)->v.dtype) return true;
    char x[128], y[128];
    return cn_fail(CN_EINVALID, "linalg.lstsq: A %s and B %s differ in rows or dtype",
                   cn_shape_text(&a->v.shape, x), cn_shape_text(&c->in[1]->v.shape, y));
}

/* sum |A x - B|^2, if there are more rows than columns and no column is in vain. */
static cn_tensor *residuals(cn_call *c, cn_tensor *b, cn_tensor *x, cn_tensor *rank)
{
    cn_tensor *a = c->in[0];
    bool some = cn_size(a, -2) > cn_size(a, -1) && !is_driver(c->params, "gelsy");
    if (some && rank && rank->v.numel) some = cn_item(cn_amin(rank)) == (double)cn_size(a, -1);
    if (!some) return cn_zeros(CN_SHAPE(0), a->v.dtype);
    return cn_sum(cn_square(cn_sub(cn_matmul(a, x), b)), .dim = CN_SHAPE(-2));
}

/* The solution of least length; the gradient goes through it only. */
static bool lstsq_compose(cn_call *c)
{
    const Lstsq *p = c->params;
    cn_tensor *a = c->in[0], *b = NULL, *values = NULL, *rank = NULL, *rest = NULL;
    bool vector = false;
    if (!lstsq_inputs(c, &b, &vector)) return false;
    int64_t m = cn_size(a, -2), n = cn_size(a, -1);
    double epsilon = a->v.dtype == CN_F32 ? (double)FLT_EPSILON : DBL_EPSILON;
    double rcond = p->rcond.given ? p->rcond.value : epsilon * (double)(m > n ? m : n);
    cn_tensor *x = cn_matmul(pinv_of(a, rcond), b);
    CN_NO_GRAD
    {
        values = cn_singular_values(a);
        rank = rank_of(a, values, NULL, cn_number(rcond));
        rest = residuals(c, b, x, rank);
    }
    if (is_driver(p, "gels")) rank = cn_zeros(CN_SHAPE(0), CN_I64);
    if (is_driver(p, "gels") || is_driver(p, "gelsy")) values = cn_zeros(CN_SHAPE(0), a->v.dtype);
    return cn_set_out(c, 0, vector ? cn_squeeze(x, CN_SHAPE(-1)) : x) && cn_set_out(c, 1, rest) &&
           cn_set_out(c, 2, rank) && cn_set_out(c, 3, values);
}

const cn_op cn_op_lstsq = {
    CN_OP_HEAD(lstsq, "linalg.lstsq",
               "(Tensor A, Tensor B, float? rcond=None, *, str? driver=None) -> "
               "(Tensor, Tensor, Tensor, Tensor)"),
    .doc = "The shortest X that makes |A X - B| least; squared residuals, rank and singular values "
           "as far as the driver of LAPACK gives them.",
    .grad_outs = 1,
    .params_size = sizeof(Lstsq),
    .compose = lstsq_compose,
    .samples = "[4,2] [4,2] | [2,4,2] [2,4,1] driver=gelsd | [4,2] [4] driver=gels | [2,3] [2,1] "
               "driver=gelss | #[3,3] [3,1]",
};
