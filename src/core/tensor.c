/* tensor.c - making, sharing and freeing tensors; reading and writing elements. */
#include "core/tensor.h"

#include "core/packed.h"
#include "core/tape.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- storage ------------------------------------------------------------------------------- */

enum { STORAGE_HEADER = 64 }; /* keeps the elements 64-byte aligned */
_Static_assert(sizeof(cn_storage) <= STORAGE_HEADER, "the elements follow the header");

static cn_storage *storage_new(size_t bytes)
{
    cn_storage *s = cn_alloc(STORAGE_HEADER + bytes);
    if (!s) return NULL;
    atomic_init(&s->refs, 1);
    s->version = 0;
    s->exposed = false;
    s->packed = NULL;
    s->bytes = bytes;
    s->data = (char *)s + STORAGE_HEADER;
    s->release = NULL;
    return s;
}

static void storage_drop(cn_storage *s)
{
    if (!s || !cn_last_reference(&s->refs)) return;
    if (s->release) s->release(s->context);
    if (s->packed) cn_packed_free(s);
    cn_free(s);
}

/* ---- lifetime ------------------------------------------------------------------------------ */

static cn_tensor *tensor_shell(void)
{
    cn_tensor *t = cn_alloc(sizeof *t);
    if (!t) return NULL;
    t->storage = NULL, t->node = NULL, t->grad = NULL, t->hooks = NULL, t->next_dead = NULL;
    t->base = NULL, t->rewrites = 0;
    atomic_init(&t->refs, 1);
    t->out_index = 0;
    t->fixed = 0;
    t->requires_grad = t->is_number = t->is_view = false;
    cn_count_tensor(1);
    return t;
}

static void tensor_bury(cn_dead *dead)
{
    cn_tensor *t = dead->tensors;
    dead->tensors = t->next_dead;
    cn_dead_tensor(dead, t->grad);
    cn_dead_tensor(dead, t->base);
    cn_dead_node(dead, t->node);
    cn_hooks_free(t->hooks);
    storage_drop(t->storage);
    cn_free(t);
    cn_count_tensor(-1);
}

/* Freeing a tensor can free the call that made it, which can free its inputs, and so on through a
   graph of any depth: a work list instead of recursion. */
void cn_bury(cn_dead *dead)
{
    while (dead->tensors || dead->nodes) {
        if (dead->nodes) cn_node_bury(dead);
        else tensor_bury(dead);
    }
}

void cn_drop(cn_tensor *t)
{
    cn_dead dead = { 0 };
    cn_dead_tensor(&dead, t);
    if (dead.tensors) cn_bury(&dead);
}

cn_tensor *cn_keep(cn_tensor *t)
{
    return cn_ref(t);
}

cn_tensor *cn_tensor_new_owned(const cn_shape *shape, cn_dtype dtype)
{
    cn_tensor *t = tensor_shell();
    if (!t) return NULL;
    t->v.dtype = dtype;
    if (!cn_view_rows(&t->v, shape, "tensor")) goto fail;
    t->storage = storage_new((size_t)t->v.numel * cn_dtype_size(dtype));
    if (!t->storage) goto fail;
    t->v.data = t->storage->data;
    return t;
fail:
    cn_drop(t);
    return NULL;
}

cn_tensor *cn_tensor_new(const cn_shape *shape, cn_dtype dtype)
{
    return cn_scope_add(cn_tensor_new_owned(shape, dtype));
}

cn_tensor *cn_tensor_view_owned(const cn_tensor *base, const cn_view *view)
{
    cn_tensor *t = tensor_shell();
    if (!t) return NULL;
    t->v = *view;
    t->storage = base->storage;
    t->is_view = true;
    atomic_fetch_add_explicit(&t->storage->refs, 1, memory_order_relaxed);
    return t;
}

cn_tensor *cn_tensor_view(const cn_tensor *base, const cn_view *view)
{
    return cn_scope_add(cn_tensor_view_owned(base, view));
}

/* ---- making -------------------------------------------------------------------------------- */

