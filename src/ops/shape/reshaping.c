/* reshaping.c - dimensions added, dropped, merged and moved. */
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
    if (c->in[0]->v.shape.ndim == 0) return cn_set_out(c, 0, c->in[0]);
    return cn_want_dims(c, 0, 2, CN_MAX_DIMS) && cn_set_out(c, 0, cn_transpose(c->in[0], -2, -1));
}

const cn_op cn_op_mT = {
    CN_OP_HEAD(mT, "mT", "(Tensor input) -> Tensor"),
    .doc = "The last two dimensions swapped: each matrix transposed; a number stays as it is.",
    .compose = mT_compose,
    .samples = "[2,3] | [2,3,4] | []",
};

static bool adjoint_compose(cn_call *c)
{
    return cn_want_dims(c, 0, 2, CN_MAX_DIMS) &&
           cn_set_out(c, 0, cn_conj(cn_transpose(c->in[0], -2, -1)));
}

const cn_op cn_op_adjoint = {
    CN_OP_HEAD(adjoint, "adjoint", "(Tensor input) -> Tensor"),
    .aliases = "mH",
    .doc = "The last two dimensions swapped, and complex numbers conjugated.",
    .compose = adjoint_compose,
    .samples = "[2,3] | c[2,3,4]",
};

static bool H_compose(cn_call *c)
{
    int nd = c->in[0]->v.shape.ndim;
    if (nd != 0 && nd != 2)
        return cn_fail(CN_EINVALID, "H: a matrix is wanted, not %d dimensions; use mH", nd);
    return cn_set_out(c, 0, cn_conj(cn_t(c->in[0])));
}

const cn_op cn_op_H = {
    CN_OP_HEAD(H, "H", "(Tensor input) -> Tensor"),
    .doc = "The conjugate transpose of a matrix; of real ones the transpose.",
    .compose = H_compose,
    .samples = "[2,3] | []",
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
    if (p->source.n == 0) return cn_set_out(c, 0, c->in[0]);
    if (!cn_dims_mask(&p->source, nd, "movedim", &from) ||
        !cn_dims_mask(&p->destination, nd, "movedim", &to))
        return false;
    if (nd == 0) return cn_set_out(c, 0, c->in[0]);
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

/* ---- unflatten, ravel ---------------------------------------------------------------------- */

typedef struct {
    int64_t dim;
    cn_ints sizes;
} Unflatten;

/* One of the sizes may be -1: what the others leave. */
static bool unflatten_compose(cn_call *c)
{
    const Unflatten *p = c->params;
    const cn_shape *s = &c->in[0]->v.shape;
    if (!cn_want_dims(c, 0, 1, CN_MAX_DIMS)) return false;
    int dim = cn_wrap_dim(p->dim, s->ndim, "unflatten"), open = -1;
    if (dim < 0) return false;
    if (p->sizes.n == 0) return cn_fail(CN_EINVALID, "unflatten: no sizes");
    cn_shape r = { .ndim = s->ndim - 1 + (int)p->sizes.n };
    int64_t known = 1;
    if (r.ndim > CN_MAX_DIMS)
        return cn_fail(CN_EINVALID, "unflatten: the result would have %d dimensions", r.ndim);
    for (int i = 0; i < r.ndim; i++) {
        bool new = i >= dim &&i < dim + p->sizes.n;
        r.dim[i] = new ? p->sizes.v[i - dim] : s->dim[i < dim ? i : i - (int)p->sizes.n + 1];
        if (new &&r.dim[i] == -1 && open < 0) open = i;
        else if (new && (r.dim[i] < 0 || __builtin_mul_overflow(known, r.dim[i], &known)))
            return cn_fail(CN_EINVALID, "unflatten: size %lld", (long long)r.dim[i]);
    }
    if (open >= 0 && known > 0 && s->dim[dim] % known == 0)
        r.dim[open] = s->dim[dim] / known, known = s->dim[dim];
    if (known != s->dim[dim])
        return cn_fail(CN_EINVALID, "unflatten: the sizes do not make dimension %d of size %lld",
                       dim, (long long)s->dim[dim]);
    return cn_set_out(c, 0, cn_reshape(c->in[0], r));
}

const cn_op cn_op_unflatten = {
    CN_OP_HEAD(unflatten, "unflatten", "(Tensor input, int dim, int[] sizes) -> Tensor"),
    .doc = "One dimension cut into several of these sizes; one may be -1.",
    .params_size = sizeof(Unflatten),
    .compose = unflatten_compose,
    .samples = "[2,6] 1 (2,3) | [6] -1 (3,-1) | [4,2] 0 (4,) | [0,2] 0 (2,0)",
};

static bool ravel_compose(cn_call *c)
{
    return cn_set_out(c, 0, cn_reshape(c->in[0], CN_SHAPE(c->in[0]->v.numel)));
}

const cn_op cn_op_ravel = {
    CN_OP_HEAD(ravel, "ravel", "(Tensor input) -> Tensor"),
    .doc = "All elements in one dimension; a copy only where strides ask for it.",
    .compose = ravel_compose,
    .samples = "[2,3] | [] | [0,2]",
};

/* ---- atleast_1d, 2d, 3d -------------------------------------------------------------------- */

/* As NumPy has it: a vector becomes a row, and a matrix of three dimensions gets the new one last. */
static cn_tensor *at_least(cn_tensor *t, int dims)
{
    if (t && t->v.shape.ndim == 0) t = cn_reshape(t, CN_SHAPE(1));
    if (t && dims > 1 && t->v.shape.ndim == 1) t = cn_unsqueeze(t, 0);
    if (t && dims > 2 && t->v.shape.ndim == 2) t = cn_unsqueeze(t, -1);
    return t;
}

static bool at_least_compose(cn_call *c)
{
    int dims = c->op == &cn_op_atleast_1d ? 1 : c->op == &cn_op_atleast_2d ? 2 : 3;
    bool ok = cn_room_for(c, c->n_in);
    for (int i = 0; ok && i < c->n_in; i++) ok = cn_set_out(c, i, at_least(c->in[i], dims));
    return ok;
}

#define AT_LEAST(ident, text)                                                                      \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, "(Tensor[] tensors) -> Tensor[]"),                               \
        .doc = text,                                                                               \
        .compose = at_least_compose,                                                               \
        .samples = "[2,3] | {[] [3] [2,3] [2,1,2]} | [0]",                                         \
    }

AT_LEAST(atleast_1d, "Numbers as vectors; of a list: each of them.");
AT_LEAST(atleast_2d, "Numbers and vectors as matrices of one row; of a list: each of them.");
AT_LEAST(atleast_3d, "Less than three dimensions filled up with ones; of a list: each of them.");
