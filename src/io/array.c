/* array.c - from raw bytes to tensors and back. */
#include "io/array.h"

#include <string.h>

#include "core/memory.h"
#include "core/tensor.h"

bool cn_array_size(const cn_array *a, uint64_t *out)
{
    int64_t n = (int64_t)cn_dtype_size(a->dtype);
    bool empty = false, overflow = false;
    for (int i = 0; i < a->shape.ndim; i++) {
        int64_t dim = a->shape.dim[i];
        if (dim < 0) return false;
        if (dim == 0) empty = true;
        if (dim != 0) overflow |= __builtin_mul_overflow(n, dim, &n);
    }
    *out = empty ? 0 : (uint64_t)n;
    return !overflow;
}

/* dst row-major, src column-major. `index` counts in the order of dst; `at` follows it in src. */
static void copy_transposed(char *dst, const char *src, const cn_shape *s, int64_t n, size_t width)
{
    int64_t index[CN_MAX_DIMS] = { 0 }, stride[CN_MAX_DIMS];
    int64_t step = (int64_t)width, at = 0;
    for (int i = 0; i < s->ndim; i++) stride[i] = step, step *= s->dim[i];
    for (int64_t k = 0; k < n; k++) {
        memcpy(dst + (size_t)k * width, src + at, width);
        for (int i = s->ndim - 1; i >= 0; i--) {
            at += stride[i];
            if (++index[i] < s->dim[i]) break;
            at -= stride[i] * s->dim[i];
            index[i] = 0;
        }
    }
}

void cn_reverse_elements(char *data, int64_t n, size_t width)
{
    for (char *p = data; n-- > 0; p += width)
        for (size_t i = 0, j = width - 1; i < j; i++, j--) {
            char c = p[i];
            p[i] = p[j], p[j] = c;
        }
}

/* Only what must change is written to: the rest of a mapped file remains shared. */
void cn_normalise_bools(void *data, int64_t n)
{
    uint8_t *bytes = data;
    for (int64_t i = 0; i < n; i++)
        if (bytes[i] > 1) bytes[i] = 1;
}

static void fill(cn_tensor *t, const cn_array *a)
{
    int64_t n = cn_numel(t);
    size_t width = cn_dtype_size(a->dtype);
    char *data = n ? cn_overwritten(t) : NULL;
    if (!data) return;
    if (a->fortran && a->shape.ndim > 1) copy_transposed(data, a->bytes, &a->shape, n, width);
    else memcpy(data, a->bytes, (size_t)n * width);
    if (a->big_endian) cn_reverse_elements(data, n, width);
    if (a->dtype == CN_BOOL) cn_normalise_bools(data, n);
}

bool cn_dict_set_array(cn_dict *d, const char *key, const cn_array *a)
{
    size_t mark = cn_mark();
    cn_tensor *t = cn_empty(a->shape, a->dtype);
    if (t) fill(t, a);
    bool ok = t && cn_dict_set_tensor(d, key, t);
    cn_release(mark);
    return ok;
}

bool cn_array_grow(void *array, size_t *room, size_t needed, size_t width)
{
    if (needed <= *room) return true;
    size_t wanted = *room ? *room : 16;
    while (wanted < needed) wanted *= 2;
    void *old;
    memcpy(&old, array, sizeof old);
    void *more = cn_realloc(old, wanted * width);
    if (!more) return false;
    memcpy(array, &more, sizeof more);
    *room = wanted;
    return true;
}

const void *cn_elements(const cn_tensor *t, size_t *size, void **owned)
{
    int64_t n = cn_numel(t);
    *owned = NULL;
    *size = (size_t)n * cn_dtype_size(cn_dtype_of(t));
    if (n == 0) return "";
    if (cn_is_contiguous(t)) return cn_data(t);
    *owned = cn_alloc(*size);
    return *owned && cn_read(t, cn_dtype_of(t), *owned, n) ? *owned : NULL;
}
