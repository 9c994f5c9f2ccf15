/* pad.c - tensors with a margin: of a constant, mirrored, repeated or wrapped around. */
#include "ops/compose.h"

#include <string.h>

/* Margins come in pairs (before, after), the last dimension first. */
static bool margins_fit(const cn_ints *pad, const cn_shape *s, const char *what)
{
    char text[128];
    if (pad->n >= 0 && pad->n % 2 == 0 && pad->n / 2 <= s->ndim) return true;
    return cn_fail(CN_EINVALID,
                   "%s: %lld margins for shape %s; two for each padded dimension are wanted", what,
                   (long long)pad->n, cn_shape_text(s, text));
}

/* ---- by a constant; a negative margin cuts off -------------------------------------------- */

typedef struct {
    cn_ints pad;
    cn_number_arg value;
} ConstantPad;

static bool constant_pad_infer(const cn_call *c, cn_spec out[])
{
    const ConstantPad *p = c->params;
    *out = (cn_spec){ c->in[0]->v.dtype, c->in[0]->v.shape };
    if (!margins_fit(&p->pad, &out->shape, "constant_pad_nd")) return false;
    for (int i = 0; i < p->pad.n / 2; i++) {
        int64_t *size = &out->shape.dim[out->shape.ndim - 1 - i], before = p->pad.v[2 * i];
        if (__builtin_add_overflow(*size, before, size) ||
            __builtin_add_overflow(*size, p->pad.v[2 * i + 1], size) || *size < 0)
            return cn_fail(CN_EINVALID,
                           "constant_pad_nd: margins (%lld, %lld) give dimension %d no possible "
                           "size",
                           (long long)before, (long long)p->pad.v[2 * i + 1],
                           out->shape.ndim - 1 - i);
    }
    return true;
}

static void skip(cn_view *v, int dim, int64_t count, int64_t size)
{
    v->data += count * v->strides[dim] * (int64_t)cn_dtype_size(v->dtype);
    v->shape.dim[dim] = size;
}

static bool constant_pad_kernel(const cn_call *c)
{
    const ConstantPad *p = c->params;
    cn_view y = *cn_out(c, 0), x = *cn_in(c, 0);
    cn_fill_view(&y, p->value.kind == CN_NUM_FLOAT ? p->value.u.f : (double)p->value.u.i);
    for (int i = 0; i < p->pad.n / 2; i++) {
        int dim = x.shape.ndim - 1 - i;
        int64_t before = p->pad.v[2 * i], after = p->pad.v[2 * i + 1];
        int64_t size = x.shape.dim[dim] + (before < 0 ? before : 0) + (after < 0 ? after : 0);
        if (size <= 0) return true; /* only margin is left */
        skip(&x, dim, before < 0 ? -before : 0, size);
        skip(&y, dim, before > 0 ? before : 0, size);
    }
    cn_view_refresh(&x);
    cn_view_refresh(&y);
    cn_copy_view(&y, &x);
    return true;
}

static void constant_pad_backward(cn_grads *g)
{
    const ConstantPad *p = cn_grad_params(g);
    ConstantPad cut = { .pad.n = p->pad.n, .value.kind = CN_NUM_INT };
    for (int i = 0; i < p->pad.n; i++) cut.pad.v[i] = -p->pad.v[i];
    cn_give(g, 0, CN_CALL(constant_pad_nd, &cut, cn_gout(g, 0)));
}

const cn_op cn_op_constant_pad_nd = {
    CN_OP_HEAD(constant_pad_nd, "constant_pad_nd",
               "(Tensor input, int[] pad, Scalar value=0) -> Tensor"),
    .doc =
        "Margins of value: (before, after) of the last dimension, of the one before it, ..; negative "
        "ones cut off.",
    .flags = CN_ANY_DTYPE,
    .params_size = sizeof(ConstantPad),
    .infer = constant_pad_infer,
    .kernel = constant_pad_kernel,
    .backward = constant_pad_backward,
    .samples =
        "[2,3] (1,2) | [2,3,2] (0,1,-1,2) 0.5 | [3] (-1,-1) | [0,2] (1,1) | i64<9[3] (1,0) 7 | [2] (-3,4)",
};

cn_tensor *cn_constant_pad_nd(cn_tensor *input, cn_shape pad, double value)
{
    ConstantPad p = { .pad = cn_ints_of(&pad), .value = { .kind = CN_NUM_FLOAT, .u.f = value } };
    return CN_CALL(constant_pad_nd, &p, input);
}

