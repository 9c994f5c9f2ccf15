/* flipping.c - flip, rot90 and roll: the same elements in another order. */
#include "ops/compose.h"

/* ---- flip, rot90 --------------------------------------------------------------------------- */

static bool flip_infer(const cn_call *c, cn_spec out[])
{
    unsigned mask;
    const cn_ints *dims = c->params;
    if (dims->n > 0 && !cn_dims_mask(dims, c->in[0]->v.shape.ndim, "flip", &mask)) return false;
    return cn_infer_same(c, out);
}

/* Read from the last element on, with negative strides. */
static bool flip_kernel(const cn_call *c)
{
    cn_view v = *cn_in(c, 0);
    const cn_ints *dims = c->params;
    for (int i = 0; i < dims->n && v.shape.ndim && v.numel; i++) {
        int d = cn_wrap_dim(dims->v[i], v.shape.ndim, "flip");
        v.data += (v.shape.dim[d] - 1) * v.strides[d] * (int64_t)cn_dtype_size(v.dtype);
        v.strides[d] = -v.strides[d];
    }
    cn_view_refresh(&v);
    cn_copy_view(cn_out(c, 0), &v);
    return true;
}

static void flip_backward(cn_grads *g)
{
    cn_give(g, 0, CN_CALL(flip, cn_grad_params(g), cn_gout(g, 0)));
}

const cn_op cn_op_flip = {
    CN_OP_HEAD(flip, "flip", "(Tensor input, int[] dims) -> Tensor"),
    .doc = "The elements in reverse order along dims; a copy.",
    .params_size = sizeof(cn_ints),
    .flags = CN_ANY_DTYPE,
    .infer = flip_infer,
    .kernel = flip_kernel,
    .backward = flip_backward,
    .samples = "[2,3] (0,1) | [2,3,4] (-2,) | [] (0,) | [0,2] (0,) | [3] () | bool[3] 0",
};

cn_tensor *cn_flip(cn_tensor *input, cn_shape dims)
{
    cn_ints p = cn_ints_of(&dims);
    return CN_CALL(flip, &p, input);
}

static bool fliplr_compose(cn_call *c)
{
    return cn_want_dims(c, 0, 2, CN_MAX_DIMS) && cn_set_out(c, 0, cn_flip(c->in[0], CN_SHAPE(1)));
}

const cn_op cn_op_fliplr = {
    CN_OP_HEAD(fliplr, "fliplr", "(Tensor input) -> Tensor"),
    .doc = "Left and right exchanged: flip along dimension 1.",
    .compose = fliplr_compose,
    .samples = "[2,3] | [0,2]",
};

static bool flipud_compose(cn_call *c)
{
    return cn_want_dims(c, 0, 1, CN_MAX_DIMS) && cn_set_out(c, 0, cn_flip(c->in[0], CN_SHAPE(0)));
}

const cn_op cn_op_flipud = {
    CN_OP_HEAD(flipud, "flipud", "(Tensor input) -> Tensor"),
    .doc = "Up and down exchanged: flip along dimension 0.",
    .compose = flipud_compose,
    .samples = "[2,3] | [3]",
};

typedef struct {
    int64_t k;
    cn_ints dims;
} Rot90;

/* A quarter turn flips the second dimension and swaps the two. */
static bool rot90_compose(cn_call *c)
{
    const Rot90 *p = c->params;
    cn_tensor *t = c->in[0];
    int nd = t->v.shape.ndim;
    if (p->dims.n != 2 || nd < 2)
        return cn_fail(CN_EINVALID, "rot90: two dims of a tensor with at least two are wanted");
    int a = cn_wrap_dim(p->dims.v[0], nd, "rot90"), b = cn_wrap_dim(p->dims.v[1], nd, "rot90");
    if (a < 0 || b < 0) return false;
    if (a == b) return cn_fail(CN_EINVALID, "rot90: dim %d appears twice", a);
    switch (p->k & 3) {
    case 1: t = cn_transpose(cn_flip(t, CN_SHAPE(b)), a, b); break;
    case 2: t = cn_flip(t, CN_SHAPE(a, b)); break;
    case 3: t = cn_transpose(cn_flip(t, CN_SHAPE(a)), a, b); break;
    default: t = cn_clone(t);
    }
    return cn_set_out(c, 0, t);
}

const cn_op cn_op_rot90 = {
    CN_OP_HEAD(rot90, "rot90", "(Tensor input, int k=1, int[] dims=(0,1)) -> Tensor"),
    .doc = "Turned by k quarters in the plane of two dims, from the first towards the second.",
    .params_size = sizeof(Rot90),
    .compose = rot90_compose,
    .samples = "[2,3] | [2,3] 2 | [2,3] 3 (1,0) | [2,3,4] -3 (0,-1) | [2,3] 4",
};

/* ---- roll ---------------------------------------------------------------------------------- */

typedef struct {
    cn_ints shifts, dims;
} Roll;

/* The last `shift` elements come first. */
static cn_tensor *roll_one(cn_tensor *t, int64_t shift, int dim)
{
    int64_t n = t && t->v.shape.ndim ? t->v.shape.dim[dim] : 0;
    if (n == 0) return t;
    int64_t k = (shift % n + n) % n;
    cn_tensor *parts[] = { cn_narrow(t, dim, n - k, k), cn_narrow(t, dim, 0, n - k) };
    return cn_cat(parts, 2, dim);
}

static bool roll_compose(cn_call *c)
{
    const Roll *p = c->params;
    cn_tensor *t = c->in[0];
    const cn_shape s = t->v.shape;
    if (p->shifts.n == 0) return cn_fail(CN_EINVALID, "roll: shifts is empty");
    if (p->dims.n == 0 && p->shifts.n == 1)
        return cn_set_out(
            c, 0, cn_reshape(roll_one(cn_reshape(t, CN_SHAPE(t->v.numel)), p->shifts.v[0], 0), s));
    if (p->dims.n != p->shifts.n)
        return cn_fail(CN_EINVALID, "roll: %lld shifts for %lld dims", (long long)p->shifts.n,
                       (long long)p->dims.n);
    for (int i = 0; i < p->dims.n && t; i++) {
        if (s.ndim == 0) return cn_fail(CN_EINVALID, "roll: a 0-d tensor has no dims");
        int dim = cn_wrap_dim(p->dims.v[i], s.ndim, "roll");
        t = dim < 0 ? NULL : roll_one(t, p->shifts.v[i], dim);
    }
    return cn_set_out(c, 0, t);
}

const cn_op cn_op_roll = {
    CN_OP_HEAD(roll, "roll", "(Tensor input, int[] shifts, int[] dims=()) -> Tensor"),
    .doc =
        "Shifts along dims; what leaves at one end enters at the other. Without dims: flattened.",
    .params_size = sizeof(Roll),
    .compose = roll_compose,
    .samples = "[2,3] (1,) | [2,3] (1,2) (0,1) | [2,3] -5 dims=-2 | [0,2] (1,) 0",
};
