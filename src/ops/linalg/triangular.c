/* triangular.c - systems with a triangular matrix. Golub, Van Loan, section 3.1. */
#include "ops/linalg/linalg.h"

typedef struct {
    bool upper, left, unitriangular;
} Params;

static bool sizes_agree(const cn_call *c, bool left)
{
    const cn_shape *a = &c->in[0]->v.shape, *b = &c->in[1]->v.shape;
    char ta[128], tb[128];
    if (a->dim[a->ndim - 1] == b->dim[b->ndim - (left ? 2 : 1)]) return true;
    return cn_fail(CN_EINVALID, "%s: matrices of shape %s do not fit %s from the %s", c->op->name,
                   cn_shape_text(a, ta), cn_shape_text(b, tb), left ? "left" : "right");
}

bool cn_infer_solution(const cn_call *c, bool left, cn_spec *out)
{
    if (!cn_want_matrix(c, 0, true) || !cn_want_matrix(c, 1, false) || !sizes_agree(c, left))
        return false;
    const cn_view *a = cn_in(c, 0), *b = cn_in(c, 1);
    if (a->dtype != b->dtype)
        return cn_fail(CN_EINVALID, "%s: %s and %s: both must have the same dtype", c->op->name,
                       cn_dtype_name(a->dtype), cn_dtype_name(b->dtype));
    cn_shape batch_a = cn_batch_shape(&a->shape, 2), batch_b = cn_batch_shape(&b->shape, 2), both;
    if (!cn_shape_broadcast(&batch_a, &batch_b, &both, c->op->name)) return false;
    int nd = b->shape.ndim;
    *out = (cn_spec){ b->dtype, cn_with_sizes(both, b->shape.dim[nd - 2], b->shape.dim[nd - 1]) };
    return true;
}

static bool solve_triangular_infer(const cn_call *c, cn_spec out[])
{
    return cn_infer_solution(c, ((const Params *)c->params)->left, out);
}

/* One system: a (n, n), and in x k right sides that become solutions. Strides in elements. */
typedef struct {
    const char *a;
    char *x;
    int64_t n, k, a_row, a_col, x_row, x_col;
    bool upper, unit;
} System;

#define T float
#define NAME(x) x##_f32
#include "ops/linalg/triangular.inc"
#define T double
#define NAME(x) x##_f64
#include "ops/linalg/triangular.inc"

/* Bytes from the first matrix of v to that of number i of a batch which v broadcasts to. */
static int64_t batch_offset(const cn_view *v, const cn_shape *batch, int64_t i)
{
    int64_t offset = 0;
    for (int d = batch->ndim - 1; d >= 0; d--) {
        int own = d - batch->ndim + v->shape.ndim - 2;
        if (own >= 0 && v->shape.dim[own] != 1) offset += i % batch->dim[d] * v->strides[own];
        i /= batch->dim[d];
    }
    return offset * (int64_t)cn_dtype_size(v->dtype);
}

/* x a = b is a^T x^T = b^T: the same with strides exchanged. */
static System system_of(const cn_view *a, const cn_view *x, const Params *p)
{
    const int64_t *sa = a->strides + a->shape.ndim - 2, *sx = x->strides + x->shape.ndim - 2;
    const int64_t *dx = x->shape.dim + x->shape.ndim - 2;
    int r = p->left ? 0 : 1, q = 1 - r;
    return (System){ .n = dx[r],
                     .k = dx[q],
                     .a_row = sa[r],
                     .a_col = sa[q],
                     .x_row = sx[r],
                     .x_col = sx[q],
                     .upper = p->upper == p->left,
                     .unit = p->unitriangular };
}

static bool spread(const cn_view *to, cn_tensor *from)
{
    cn_tensor *whole = NULL;
    size_t mark = cn_mark();
    CN_NO_GRAD whole = cn_expand(from, to->shape);
    if (whole) cn_copy_view(to, &whole->v);
    cn_release(mark);
    return whole != NULL;
}