static bool dtype_known(cn_dtype dtype, const char *what)
{
    if ((int)dtype >= 0 && (int)dtype < CN_NUM_DTYPES) return true;
    return cn_fail(CN_EINVALID, "%s: %d is not a dtype", what, (int)dtype);
}

cn_tensor *cn_empty(cn_shape shape, cn_dtype dtype)
{
    return dtype_known(dtype, "empty") ? cn_tensor_new(&shape, dtype) : NULL;
}

cn_tensor *cn_full(cn_shape shape, double value, cn_dtype dtype)
{
    cn_tensor *t = cn_empty(shape, dtype);
    if (t) cn_fill_view(&t->v, value);
    return t;
}

cn_tensor *cn_zeros(cn_shape shape, cn_dtype dtype)
{
    cn_tensor *t = cn_empty(shape, dtype);
    if (t) memset(t->v.data, 0, t->storage->bytes);
    return t;
}

cn_tensor *cn_ones(cn_shape shape, cn_dtype dtype)
{
    return cn_full(shape, 1, dtype);
}

cn_tensor *cn_scalar(double value)
{
    return cn_full(cn_scalar_shape(), value, CN_F32);
}

cn_tensor *cn_from(const void *data, cn_shape shape, cn_dtype dtype)
{
    cn_tensor *t = cn_empty(shape, dtype);
    if (t && t->storage->bytes) memcpy(t->v.data, data, t->storage->bytes);
    return t;
}

static cn_tensor *number(cn_dtype dtype, double value)
{
    cn_tensor *t = cn_full(cn_scalar_shape(), value, dtype);
    if (t) t->is_number = true;
    return t;
}

cn_tensor *cn_number(double value)
{
    return number(CN_F64, value);
}

cn_tensor *cn_number_i64(int64_t value)
{
    cn_tensor *t = number(CN_I64, 0);
    if (t) memcpy(t->v.data, &value, sizeof value);
    return t;
}

cn_tensor *cn_number_bool(bool value)
{
    return number(CN_BOOL, value);
}

cn_tensor *cn_wrap(void *data, cn_shape shape, cn_dtype dtype, void (*release)(void *context),
                   void *context)
{
    if (!dtype_known(dtype, "wrap")) return NULL;
    cn_tensor *t = tensor_shell();
    if (!t) return NULL;
    t->v.dtype = dtype;
    t->storage = cn_view_rows(&t->v, &shape, "wrap") ? storage_new(0) : NULL;
    if (!t->storage) {
        cn_drop(t);
        return NULL;
    }
    t->storage->bytes = (size_t)t->v.numel * cn_dtype_size(dtype);
    t->storage->data = t->v.data = data;
    t->storage->release = release, t->storage->context = context;
    return cn_scope_add(t);
}

/* ---- looking ------------------------------------------------------------------------------- */

const cn_shape *cn_shape_of(const cn_tensor *t)
{
    return t ? &t->v.shape : NULL;
}

int cn_ndim(const cn_tensor *t)
{
    return t ? t->v.shape.ndim : -1;
}

int64_t cn_size(const cn_tensor *t, int dim)
{
    if (!t) return -1;
    int d = t->v.shape.ndim ? cn_wrap_dim(dim, t->v.shape.ndim, "size") : -1;
    if (t->v.shape.ndim == 0) cn_fail(CN_EINVALID, "size: a 0-d tensor has no dim %d", dim);
    return d < 0 ? -1 : t->v.shape.dim[d];
}

int64_t cn_numel(const cn_tensor *t)
{
    return t ? t->v.numel : -1;
}

cn_dtype cn_dtype_of(const cn_tensor *t)
{
    return t ? t->v.dtype : (cn_dtype)CN_NO_DTYPE;
}

bool cn_is_contiguous(const cn_tensor *t)
{
    return t && t->v.contiguous;
}

bool cn_is_view(const cn_tensor *t)
{
    return t && t->is_view;
}

bool cn_shares_memory(const cn_tensor *a, const cn_tensor *b)
{
    return a && b && a->storage == b->storage;
}

