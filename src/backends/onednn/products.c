/* products.c - matrix products and affine layers. */
#include "backends/onednn/plan.h"
#include "core/threads.h"
#include "ops/fused.h"
#include "ops/internal.h"

#include <string.h>

/* A product y = act(a b + bias), possibly batched. */
typedef struct Key {
    int64_t batch, m, n, k;
    int64_t a_strides[3], b_strides[3];
    const char *activation; /* a literal or interned: equal words are equal pointers */
    int32_t ndim, has_bias, threads, used;
} Key;

/* ---- making a product ---------------------------------------------------------------------- */

static bool make(cn_dnnl_plan *plan, const void *key)
{
    const Key *k = key;
    cn_dnnl_md a = { 0 }, b = { 0 }, y = { 0 }, bias = { 0 };
    int nd = k->ndim, at = 3 - nd;
    const int64_t da[] = { k->batch, k->m, k->k }, db[] = { k->batch, k->k, k->n },
                  dy[] = { k->batch, k->m, k->n };
    const int64_t sy[] = { k->m * k->n, k->n, 1 }, dbias[] = { 1, 1, k->n },
                  sbias[] = { k->n, k->n, 1 };
    dnnl_primitive_attr_t attr;
    bool ok = cn_dnnl_activation(k->activation, &attr);
    ok = ok && cn_dnnl_describe(&a, nd, da + at, k->a_strides + at) &&
         cn_dnnl_describe(&b, nd, db + at, k->b_strides + at) &&
         cn_dnnl_describe(&y, nd, dy + at, sy + at) &&
         (!k->has_bias || cn_dnnl_describe(&bias, nd, dbias + at, sbias + at));
    cn_dnnl_op *op = &plan->main;
    ok = ok && cn_dnnl_matmul(op, &a, &b, k->has_bias ? &bias : NULL, &y, attr);
    ok = ok && cn_dnnl_argument(op, DNNL_ARG_SRC, &a) &&
         cn_dnnl_argument(op, DNNL_ARG_WEIGHTS, &b) && cn_dnnl_argument(op, DNNL_ARG_DST, &y) &&
         (!k->has_bias || cn_dnnl_argument(op, DNNL_ARG_BIAS, &bias));
    if (attr) dnnl_primitive_attr_destroy(attr);
    cn_dnnl_forget(&a), cn_dnnl_forget(&b), cn_dnnl_forget(&y), cn_dnnl_forget(&bias);
    return ok;
}

static bool run(const Key *k, const void *a, const void *b, const void *bias, void *y)
{
    cn_dnnl_plan *plan = cn_dnnl_plan_for(k, sizeof *k, make);
    if (!plan) return false;
    if (plan->unusable) return cn_fail(CN_ENOMEM, "oneDNN: cannot make a product");
    cn_dnnl_point(&plan->main, 0, a);
    cn_dnnl_point(&plan->main, 1, b);
    cn_dnnl_point(&plan->main, 2, y);
    if (bias) cn_dnnl_point(&plan->main, 3, bias);
    return cn_dnnl_run(&plan->main);
}

/* ---- the ops ------------------------------------------------------------------------------- */

/* oneDNN's relu makes zeros of NaN, so that one is our own. */
static bool ends_in_relu(const cn_call *c)
{
    return c->op->id == CN_OP_ID_linear_act && strcmp(*(const char *const *)c->params, "relu") == 0;
}

static void relu_in_place(int64_t first, int64_t last, void *context)
{
    float *y = context;
    for (int64_t i = first; i < last; i++) y[i] = y[i] < 0 ? 0 : y[i];
}

static void key_from(Key *k, const cn_call *c)
{
    const cn_view *a = cn_in(c, 0), *b = cn_in(c, 1);
    memset(k, 0, sizeof *k);
    k->used = 1, k->threads = cn_threads(), k->ndim = 2, k->batch = 1;
    if (c->op->id == CN_OP_ID_linear || c->op->id == CN_OP_ID_linear_act) {
        k->n = b->shape.dim[0], k->k = b->shape.dim[1], k->m = k->k ? a->numel / k->k : 0;
        k->a_strides[1] = k->k, k->a_strides[2] = 1, k->b_strides[1] = 1, k->b_strides[2] = k->k;
        k->has_bias = cn_in(c, 2) != NULL;
        if (c->op->id == CN_OP_ID_linear_act && !ends_in_relu(c))
            k->activation = *(const char *const *)c->params;
        return;
    }
    int r = a->shape.ndim - 2;
    k->m = a->shape.dim[r], k->k = a->shape.dim[r + 1], k->n = b->shape.dim[r + 1];
    for (int i = 0; i < 2; i++)
        k->a_strides[1 + i] = a->strides[r + i], k->b_strides[1 + i] = b->strides[r + i];
    if (r == 0) return;
    k->ndim = 3, k->batch = a->shape.dim[0];
    k->a_strides[0] = a->strides[0], k->b_strides[0] = b->strides[0];
}

