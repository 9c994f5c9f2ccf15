/* index.c - values that stand for tensors: lists of numbers, and what stands between brackets. */
#include "core/schema.h"

bool cn_value_int(const cn_ffi_value *v, int64_t *out)
{
    if (v->kind == CN_KIND_TENSOR && v->u.t && v->u.t->v.numel == 1 &&
        !cn_dtype_is_float(v->u.t->v.dtype)) {
        *out = cn_load_i64(v->u.t->v.data, v->u.t->v.dtype);
        return true;
    }
    *out = v->u.i;
    return v->kind == CN_KIND_INT || v->kind == CN_KIND_BOOL;
}

/* ---- lists of numbers ---------------------------------------------------------------------- */

typedef struct {
    cn_shape shape;
    int64_t *next; /* where the next number goes; NULL: they are only looked at */
    bool bools;    /* no number but True and False so far */
} Numbers;

/* The lengths of the lists, from the first of each depth. */
static bool measure(const cn_ffi_value *v, cn_shape *s)
{
    for (; v->kind == CN_KIND_LIST; v = v->u.list) {
        if (s->ndim == CN_MAX_DIMS || v->n < 0) return false;
        s->dim[s->ndim++] = v->n;
        if (v->n == 0) break;
    }
    return true;
}

/* Recursion ends at the depth measured, at most CN_MAX_DIMS. */
static bool take_numbers(const cn_ffi_value *v, int depth, Numbers *to)
{
    int64_t x;
    if (depth == to->shape.ndim) {
        to->bools &= v->kind == CN_KIND_BOOL;
        if (!cn_value_int(v, &x)) return false;
        if (to->next) *to->next++ = x;
        return true;
    }
    bool ok = v->kind == CN_KIND_LIST && v->n == to->shape.dim[depth];
    for (int i = 0; ok && i < v->n; i++) ok = take_numbers(&v->u.list[i], depth + 1, to);
    return ok;
}

cn_tensor *cn_value_tensor(const cn_ffi_value *list, const char *who)
{
    Numbers n = { .bools = true };
    if (!measure(list, &n.shape) || !take_numbers(list, 0, &n)) {
        cn_fail(CN_EINVALID, "%s: a list must hold integers only, or lists of equal length", who);
        return NULL;
    }
    cn_tensor *t = cn_empty(n.shape, CN_I64);
    if (!t) return NULL;
    n.next = (int64_t *)(void *)t->v.data;
    take_numbers(list, 0, &n);
    return n.bools && t->v.numel ? cn_cast_raw(t, CN_BOOL) : t;
}

/* ---- between brackets ---------------------------------------------------------------------- */

/* As PyTorch reads a list there: the items of a tuple when one of them is more than a number. */
static bool is_tuple(const cn_ffi_value *v)
{
    bool plain = v->kind == CN_KIND_LIST;
    for (int i = 0; plain && i < v->n; i++) {
        int kind = v->u.list[i].kind;
        plain = kind == CN_KIND_INT || kind == CN_KIND_BOOL || kind == CN_KIND_FLOAT;
    }
    return v->kind == CN_KIND_LIST && !plain;
}

static bool slice_item(const cn_ffi_value *v, const char *who, cn_index_item *out)
{
    const cn_ffi_value *of = v->u.list;
    bool ok = v->n == 3;
    *out = (cn_index_item){ .kind = CN_INDEX_SLICE, .step = 1 };
    out->has_start = ok && of[0].kind != CN_KIND_NONE;
    out->has_stop = ok && of[1].kind != CN_KIND_NONE;
    if (out->has_start) ok = cn_value_int(&of[0], &out->start);
    if (ok && out->has_stop) ok = cn_value_int(&of[1], &out->stop);
    if (ok && of[2].kind != CN_KIND_NONE) ok = cn_value_int(&of[2], &out->step);
    return ok || cn_fail(CN_EINVALID, "%s: a slice is start, stop and step, ints or None", who);
}

/* A tensor without dimensions is a number, or a bool. */
static cn_index_item tensor_item(const cn_tensor *t)
{
    cn_index_item item = { .kind = CN_INDEX_TENSOR };
    if (t->v.shape.ndim || cn_dtype_is_float(t->v.dtype)) return item;
    item.kind = t->v.dtype == CN_BOOL || t->v.dtype == CN_U8 ? CN_INDEX_FLAG : CN_INDEX_AT;
    item.start = cn_load_i64(t->v.data, t->v.dtype);
    return item;
}

static bool read_item(const cn_ffi_value *v, const char *who, cn_index_item *out, cn_tensor **t)
{
    *out = (cn_index_item){ .start = v->u.i };
    switch (v->kind) {
    case CN_KIND_NONE: out->kind = CN_INDEX_NEW; return true;
    case CN_KIND_INT: out->kind = CN_INDEX_AT; return true;
    case CN_KIND_BOOL: out->kind = CN_INDEX_FLAG; return true;
    case CN_KIND_ELLIPSIS: out->kind = CN_INDEX_REST; return true;
    case CN_KIND_SLICE: return slice_item(v, who, out);
    case CN_KIND_LIST:
        *t = cn_value_tensor(v, who);
        out->kind = CN_INDEX_TENSOR;
        return *t != NULL;
    case CN_KIND_TENSOR:
        *t = v->u.t;
        if (!*t) return cn_fail(CN_EINVALID, "%s: a tensor of the index is NULL", who);
        *out = tensor_item(*t);
        return true;
    default:
        return cn_fail(CN_EINVALID,
                       "%s: an index is made of ints, slices, ..., None, bools and tensors of "
                       "integers or bools",
                       who);
    }
}

bool cn_value_index(const cn_ffi_value *v, const char *who, cn_index *out,
                    cn_tensor *tensors[CN_MAX_INDEX], int *n_tensors)
{
    const cn_ffi_value *items = is_tuple(v) ? v->u.list : v;
    int n = items == v ? 1 : v->n;
    *out = (cn_index){ .n = n };
    *n_tensors = 0;
    if (n > CN_MAX_INDEX)
        return cn_fail(CN_EINVALID, "%s: an index of %d items, at most %d are possible", who, n,
                       CN_MAX_INDEX);
    for (int i = 0; i < n; i++) {
        cn_tensor *t = NULL;
        if (!read_item(&items[i], who, &out->item[i], &t)) return false;
        if (out->item[i].kind == CN_INDEX_TENSOR) tensors[(*n_tensors)++] = t;
    }
    return true;
}
