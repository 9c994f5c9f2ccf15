/* diagonals.c - diagonals seen, written and spread; triangles. */
#include "ops/compose.h"

typedef struct {
    int64_t offset, dim1, dim2;
} Diagonal;

/* ---- diagonal ------------------------------------------------------------------------------ */

/* From element (down, right) on, a step along both dimensions at once. */
static bool diagonal_of(const Diagonal *p, cn_view *v, const char *what)
{
    int nd = v->shape.ndim, a = cn_wrap_dim(p->dim1, nd, what), b = cn_wrap_dim(p->dim2, nd, what);
    if (a < 0 || b < 0) return false;
    if (a == b) return cn_fail(CN_EINVALID, "%s: dim1 and dim2 are the same, %d", what, a);
    int64_t rows = v->shape.dim[a], cols = v->shape.dim[b];
    bool beyond = p->offset >= cols || p->offset <= -rows;
    int64_t down = p->offset < 0 && !beyond ? -p->offset : 0,
            right = p->offset > 0 && !beyond ? p->offset : 0;
    int64_t n = beyond ? 0 : rows - down < cols - right ? rows - down : cols - right;
    int64_t step = v->strides[a] + v->strides[b];
    if (n)
        v->data +=
            (down * v->strides[a] + right * v->strides[b]) * (int64_t)cn_dtype_size(v->dtype);
    int kept = 0;
    for (int i = 0; i < nd; i++) {
        if (i == a || i == b) continue;
        v->shape.dim[kept] = v->shape.dim[i];
        v->strides[kept++] = v->strides[i];
    }
    v->shape.dim[kept] = n, v->strides[kept] = step;
    v->shape.ndim = nd - 1;
    cn_view_refresh(v);
    return true;
}

static bool diagonal_view(const cn_call *c, cn_view *v)
{
    return cn_want_dims(c, 0, 2, CN_MAX_DIMS) && diagonal_of(c->params, v, "diagonal");
}

static void diagonal_backward(cn_grads *g)
{
    cn_give(g, 0,
            CN_CALL(diagonal_scatter, cn_grad_params(g), cn_zeros_of_in(g, 0), cn_gout(g, 0)));
}

const cn_op cn_op_diagonal = {
    CN_OP_HEAD(diagonal, "diagonal",
               "(Tensor input, int offset=0, int dim1=0, int dim2=1) -> Tensor"),
    .doc = "The diagonals of the matrices in dim1 and dim2, as the last dimension; shares memory.",
    .params_size = sizeof(Diagonal),
    .flags = CN_ANY_DTYPE,
    .view = diagonal_view,
    .backward = diagonal_backward,
    .samples = "[3,4] | [3,4] 1 | [4,3] -2 | [2,3,3] 0 -2 -1 | [3,3] 5 | [0,2] 0 1 0",
};

static cn_tensor *diagonal(cn_tensor *t, int64_t offset)
{
    return CN_CALL(diagonal, (&(Diagonal){ offset, 0, 1 }), t);
}

/* ---- diagonal_scatter ---------------------------------------------------------------------- */

static bool diagonal_scatter_infer(const cn_call *c, cn_spec out[])
{
    cn_view part = c->in[0]->v;
    char a[128], b[128];
    if (!cn_want_dims(c, 0, 2, CN_MAX_DIMS) || !diagonal_of(c->params, &part, c->op->name))
        return false;
    if (!cn_shape_equal(&part.shape, &c->in[1]->v.shape))
        return cn_fail(CN_EINVALID, "diagonal_scatter: the diagonal has shape %s, src %s",
                       cn_shape_text(&part.shape, a), cn_shape_text(&c->in[1]->v.shape, b));
    return cn_infer_same(c, out);
}

static bool diagonal_scatter_kernel(const cn_call *c)
{
    cn_view part = *cn_out(c, 0);
    cn_copy_view(&part, cn_in(c, 0));
    if (!diagonal_of(c->params, &part, c->op->name)) return false;
    cn_copy_view(&part, cn_in(c, 1));
    return true;
}

