/* tensors.c - the data set whose samples are the rows of two tensors. */
#include <string.h>

#include "core/tensor.h"
#include "data/dataset.h"

typedef struct rows {
    cn_tensor *tensor[2]; /* row-major; the second may be NULL */
    size_t bytes[2];      /* of a row */
} rows;

static bool get(void *self, const int64_t *index, int64_t n, void *const out[])
{
    const rows *r = self;
    for (int f = 0; f < 2 && r->tensor[f]; f++) {
        const char *from = r->tensor[f]->v.data;
        char *to = out[f];
        size_t size = r->bytes[f];
        for (int64_t i = 0; size && i < n; i++, to += size)
            memcpy(to, from + (size_t)index[i] * size, size);
    }
    return true;
}

static void destroy(void *self)
{
    rows *r = self;
    for (int f = 0; f < 2; f++) cn_drop(r->tensor[f]);
    cn_free(r);
}

/* Row-major and independent of scopes and of autograd. */
static cn_tensor *own_rows(cn_tensor *t)
{
    size_t mark = cn_mark();
    cn_tensor *flat = cn_keep(cn_rows(t));
    cn_release(mark);
    return flat;
}

static bool check(const cn_tensor *x, const cn_tensor *y)
{
    if (!x) return cn_fail(CN_EINVALID, "data set: the tensor x is NULL");
    if (cn_ndim(x) < 1 || (y && cn_ndim(y) < 1))
        return cn_fail(CN_EINVALID, "data set: a tensor without dimensions has no samples");
    if (y && cn_size(x, 0) != cn_size(y, 0))
        return cn_fail(CN_EINVALID, "data set: x has %lld samples, but y %lld",
                       (long long)cn_size(x, 0), (long long)cn_size(y, 0));
    return true;
}

cn_dataset *cn_dataset_from_tensors(cn_tensor *x, cn_tensor *y)
{
    rows *r = check(x, y) ? cn_alloc_zeroed(sizeof *r) : NULL;
    if (!r) return NULL;
    cn_dataset_class c = { .size = sizeof c,
                           .name = "tensors",
                           .samples = cn_size(x, 0),
                           .self = r,
                           .get = get,
                           .destroy = destroy };
    cn_tensor *const given[] = { x, y };
    for (int f = 0; f < 2 && given[f]; f++) {
        if (!(r->tensor[f] = own_rows(given[f]))) return destroy(r), NULL;
        cn_field *field = &c.field[c.fields++];
        const cn_shape *s = cn_shape_of(given[f]);
        *field = (cn_field){ .dtype = cn_dtype_of(given[f]), .shape.ndim = s->ndim - 1 };
        memcpy(field->shape.dim, s->dim + 1, (size_t)(s->ndim - 1) * sizeof *s->dim);
        r->bytes[f] = cn_field_bytes(field);
    }
    return cn_dataset_new(&c);
}
