/* matmul.c - matrix products. mm and bmm are kernels on any strides; matmul is made of them. */
#include "ops/internal.h"

#include <string.h>

static bool inner_sizes_agree(const cn_call *c, int64_t k1, int64_t k2)
{
    char a[128], b[128];
    if (k1 == k2) return true;
    return cn_fail(CN_EINVALID, "%s: %s by %s: the inner sizes %lld and %lld must be equal",
                   c->op->name, cn_shape_text(&c->in[0]->v.shape, a),
                   cn_shape_text(&c->in[1]->v.shape, b), (long long)k1, (long long)k2);
}

static bool product_infer(const cn_call *c, cn_spec out[])
{
    int nd = c->op == &cn_op_bmm ? 3 : 2;
    if (!cn_want_dims(c, 0, nd, nd) || !cn_want_dims(c, 1, nd, nd)) return false;
    const cn_shape *a = &c->in[0]->v.shape, *b = &c->in[1]->v.shape;
    if (!inner_sizes_agree(c, a->dim[nd - 1], b->dim[nd - 2])) return false;
    if (nd == 3 && a->dim[0] != b->dim[0])
        return cn_fail(CN_EINVALID, "bmm: %lld and %lld matrices", (long long)a->dim[0],
                       (long long)b->dim[0]);
    if (c->in[0]->v.dtype != c->in[1]->v.dtype)
        return cn_fail(CN_EINVALID, "%s: %s by %s: both must have the same dtype", c->op->name,
                       cn_dtype_name(c->in[0]->v.dtype), cn_dtype_name(c->in[1]->v.dtype));
    if (c->in[0]->v.dtype == CN_BOOL)
        return cn_fail(CN_EINVALID, "%s: bools have no product, convert them", c->op->name);
    *out = (cn_spec){ c->in[0]->v.dtype, *a };
    out->shape.dim[nd - 1] = b->dim[nd - 1];
    return true;
}

#define T float
#define NAME(x) x##_f32
#include "ops/linalg/matmul.inc"
#define T double
#define NAME(x) x##_f64
#include "ops/linalg/matmul.inc"
#define T int64_t
#define NAME(x) x##_i64
#include "ops/linalg/matmul.inc"

/* One matrix of a (batched) operand. */
static cn_view matrix(const cn_view *v, int64_t index)
{
    cn_view m = *v;
    if (v->shape.ndim == 2) return m;
    m.data += index * v->strides[0] * (int64_t)cn_dtype_size(v->dtype);
    m.shape.ndim = 2;
    for (int i = 0; i < 2; i++)
        m.shape.dim[i] = v->shape.dim[i + 1], m.strides[i] = v->strides[i + 1];
    return m;
}

static bool product_kernel(const cn_call *c)
{
    const cn_view *y = cn_out(c, 0), *a = cn_in(c, 0), *b = cn_in(c, 1);
    int64_t batch = y->shape.ndim == 3 ? y->shape.dim[0] : 1;
    for (int64_t i = 0; i < batch; i++) {
        cn_view vy = matrix(y, i), va = matrix(a, i), vb = matrix(b, i);
        if (y->dtype == CN_F32) product_f32(&vy, &va, &vb);
        else if (y->dtype == CN_F64) product_f64(&vy, &va, &vb);
        else product_i64(&vy, &va, &vb);
    }
    return true;
}

static void product_backward(cn_grads *g)
{
    cn_tensor *gy = cn_gout(g, 0);
    bool batched = cn_in_shape(g, 0)->ndim == 3;
    cn_tensor *(*product)(cn_tensor *, cn_tensor *) = batched ? cn_bmm : cn_mm;
    if (cn_wants(g, 0)) cn_give(g, 0, product(gy, cn_transpose(cn_saved_in(g, 1), -2, -1)));
    if (cn_wants(g, 1)) cn_give(g, 1, product(cn_transpose(cn_saved_in(g, 0), -2, -1), gy));
}

const cn_op cn_op_mm = {
    CN_OP_HEAD(mm, "mm", "(Tensor input, Tensor mat2) -> Tensor"),
    .doc = "The product of two matrices: (m, k) x (k, n) gives (m, n).",
    .infer = product_infer,
    .kernel = product_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),
    .backward = product_backward,
    .samples = "[2,3] [3,4] | [0,3] [3,2] | [2,0] [0,3] | [40,33] [33,50] | f64[3,2] f64[2,3]",
};