static bool product(const cn_call *c)
{
    Key k;
    key_from(&k, c);
    if (!cn_dnnl_start()) return cn_fail(CN_EUNSUPPORTED, "oneDNN: no engine in this thread");
    const cn_view *y = cn_out(c, 0);
    bool ok = run(&k, cn_in(c, 0)->data, cn_in(c, 1)->data, k.has_bias ? cn_in(c, 2)->data : NULL,
                  y->data);
    if (ok && ends_in_relu(c)) cn_parallel(y->numel, 1, relu_in_place, y->data);
    return ok;
}

/* A plain product of (turned) row-major matrices. */
static Key plain_key(int64_t m, int64_t n, int64_t k, bool turn_a)
{
    Key key;
    memset(&key, 0, sizeof key);
    key.used = 1, key.threads = cn_threads(), key.ndim = 2, key.batch = 1;
    key.m = m, key.n = n, key.k = k;
    key.a_strides[1] = turn_a ? 1 : k, key.a_strides[2] = turn_a ? m : 1;
    key.b_strides[1] = n, key.b_strides[2] = 1;
    return key;
}

static void sum_rows(float *restrict out, const float *restrict x, int64_t rows, int64_t cols)
{
    memset(out, 0, (size_t)cols * sizeof *out);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t k = 0; k < cols; k++) out[k] += x[r * cols + k];
}

static bool linear_backward(const cn_call *c)
{
    const cn_linear_backward *p = c->params;
    int64_t out = cn_in(c, 2)->shape.dim[0], in = cn_in(c, 2)->shape.dim[1],
            rows = cn_in(c, 0)->numel / out;
    const char *gy = cn_in(c, 0)->data;
    if (!cn_dnnl_start()) return cn_fail(CN_EUNSUPPORTED, "oneDNN: no engine in this thread");
    Key x = plain_key(rows, in, out, false), w = plain_key(out, in, rows, true);
    if (p->want_input && !run(&x, gy, cn_in(c, 2)->data, NULL, cn_out(c, 0)->data)) return false;
    if (p->want_weight && !run(&w, gy, cn_in(c, 1)->data, NULL, cn_out(c, 1)->data)) return false;
    if (p->want_bias)
        sum_rows((float *)(void *)cn_out(c, 2)->data, (const float *)(const void *)gy, rows, out);
    return true;
}

/* One of the last two strides must be 1, and neither may be a broadcast. */
static bool layout_fits(const int64_t *s, int64_t rows, int64_t cols)
{
    bool by_rows = s[2] == 1 && (s[1] >= cols || rows == 1),
         by_cols = s[1] == 1 && (s[2] >= rows || cols == 1);
    return (by_rows || by_cols) && s[1] > 0 && s[2] > 0;
}

/* A turned matrix by few columns: oneDNN copies all of A for little arithmetic. */
static bool is_narrow(int64_t m, int64_t n, bool turned)
{
    return turned && n <= 32 && m >= 256;
}

cn_kernel *cn_dnnl_find_product(const cn_call *c, const char **why)
{
    Key k;
    int id = c->op->id;
    if (id == CN_OP_ID_linear_backward) {
        if (cn_in(c, 0)->dtype != CN_F32) return cn_dnnl_decline(why, "not float32");
        const cn_shape *w = &cn_in(c, 2)->shape;
        int64_t work = cn_in(c, 0)->numel * w->dim[1];
        if (is_narrow(w->dim[0], w->dim[1], true)) return cn_dnnl_decline(why, "too narrow");
        return work < CN_DNNL_SMALLEST ? cn_dnnl_decline(why, "too small to be worth the call")
                                       : linear_backward;
    }
    if (cn_in(c, 0)->dtype != CN_F32) return cn_dnnl_decline(why, "not float32");
    key_from(&k, c);
    if (k.m * k.n * k.k < CN_DNNL_SMALLEST)
        return cn_dnnl_decline(why, "too small to be worth the call");
    if (k.batch > 1 && k.m * k.n * k.k < 8 * CN_DNNL_SMALLEST)
        return cn_dnnl_decline(why, "a batch of small matrices");
    if (is_narrow(k.m, k.n, k.a_strides[1] == 1 && k.a_strides[2] != 1))
        return cn_dnnl_decline(why, "too narrow");
    if (!layout_fits(k.a_strides, k.m, k.k) || !layout_fits(k.b_strides, k.k, k.n))
        return cn_dnnl_decline(why, "strides that it does not take");
    return product;
}
