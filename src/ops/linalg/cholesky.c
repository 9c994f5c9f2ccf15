/* cholesky.c - A = L L^T for symmetric positive definite A. Golub, Van Loan, section 4.2. */
#include "ops/linalg/decompose.h"
#include "ops/linalg/linalg.h"

#include <string.h>

static const char indefinite[] =
    "not positive definite: the first leading minor that is not positive has order";

typedef struct {
    bool upper, check_errors;
} Params;

static bool cholesky_ex_infer(const cn_call *c, cn_spec out[])
{
    if (!cn_want_matrix(c, 0, true)) return false;
    const cn_view *a = cn_in(c, 0);
    out[0] = (cn_spec){ a->dtype, a->shape };
    out[1] = (cn_spec){ CN_I32, cn_batch_shape(&a->shape, 2) };
    return true;
}

/* The other triangle is zero. */
static void clear_triangle(const cn_view *y, bool upper)
{
    int64_t n = y->shape.dim[y->shape.ndim - 1];
    size_t size = cn_dtype_size(y->dtype);
    for (int64_t i = 0; y->numel && i < y->numel / n; i++) {
        char *row = cn_matrix_at(y, i, n);
        int64_t diagonal = i % n;
        if (upper) memset(row, 0, (size_t)diagonal * size);
        else memset(row + (size_t)(diagonal + 1) * size, 0, (size_t)(n - diagonal - 1) * size);
    }
}

bool cn_run_cholesky(const cn_call *c, const cn_decompositions *by)
{
    const Params *p = c->params;
    const cn_view *y = cn_out(c, 0), *info = cn_out(c, 1);
    int64_t n = y->shape.dim[y->shape.ndim - 1];
    cn_copy_view(y, cn_in(c, 0));
    for (int64_t i = 0; i < info->numel; i++) {
        int64_t status = by->cholesky(p->upper, n, cn_matrix_at(y, i, n * n));
        if (status == CN_NO_WORKSPACE) return false;
        *(int64_t *)cn_matrix_at(info, i, 1) = status;
    }
    clear_triangle(y, p->upper);
    return !p->check_errors || cn_check_info(c, c->out[1], indefinite);
}

static bool cholesky_ex_kernel(const cn_call *c)
{
    return cn_run_cholesky(c, cn_own_decompositions(c));
}

/* gA = L^-T s(tril(L^T gL)) L^-1, s the symmetric part, in which the diagonal counts half. */
static void cholesky_ex_backward(cn_grads *g)
{
    const Params *p = cn_grad_params(g);
    cn_tensor *l = cn_saved_out(g, 0), *gl = cn_gout(g, 0);
    if (p->upper) l = cn_mt(l), gl = cn_mt(gl);
    cn_tensor *low = cn_lower(cn_matmul(cn_mt(l), gl), 0);
    cn_tensor *s = cn_mul(cn_add(low, cn_mt(cn_lower(low, -1))), cn_number(0.5));
    cn_tensor *half = cn_solve_triangular(cn_mt(l), s, (cn_triangle){ true, true, false });
    cn_give(g, 0, cn_solve_triangular(l, half, (cn_triangle){ false, false, false }));
}

#define CHOLESKY_SAMPLES "#[3,3] | #[2,3,3] upper=True | +[1,1] | [0,0] | [0,2,2]"

const cn_op cn_op_cholesky_ex = {
    CN_OP_HEAD(cholesky_ex, "linalg.cholesky_ex",
               "(Tensor input, *, bool upper=False, bool check_errors=False) -> (Tensor, Tensor)"),
    .doc = "linalg.cholesky that does not fail: also gives 0 or the order of the minor at fault.",
    .flags = CN_ROWS | CN_ONE_TRIANGLE,
    .grad_outs = 1,
    .params_size = sizeof(Params),
    .infer = cholesky_ex_infer,
    .kernel = cholesky_ex_kernel,
    .saves = CN_SAVE_OUT(0),
    .backward = cholesky_ex_backward,
    .samples = CHOLESKY_SAMPLES,
};

static bool cholesky_compose(cn_call *c)
{
    cn_tensor *out[2];
    Params p = { *(const bool *)c->params, false };
    return cn_want_matrix(c, 0, true) && cn_apply(&cn_op_cholesky_ex, c->in, 1, &p, out, 2) &&
           cn_check_info(c, out[1], indefinite) && cn_set_out(c, 0, out[0]);
}

#define CHOLESKY_OP(ident, name, args)                                                             \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, name, args),                                                             \
        .doc =                                                                                     \
            "The lower (upper) triangle L with input = L L^T (or L^T L); one triangle is read.",   \
        .flags = CN_ONE_TRIANGLE,                                                                  \
        .params_size = sizeof(bool),                                                               \
        .compose = cholesky_compose,                                                               \
        .samples = CHOLESKY_SAMPLES,                                                               \
    }

CHOLESKY_OP(cholesky, "cholesky", "(Tensor input, bool upper=False) -> Tensor");
CHOLESKY_OP(linalg_cholesky, "linalg.cholesky", "(Tensor input, *, bool upper=False) -> Tensor");

cn_tensor *cn_linalg_cholesky(cn_tensor *a)
{
    return CN_CALL(linalg_cholesky, (&(bool){ false }), a);
}

/* ---- solving from the factor --------------------------------------------------------------- */

static cn_tensor *solution(cn_tensor *l, cn_tensor *b, bool upper)
{
    cn_triangle first = { false, true, false }, second = { true, true, false };
    cn_tensor *lower = upper ? cn_mt(l) : l;
    return cn_solve_triangular(cn_mt(lower), cn_solve_triangular(lower, b, first), second);
}

static bool cholesky_solve_compose(cn_call *c)
{
    cn_call system = { .op = c->op, .in = (cn_tensor *[]){ c->in[1], c->in[0] }, .n_in = 2 };
    cn_spec fits;
    return cn_infer_solution(&system, true, &fits) &&
           cn_set_out(c, 0, solution(c->in[1], c->in[0], *(const bool *)c->params));
}

const cn_op cn_op_cholesky_solve = {
    CN_OP_HEAD(cholesky_solve, "cholesky_solve",
               "(Tensor B, Tensor L, bool upper=False) -> Tensor"),
    .doc = "The X of (L L^T) X = B, or of (L^T L) X = B.",
    .params_size = sizeof(bool),
    .compose = cholesky_solve_compose,
    .samples = "[3,2] #[3,3] | [2,3,1] #[3,3] True | [0,2] [0,0]",
};

static bool cholesky_inverse_compose(cn_call *c)
{
    if (!cn_want_matrix(c, 0, true)) return false;
    cn_tensor *eye = cn_eye_like(c->in[0], cn_size(c->in[0], -1));
    return cn_set_out(c, 0, solution(c->in[0], eye, *(const bool *)c->params));
}

const cn_op cn_op_cholesky_inverse = {
    CN_OP_HEAD(cholesky_inverse, "cholesky_inverse", "(Tensor L, bool upper=False) -> Tensor"),
    .doc = "The inverse of L L^T, or of L^T L.",
    .params_size = sizeof(bool),
    .compose = cholesky_inverse_compose,
    .samples = "#[3,3] | #[2,3,3] True | [0,0]",
};