static void diagonal_scatter_backward(cn_grads *g)
{
    cn_tensor *gy = cn_gout(g, 0);
    if (cn_wants(g, 0))
        cn_give(g, 0, CN_CALL(diagonal_scatter, cn_grad_params(g), gy, cn_zeros_of_in(g, 1)));
    if (cn_wants(g, 1)) cn_give(g, 1, CN_CALL(diagonal, cn_grad_params(g), gy));
}

const cn_op cn_op_diagonal_scatter = {
    CN_OP_HEAD(diagonal_scatter, "diagonal_scatter",
               "(Tensor input, Tensor src, int offset=0, int dim1=0, int dim2=1) -> Tensor"),
    .doc = "A copy of input whose diagonal is src: the gradient of diagonal.",
    .params_size = sizeof(Diagonal),
    .flags = CN_ANY_DTYPE,
    .infer = diagonal_scatter_infer,
    .kernel = diagonal_scatter_kernel,
    .backward = diagonal_scatter_backward,
    .samples = "[3,4] [3] | [3,4] [2] -1 | [2,3,3] [2,2] 1 -2 -1 | [3,3] [0] 5",
};

/* ---- diag_embed, diag, diagflat ------------------------------------------------------------ */

/* Zeros with two more dimensions for the last one of t, on whose diagonal t lies. */
static cn_tensor *embedded(cn_tensor *t, const Diagonal *p)
{
    if (!t) return NULL;
    cn_shape s = t->v.shape;
    int64_t away = p->offset < 0 ? -p->offset : p->offset, side;
    int nd = s.ndim + 1, a = cn_wrap_dim(p->dim1, nd, "diag_embed"),
        b = cn_wrap_dim(p->dim2, nd, "diag_embed");
    if (a < 0 || b < 0) return NULL;
    if (nd > CN_MAX_DIMS || a == b || away < 0 ||
        __builtin_add_overflow(s.dim[s.ndim - 1], away, &side)) {
        cn_fail(CN_EINVALID, "diag_embed: offset %lld, dims %d and %d of %d", (long long)p->offset,
                a, b, nd);
        return NULL;
    }
    cn_shape full = { .ndim = nd };
    for (int i = 0, from = 0; i < nd; i++) full.dim[i] = i == a || i == b ? side : s.dim[from++];
    return CN_CALL(diagonal_scatter, p, cn_zeros(full, t->v.dtype), t);
}

static bool diag_embed_compose(cn_call *c)
{
    return cn_want_dims(c, 0, 1, CN_MAX_DIMS) && cn_set_out(c, 0, embedded(c->in[0], c->params));
}

const cn_op cn_op_diag_embed = {
    CN_OP_HEAD(diag_embed, "diag_embed",
               "(Tensor input, int offset=0, int dim1=-2, int dim2=-1) -> Tensor"),
    .doc = "Zeros in dim1 and dim2 but for the diagonal, which is the input's last dimension.",
    .params_size = sizeof(Diagonal),
    .compose = diag_embed_compose,
    .samples = "[3] | [2,3] 1 | [2,3] -1 0 2 | [0]",
};

static cn_tensor *square(cn_tensor *vector, int64_t offset)
{
    return embedded(vector, &(Diagonal){ offset, 0, 1 });
}

static bool diag_compose(cn_call *c)
{
    int64_t offset = *(const int64_t *)c->params;
    cn_tensor *t = c->in[0];
    if (!cn_want_dims(c, 0, 1, 2)) return false;
    return cn_set_out(c, 0,
                      t->v.shape.ndim == 2 ? cn_clone(diagonal(t, offset)) : square(t, offset));
}

const cn_op cn_op_diag = {
    CN_OP_HEAD(diag, "diag", "(Tensor input, int diagonal=0) -> Tensor"),
    .doc = "A diagonal of a matrix, or the square matrix with this vector as its diagonal.",
    .params_size = sizeof(int64_t),
    .compose = diag_compose,
    .samples = "[3,4] | [3,3] -1 | [3] | [2] 2 | [0]",
};

static bool diagflat_compose(cn_call *c)
{
    cn_tensor *flat = cn_reshape(c->in[0], CN_SHAPE(c->in[0]->v.numel));
    return cn_set_out(c, 0, square(flat, *(const int64_t *)c->params));
}