/* ---- by what is inside: each padded dimension selects elements by an index ---------------- */

typedef struct {
    cn_ints pad;
    const char *mode;
    cn_opt_float value;
} Pad;

typedef enum { REFLECT, REPLICATE, CIRCULAR, CONSTANT, MODES } Mode;

static const char *const mode_names[MODES] = { "reflect", "replicate", "circular", "constant" };

/* Where position i of a line of n elements, which may lie in a margin, takes its value from. */
static int64_t source(Mode mode, int64_t i, int64_t n)
{
    switch (mode) {
    case REFLECT: return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
    case CIRCULAR: return i < 0 ? i + n : i >= n ? i - n : i;
    default: return i < 0 ? 0 : i >= n ? n - 1 : i;
    }
}

static cn_tensor *pad_line(cn_tensor *x, int dim, int64_t before, int64_t after, Mode mode)
{
    int64_t n = x->v.shape.dim[dim], most = mode == REFLECT ? n - 1 : n;
    if (n == 0 || before + n + after <= 0 ||
        (mode == CIRCULAR && n + (before < 0 ? before : 0) + (after < 0 ? after : 0) <= 0) ||
        (mode != REPLICATE && (before > most || after > most))) {
        cn_fail(CN_EINVALID,
                "pad: margins (%lld, %lld) of dimension %d, which has size %lld, are not "
                "possible with mode '%s'",
                (long long)before, (long long)after, dim, (long long)n, mode_names[mode]);
        return NULL;
    }
    if (mode == CIRCULAR && (before < 0 || after < 0)) { /* cut, then wrapped around */
        int64_t first = before < 0 ? -before : 0, cut = first + (after < 0 ? -after : 0);
        x = n > cut ? cn_narrow(x, dim, first, n - cut) : NULL;
        return x ? pad_line(x, dim, before > 0 ? before : 0, after > 0 ? after : 0, mode) : NULL;
    }
    cn_tensor *index = cn_empty(CN_SHAPE(before + n + after), CN_I64);
    if (!index) return NULL;
    int64_t *to = (int64_t *)(void *)index->v.data;
    for (int64_t i = -before; i < n + after; i++) *to++ = source(mode, i, n);
    return cn_index_select(x, dim, index);
}

static bool pad_compose(cn_call *c)
{
    const Pad *p = c->params;
    cn_tensor *x = c->in[0];
    unsigned mode = 0;
    while (mode < MODES && strcmp(mode_names[mode], p->mode ? p->mode : "constant") != 0) mode++;
    if (mode == MODES) return cn_fail(CN_EINVALID, "pad: unknown mode '%s'", p->mode);
    if (mode == CONSTANT) {
        ConstantPad constant = { p->pad, { .kind = CN_NUM_FLOAT, .u.f = p->value.value } };
        return cn_set_out(c, 0, CN_CALL(constant_pad_nd, &constant, x));
    }
    if (!margins_fit(&p->pad, &x->v.shape, "pad")) return false;
    for (int i = 0; x && i < p->pad.n / 2; i++)
        if (p->pad.v[2 * i] || p->pad.v[2 * i + 1])
            x = pad_line(x, x->v.shape.ndim - 1 - i, p->pad.v[2 * i], p->pad.v[2 * i + 1],
                         (Mode)mode);
    return cn_set_out(c, 0, x);
}

const cn_op cn_op_pad = {
    CN_OP_HEAD(pad, "nn.functional.pad",
               "(Tensor input, int[] pad, str mode='constant', float? value=None) -> Tensor"),
    .doc =
        "Margins (before, after) from the last dimension on: constant, reflect, replicate or circular.",
    .params_size = sizeof(Pad),
    .compose = pad_compose,
    .samples =
        "[2,3] (1,2) | [2,3] (1,2) value=2 | [1,2,3,4] (2,1,1,2) replicate | [1,2,3,4] (2,1,1,2) reflect | "
        "[1,2,3,4] (2,1,1,3) circular | [1,2,3,4] (-1,1,-2,1) circular | [1,2,3,4] (-1,1,1,-2) reflect | "
        "[1,2,3,4] (-1,1,2,-2) replicate",
};

cn_tensor *cn_pad_with(const cn_pad_args *a)
{
    static const char *const names[] = { "constant", "reflect", "replicate", "circular" };
    Pad p = { cn_ints_of(&a->pad), names[a->mode], { .given = true, .value = a->value } };
    return CN_CALL(pad, &p, a->input);
}
