/* reshaping.c - dimensions added, dropped, moved; diagonals and triangles. */
#include "ops/compose.h"

/* ---- squeeze, unsqueeze -------------------------------------------------------------------- */

static bool squeeze_view(const cn_call *c, cn_view *v)
{
    unsigned mask;
    if (!cn_dims_mask(c->params, v->shape.ndim, "squeeze", &mask)) return false;
    int n = 0;
    for (int i = 0; i < v->shape.ndim; i++) {
        if ((mask & (1u << i)) && v->shape.dim[i] == 1) continue;
        v->shape.dim[n] = v->shape.dim[i];
        v->strides[n++] = v->strides[i];
    }
    v->shape.ndim = n;
    return true;
}

static void reshape_backward(cn_grads *g)
{
    cn_give(g, 0, cn_reshape(cn_gout(g, 0), *cn_in_shape(g, 0)));
}

const cn_op cn_op_squeeze = {
    CN_OP_HEAD(squeeze, "squeeze", "(Tensor input, int[]? dim=None) -> Tensor"),
    .doc = "Drops dimensions of size 1: those in dim, or all; shares memory.",
    .params_size = sizeof(cn_ints),
    .flags = CN_ANY_DTYPE,
    .view = squeeze_view,
    .backward = reshape_backward,
    .samples = "[2,1,3] | [1,2,1] -1 | [2,3] 0 | [] 0 | [1,0]",
};

cn_tensor *cn_squeeze(cn_tensor *input, cn_shape dims)
{
    cn_ints p = cn_ints_of(&dims);
    return CN_CALL(squeeze, &p, input);
}

static bool unsqueeze_view(const cn_call *c, cn_view *v)
{
    int nd = v->shape.ndim;
    int dim = cn_wrap_dim(*(const int64_t *)c->params, nd + 1, "unsqueeze");
    if (dim < 0) return false;
    if (nd == CN_MAX_DIMS)
        return cn_fail(CN_EINVALID, "unsqueeze: the tensor has %d dimensions already", nd);
    for (int i = nd; i > dim; i--)
        v->shape.dim[i] = v->shape.dim[i - 1], v->strides[i] = v->strides[i - 1];
    v->strides[dim] = dim < nd ? v->strides[dim + 1] * v->shape.dim[dim + 1] : 1;
    v->shape.dim[dim] = 1;
    v->shape.ndim = nd + 1;
    return true;
}

const cn_op cn_op_unsqueeze = {
    CN_OP_HEAD(unsqueeze, "unsqueeze", "(Tensor input, int dim) -> Tensor"),
    .doc = "A new dimension of size 1 before dimension dim; shares memory.",
    .params_size = sizeof(int64_t),
    .flags = CN_ANY_DTYPE,
    .view = unsqueeze_view,
    .backward = reshape_backward,
    .samples = "[2,3] 0 | [2,3] -1 | [2,3] 1 | [] 0 | [0] 0",
};

cn_tensor *cn_unsqueeze(cn_tensor *input, int dim)
{
    return CN_CALL(unsqueeze, &(int64_t){ dim }, input);
}

/* ---- t, T, movedim ------------------------------------------------------------------------- */

cn_tensor *cn_t(cn_tensor *input)
{
    if (!input) return NULL;
    if (input->v.shape.ndim < 2) return input;
    if (input->v.shape.ndim == 2) return cn_transpose(input, 0, 1);
    cn_fail(CN_EINVALID, "t: a matrix is wanted, not %d dimensions; use transpose",
            input->v.shape.ndim);
    return NULL;
}

static bool t_compose(cn_call *c)
{
    return cn_set_out(c, 0, cn_t(c->in[0]));
}

const cn_op cn_op_t = {
    CN_OP_HEAD(t, "t", "(Tensor input) -> Tensor"),
    .doc = "The transpose of a matrix; vectors and numbers stay as they are.",
    .compose = t_compose,
    .samples = "[2,3] | [3] | []",
};

static bool reversed_compose(cn_call *c)
{
    cn_shape order = { .ndim = c->in[0]->v.shape.ndim };
    for (int i = 0; i < order.ndim; i++) order.dim[i] = order.ndim - 1 - i;
    return cn_set_out(c, 0, cn_permute(c->in[0], order));
}

