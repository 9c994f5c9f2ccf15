/* parts.c - complex tensors made of real ones, and their parts: views wherever that is possible. */
#include "ops/complex/complex.h"

/* ---- real, imag ---------------------------------------------------------------------------- */

/* Part number k, 0 or 1, as a view of the float type. */
static void see_part(cn_view *v, int k)
{
    v->dtype = cn_dtype_real_of(v->dtype);
    v->data += k * (int64_t)cn_dtype_size(v->dtype);
    for (int i = 0; i < v->shape.ndim; i++) v->strides[i] *= 2;
}

static bool part_view(const cn_call *c, cn_view *v)
{
    if (!cn_dtype_is_complex(v->dtype))
        return cn_fail(CN_EINVALID, "%s: complex numbers are wanted, not %s", c->op->name,
                       cn_dtype_name(v->dtype));
    see_part(v, c->op == &cn_op_imag_part);
    return true;
}

static void real_part_backward(cn_grads *g)
{
    cn_give(g, 0, cn_gout(g, 0)); /* converted, with imaginary part 0 */
}

static void imag_part_backward(cn_grads *g)
{
    cn_tensor *gy = cn_gout(g, 0);
    cn_give(g, 0, cn_complex(cn_zeros(cn_scalar_shape(), gy->v.dtype), gy));
}

#define PART_OP(ident, text)                                                                       \
    const cn_op cn_op_##ident = {                                                                  \
        CN_OP_HEAD(ident, #ident, "(Tensor input) -> Tensor"),                                     \
        .doc = text,                                                                               \
        .flags = CN_ANY_DTYPE,                                                                     \
        .view = part_view,                                                                         \
        .backward = ident##_backward,                                                              \
        .samples = "c[2,3] | c[] | c[0]",                                                          \
    }

PART_OP(imag_part, "The imaginary parts of complex numbers; shares memory.");
PART_OP(real_part, "The real parts of complex numbers; shares memory.");

static bool real_compose(cn_call *c)
{
    return cn_set_out(c, 0, cn_real(c->in[0]));
}

const cn_op cn_op_real = {
    CN_OP_HEAD(real, "real", "(Tensor input) -> Tensor"),
    .doc = "The real parts, sharing memory; of what is not complex the input itself.",
    .compose = real_compose,
    .samples = "c[2,3] | [2] | c[] | c[0,2]",
};

cn_tensor *cn_real(cn_tensor *input)
{
    bool is_complex = input && cn_dtype_is_complex(input->v.dtype);
    return is_complex ? CN_CALL(real_part, NULL, input) : input;
}

static bool imag_compose(cn_call *c)
{
    return cn_set_out(c, 0, cn_imag(c->in[0]));
}

const cn_op cn_op_imag = {
    CN_OP_HEAD(imag, "imag", "(Tensor input) -> Tensor"),
    .doc = "The imaginary parts of complex numbers, sharing memory.",
    .compose = imag_compose,
    .samples = "c[2,3] | c[] | c[0,2]",
};

cn_tensor *cn_imag(cn_tensor *input)
{
    return CN_CALL(imag_part, NULL, input);
}

/* ---- view_as_real, view_as_complex --------------------------------------------------------- */

static bool as_real_view(const cn_call *c, cn_view *v)
{
    int nd = v->shape.ndim;
    if (nd == CN_MAX_DIMS)
        return cn_fail(CN_EINVALID, "view_as_real: the tensor has %d dimensions already", nd);
    if (!part_view(c, v)) return false;
    v->shape.dim[nd] = 2, v->strides[nd] = 1;
    v->shape.ndim = nd + 1;
    return true;
}

static void as_real_backward(cn_grads *g)
{
    cn_give(g, 0, cn_view_as_complex(cn_contiguous(cn_gout(g, 0))));
}

const cn_op cn_op_view_as_real = {
    CN_OP_HEAD(view_as_real, "view_as_real", "(Tensor input) -> Tensor"),
    .doc = "Complex numbers as pairs (real part, imaginary part) in a new last dimension; shares "
           "memory.",
    .flags = CN_ANY_DTYPE,
    .view = as_real_view,
    .backward = as_real_backward,
    .samples = "c[2,3] | c[] | c[0]",
};

cn_tensor *cn_view_as_real(cn_tensor *input)
{
    return CN_CALL(view_as_real, NULL, input);
}

