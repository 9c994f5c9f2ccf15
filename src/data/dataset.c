/* dataset.c - what all data sets have in common. */
#include "data/dataset.h"

#include <limits.h>
#include <string.h>

#include "core/tensor.h"

bool cn_options_copy(void *dst, size_t room, const void *src, const char *what)
{
    size_t size = 0;
    if (src) memcpy(&size, src, sizeof size);
    if (size < sizeof size)
        return cn_fail(CN_EINVALID, "%s: no options, or without their size", what);
    memset(dst, 0, room);
    memcpy(dst, src, size < room ? size : room);
    return true;
}

/* ---- making ------------------------------------------------------------------------------- */

static bool check_field(const cn_field *f, const char *name, int i)
{
    int64_t n;
    if ((int)f->dtype < 0 || (int)f->dtype >= CN_NUM_DTYPES)
        return cn_fail(CN_EINVALID, "data set %s: field %d: %d is not a dtype", name, i,
                       (int)f->dtype);
    if (f->shape.ndim < 0 || f->shape.ndim >= CN_MAX_DIMS)
        return cn_fail(CN_EINVALID,
                       "data set %s: field %d has %d dimensions; with the batch at most "
                       "%d are possible",
                       name, i, f->shape.ndim, CN_MAX_DIMS);
    return cn_shape_numel(&f->shape, &n, "data set");
}

static bool check_class(const cn_dataset_class *c)
{
    if (!c->name || !c->get)
        return cn_fail(CN_EINVALID, "data set: it needs a name and a function `get`");
    if (c->samples < 0 || c->fields < 1 || c->fields > CN_MAX_FIELDS)
        return cn_fail(CN_EINVALID,
                       "data set %s: %lld samples of %d fields; 1 to %d fields are "
                       "possible",
                       c->name, (long long)c->samples, c->fields, CN_MAX_FIELDS);
    if (c->n_classes < 0 || (c->n_classes && !c->classes))
        return cn_fail(CN_EINVALID, "data set %s: %d classes without names", c->name, c->n_classes);
    for (int i = 0; i < c->fields; i++)
        if (!check_field(&c->field[i], c->name, i)) return false;
    return true;
}

static cn_dataset *make(const cn_dataset_class *c)
{
    cn_dataset *d = check_class(c) ? cn_alloc_zeroed(sizeof *d) : NULL;
    char *name = d ? cn_strdup(c->name) : NULL;
    if (!name) return cn_free(d), NULL;
    d->c = *c;
    d->c.name = name;
    atomic_init(&d->refs, 1);
    return d;
}

cn_dataset *cn_dataset_new(const cn_dataset_class *c)
{
    cn_dataset_class own;
    if (!cn_options_copy(&own, sizeof own, c, "data set")) return NULL;
    cn_dataset *d = make(&own);
    if (!d && own.destroy) own.destroy(own.self);
    return d;
}

cn_dataset *cn_dataset_keep(cn_dataset *d)
{
    atomic_fetch_add_explicit(&d->refs, 1, memory_order_relaxed);
    return d;
}

void cn_dataset_free(cn_dataset *d)
{
    if (!d || atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) > 1) return;
    if (d->c.destroy) d->c.destroy(d->c.self);
    cn_free((char *)d->c.name);
    cn_free(d);
}

/* ---- looking ------------------------------------------------------------------------------ */

const char *cn_dataset_name(const cn_dataset *d)
{
    return d ? d->c.name : NULL;
}

int64_t cn_dataset_samples(const cn_dataset *d)
{
    return d ? d->c.samples : -1;
}

int cn_dataset_fields(const cn_dataset *d)
{
    return d ? d->c.fields : -1;
}

const cn_field *cn_dataset_field(const cn_dataset *d, int i)
{
    if (!d) return NULL;
    if (i >= 0 && i < d->c.fields) return &d->c.field[i];
    cn_fail(CN_EINVALID, "data set %s: no field %d among %d", d->c.name, i, d->c.fields);
    return NULL;
}

int cn_dataset_classes(const cn_dataset *d)
{
    return d ? d->c.n_classes : -1;
}

const char *cn_dataset_class_name(const cn_dataset *d, int i)
{
    if (!d) return NULL;
    if (i >= 0 && i < d->c.n_classes) return d->c.classes[i];
    cn_fail(CN_EINVALID, "data set %s: no class %d among %d", d->c.name, i, d->c.n_classes);
    return NULL;
}

/* ---- batches ------------------------------------------------------------------------------ */

size_t cn_field_bytes(const cn_field *f)
{
    size_t n = cn_dtype_size(f->dtype);
    for (int i = 0; i < f->shape.ndim; i++) n *= (size_t)f->shape.dim[i];
    return n;
}

cn_tensor *cn_field_tensor(const cn_field *f, int64_t n)
{
    cn_shape s = { .ndim = f->shape.ndim + 1, .dim = { n } };
    memcpy(s.dim + 1, f->shape.dim, (size_t)f->shape.ndim * sizeof *s.dim);
    return cn_tensor_new_owned(&s, f->dtype);
}

bool cn_batch_hand_over(cn_batch *out, cn_tensor *const tensors[CN_MAX_FIELDS], int64_t n)
{
    bool ok = true;
    for (int i = 0; i < CN_MAX_FIELDS; i++) {
        if (!tensors[i]) continue;
        if (ok) ok = cn_scope_add(tensors[i]) != NULL;
        else cn_drop(tensors[i]);
    }
    *out = (cn_batch){ 0 };
    if (!ok) return false;
    out->x = tensors[0], out->y = tensors[1], out->size = n;
    memcpy(out->extra, tensors + 2, sizeof out->extra);
    return true;
}

static bool check_indices(const cn_dataset *d, const int64_t *index, int64_t n)
{
    if (n < 0 || (n && !index))
        return cn_fail(CN_EINVALID, "data set %s: %lld indices are asked for", d->c.name,
                       (long long)n);
    for (int64_t i = 0; i < n; i++)
        if (index[i] < 0 || index[i] >= d->c.samples)
            return cn_fail(CN_EINVALID, "data set %s: no sample %lld among %lld", d->c.name,
                           (long long)index[i], (long long)d->c.samples);
    return true;
}

bool cn_dataset_get(const cn_dataset *d, const int64_t *index, int64_t n, cn_batch *out)
{
    cn_tensor *tensors[CN_MAX_FIELDS] = { 0 };
    void *rows[CN_MAX_FIELDS] = { 0 };
    if (!out) return cn_fail(CN_EINVALID, "data set: no place for the batch");
    *out = (cn_batch){ 0 };
    if (!d) return cn_fail(CN_EINVALID, "data set: it is NULL");
    bool ok = check_indices(d, index, n);
    for (int i = 0; ok && i < d->c.fields; i++) {
        tensors[i] = cn_field_tensor(&d->c.field[i], n);
        ok = tensors[i] != NULL;
        if (ok) rows[i] = cn_data_mut(tensors[i]);
    }
    if (ok && d->c.get(d->c.self, index, n, rows)) return cn_batch_hand_over(out, tensors, n);
    for (int i = 0; i < CN_MAX_FIELDS; i++) cn_drop(tensors[i]);
    return ok ? cn_fail(CN_EIO, "data set %s: the samples could not be had", d->c.name) : false;
}
