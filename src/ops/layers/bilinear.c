/* bilinear.c - a form that is linear in each of two inputs. */
#include "ops/compose.h"

/* x1 weight[o] x2 for each output o, as two products of matrices. */
static bool bilinear_compose(cn_call *c)
{
    cn_tensor *x1 = c->in[0], *x2 = c->in[1], *weight = c->in[2];
    cn_tensor *bias = c->n_in > 3 ? c->in[3] : NULL;
    const cn_shape *a = &x1->v.shape, *b = &x2->v.shape, *w = &weight->v.shape;
    cn_shape lead = *a, other = *b;
    char text[3][128];
    if (!cn_want_dims(c, 0, 1, CN_MAX_DIMS) || !cn_want_dims(c, 1, 1, CN_MAX_DIMS) ||
        !cn_want_dims(c, 2, 3, 3))
        return false;
    lead.ndim--, other.ndim--;
    if (!cn_shape_equal(&lead, &other) || a->dim[lead.ndim] != w->dim[1] ||
        b->dim[lead.ndim] != w->dim[2])
        return cn_fail(CN_EINVALID, "bilinear: inputs %s and %s do not fit weight %s",
                       cn_shape_text(a, text[0]), cn_shape_text(b, text[1]),
                       cn_shape_text(w, text[2]));
    if (bias && (bias->v.shape.ndim != 1 || bias->v.numel != w->dim[0]))
        return cn_fail(CN_EINVALID, "bilinear: bias must have %lld numbers", (long long)w->dim[0]);
    int64_t rows = 1, outs = w->dim[0];
    for (int i = 0; i < lead.ndim; i++) rows *= lead.dim[i];
    cn_tensor *matrix =
        cn_reshape(cn_permute(weight, CN_SHAPE(1, 0, 2)), CN_SHAPE(w->dim[1], outs * w->dim[2]));
    cn_tensor *half = cn_matmul(cn_reshape(x1, CN_SHAPE(rows, w->dim[1])), matrix);
    half = half ? cn_reshape(half, CN_SHAPE(rows, outs, w->dim[2])) : NULL;
    cn_tensor *y = cn_matmul(half, cn_reshape(x2, CN_SHAPE(rows, w->dim[2], 1)));
    lead.dim[lead.ndim++] = outs;
    y = y ? cn_reshape(y, lead) : NULL;
    return cn_set_out(c, 0, bias ? cn_add(y, bias) : y);
}

const cn_op cn_op_bilinear = {
    CN_OP_HEAD(bilinear, "nn.functional.bilinear",
               "(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor"),
    .aliases = "bilinear",
    .doc = "input1 weight[o] input2 + bias[o] for each output o; weight is (out, in1, in2).",
    .optional = CN_SAVE_IN(3),
    .compose = bilinear_compose,
    .samples = "[2,3] [2,4] [2,3,4] [2] | [3] [2] [4,3,2] | [2,1,3] [2,1,2] [2,3,2]",
};
