/* linalg.c - checks, batches and small products for the ops of linear algebra. */
#include "ops/linalg/linalg.h"

#include <math.h>
#include <stdio.h>

/* ---- checks -------------------------------------------------------------------------------- */

bool cn_want_real(const cn_call *c, int input)
{
    cn_dtype d = c->in[input]->v.dtype;
    if (d == CN_F32 || d == CN_F64) return true;
    return cn_fail(CN_EINVALID, "%s: argument %d is %s, but float32 or float64 is wanted",
                   c->op->name, input, cn_dtype_name(d));
}

bool cn_want_matrix(const cn_call *c, int input, bool square)
{
    cn_tensor *t = c->in[input];
    char text[128];
    if (!cn_want_dims(c, input, 2, CN_MAX_DIMS) || !cn_want_real(c, input)) return false;
    if (!square || cn_size(t, -2) == cn_size(t, -1)) return true;
    return cn_fail(CN_EINVALID, "%s: argument %d has shape %s, but square matrices are wanted",
                   c->op->name, input, cn_shape_text(&t->v.shape, text));
}

bool cn_all_finite(const cn_call *c)
{
    const cn_view *v = cn_in(c, 0);
    int64_t i = 0;
    while (i < v->numel && isfinite(cn_load_f64(cn_matrix_at(v, i, 1), v->dtype))) i++;
    if (i == v->numel) return true;
    return cn_fail(CN_EINVALID, "%s: no convergence: the input has a NaN or an infinity",
                   c->op->name);
}

bool cn_check_info(const cn_call *c, const cn_tensor *info, const char *what)
{
    char place[48] = "";
    if (!info) return false;
    for (int64_t i = 0; i < info->v.numel; i++) {
        int64_t k =
            cn_load_i64(info->v.data + i * (int64_t)cn_dtype_size(info->v.dtype), info->v.dtype);
        if (k == 0) continue;
        if (info->v.shape.ndim)
            snprintf(place, sizeof place, "matrix %lld of the batch: ", (long long)i);
        return cn_fail(CN_EINVALID, "%s: %s%s %lld", c->op->name, place, what, (long long)k);
    }
    return true;
}

/* ---- batches ------------------------------------------------------------------------------- */

cn_shape cn_batch_shape(const cn_shape *s, int drop)
{
    cn_shape r = *s;
    r.ndim -= drop;
    return r;
}

cn_shape cn_with_sizes(cn_shape batch, int64_t m, int64_t n)
{
    batch.dim[batch.ndim++] = m;
    batch.dim[batch.ndim++] = n;
    return batch;
}

int64_t cn_batch_size(const cn_view *v, int drop)
{
    int64_t n = 1;
    for (int i = 0; i < v->shape.ndim - drop; i++) n *= v->shape.dim[i];
    return n;
}

void *cn_matrix_at(const cn_view *v, int64_t i, int64_t size)
{
    return v->data + i * size * (int64_t)cn_dtype_size(v->dtype);
}

bool cn_run_composed(const cn_call *c, bool (*forward)(const cn_call *c, cn_tensor *y[]))
{
    cn_tensor *y[4] = { NULL };
    size_t mark = cn_mark();
    bool was = cn_set_grad_enabled(false), ok = forward(c, y);
    for (int i = 0; ok && i < c->n_out; i++) {
        ok = y[i] != NULL;
        if (ok) cn_copy_view(&c->out[i]->v, &y[i]->v);
    }
    cn_set_grad_enabled(was);
    cn_release(mark);
    return ok;
}

/* ---- parts and products -------------------------------------------------------------------- */

cn_tensor *cn_mt(cn_tensor *t)
{
    return cn_transpose(t, -2, -1);
}

cn_tensor *cn_lower(cn_tensor *t, int64_t diagonal)
{
    return CN_CALL(tril, &diagonal, t);
}

cn_tensor *cn_upper(cn_tensor *t, int64_t diagonal)
{
    return CN_CALL(triu, &diagonal, t);
}

cn_tensor *cn_diagonal_of(cn_tensor *t)
{
    struct {
        int64_t offset, dim1, dim2;
    } p = { 0, -2, -1 };
    return CN_CALL(diagonal, &p, t);
}

cn_tensor *cn_eye_like(cn_tensor *t, int64_t n)
{
    return t ? cn_eye(n, t->v.dtype) : NULL;
}

cn_tensor *cn_on_diagonal(cn_tensor *v)
{
    return v ? cn_mul(cn_unsqueeze(v, -1), cn_eye_like(v, cn_size(v, -1))) : NULL;
}

cn_tensor *cn_scaled_columns(cn_tensor *t, cn_tensor *by)
{
    return cn_mul(t, cn_unsqueeze(by, -2));
}