static bool as_complex_view(const cn_call *c, cn_view *v)
{
    char text[128];
    int last = v->shape.ndim - 1;
    if (v->dtype != CN_F32 && v->dtype != CN_F64)
        return cn_fail(CN_EINVALID, "view_as_complex: float32 or float64 is wanted, not %s",
                       cn_dtype_name(v->dtype));
    if (last < 0 || v->shape.dim[last] != 2)
        return cn_fail(CN_EINVALID, "view_as_complex: the last dimension must have size 2, not %s",
                       cn_shape_text(&c->in[0]->v.shape, text));
    bool pairs = v->strides[last] == 1;
    for (int i = 0; i < last; i++) {
        pairs &= v->strides[i] % 2 == 0 || v->shape.dim[i] <= 1;
        v->strides[i] /= 2;
    }
    pairs &= (uintptr_t)v->data % (2 * cn_dtype_size(v->dtype)) == 0;
    v->dtype = cn_dtype_complex_of(v->dtype);
    v->shape.ndim = last;
    return pairs ||
           cn_fail(CN_EINVALID, "view_as_complex: the pairs do not lie together in memory; "
                                "take contiguous() first");
}

static void as_complex_backward(cn_grads *g)
{
    cn_give(g, 0, cn_view_as_real(cn_gout(g, 0)));
}

const cn_op cn_op_view_as_complex = {
    CN_OP_HEAD(view_as_complex, "view_as_complex", "(Tensor input) -> Tensor"),
    .doc = "Pairs (real part, imaginary part) in the last dimension as complex numbers; shares "
           "memory.",
    .flags = CN_ANY_DTYPE | CN_ON_STRIDES,
    .view = as_complex_view,
    .backward = as_complex_backward,
    .samples = "[2,3,2] | [2] | [0,2]",
};

cn_tensor *cn_view_as_complex(cn_tensor *input)
{
    return CN_CALL(view_as_complex, NULL, input);
}

/* ---- complex ------------------------------------------------------------------------------- */

static bool complex_infer(const cn_call *c, cn_spec out[])
{
    cn_dtype re = c->in[0]->v.dtype, im = c->in[1]->v.dtype;
    if (re != im || (re != CN_F32 && re != CN_F64))
        return cn_fail(CN_EINVALID,
                       "%s: two tensors of float32 or of float64 are wanted, not %s and %s",
                       c->op->name, cn_dtype_name(re), cn_dtype_name(im));
    out->dtype = cn_dtype_complex_of(re);
    return cn_shape_broadcast(&c->in[0]->v.shape, &c->in[1]->v.shape, &out->shape, c->op->name);
}

static bool complex_kernel(const cn_call *c)
{
    bool ok = true;
    for (int k = 0; k < 2; k++) {
        cn_view part = *cn_out(c, 0);
        see_part(&part, k);
        cn_view_refresh(&part);
        cn_tensor *from = cn_expand(cn_detach(c->in[k]), part.shape);
        if (from) cn_copy_view(&part, &from->v);
        ok &= from != NULL;
    }
    return ok;
}

static void complex_backward(cn_grads *g)
{
    cn_tensor *gy = cn_gout(g, 0);
    if (cn_wants(g, 0)) cn_give(g, 0, cn_real(gy));
    if (cn_wants(g, 1)) cn_give(g, 1, cn_imag(gy));
}

const cn_op cn_op_complex = {
    CN_OP_HEAD(complex, "complex", "(Tensor real, Tensor imag) -> Tensor"),
    .doc = "Complex numbers with these real and imaginary parts.",
    .flags = CN_ANY_DTYPE,
    .infer = complex_infer,
    .kernel = complex_kernel,
    .backward = complex_backward,
    .samples = "[2,3] [2,3] | [2,1] [3] | [] [2] | [0] [0]",
};

cn_tensor *cn_complex(cn_tensor *real, cn_tensor *imag)
{
    return CN_CALL(complex, NULL, real, imag);
}

/* ---- polar, is_complex --------------------------------------------------------------------- */

static bool polar_compose(cn_call *c)
{
    cn_tensor *r = c->in[0], *phi = c->in[1];
    cn_spec spec;
    return complex_infer(c, &spec) &&
           cn_set_out(c, 0, cn_complex(cn_mul(r, cn_cos(phi)), cn_mul(r, cn_sin(phi))));
}

const cn_op cn_op_polar = {
    CN_OP_HEAD(polar, "polar", "(Tensor abs, Tensor angle) -> Tensor"),
    .doc = "The complex numbers abs (cos(angle) + i sin(angle)).",
    .compose = polar_compose,
    .samples = "+[2,3] [2,3] | +[3] [2,1] | [] [] | [0] [0]",
};

static bool is_complex_compose(cn_call *c)
{
    bool yes = cn_dtype_is_complex(c->in[0]->v.dtype);
    return cn_set_out(c, 0, cn_full(cn_scalar_shape(), yes, CN_BOOL));
}

const cn_op cn_op_is_complex = {
    CN_OP_HEAD(is_complex, "is_complex", "(Tensor input) -> Tensor"),
    .doc = "Is its type complex? A 0-d bool.",
    .flags = CN_NO_GRAD_OP,
    .compose = is_complex_compose,
    .samples = "c[2] | [2] | i64<3[0]",
};