const cn_op cn_op_reversed = {
    CN_OP_HEAD(reversed, "T", "(Tensor input) -> Tensor"),
    .doc = "All dimensions in reverse order.",
    .compose = reversed_compose,
    .samples = "[2,3] | [2,3,4] | []",
};

static bool mT_compose(cn_call *c)
{
    return cn_want_dims(c, 0, 2, CN_MAX_DIMS) && cn_set_out(c, 0, cn_transpose(c->in[0], -2, -1));
}

const cn_op cn_op_mT = {
    CN_OP_HEAD(mT, "mT", "(Tensor input) -> Tensor"),
    .aliases = "adjoint",
    .doc = "The last two dimensions swapped: each matrix transposed.",
    .compose = mT_compose,
    .samples = "[2,3] | [2,3,4]",
};

typedef struct {
    cn_ints source, destination;
} Move;

/* The moved dimensions go where they are told, the others fill the gaps in their order. */
static bool movedim_compose(cn_call *c)
{
    const Move *p = c->params;
    int nd = c->in[0]->v.shape.ndim, next = 0;
    cn_shape order = { .ndim = nd };
    unsigned from, to;
    if (p->source.n != p->destination.n)
        return cn_fail(CN_EINVALID, "movedim: %lld sources for %lld destinations",
                       (long long)p->source.n, (long long)p->destination.n);
    if (p->source.n == 0 || nd == 0) return cn_set_out(c, 0, c->in[0]);
    if (!cn_dims_mask(&p->source, nd, "movedim", &from) ||
        !cn_dims_mask(&p->destination, nd, "movedim", &to))
        return false;
    for (int i = 0; i < p->source.n; i++)
        order.dim[cn_wrap_dim(p->destination.v[i], nd, "movedim")] = p->source.v[i];
    for (int i = 0; i < nd; i++) {
        if (to & (1u << i)) continue;
        while (from & (1u << next)) next++;
        order.dim[i] = next++;
    }
    return cn_set_out(c, 0, cn_permute(c->in[0], order));
}

const cn_op cn_op_movedim = {
    CN_OP_HEAD(movedim, "movedim", "(Tensor input, int[] source, int[] destination) -> Tensor"),
    .aliases = "moveaxis",
    .doc = "Moves the dimensions source to the places destination; the others keep their order.",
    .params_size = sizeof(Move),
    .compose = movedim_compose,
    .samples = "[2,3,4] source=0 destination=2 | [2,3,4] (0,1) (-1,0) | [2,3,1,4] (3,) (0,)",
};

/* ---- after another tensor ------------------------------------------------------------------ */

static bool as_other_compose(cn_call *c)
{
    const cn_shape *s = &c->in[1]->v.shape;
    cn_tensor *(*change)(cn_tensor *, cn_shape) = c->op == &cn_op_expand_as ? cn_expand
                                                  : c->op == &cn_op_view_as ? cn_view_as
                                                                            : cn_reshape;
    return cn_set_out(c, 0, change(c->in[0], *s));
}

#define AS_OTHER(ident, text, cases)                                                               \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, "(Tensor input, Tensor other) -> Tensor"),                       \
        .doc = text,                                                                               \
        .compose = as_other_compose,                                                               \
        .samples = cases,                                                                          \
    }

AS_OTHER(expand_as, "expand to the shape of other.", "[3,1] i64<2[2,3,4] | [] i64<2[2]");
AS_OTHER(reshape_as, "reshape to the shape of other.", "[2,3] i64<2[3,2] | [1] i64<2[]");
AS_OTHER(view_as, "view with the shape of other.", "[6] i64<2[3,2] | [1] i64<2[]");

/* ---- broadcast_tensors, meshgrid ----------------------------------------------------------- */

static bool broadcast_tensors_compose(cn_call *c)
{
    cn_shape s = { 0 };
    bool ok = cn_room_for(c, c->n_in);
    for (int i = 0; ok && i < c->n_in; i++)
        ok = cn_shape_broadcast(&s, &c->in[i]->v.shape, &s, "broadcast_tensors");
    for (int i = 0; ok && i < c->n_in; i++) ok = cn_set_out(c, i, cn_expand(c->in[i], s));
    return ok;
}

