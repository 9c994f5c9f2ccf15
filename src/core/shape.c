/* shape.c - sizes, strides, broadcasting; every product is checked. */
#include "core/tensor.h"

#include <stdio.h>
#include <string.h>

cn_shape cn_scalar_shape(void)
{
    return (cn_shape){ 0 };
}

cn_shape cn_shape_from(int ndim, const int64_t *dim)
{
    cn_shape s = { 0 };
    if (ndim < 0 || ndim > CN_MAX_DIMS) {
        cn_fail(CN_EINVALID, "shape: %d dimensions, but 0 to %d are possible", ndim, CN_MAX_DIMS);
        s.ndim = -1;
        return s;
    }
    s.ndim = ndim;
    for (int i = 0; i < ndim; i++) s.dim[i] = dim[i];
    return s;
}

const char *cn_shape_text(const cn_shape *s, char buf[128])
{
    size_t n = 0, room = 128;
    n += (size_t)snprintf(buf, room, "(");
    for (int i = 0; i < s->ndim && n < room - 24; i++)
        n += (size_t)snprintf(buf + n, room - n, "%s%lld", i ? ", " : "", (long long)s->dim[i]);
    snprintf(buf + n, room - n, s->ndim == 1 ? ",)" : ")");
    return buf;
}

/* With empty dimensions and all that can be wrong. */
static bool count_with_care(const cn_shape *s, int64_t *out, const char *what)
{
    if (s->ndim < 0 || s->ndim > CN_MAX_DIMS)
        return cn_fail(CN_EINVALID, "%s: %d dimensions, but 0 to %d are possible", what, s->ndim,
                       CN_MAX_DIMS);
    int64_t n = 1;
    bool empty = false, overflow = false;
    for (int i = 0; i < s->ndim; i++) {
        if (s->dim[i] < 0)
            return cn_fail(CN_EINVALID, "%s: dimension %d has negative size %lld", what, i,
                           (long long)s->dim[i]);
        empty |= s->dim[i] == 0;
        if (!empty) overflow |= __builtin_mul_overflow(n, s->dim[i], &n) || n > INT64_MAX / 16;
    }
    char text[128];
    if (overflow && !empty)
        return cn_fail(CN_EINVALID, "%s: shape %s has too many elements", what,
                       cn_shape_text(s, text));
    *out = empty ? 0 : n;
    return true;
}

bool cn_shape_numel(const cn_shape *s, int64_t *out, const char *what)
{
    int64_t n = 1;
    bool odd = s->ndim < 0 || s->ndim > CN_MAX_DIMS;
    for (int i = 0; !odd && i < s->ndim; i++)
        odd = s->dim[i] <= 0 || __builtin_mul_overflow(n, s->dim[i], &n);
    if (odd || n > INT64_MAX / 16) return count_with_care(s, out, what);
    *out = n;
    return true;
}

bool cn_shape_equal(const cn_shape *a, const cn_shape *b)
{
    if (a->ndim != b->ndim) return false;
    for (int i = 0; i < a->ndim; i++)
        if (a->dim[i] != b->dim[i]) return false;
    return true;
}

bool cn_shape_broadcast(const cn_shape *a, const cn_shape *b, cn_shape *out, const char *what)
{
    const cn_shape *big = a->ndim >= b->ndim ? a : b, *small = big == a ? b : a;
    int lead = big->ndim - small->ndim;
    cn_shape r = *big;
    for (int i = 0; i < small->ndim; i++) {
        int64_t *d = &r.dim[lead + i], e = small->dim[i];
        if (*d == e || e == 1) continue;
        if (*d != 1) {
            char ta[128], tb[128];
            return cn_fail(
                CN_EINVALID,
                "%s: shapes %s and %s do not broadcast: sizes %lld and %lld in dimension "
                "%d must be equal or 1",
                what, cn_shape_text(a, ta), cn_shape_text(b, tb), (long long)(big == a ? *d : e),
                (long long)(big == a ? e : *d), lead + i);
        }
        *d = e;
    }
    *out = r;
    return true;
}

int cn_wrap_dim(int64_t dim, int ndim, const char *what)
{
    int n = ndim ? ndim : 1;
    if (dim >= -n && dim < n) return (int)(dim < 0 ? dim + n : dim);
    cn_fail(CN_EINVALID, "%s: dim %lld is outside %d .. %d", what, (long long)dim, -n, n - 1);
    return -1;
}

void cn_view_refresh(cn_view *v)
{
    int64_t n = 1, expected = 1;
    bool rows = true;
    for (int i = v->shape.ndim - 1; i >= 0; i--) {
        int64_t d = v->shape.dim[i];
        rows &= d == 1 || v->strides[i] == expected;
        n *= d;
        expected *= d;
    }
    v->numel = n;
    v->contiguous = rows || n == 0;
}

bool cn_view_rows(cn_view *v, const cn_shape *shape, const char *what)
{
    if (!cn_shape_numel(shape, &v->numel, what)) return false;
    int64_t stride = 1;
    v->shape.ndim = shape->ndim;
    for (int i = shape->ndim - 1; i >= 0; i--) {
        v->shape.dim[i] = shape->dim[i];
        v->strides[i] = stride;
        stride *= shape->dim[i] ? shape->dim[i] : 1;
    }
    v->contiguous = true;
    v->block = 0;
    return true;
}

bool cn_view_writable(const cn_view *v, const char *what)
{
    for (int i = 0; i < v->shape.ndim; i++)
        if (v->strides[i] == 0 && v->shape.dim[i] > 1 && v->numel)
            return cn_fail(CN_EINVALID,
                           "%s: several elements of the tensor lie at one place; clone it before "
                           "it changes in place",
                           what);
    return true;
}

/* How many elements lie between the first and the last one, these included. */
static int64_t extent(const cn_view *v)
{
    int64_t n = 1;
    for (int i = 0; i < v->shape.ndim; i++) n += (v->shape.dim[i] - 1) * v->strides[i];
    return n;
}

static bool same_places(const cn_view *a, const cn_view *b)
{
    bool same = a->data == b->data && cn_shape_equal(&a->shape, &b->shape);
    for (int i = 0; same && i < a->shape.ndim; i++)
        same = a->strides[i] == b->strides[i] || a->shape.dim[i] == 1;
    return same;
}

bool cn_views_cross(const cn_view *a, const cn_view *b)
{
    if (!a->numel || !b->numel || extent(a) != a->numel || extent(b) != b->numel) return false;
    const char *a_end = a->data + a->numel * (int64_t)cn_dtype_size(a->dtype),
               *b_end = b->data + b->numel * (int64_t)cn_dtype_size(b->dtype);
    return a->data < b_end && b->data < a_end && !same_places(a, b);
}
