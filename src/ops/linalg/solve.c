/* solve.c - systems of linear equations, and inverses, by LU. */
#include "ops/linalg/linalg.h"

static const char singular[] = "singular: the first 0 on the diagonal of its factor U is number";

/* ---- a x = b for matrices: the op that all others are made of ------------------------------ */

static bool solve_matrices_infer(const cn_call *c, cn_spec out[])
{
    out[1] = (cn_spec){ CN_I32, cn_batch_shape(&c->in[0]->v.shape, 2) };
    return cn_infer_solution(c, true, out);
}

static bool solve_forward(const cn_call *c, cn_tensor *y[])
{
    cn_tensor *lu[3];
    if (!cn_lu_factors(c->in[0], lu)) return false;
    y[0] = cn_lu_solution(lu[0], lu[1], c->in[1], false);
    y[1] = lu[2];
    return true;
}

static bool solve_matrices_kernel(const cn_call *c)
{
    return cn_run_composed(c, solve_forward);
}

/* gb = a^-T g, ga = -gb x^T. */
static void solve_matrices_backward(cn_grads *g)
{
    cn_tensor *gb = cn_solve_matrices(cn_mt(cn_saved_in(g, 0)), cn_gout(g, 0));
    cn_give(g, 1, gb);
    if (cn_wants(g, 0)) cn_give(g, 0, cn_neg(cn_matmul(gb, cn_mt(cn_saved_out(g, 0)))));
}

const cn_op cn_op_solve_matrices = {
    CN_OP_HEAD(solve_matrices, "solve_matrices", "(Tensor A, Tensor B) -> (Tensor, Tensor)"),
    .doc = "The X of A X = B for matrices B, and 0 or where A turned out to be singular.",
    .grad_outs = 1,
    .infer = solve_matrices_infer,
    .kernel = solve_matrices_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_OUT(0),
    .backward = solve_matrices_backward,
    .samples = "#[3,3] [3,2] | #[2,3,3] [3,1] | #[2,2] [3,2,2] | [0,0] [0,2] | [2,2] [2,0]",
};

static bool solve_both(cn_tensor *a, cn_tensor *b, cn_tensor *out[2])
{
    return cn_apply(&cn_op_solve_matrices, (cn_tensor *[]){ a, b }, 2, NULL, out, 2);
}

cn_tensor *cn_solve_matrices(cn_tensor *a, cn_tensor *b)
{
    cn_tensor *out[2];
    return solve_both(a, b, out) ? out[0] : NULL;
}

/* ---- solve --------------------------------------------------------------------------------- */

typedef struct {
    bool left, check_errors;
} Solve;

/* One vector, or a vector for each matrix of the batch. */
static bool is_vector(const cn_tensor *a, const cn_tensor *b)
{
    cn_shape rows = cn_batch_shape(&a->v.shape, 1);
    return b->v.shape.ndim == 1 || cn_shape_equal(&b->v.shape, &rows);
}

static bool solve_system(cn_call *c, bool left, cn_tensor *out[2])
{
    cn_tensor *a = c->in[0], *b = c->in[1];
    if (!cn_want_matrix(c, 0, true) || !cn_want_dims(c, 1, 1, CN_MAX_DIMS)) return false;
    bool vector = is_vector(a, b);
    if (vector && !left)
        return cn_fail(CN_EINVALID, "%s: vectors are solved for from the left only", c->op->name);
    if (vector) b = cn_unsqueeze(b, -1);
    cn_call system = { .op = c->op, .in = (cn_tensor *[]){ a, b }, .n_in = 2 };
    cn_spec fits;
    if (!b || !cn_infer_solution(&system, left, &fits)) return false;
    if (!solve_both(left ? a : cn_mt(a), left ? b : cn_mt(b), out)) return false;
    if (!left) out[0] = cn_mt(out[0]);
    if (vector) out[0] = cn_squeeze(out[0], CN_SHAPE(-1));
    return out[0] != NULL;
}

static bool solve_ex_compose(cn_call *c)
{
    const Solve *p = c->params;
    cn_tensor *out[2];
    return solve_system(c, p->left, out) &&
           (!p->check_errors || cn_check_info(c, out[1], singular)) && cn_set_out(c, 0, out[0]) &&
           cn_set_out(c, 1, out[1]);
}

static bool solve_compose(cn_call *c)
{
    cn_tensor *out[2];
    return solve_system(c, *(const bool *)c->params, out) && cn_check_info(c, out[1], singular) &&
           cn_set_out(c, 0, out[0]);
}

#define SOLVE_SAMPLES                                                                              \
    "#[3,3] [3] | #[2,3,3] [3,2] | #[2,3,3] [2,3] | #[3,3] [2,2,3] left=False | [0,0] [0] | [0,3,3] [3,2]"

const cn_op cn_op_solve_ex = {
    CN_OP_HEAD(
        solve_ex, "linalg.solve_ex",
        "(Tensor A, Tensor B, *, bool left=True, bool check_errors=False) -> (Tensor, Tensor)"),
    .doc = "linalg.solve that does not fail: also gives 0 or where A turned out to be singular.",
    .params_size = sizeof(Solve),
    .compose = solve_ex_compose,
    .samples = SOLVE_SAMPLES,
};

const cn_op cn_op_linalg_solve = {
    CN_OP_HEAD(linalg_solve, "linalg.solve", "(Tensor A, Tensor B, *, bool left=True) -> Tensor"),
    .doc = "The X of A X = B, or of X A = B; B has vectors or matrices.",
    .params_size = sizeof(bool),
    .compose = solve_compose,
    .samples = SOLVE_SAMPLES,
};

cn_tensor *cn_linalg_solve(cn_tensor *a, cn_tensor *b)
{
    return CN_CALL(linalg_solve, (&(bool){ true }), a, b);
}