const cn_op cn_op_broadcast_tensors = {
    CN_OP_HEAD(broadcast_tensors, "broadcast_tensors", "(Tensor[] tensors) -> Tensor[]"),
    .doc = "All tensors expanded to the shape they broadcast to.",
    .compose = broadcast_tensors_compose,
    .samples = "{[2,1] [3] []} | {[2]}",
};

static bool meshgrid_compose(cn_call *c)
{
    const char *indexing = *(const char *const *)c->params;
    bool swap = indexing && indexing[0] == 'x' && c->n_in > 1;
    cn_shape s = { .ndim = c->n_in };
    if (c->n_in > CN_MAX_DIMS)
        return cn_fail(CN_EINVALID, "meshgrid: too many axes");
    for (int i = 0; i < c->n_in; i++) {
        if (!cn_want_dims(c, i, 0, 1)) return false;
        s.dim[i] = c->in[i]->v.numel;
    }
    for (int i = 0; i < c->n_in; i++) {
        cn_tensor *y = cn_expand(cn_reshape(c->in[i], cn_shape_along(s.ndim, i, s.dim[i])), s);
        if (!cn_set_out(c, i, swap ? cn_transpose(y, 0, 1) : y)) return false;
    }
    return true;
}

const cn_op cn_op_meshgrid = {
    CN_OP_HEAD(meshgrid, "meshgrid", "(Tensor[] tensors, *, str indexing='ij') -> Tensor[]"),
    .doc = "The coordinates of every point of the grid with these axes.",
    .params_size = sizeof(char *),
    .compose = meshgrid_compose,
    .samples = "{[2] [3]} | {[2] [3] []} indexing=xy",
};

/* ---- diagonals ----------------------------------------------------------------------------- */

typedef struct {
    int64_t offset, dim1, dim2;
} Diagonal;

/* The diagonal as picks: element k of the vector lies at (k + down, k + right). */
static cn_tensor *diagonal_index(int64_t rows, int64_t cols, int64_t offset)
{
    int64_t down = offset < 0 ? -offset : 0, right = offset > 0 ? offset : 0;
    int64_t n = rows - down < cols - right ? rows - down : cols - right;
    cn_tensor *index = cn_empty(CN_SHAPE(n > 0 ? n : 0), CN_I64);
    for (int64_t k = 0; index && k < n; k++)
        ((int64_t *)(void *)index->v.data)[k] = (k + down) * cols + k + right;
    return index;
}

static cn_tensor *diagonal(cn_tensor *t, const Diagonal *p)
{
    int nd = t->v.shape.ndim, a = cn_wrap_dim(p->dim1, nd, "diagonal"),
        b = cn_wrap_dim(p->dim2, nd, "diagonal");
    if (a < 0 || b < 0) return NULL;
    if (a == b) {
        cn_fail(CN_EINVALID, "diagonal: dim1 and dim2 are the same, %d", a);
        return NULL;
    }
    cn_shape order = { .ndim = nd };
    for (int i = 0, n = 0; i < nd; i++)
        if (i != a && i != b) order.dim[n++] = i;
    order.dim[nd - 2] = a, order.dim[nd - 1] = b;
    int64_t rows = t->v.shape.dim[a], cols = t->v.shape.dim[b];
    t = cn_permute(t, order);
    if (!t) return NULL;
    cn_shape flat = t->v.shape;
    flat.dim[--flat.ndim - 1] = rows * cols;
    return cn_index_select(cn_reshape(t, flat), -1, diagonal_index(rows, cols, p->offset));
}

static bool diagonal_compose(cn_call *c)
{
    return cn_want_dims(c, 0, 2, CN_MAX_DIMS) && cn_set_out(c, 0, diagonal(c->in[0], c->params));
}

