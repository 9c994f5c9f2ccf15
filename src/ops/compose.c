/* compose.c - dimensions merged, dropped and counted, for ops made of other ops. */
#include "ops/compose.h"

#include <math.h>
#include <string.h>

cn_ints cn_ints_of(const cn_shape *s)
{
    cn_ints r = { .n = s->ndim };
    memcpy(r.v, s->dim, sizeof r.v);
    return r;
}

cn_ints cn_one_dim(cn_opt_int dim)
{
    return dim.given ? (cn_ints){ .n = 1, .v = { dim.value } } : (cn_ints){ .n = -1 };
}

/* The dimensions of the mask last, unless they are neighbours already; *first: where they start. */
static cn_tensor *bring_together(cn_tensor *t, unsigned mask, int *first)
{
    int nd = t->v.shape.ndim, count = __builtin_popcount(mask), n = 0;
    *first = mask ? __builtin_ctz(mask) : 0;
    if (mask == ((1u << count) - 1) << *first) return t;
    cn_shape order = { .ndim = nd };
    for (unsigned pass = 0; pass < 2; pass++)
        for (int i = 0; i < nd; i++)
            if (((mask >> i) & 1) == pass) order.dim[n++] = i;
    *first = nd - count;
    return cn_permute(t, order);
}

cn_tensor *cn_merge_dims(cn_tensor *t, const cn_ints *dims, const char *what, int *dim)
{
    unsigned mask;
    if (!cn_dims_mask(dims, t->v.shape.ndim, what, &mask)) return NULL;
    int count = __builtin_popcount(mask);
    t = bring_together(t, mask, dim);
    if (!t || count == 1) return t;
    cn_shape s = { .ndim = t->v.shape.ndim - count + 1 };
    for (int i = 0; i < s.ndim; i++) s.dim[i] = t->v.shape.dim[i <= *dim ? i : i + count - 1];
    s.dim[*dim] = 1;
    for (int i = 0; i < count; i++) s.dim[*dim] *= t->v.shape.dim[*dim + i];
    return cn_reshape(t, s);
}

cn_lines cn_lines_of(const cn_shape *s, int dim)
{
    cn_lines l = { 1, 1, 1 };
    for (int i = 0; i < s->ndim; i++)
        *(i < dim ? &l.outer : i == dim ? &l.size : &l.inner) *= s->dim[i];
    return l;
}

cn_tensor *cn_scaled_in_type(cn_tensor *t, const cn_number_arg *factor)
{
    if (!t) return NULL;
    bool real = factor->kind == CN_NUM_FLOAT;
    double f = real ? factor->u.f : (double)factor->u.i;
    if (f == 1) return t;
    if (t->v.dtype == CN_BOOL) return cn_mul(t, cn_number_bool(f != 0));
    if (!real) return cn_mul(t, cn_number_i64(factor->u.i));
    bool cut = !cn_dtype_is_float(t->v.dtype) && fabs(f) < 0x1p63;
    return cn_mul(t, cut ? cn_number_i64((int64_t)f) : cn_number(f));
}

cn_shape cn_without_dim(const cn_shape *s, int dim)
{
    cn_shape r = { 0 };
    for (int i = 0; i < s->ndim; i++)
        if (i != dim) r.dim[r.ndim++] = s->dim[i];
    return r;
}

cn_shape cn_shape_along(int ndim, int dim, int64_t n)
{
    cn_shape s = { .ndim = ndim };
    for (int i = 0; i < ndim; i++) s.dim[i] = i == dim ? n : 1;
    return s;
}

/* Where t is 0, 1 is added under the root and taken off again. */
cn_tensor *cn_root(cn_tensor *t)
{
    cn_tensor *zero = cn_eq(t, cn_number_i64(0));
    return t ? cn_sub(cn_sqrt(cn_add(t, zero)), cn_to(zero, t->v.dtype)) : NULL;
}

cn_tensor *cn_counting(int64_t n)
{
    cn_tensor *t = cn_empty(CN_SHAPE(n), CN_I64);
    for (int64_t i = 0; t && i < n; i++) ((int64_t *)(void *)t->v.data)[i] = i;
    return t;
}

cn_tensor *cn_zeros_of_in(cn_grads *g, int i)
{
    return cn_zeros(*cn_in_shape(g, i), cn_in_dtype(g, i));
}
