/* loop.c - the one walk over strided operands that all pointwise kernels share. */
#include "core/loop.h"

#include "core/threads.h"

typedef struct {
    int n, ndim;
    int64_t size[CN_MAX_DIMS];
    int64_t step[CN_MAX_DIMS][CN_LOOP_MAX]; /* in bytes */
    char *base[CN_LOOP_MAX];
    cn_loop_row *row;
    const void *context;
} Walk;

/* An operand does not move along a dimension it broadcasts over. */
static int64_t step_of(const cn_view *v, int dim_from_end)
{
    int i = v->shape.ndim - 1 - dim_from_end;
    if (i < 0 || v->shape.dim[i] == 1) return 0;
    return v->strides[i] * (int64_t)cn_dtype_size(v->dtype);
}

static bool mergeable(const Walk *w, const int64_t *outer)
{
    const int64_t *inner = w->step[w->ndim - 1];
    for (int k = 0; k < w->n; k++)
        if (outer[k] != inner[k] * w->size[w->ndim - 1]) return false;
    return true;
}

/* Dimension 0 of the walk is the innermost. */
static void plan(Walk *w, int n, const cn_view *const views[])
{
    const cn_shape *shape = &views[0]->shape;
    w->n = n, w->ndim = 0;
    for (int k = 0; k < n; k++) w->base[k] = views[k]->data;
    for (int d = 0; d < shape->ndim; d++) {
        int64_t size = shape->dim[shape->ndim - 1 - d], step[CN_LOOP_MAX];
        if (size == 1) continue;
        for (int k = 0; k < n; k++) step[k] = step_of(views[k], d);
        if (w->ndim && mergeable(w, step)) {
            w->size[w->ndim - 1] *= size;
            continue;
        }
        w->size[w->ndim] = size;
        for (int k = 0; k < n; k++) w->step[w->ndim][k] = step[k];
        w->ndim++;
    }
    if (w->ndim == 0) {
        w->ndim = 1, w->size[0] = 1;
        for (int k = 0; k < n; k++) w->step[0][k] = 0;
    }
}

/* Rows first .. last-1, counted over all dimensions but the innermost. */
static void walk_rows(const Walk *w, int64_t first, int64_t last)
{
    int64_t index[CN_MAX_DIMS] = { 0 }, rest = first;
    char *p[CN_LOOP_MAX];
    for (int k = 0; k < w->n; k++) p[k] = w->base[k];
    for (int d = 1; d < w->ndim; d++) {
        index[d] = rest % w->size[d];
        rest /= w->size[d];
        for (int k = 0; k < w->n; k++) p[k] += index[d] * w->step[d][k];
    }
    for (int64_t r = first; r < last; r++) {
        w->row(w->size[0], p, w->step[0], w->context);
        for (int d = 1; d < w->ndim; d++) {
            for (int k = 0; k < w->n; k++) p[k] += w->step[d][k];
            if (++index[d] < w->size[d]) break;
            for (int k = 0; k < w->n; k++) p[k] -= w->step[d][k] * w->size[d];
            index[d] = 0;
        }
    }
}

static void walk_chunk(int64_t first, int64_t last, void *context)
{
    const Walk *w = context;
    if (w->ndim > 1) {
        walk_rows(w, first, last);
        return;
    }
    char *p[CN_LOOP_MAX];
    for (int k = 0; k < w->n; k++) p[k] = w->base[k] + first * w->step[0][k];
    w->row(last - first, p, w->step[0], w->context);
}

void cn_loop(int n_views, const cn_view *const views[], cn_loop_row *row, const void *context)
{
    int64_t total = views[0]->numel;
    if (total == 0) return;
    Walk w;
    plan(&w, n_views, views);
    w.row = row, w.context = context;
    int64_t units = w.ndim > 1 ? total / w.size[0] : total;
    int64_t unit_cost = w.ndim > 1 ? w.size[0] : 1;
    cn_parallel(units, unit_cost, walk_chunk, &w);
}
