/* windows.c - batches out of one long sequence (D2L 9.3). */
#include <cenote/ops.h>
#include <string.h>

#include "core/memory.h"
#include "text/tokens.h"

struct cn_windows {
    cn_tensor *ids;
    int64_t n, batch, steps;
    bool random;
    cn_rng rng;
    int64_t *start; /* of each window of this epoch, in the order in which they are handed out */
    int64_t batches, next;
    bool running; /* within an epoch */
};

/* So many windows fit after an offset, with the token after the last. */
static int64_t windows_after(const cn_windows *w, int64_t offset)
{
    return (w->n - 1 - offset) / w->steps;
}

cn_windows *cn_windows_new_with(const cn_windows_options *o)
{
    if (!o->ids) return NULL;
    if (cn_ndim(o->ids) != 1 || cn_dtype_of(o->ids) != CN_I64 || o->batch < 1 || o->steps < 1 ||
        (cn_numel(o->ids) - 1) / o->steps < o->batch) {
        cn_fail(
            CN_EINVALID,
            "cn_windows_new: a sequence of int64 that holds %lld windows of %lld tokens is needed, "
            "this one has %lld tokens",
            (long long)o->batch, (long long)o->steps, (long long)cn_numel(o->ids));
        return NULL;
    }
    cn_windows *w = cn_alloc_zeroed(sizeof *w);
    if (!w) return NULL;
    *w = (cn_windows){
        .n = cn_numel(o->ids), .batch = o->batch, .steps = o->steps, .random = o->random
    };
    w->rng = cn_rng_make(o->seed, 0);
    size_t mark = cn_mark();
    w->ids = cn_keep(cn_contiguous(o->ids));
    cn_release(mark);
    w->start = cn_alloc((size_t)windows_after(w, 0) * sizeof *w->start);
    if (w->ids && w->start) return w;
    cn_windows_free(w);
    return NULL;
}

void cn_windows_free(cn_windows *w)
{
    if (!w) return;
    cn_drop(w->ids);
    cn_free(w->start);
    cn_free(w);
}

/* Row r of batch b is window b of the r-th part of the sequence. */
static void begin_sequential(cn_windows *w, int64_t offset)
{
    int64_t part = (w->n - 1 - offset) / w->batch;
    w->batches = part / w->steps;
    for (int64_t b = 0; b < w->batches; b++)
        for (int64_t r = 0; r < w->batch; r++)
            w->start[b * w->batch + r] = offset + r * part + b * w->steps;
}

static void begin_random(cn_windows *w, int64_t offset)
{
    int64_t n = windows_after(w, offset);
    w->batches = n / w->batch;
    cn_rng_permutation(&w->rng, n, w->start);
    for (int64_t i = 0; i < n; i++) w->start[i] = offset + w->start[i] * w->steps;
}

/* An offset that leaves too little for a batch is not taken. */
static void begin_epoch(cn_windows *w)
{
    int64_t offset = cn_rng_below(&w->rng, w->steps);
    if (windows_after(w, offset) < w->batch) offset = 0;
    w->next = 0;
    w->running = true;
    if (w->random) begin_random(w, offset);
    else begin_sequential(w, offset);
}

bool cn_windows_next(cn_windows *w, cn_batch *out)
{
    if (!w || !out || !cn_ok()) return false;
    if (!w->running) begin_epoch(w);
    if (w->next == w->batches) {
        w->running = false;
        return false;
    }
    cn_tensor *x = cn_empty(CN_SHAPE(w->batch, w->steps), CN_I64);
    cn_tensor *y = cn_empty(CN_SHAPE(w->batch, w->steps), CN_I64);
    const int64_t *ids = cn_data(w->ids), *start = w->start + w->next * w->batch;
    int64_t *to_x = cn_data_mut(x), *to_y = cn_data_mut(y);
    if (!ids || !to_x || !to_y) return false;
    for (int64_t r = 0; r < w->batch; r++) {
        memcpy(to_x + r * w->steps, ids + start[r], (size_t)w->steps * sizeof *ids);
        memcpy(to_y + r * w->steps, ids + start[r] + 1, (size_t)w->steps * sizeof *ids);
    }
    w->next++;
    *out = (cn_batch){ .x = x, .y = y, .size = w->batch };
    return true;
}
