/* tensors.c - tensors as images. */
#include "core/memory.h"

#include <cenote/plot.h>

#include <math.h>

/* To 0 .. 1, from the least to the largest number; what is all the same becomes black. */
static void stretch(float *x, size_t n)
{
    float lo = INFINITY, hi = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) continue;
        lo = fminf(lo, x[i]), hi = fmaxf(hi, x[i]);
    }
    for (size_t i = 0; i < n; i++) x[i] = hi > lo ? (x[i] - lo) / (hi - lo) : 0;
}

static bool show(cn_figure *f, const cn_tensor *t, float *x, size_t columns)
{
    int nd = cn_ndim(t);
    size_t h = (size_t)cn_size(t, -2), w = (size_t)cn_size(t, -1);
    size_t channels = nd == 4 && cn_size(t, 1) == 3 ? 3 : 1, each = channels * h * w;
    size_t n = each ? (size_t)cn_numel(t) / each : 0;
    if (!cn_read(t, CN_F32, x, cn_numel(t))) return false;
    for (size_t i = 0; i < n; i++) stretch(x + i * each, each);
    return cn_figure_images(f, n, h, w, .f32 = x, .channels = (int)channels, .columns = columns);
}

bool cn_figure_tensor(cn_figure *f, const cn_tensor *images, size_t columns)
{
    if (!f || !images) return cn_fail(CN_EINVALID, "cn_figure_tensor: figure or tensor is NULL");
    int nd = cn_ndim(images);
    if (nd < 2 || nd > 4 || cn_dtype_is_complex(cn_dtype_of(images)))
        return cn_fail(CN_EINVALID,
                       "cn_figure_tensor: %d dimensions of %s are no images; (h, w), "
                       "(n, h, w) and (n, c, h, w) are",
                       nd, cn_dtype_name(cn_dtype_of(images)));
    float *x = cn_alloc((size_t)cn_numel(images) * sizeof *x + 1);
    bool ok = x && show(f, images, x, columns);
    cn_free(x);
    return ok;
}