const cn_op cn_op_diagonal = {
    CN_OP_HEAD(diagonal, "diagonal",
               "(Tensor input, int offset=0, int dim1=0, int dim2=1) -> Tensor"),
    .doc = "The diagonals of the matrices in dim1 and dim2, as the last dimension.",
    .params_size = sizeof(Diagonal),
    .compose = diagonal_compose,
    .samples = "[3,4] | [3,4] 1 | [4,3] -2 | [2,3,3] 0 -2 -1 | [3,3] 5",
};

static bool diag_compose(cn_call *c)
{
    int64_t offset = *(const int64_t *)c->params, n = c->in[0]->v.numel;
    if (!cn_want_dims(c, 0, 1, 2)) return false;
    if (c->in[0]->v.shape.ndim == 2)
        return cn_set_out(c, 0, diagonal(c->in[0], &(Diagonal){ offset, 0, 1 }));
    int64_t side = n + (offset < 0 ? -offset : offset);
    cn_tensor *flat = cn_zeros(CN_SHAPE(side * side), c->in[0]->v.dtype);
    flat = cn_index_copy(flat, 0, diagonal_index(side, side, offset), c->in[0]);
    return cn_set_out(c, 0, cn_reshape(flat, CN_SHAPE(side, side)));
}

const cn_op cn_op_diag = {
    CN_OP_HEAD(diag, "diag", "(Tensor input, int diagonal=0) -> Tensor"),
    .doc = "A diagonal of a matrix, or the square matrix with this vector as its diagonal.",
    .params_size = sizeof(int64_t),
    .compose = diag_compose,
    .samples = "[3,4] | [3,3] -1 | [3] | [2] 2 | [0]",
};

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
        for (int64_t j = 0; j < cols; j++)
            m[i * cols + j] = c->op == &cn_op_tril ? j - i <= offset : j - i >= offset;
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

/* ---- unfold -------------------------------------------------------------------------------- */

typedef struct {
    int64_t dimension, size, step;
} Unfold;

/* Windows along one dimension: picked one after the other, then cut and moved last. */
static bool unfold_compose(cn_call *c)
{
    const Unfold *p = c->params;
    cn_tensor *t = c->in[0]->v.shape.ndim ? c->in[0] : cn_reshape(c->in[0], CN_SHAPE(1));
    int dim = t ? cn_wrap_dim(p->dimension, c->in[0]->v.shape.ndim, "unfold") : -1;
    if (dim < 0) return false;
    int64_t n = t->v.shape.dim[dim];
    if (p->size < 0 || p->size > n || p->step < 1)
        return cn_fail(CN_EINVALID, "unfold: windows of %lld every %lld in a dimension of %lld",
                       (long long)p->size, (long long)p->step, (long long)n);
    int64_t count = (n - p->size) / p->step + 1;
    cn_tensor *index = cn_empty(CN_SHAPE(count * p->size), CN_I64);
    if (!index) return false;
    for (int64_t i = 0; i < index->v.numel; i++)
        ((int64_t *)(void *)index->v.data)[i] = i / p->size * p->step + i % p->size;
    t = cn_index_select(t, dim, index);
    if (!t) return false;
    cn_shape cut = { .ndim = t->v.shape.ndim + 1 }, order = cut;
    for (int i = 0; i < cut.ndim; i++) {
        cut.dim[i] = i == dim       ? count
                     : i == dim + 1 ? p->size
                                    : t->v.shape.dim[i < dim ? i : i - 1];
        order.dim[i] = i <= dim ? i : i + 1 < cut.ndim ? i + 1 : dim + 1;
    }
    t = cn_permute(cn_reshape(t, cut), order);
    return cn_set_out(c, 0,
                      t && c->in[0]->v.shape.ndim == 0 ? cn_reshape(t, CN_SHAPE(p->size)) : t);
}

const cn_op cn_op_unfold = {
    CN_OP_HEAD(unfold, "unfold", "(Tensor input, int dimension, int size, int step) -> Tensor"),
    .doc =
        "The windows of `size` elements, every `step`, along a dimension; the window comes last.",
    .params_size = sizeof(Unfold),
    .compose = unfold_compose,
    .samples = "[5] 0 2 1 | [2,6,2] 1 3 2 | [4,3] -1 3 1 | [] 0 1 1",
};