const cn_op cn_op_diagflat = {
    CN_OP_HEAD(diagflat, "diagflat", "(Tensor input, int offset=0) -> Tensor"),
    .doc = "The square matrix with all elements of the input on its diagonal.",
    .params_size = sizeof(int64_t),
    .compose = diagflat_compose,
    .samples = "[3] | [2,2] -1 | []",
};

/* ---- triangles ----------------------------------------------------------------------------- */

static bool in_triangle(const cn_op *op, int64_t row, int64_t col, int64_t offset)
{
    bool lower = op == &cn_op_tril || op == &cn_op_tril_indices;
    return lower ? col - row <= offset : col - row >= offset;
}

/* Keeps what lies on one side of a diagonal. */
static bool triangle_compose(cn_call *c)
{
    int64_t offset = *(const int64_t *)c->params;
    if (!cn_want_dims(c, 0, 2, CN_MAX_DIMS)) return false;
    cn_tensor *t = c->in[0];
    int nd = t->v.shape.ndim;
    int64_t rows = t->v.shape.dim[nd - 2], cols = t->v.shape.dim[nd - 1];
    cn_tensor *mask = cn_empty(CN_SHAPE(rows, cols), CN_BOOL);
    if (!mask) return false;
    uint8_t *m = (uint8_t *)mask->v.data;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++) m[i * cols + j] = in_triangle(c->op, i, j, offset);
    return cn_set_out(c, 0, cn_where(mask, t, cn_zeros(cn_scalar_shape(), t->v.dtype)));
}

const cn_op cn_op_tril = {
    CN_OP_HEAD(tril, "tril", "(Tensor input, int diagonal=0) -> Tensor"),
    .doc = "The lower triangle: zero above the diagonal.",
    .params_size = sizeof(int64_t),
    .compose = triangle_compose,
    .samples = "[3,4] | [2,3,3] -1 | [0,3]",
};

const cn_op cn_op_triu = {
    CN_OP_HEAD(triu, "triu", "(Tensor input, int diagonal=0) -> Tensor"),
    .doc = "The upper triangle: zero below the diagonal.",
    .params_size = sizeof(int64_t),
    .compose = triangle_compose,
    .samples = "[3,4] | [2,3,3] 1 | [0,3]",
};

typedef struct {
    int64_t row, col, offset;
    int32_t dtype;
} TriangleIndices;

/* Row by row; the first pass counts. */
static int64_t list_triangle(const cn_op *op, const TriangleIndices *p, int64_t *out, int64_t count)
{
    int64_t n = 0;
    for (int64_t i = 0; i < p->row; i++)
        for (int64_t j = 0; j < p->col; j++) {
            if (!in_triangle(op, i, j, p->offset)) continue;
            if (out) out[n] = i, out[count + n] = j;
            n++;
        }
    return n;
}

static bool triangle_indices_compose(cn_call *c)
{
    const TriangleIndices *p = c->params;
    if (p->row < 0 || p->col < 0)
        return cn_fail(CN_EINVALID, "%s: a matrix of %lld rows and %lld columns", c->op->name,
                       (long long)p->row, (long long)p->col);
    int64_t count = list_triangle(c->op, p, NULL, 0);
    cn_tensor *y = cn_empty(CN_SHAPE(2, count), CN_I64);
    if (!y) return false;
    list_triangle(c->op, p, (int64_t *)(void *)y->v.data, count);
    return cn_set_out(c, 0, cn_to(y, p->dtype == CN_NO_DTYPE ? CN_I64 : (cn_dtype)p->dtype));
}

#define TRIANGLE_INDICES(ident, text)                                                              \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident,                                                                  \
                   "(int row, int col, int offset=0, *, dtype? dtype=None) -> Tensor"),            \
        .doc = text,                                                                               \
        .params_size = sizeof(TriangleIndices),                                                    \
        .flags = CN_NO_GRAD_OP,                                                                    \
        .compose = triangle_indices_compose,                                                       \
        .samples = "3 4 | 3 3 -1 | 2 3 1 | 0 3 | 2 2 dtype=int32",                                 \
    }

TRIANGLE_INDICES(tril_indices, "Where the lower triangle lies: rows, and below them columns.");
TRIANGLE_INDICES(triu_indices, "Where the upper triangle lies: rows, and below them columns.");