/* A double cannot hold a complex number. */
static bool has_real_elements(const cn_tensor *t, const char *what)
{
    if (!cn_dtype_is_complex(t->v.dtype)) return true;
    return cn_fail(CN_EINVALID, "%s: the tensor is %s; ask for cn_real() or cn_imag() of it", what,
                   cn_dtype_name(t->v.dtype));
}

double cn_item(const cn_tensor *t)
{
    if (!t) cn_fail(CN_EINVALID, "item: the tensor is NULL");
    if (!t || !cn_plain(t) || !has_real_elements(t, "item")) return (double)NAN;
    if (t->v.numel == 1) return cn_load_f64(t->v.data, t->v.dtype);
    char text[128];
    cn_fail(CN_EINVALID, "item: a tensor of shape %s has %lld elements, not one",
            cn_shape_text(&t->v.shape, text), (long long)t->v.numel);
    return (double)NAN;
}

double cn_at(const cn_tensor *t, cn_shape index)
{
    if (!t || !cn_plain(t) || !has_real_elements(t, "at")) return (double)NAN;
    char ti[128], ts[128];
    int64_t offset = 0;
    bool inside = index.ndim == t->v.shape.ndim;
    for (int i = 0; i < index.ndim && inside; i++) {
        int64_t n = t->v.shape.dim[i], at = index.dim[i] < 0 ? index.dim[i] + n : index.dim[i];
        inside = at >= 0 && at < n;
        offset += at * t->v.strides[i];
    }
    if (inside)
        return cn_load_f64(t->v.data + offset * (int64_t)cn_dtype_size(t->v.dtype), t->v.dtype);
    cn_fail(CN_EINVALID, "at: index %s is outside shape %s", cn_shape_text(&index, ti),
            cn_shape_text(&t->v.shape, ts));
    return (double)NAN;
}

const void *cn_data(const cn_tensor *t)
{
    if (!t || !cn_plain(t)) return NULL;
    if (t->v.contiguous) return t->v.data;
    cn_fail(CN_EINVALID, "data: the tensor is not contiguous; take cn_contiguous(t) first");
    return NULL;
}

void *cn_overwritten(cn_tensor *t)
{
    if (!cn_data(t)) return NULL;
    t->storage->version++;
    return t->v.data;
}

void *cn_data_mut(cn_tensor *t)
{
    void *data = cn_overwritten(t);
    if (data) t->storage->exposed = true;
    return data;
}

static bool count_matches(const cn_tensor *t, int64_t count, const char *what)
{
    if (!t) return cn_fail(CN_EINVALID, "%s: the tensor is NULL", what);
    if (!cn_plain(t)) return false;
    if (count == t->v.numel) return true;
    return cn_fail(CN_EINVALID, "%s: %lld elements given for a tensor of %lld", what,
                   (long long)count, (long long)t->v.numel);
}

/* The same shape over someone else's row-major memory. */
static cn_view rows_over(const cn_tensor *t, cn_dtype dtype, const void *data)
{
    cn_view v = { .dtype = dtype };
    cn_view_rows(&v, &t->v.shape, "rows");
    memcpy(&v.data, &data, sizeof v.data); /* a source is only read */
    return v;
}

bool cn_read(const cn_tensor *t, cn_dtype dtype, void *dst, int64_t count)
{
    if (!count_matches(t, count, "read") || !dtype_known(dtype, "read")) return false;
    cn_view v = rows_over(t, dtype, dst);
    cn_copy_view(&v, &t->v);
    return true;
}

bool cn_write(cn_tensor *t, cn_dtype dtype, const void *src, int64_t count)
{
    if (!count_matches(t, count, "write") || !dtype_known(dtype, "write")) return false;
    if (t->requires_grad && cn_grad_enabled())
        return cn_fail(CN_EINVALID, "write: the tensor requires gradients; write to it inside "
                                    "CN_NO_GRAD, or to cn_detach() of it");
    cn_view v = rows_over(t, dtype, src);
    cn_copy_view(&t->v, &v);
    t->storage->version++;
    return true;
}
