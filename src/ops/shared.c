/* shared.c - shape rules and loops that many ops share. */
#include "ops/internal.h"

bool cn_infer_pointwise(const cn_call *c, cn_spec out[])
{
    out->shape = c->in[0]->v.shape;
    for (int i = 1; i < c->n_in; i++)
        if (c->in[i] &&
            !cn_shape_broadcast(&out->shape, &c->in[i]->v.shape, &out->shape, c->op->name))
            return false;
    out->dtype = c->n_in == 1 ? c->in[0]->v.dtype : cn_result_type(c->in, c->n_in);
    if ((c->op->flags & CN_TO_FLOAT) && !cn_dtype_is_float(out->dtype)) out->dtype = CN_F32;
    return true;
}

static bool refuse_type(const char *what, const char *wanted, cn_dtype dtype)
{
    return cn_fail(CN_EINVALID, "%s: %s are wanted, not %s", what, wanted, cn_dtype_name(dtype));
}

static bool infer_among(const cn_call *c, cn_spec out[], cn_category first, cn_category last,
                        const char *wanted)
{
    if (!cn_infer_pointwise(c, out)) return false;
    cn_category category = cn_dtype_category(out->dtype);
    return (category >= first && category <= last) || refuse_type(c->op->name, wanted, out->dtype);
}

bool cn_infer_floats(const cn_call *c, cn_spec out[])
{
    return infer_among(c, out, CN_CAT_FLOAT, CN_CAT_FLOAT, "floats");
}

bool cn_infer_ints(const cn_call *c, cn_spec out[])
{
    return infer_among(c, out, CN_CAT_INT, CN_CAT_INT, "integers");
}

bool cn_infer_bits(const cn_call *c, cn_spec out[])
{
    return infer_among(c, out, CN_CAT_BOOL, CN_CAT_INT, "integers or bools");
}

bool cn_infer_numbers(const cn_call *c, cn_spec out[])
{
    return infer_among(c, out, CN_CAT_INT, CN_CAT_FLOAT, "numbers");
}

bool cn_want_float(const char *what, const cn_tensor *t)
{
    return cn_dtype_is_float(t->v.dtype) || refuse_type(what, "floats", t->v.dtype);
}

bool cn_infer_compare(const cn_call *c, cn_spec out[])
{
    if (!cn_infer_pointwise(c, out)) return false;
    out->dtype = CN_BOOL;
    return true;
}

bool cn_infer_same(const cn_call *c, cn_spec out[])
{
    *out = (cn_spec){ c->in[0]->v.dtype, c->in[0]->v.shape };
    return true;
}

static bool run_into(const cn_call *c, const cn_rows_by_type *rows, const cn_view *result)
{
    const cn_view *views[CN_LOOP_MAX] = { result };
    int n = 1;
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i]) views[n++] = cn_in(c, i);
    cn_dtype d = cn_in(c, 0)->dtype;
    cn_loop_row *row = d == CN_F32 ? rows->f32 : d == CN_F64 ? rows->f64 : rows->i64;
    if (!row)
        return cn_fail(CN_EUNSUPPORTED, "%s: not defined for %s", c->op->name, cn_dtype_name(d));
    cn_loop(n, views, row, c->params);
    return true;
}

/* Arithmetic on bools is done in int64 and stored as bool. */
bool cn_run_rows(const cn_call *c, const cn_rows_by_type *rows)
{
    const cn_view *y = cn_out(c, 0);
    if (y->dtype != CN_BOOL || rows->writes_bool) return run_into(c, rows, y);
    size_t mark = cn_mark();
    cn_tensor *wide = cn_tensor_new(&y->shape, CN_I64);
    bool ok = wide && run_into(c, rows, &wide->v);
    if (ok) cn_copy_view(y, &wide->v);
    cn_release(mark);
    return ok;
}

bool cn_dims_mask(const cn_ints *dims, int ndim, const char *what, unsigned *out)
{
    *out = 0;
    if (dims->n <= 0) return *out = (1u << ndim) - 1, true;
    for (int i = 0; i < dims->n; i++) {
        int d = cn_wrap_dim(dims->v[i], ndim, what);
        if (d < 0) return false;
        if (*out & (1u << d)) return cn_fail(CN_EINVALID, "%s: dim %d appears twice", what, d);
        *out |= 1u << d;
    }
    *out &= (1u << ndim) - 1; /* dim 0 of a 0-d tensor is allowed and means nothing */
    return true;
}

cn_tensor *cn_restore_dims(cn_tensor *t, const cn_shape *full, const cn_ints *dims, bool keepdim)
{
    unsigned mask;
    if (!t || keepdim || !cn_dims_mask(dims, full->ndim, "restore", &mask)) return t;
    cn_shape s = *full;
    for (int i = 0; i < s.ndim; i++)
        if (mask & (1u << i)) s.dim[i] = 1;
    return cn_reshape(t, s);
}

bool cn_want_dims(const cn_call *c, int input, int least, int most)
{
    const cn_shape *s = &c->in[input]->v.shape;
    char text[128];
    if (s->ndim >= least && s->ndim <= most) return true;
    return cn_fail(CN_EINVALID, "%s: argument %d has shape %s, but %d%s%d dimensions are wanted",
                   c->op->name, input, cn_shape_text(s, text), least,
                   least == most ? " = " : " to ", most);
}
