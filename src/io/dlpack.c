/* dlpack.c - tensors shared with other libraries. */
#include <cenote/dlpack.h>

#include <string.h>

#include "core/memory.h"
#include "core/tensor.h"

_Static_assert(sizeof(cn_dl_tensor) == 48 && offsetof(cn_dl_tensor, shape) == 24 &&
                   offsetof(cn_dl_tensor, byte_offset) == 40,
               "DLTensor's layout");
_Static_assert(sizeof(cn_dl_managed) == 64 && sizeof(cn_dl_versioned) == 80 &&
                   offsetof(cn_dl_versioned, tensor) == 32,
               "the layouts of what manages it");

static const struct {
    uint8_t code, bits;
    cn_dtype dtype;
} dtypes[] = {
    { CN_DL_BOOL, 8, CN_BOOL },  { CN_DL_UINT, 8, CN_U8 },      { CN_DL_INT, 8, CN_I8 },
    { CN_DL_INT, 16, CN_I16 },   { CN_DL_INT, 32, CN_I32 },     { CN_DL_INT, 64, CN_I64 },
    { CN_DL_FLOAT, 16, CN_F16 }, { CN_DL_BFLOAT, 16, CN_BF16 }, { CN_DL_FLOAT, 32, CN_F32 },
    { CN_DL_FLOAT, 64, CN_F64 }, { CN_DL_COMPLEX, 64, CN_C64 }, { CN_DL_COMPLEX, 128, CN_C128 },
};

_Static_assert(sizeof dtypes / sizeof dtypes[0] == CN_NUM_DTYPES, "every dtype has its code");

/* ---- giving ------------------------------------------------------------------------------- */

typedef struct gift {
    union {
        cn_dl_managed managed;
        cn_dl_versioned versioned;
    } as;
    cn_tensor *tensor; /* kept */
    int64_t shape[CN_MAX_DIMS], strides[CN_MAX_DIMS];
} gift;

static gift *new_gift(cn_tensor *t)
{
    if (!t) return NULL;
    if (t->requires_grad)
        return cn_fail(CN_EINVALID, "to_dlpack: the tensor requires gradients, which would miss "
                                    "changes from outside: take cn_detach() of it"),
               NULL;
    gift *g = cn_alloc_zeroed(sizeof *g);
    if (g) g->tensor = cn_keep(t);
    return g;
}

static void free_gift(gift *g)
{
    cn_drop(g->tensor);
    cn_free(g);
}

static void describe(gift *g, cn_dl_tensor *out)
{
    const cn_view *v = &g->tensor->v;
    int i = 0;
    while (dtypes[i].dtype != v->dtype) i++;
    memcpy(g->shape, v->shape.dim, sizeof g->shape);
    memcpy(g->strides, v->strides, sizeof g->strides);
    *out = (cn_dl_tensor){ .data = v->data,
                           .device = { CN_DL_CPU, 0 },
                           .ndim = v->shape.ndim,
                           .dtype = { dtypes[i].code, dtypes[i].bits, 1 },
                           .shape = g->shape,
                           .strides = g->strides };
}

static void delete_managed(cn_dl_managed *m)
{
    if (m) free_gift(m->manager);
}

static void delete_versioned(cn_dl_versioned *m)
{
    if (m) free_gift(m->manager);
}

cn_dl_managed *cn_to_dlpack(cn_tensor *t)
{
    gift *g = new_gift(t);
    if (!g) return NULL;
    g->as.managed = (cn_dl_managed){ .manager = g, .deleter = delete_managed };
    describe(g, &g->as.managed.tensor);
    return &g->as.managed;
}

cn_dl_versioned *cn_to_dlpack_versioned(cn_tensor *t)
{
    gift *g = new_gift(t);
    if (!g) return NULL;
    g->as.versioned = (cn_dl_versioned){ .version = { CN_DLPACK_MAJOR, CN_DLPACK_MINOR },
                                         .manager = g,
                                         .deleter = delete_versioned };
    describe(g, &g->as.versioned.tensor);
    return &g->as.versioned;
}

/* ---- taking ------------------------------------------------------------------------------- */

static bool find_dtype(const cn_dl_tensor *t, cn_dtype *out)
{
    for (int i = 0; i < CN_NUM_DTYPES; i++)
        if (dtypes[i].code == t->dtype.code && dtypes[i].bits == t->dtype.bits &&
            t->dtype.lanes == 1)
            return *out = dtypes[i].dtype, true;
    return cn_fail(CN_EUNSUPPORTED,
                   "from_dlpack: elements of type code %d with %d bits and %d lanes", t->dtype.code,
                   t->dtype.bits, t->dtype.lanes);
}