const cn_op cn_op_bmm = {
    CN_OP_HEAD(bmm, "bmm", "(Tensor input, Tensor mat2) -> Tensor"),
    .doc = "The products of two lists of matrices: (b, m, k) x (b, k, n) gives (b, m, n).",
    .infer = product_infer,
    .kernel = product_kernel,
    .saves = CN_SAVE_IN(0) | CN_SAVE_IN(1),
    .backward = product_backward,
    .samples = "[2,3,4] [2,4,2] | [0,2,3] [0,3,2] | [3,1,2] [3,2,1]",
};

cn_tensor *cn_mm(cn_tensor *input, cn_tensor *mat2)
{
    return CN_CALL(mm, NULL, input, mat2);
}

cn_tensor *cn_bmm(cn_tensor *input, cn_tensor *mat2)
{
    return CN_CALL(bmm, NULL, input, mat2);
}

/* ---- matmul -------------------------------------------------------------------------------- */

static cn_shape leading(const cn_shape *s, int drop)
{
    cn_shape r = *s;
    r.ndim -= drop;
    return r;
}

static cn_shape append(cn_shape s, int64_t m, int64_t n)
{
    s.dim[s.ndim++] = m;
    s.dim[s.ndim++] = n;
    return s;
}

/* A batch on the left only is rows of one matrix. */
static cn_tensor *fold_left(cn_tensor *a, cn_tensor *b)
{
    const cn_shape *s = &a->v.shape;
    int64_t count = 1;
    for (int i = 0; i < s->ndim - 1; i++) count *= s->dim[i];
    cn_tensor *y = cn_mm(cn_reshape(a, CN_SHAPE(count, s->dim[s->ndim - 1])), b);
    cn_shape shape = *s;
    shape.dim[shape.ndim - 1] = b->v.shape.dim[1];
    return cn_reshape(y, shape);
}

static cn_tensor *broadcast_batches(cn_tensor *a, cn_tensor *b)
{
    const cn_shape *sa = &a->v.shape, *sb = &b->v.shape;
    cn_shape la = leading(sa, 2), lb = leading(sb, 2), lead;
    int64_t m = sa->dim[sa->ndim - 2], k = sa->dim[sa->ndim - 1], n = sb->dim[sb->ndim - 1], count;
    int64_t kb = sb->dim[sb->ndim - 2];
    if (!cn_shape_broadcast(&la, &lb, &lead, "matmul") || !cn_shape_numel(&lead, &count, "matmul"))
        return NULL;
    a = cn_reshape(cn_expand(a, append(lead, m, k)), CN_SHAPE(count, m, k));
    b = cn_reshape(cn_expand(b, append(lead, kb, n)), CN_SHAPE(count, kb, n));
    return cn_reshape(cn_bmm(a, b), append(lead, m, n));
}

static bool matmul_compose(cn_call *c)
{
    cn_tensor *a = c->in[0], *b = c->in[1];
    int na = a->v.shape.ndim, nb = b->v.shape.ndim;
    if (na == 0 || nb == 0)
        return cn_fail(CN_EINVALID, "matmul: both operands need at least 1 dimension");
    if (!inner_sizes_agree(c, a->v.shape.dim[na - 1], b->v.shape.dim[nb > 1 ? nb - 2 : 0]))
        return false;
    if (na == 1) a = cn_reshape(a, CN_SHAPE(1, a->v.shape.dim[0]));
    if (nb == 1) b = cn_reshape(b, CN_SHAPE(b->v.shape.dim[0], 1));
    if (!a || !b) return false;
    cn_tensor *y = b->v.shape.ndim > 2   ? broadcast_batches(a, b)
                   : a->v.shape.ndim > 2 ? fold_left(a, b)
                                         : cn_mm(a, b);
    if (!y) return false;
    cn_shape s = y->v.shape;
    if (nb == 1) s.ndim--;
    if (na == 1) {
        s.ndim--;
        if (nb > 1) s.dim[s.ndim - 1] = y->v.shape.dim[y->v.shape.ndim - 1];
    }
    c->out[0] = na == 1 || nb == 1 ? cn_reshape(y, s) : y;
    return c->out[0] != NULL;
}

const cn_op cn_op_matmul = {
    CN_OP_HEAD(matmul, "matmul", "(Tensor input, Tensor other) -> Tensor"),
    .aliases = "__matmul__ linalg.matmul",
    .doc = "The matrix product; 1-d operands are vectors, further dimensions broadcast.",
    .compose = matmul_compose,
    .samples =
        "[3] [3] | [2,3] [3] | [3] [3,2] | [2,3] [3,4] | [2,1,3,4] [5,4,2] | [5,2,3] [3,4] | [4] [2,4,3]",
};

cn_tensor *cn_matmul(cn_tensor *input, cn_tensor *other)
{
    return CN_CALL(matmul, NULL, input, other);
}