static bool solve_triangular_kernel(const cn_call *c)
{
    const cn_view *a = cn_in(c, 0), *x = cn_out(c, 0);
    System s = system_of(a, x, c->params);
    cn_shape batch = cn_batch_shape(&x->shape, 2);
    if (!spread(x, c->in[1])) return false;
    for (int64_t i = 0; x->numel && i < x->numel / (s.n * s.k); i++) {
        s.a = a->data + batch_offset(a, &batch, i);
        s.x = cn_matrix_at(x, i, s.n * s.k);
        if (x->dtype == CN_F32) substitute_f32(&s);
        else substitute_f64(&s);
    }
    return true;
}

/* a x = b: gb = a^-T g, ga = -gb x^T, of which the triangle counts. */
static void solve_triangular_backward(cn_grads *g)
{
    const Params *p = cn_grad_params(g);
    cn_triangle turned = { !p->upper, p->left, p->unitriangular };
    cn_tensor *x = cn_saved_out(g, 0);
    cn_tensor *gb = cn_solve_triangular(cn_mt(cn_saved_in(g, 0)), cn_gout(g, 0), turned);
    cn_give(g, 1, gb);
    if (!cn_wants(g, 0)) return;
    cn_tensor *ga = p->left ? cn_matmul(gb, cn_mt(x)) : cn_matmul(cn_mt(x), gb);
    ga = p->upper ? cn_upper(ga, p->unitriangular) : cn_lower(ga, -p->unitriangular);
    cn_give(g, 0, cn_neg(ga));
}

const cn_op cn_op_solve_triangular = {
    CN_OP_HEAD(solve_triangular, "linalg.solve_triangular",
               "(Tensor A, Tensor B, *, bool upper, bool left=True, bool unitriangular=False) -> "
               "Tensor"),
    .doc = "The X of A X = B (or X A = B) for triangular A, whose other triangle is not read.",
    .params_size = sizeof(Params),
    .infer = solve_triangular_infer,
    .kernel = solve_triangular_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_OUT(0),
    .backward = solve_triangular_backward,
    .samples = "#[3,3] [3,2] upper=True | #[2,3,3] [3,2] upper=False | #[3,3] [2,2,3] upper=True "
               "left=False | [2,2,2] [2,2,3] upper=False unitriangular=True | #[3,3] [2,3] "
               "upper=False left=False unitriangular=True | [0,0] [0,2] upper=True | [2,0,3,3] "
               "[3,0] upper=False",
};

cn_tensor *cn_solve_triangular(cn_tensor *a, cn_tensor *b, cn_triangle how)
{
    return CN_CALL(solve_triangular, (&(Params){ how.upper, how.left, how.unit }), a, b);
}

/* ---- triangular_solve: the old form -------------------------------------------------------- */

typedef struct {
    bool upper, transpose, unitriangular;
} OldParams;

static bool triangular_solve_compose(cn_call *c)
{
    const OldParams *p = c->params;
    cn_tensor *a = p->transpose ? cn_mt(c->in[1]) : c->in[1];
    cn_triangle how = { p->upper != p->transpose, true, p->unitriangular };
    return cn_set_out(c, 0, cn_solve_triangular(a, c->in[0], how)) &&
           cn_set_out(c, 1, cn_clone(c->in[1]));
}

const cn_op cn_op_triangular_solve = {
    CN_OP_HEAD(triangular_solve, "triangular_solve",
               "(Tensor b, Tensor A, bool upper=True, bool transpose=False, bool "
               "unitriangular=False) -> (Tensor, Tensor)"),
    .doc = "linalg.solve_triangular of A, or of its transpose, and b; and a copy of A.",
    .params_size = sizeof(OldParams),
    .compose = triangular_solve_compose,
    .samples = "[3,2] #[3,3] | [2,3,2] #[2,3,3] False True | [3,1] #[3,3] unitriangular=True",
};