static bool read_shape(const cn_dl_tensor *t, cn_view *v)
{
    cn_shape shape = { .ndim = t->ndim };
    if (t->ndim < 0 || t->ndim > CN_MAX_DIMS || (t->ndim && !t->shape))
        return cn_fail(CN_EUNSUPPORTED, "from_dlpack: %d dimensions; 0 to %d are possible",
                       (int)t->ndim, CN_MAX_DIMS);
    if (t->ndim) memcpy(shape.dim, t->shape, (size_t)t->ndim * sizeof *shape.dim);
    if (!cn_view_rows(v, &shape, "from_dlpack")) return false;
    if (t->strides && t->ndim) memcpy(v->strides, t->strides, (size_t)t->ndim * sizeof *v->strides);
    cn_view_refresh(v);
    return true;
}

static bool read_view(const cn_dl_tensor *t, cn_view *v)
{
    *v = (cn_view){ .data = t->data };
    if (t->device.type != CN_DL_CPU && t->device.type != CN_DL_CUDA_HOST)
        return cn_fail(CN_EUNSUPPORTED,
                       "from_dlpack: the elements are on device %d:%d, not in the "
                       "CPU's memory",
                       (int)t->device.type, (int)t->device.id);
    if (!find_dtype(t, &v->dtype) || !read_shape(t, v)) return false;
    if (v->numel && !t->data) return cn_fail(CN_EINVALID, "from_dlpack: elements at NULL");
    if (v->numel) v->data += t->byte_offset;
    return (uintptr_t)v->data % cn_dtype_size(v->dtype) == 0 ||
           cn_fail(CN_EUNSUPPORTED, "from_dlpack: the elements are not aligned to their size");
}

/* The block that the view lies in, from its lowest address. */
static cn_tensor *wrap_block(const cn_view *v)
{
    int64_t low = 0, high = 0, width = (int64_t)cn_dtype_size(v->dtype);
    for (int i = 0; i < v->shape.ndim; i++) {
        int64_t reach;
        int64_t *end = v->strides[i] < 0 ? &low : &high;
        if (__builtin_mul_overflow(v->shape.dim[i] - 1, v->strides[i], &reach) ||
            __builtin_add_overflow(*end, reach, end))
            return cn_fail(CN_EINVALID, "from_dlpack: strides that are too large"), NULL;
    }
    if (high > INT64_MAX / 16 || low < -INT64_MAX / 16)
        return cn_fail(CN_EINVALID, "from_dlpack: strides that are too large"), NULL;
    return cn_wrap(v->data + low * width, CN_SHAPE(high - low + 1), v->dtype, NULL, NULL);
}

/* Taken over is what cannot fail any more. */
static cn_tensor *share(const cn_view *v, void (*release)(void *), void *context)
{
    size_t mark = cn_mark();
    cn_tensor *block = wrap_block(v);
    cn_tensor *t = cn_return(mark, block ? cn_tensor_view(block, v) : NULL);
    if (!t) return NULL;
    t->is_view = false;
    t->storage->release = release, t->storage->context = context;
    return t;
}

/* What cannot be shared (nothing at all, or what is read-only) is copied, and given back. */
static cn_tensor *copy(const cn_view *v, void (*release)(void *), void *context)
{
    cn_tensor *t = cn_empty(v->shape, v->dtype);
    if (!t) return NULL;
    if (v->numel) cn_copy_view(&t->v, v);
    release(context);
    return t;
}

static void release_managed(void *context)
{
    cn_dl_managed *m = context;
    if (m->deleter) m->deleter(m);
}

static void release_versioned(void *context)
{
    cn_dl_versioned *m = context;
    if (m->deleter) m->deleter(m);
}

cn_tensor *cn_from_dlpack(cn_dl_managed *m)
{
    cn_view v;
    if (!m) return cn_fail(CN_EINVALID, "from_dlpack: NULL"), NULL;
    if (!read_view(&m->tensor, &v)) return NULL;
    return (v.numel ? share : copy)(&v, release_managed, m);
}

cn_tensor *cn_from_dlpack_versioned(cn_dl_versioned *m)
{
    cn_view v;
    if (!m) return cn_fail(CN_EINVALID, "from_dlpack: NULL"), NULL;
    if (m->version.major != CN_DLPACK_MAJOR)
        return cn_fail(CN_EUNSUPPORTED, "from_dlpack: version %u of DLPack; %d is known",
                       (unsigned)m->version.major, CN_DLPACK_MAJOR),
               NULL;
    if (!read_view(&m->tensor, &v)) return NULL;
    bool shared = v.numel && !(m->flags & CN_DL_READ_ONLY);
    return (shared ? share : copy)(&v, release_versioned, m);
}