/* ---- inverses ------------------------------------------------------------------------------ */

static bool invert(cn_call *c, cn_tensor *out[2])
{
    if (!cn_want_matrix(c, 0, true)) return false;
    return solve_both(c->in[0], cn_eye_like(c->in[0], cn_size(c->in[0], -1)), out);
}

static bool inv_ex_compose(cn_call *c)
{
    cn_tensor *out[2];
    return invert(c, out) && (!*(const bool *)c->params || cn_check_info(c, out[1], singular)) &&
           cn_set_out(c, 0, out[0]) && cn_set_out(c, 1, out[1]);
}

static bool inv_compose(cn_call *c)
{
    cn_tensor *out[2];
    return invert(c, out) && cn_check_info(c, out[1], singular) && cn_set_out(c, 0, out[0]);
}

const cn_op cn_op_inv_ex = {
    CN_OP_HEAD(inv_ex, "linalg.inv_ex",
               "(Tensor A, *, bool check_errors=False) -> (Tensor, Tensor)"),
    .doc = "linalg.inv that does not fail: also gives 0 or where A turned out to be singular.",
    .params_size = sizeof(bool),
    .compose = inv_ex_compose,
    .samples = "#[3,3] | #[2,3,3] | [0,0] | [0,2,2]",
};

const cn_op cn_op_inv = {
    CN_OP_HEAD(inv, "linalg.inv", "(Tensor A) -> Tensor"),
    .aliases = "inverse",
    .doc = "The inverses of square matrices.",
    .compose = inv_compose,
    .samples = "#[3,3] | #[2,3,3] | [2,2] | [0,0] | [0,2,2]",
};

cn_tensor *cn_linalg_inv(cn_tensor *a)
{
    return CN_CALL(inv, NULL, a);
}

/* ---- tensors as matrices ------------------------------------------------------------------- */

static int64_t product(const cn_shape *s, int from, int to)
{
    int64_t n = 1;
    for (int i = from; i < to; i++) n *= s->dim[i];
    return n;
}

static bool tensorinv_compose(cn_call *c)
{
    int64_t ind = *(const int64_t *)c->params;
    const cn_shape *s = &c->in[0]->v.shape;
    if (ind <= 0) return cn_fail(CN_EINVALID, "linalg.tensorinv: ind must be positive");
    int at = ind < s->ndim ? (int)ind : s->ndim, n = 0;
    int64_t rows = product(s, 0, at), cols = product(s, at, s->ndim);
    if (rows != cols)
        return cn_fail(CN_EINVALID,
                       "linalg.tensorinv: the first %d sizes make %lld, the others %lld", at,
                       (long long)rows, (long long)cols);
    cn_shape turned = { .ndim = s->ndim };
    for (int i = at; i < s->ndim; i++) turned.dim[n++] = s->dim[i];
    for (int i = 0; i < at; i++) turned.dim[n++] = s->dim[i];
    cn_tensor *y = cn_linalg_inv(cn_reshape(c->in[0], CN_SHAPE(rows, cols)));
    return cn_set_out(c, 0, cn_reshape(y, turned));
}

const cn_op cn_op_tensorinv = {
    CN_OP_HEAD(tensorinv, "linalg.tensorinv", "(Tensor A, int ind=2) -> Tensor"),
    .doc = "The inverse for tensordot over ind dimensions.",
    .params_size = sizeof(int64_t),
    .compose = tensorinv_compose,
    .samples = "[2,2,4] | [4,2,2] 1 | [2,3,3,2]",
};

/* `dims` of a go to its end, in their order. */
static cn_tensor *dims_last(cn_tensor *a, const cn_ints *dims)
{
    unsigned mask;
    int nd = a->v.shape.ndim, n = 0;
    if (dims->n < 0) return a;
    if (!cn_dims_mask(dims, nd, "linalg.tensorsolve", &mask)) return NULL;
    cn_shape order = { .ndim = nd };
    for (int i = 0; i < nd; i++)
        if (dims->n == 0 || !(mask & (1u << i))) order.dim[n++] = i;
    for (int i = 0; i < dims->n; i++) order.dim[n++] = cn_wrap_dim(dims->v[i], nd, "");
    return cn_permute(a, order);
}

static bool tensorsolve_compose(cn_call *c)
{
    cn_tensor *b = c->in[1], *a = dims_last(c->in[0], c->params);
    if (!a) return false;
    const cn_shape *s = &a->v.shape;
    int nb = b->v.shape.ndim;
    cn_shape x = { .ndim = s->ndim > nb ? s->ndim - nb : 0 };
    for (int i = 0; i < x.ndim; i++) x.dim[i] = s->dim[nb + i];
    int64_t n = product(&x, 0, x.ndim);
    if (n != b->v.numel || a->v.numel != n * n)
        return cn_fail(
            CN_EINVALID,
            "linalg.tensorsolve: other has %lld elements, the solution %lld, and input %lld",
            (long long)b->v.numel, (long long)n, (long long)a->v.numel);
    cn_tensor *y = cn_linalg_solve(cn_reshape(a, CN_SHAPE(n, n)), cn_reshape(b, CN_SHAPE(n)));
    return cn_set_out(c, 0, cn_reshape(y, x));
}

const cn_op cn_op_tensorsolve = {
    CN_OP_HEAD(tensorsolve, "linalg.tensorsolve",
               "(Tensor A, Tensor B, int[]? dims=None) -> Tensor"),
    .doc = "The X for which tensordot(A, X, X.ndim) is B; dims of A are moved to its end first.",
    .params_size = sizeof(cn_ints),
    .compose = tensorsolve_compose,
    .samples = "[2,2,4] [2,2] | [3,2,3,2] [2,3] (0,1) | [1,2,2] [1,2]",
};
