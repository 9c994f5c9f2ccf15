/* unpool.c - values put back where maxima were found: the counterpart of max_pool with indices. */
#include "ops/compose.h"

typedef struct {
    cn_ints kernel, stride, padding, output_size;
} Unpool;

static bool operands_fit(const cn_call *c, int dims)
{
    const cn_shape *x = &c->in[0]->v.shape, *index = &c->in[1]->v.shape;
    char a[128], b[128];
    if (!cn_want_dims(c, 0, dims + 1, dims + 2)) return false;
    if (c->in[1]->v.dtype != CN_I64 || !cn_shape_equal(x, index))
        return cn_fail(CN_EINVALID,
                       "%s: indices are %s of shape %s, but int64 of shape %s is "
                       "wanted",
                       c->op->name, cn_dtype_name(c->in[1]->v.dtype), cn_shape_text(index, a),
                       cn_shape_text(x, b));
    for (int i = 1; i < x->ndim; i++)
        if (x->dim[i] < 1)
            return cn_fail(CN_EINVALID, "%s: input %s is empty in more than the batch", c->op->name,
                           cn_shape_text(x, a));
    return true;
}

/* The size the pooling had before it, of which several give the same result: the one asked for must
   be among them. */
static bool size_before(const cn_call *c, int dim, int64_t pooled, int64_t *size)
{
    const Unpool *p = c->params;
    int64_t kernel = p->kernel.v[dim], stride = p->stride.n > 0 ? p->stride.v[dim] : kernel;
    int64_t usual;
    if (__builtin_mul_overflow(pooled - 1, stride, &usual) || kernel < 1 || kernel > INT32_MAX ||
        stride < 1 || p->padding.v[dim] < 0 || p->padding.v[dim] > INT32_MAX)
        return cn_fail(CN_EINVALID,
                       "%s: kernel_size %lld, stride %lld or padding %lld is not "
                       "possible",
                       c->op->name, (long long)kernel, (long long)stride,
                       (long long)p->padding.v[dim]);
    usual = usual - 2 * p->padding.v[dim] + kernel;
    int64_t skip = p->output_size.n - p->kernel.n; /* sizes before those of the plane */
    *size = p->output_size.n > 0 ? p->output_size.v[skip + dim] : usual;
    if (*size > 0 && *size > usual - stride && *size < usual + stride) return true;
    return cn_fail(CN_EINVALID, "%s: output size %lld must be positive, above %lld and below %lld",
                   c->op->name, (long long)*size, (long long)(usual - stride),
                   (long long)(usual + stride));
}

static bool unpool(cn_call *c, int dims)
{
    const Unpool *p = c->params;
    cn_shape s = c->in[0]->v.shape, flat;
    if (p->output_size.n >= 0 && p->output_size.n != dims && p->output_size.n != dims + 2)
        return cn_fail(CN_EINVALID, "%s: output_size needs %d or %d numbers, not %lld", c->op->name,
                       dims, dims + 2, (long long)p->output_size.n);
    if (p->padding.n != dims)
        return cn_fail(CN_EINVALID, "%s: padding must be numbers", c->op->name);
    if (!operands_fit(c, dims)) return false;
    int first = s.ndim - dims;
    for (int i = 0; i < dims; i++)
        if (!size_before(c, i, s.dim[first + i], &s.dim[first + i])) return false;
    flat = s;
    flat.ndim = first + 1;
    for (int i = 1; i < dims; i++)
        if (__builtin_mul_overflow(flat.dim[first], s.dim[first + i], &flat.dim[first]))
            return cn_fail(CN_EINVALID, "%s: the output is too large", c->op->name);
    cn_tensor *zeros = cn_zeros(flat, c->in[0]->v.dtype);
    cn_tensor *y = cn_scatter(zeros, -1, cn_flatten(c->in[1], first), cn_flatten(c->in[0], first));
    return cn_set_out(c, 0, y ? cn_reshape(y, s) : NULL);
}

static bool max_unpool1d_compose(cn_call *c)
{
    return unpool(c, 1);
}

static bool max_unpool2d_compose(cn_call *c)
{
    return unpool(c, 2);
}

static bool max_unpool3d_compose(cn_call *c)
{
    return unpool(c, 3);
}

#define UNPOOL_ARGUMENTS(n)                                                                        \
    "(Tensor input, Tensor indices, int[" n "] kernel_size, int[" n "]? stride=None, int[" n       \
    "] padding=0, int[]? output_size=None) -> Tensor"

const cn_op cn_op_max_unpool1d = {
    CN_OP_HEAD(max_unpool1d, "nn.functional.max_unpool1d", UNPOOL_ARGUMENTS("1")),
    .doc = "Zeros with the numbers of input at indices, which max_pool1d gave.",
    .params_size = sizeof(Unpool),
    .compose = max_unpool1d_compose,
    .samples = "[2,3,1] i64<2[2,3,1] 2 | [1,1,1] i64<3[1,1,1] 2 output_size=(3)",
};

const cn_op cn_op_max_unpool2d = {
    CN_OP_HEAD(max_unpool2d, "nn.functional.max_unpool2d", UNPOOL_ARGUMENTS("2")),
    .doc = "Zeros with the numbers of input at indices, which max_pool2d gave.",
    .params_size = sizeof(Unpool),
    .compose = max_unpool2d_compose,
    .samples = "[2,3,1,1] i64<4[2,3,1,1] 2 | [2,1,1] i64<9[2,1,1] 3 2 | "
               "[1,2,1,1] i64<6[1,2,1,1] 2 output_size=(1,2,2,3)",
};

const cn_op cn_op_max_unpool3d = {
    CN_OP_HEAD(max_unpool3d, "nn.functional.max_unpool3d", UNPOOL_ARGUMENTS("3")),
    .doc = "Zeros with the numbers of input at indices, which max_pool3d gave.",
    .params_size = sizeof(Unpool),
    .compose = max_unpool3d_compose,
    .samples = "[1,2,1,1,1] i64<8[1,2,1,1,1] 2",
};
