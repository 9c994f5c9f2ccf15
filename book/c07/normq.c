/* normq.c - how many means do batch norm and layer norm compute? (D2L 8.5) */
#include "book/book.h"

#include <math.h>

/* How many different groups of elements share a mean: moving one element moves the output of those that
   share it. Counted by trying each element. */
static int groups(cn_module *norm, cn_tensor *x)
{
    enum { MOST = 128 };
    int count = 0;
    bool seen[MOST] = { 0 };
    double before[MOST], after[MOST];
    int64_t n = cn_numel(x);
    if (n > MOST || !cn_read(cn_forward(norm, x), CN_F64, before, n)) return -1;
    for (int64_t i = 0; i < n; i++) {
        if (seen[i]) continue;
        cn_tensor *moved = cn_clone(x);
        float *at = cn_data_mut(moved);
        if (at) at[i] += 1;
        if (!cn_read(cn_forward(norm, moved), CN_F64, after, n)) return -1;
        for (int64_t k = 0; k < n; k++) seen[k] = seen[k] || fabs(after[k] - before[k]) > 1e-4;
        count++;
    }
    return count;
}

static void run(Lab *lab)
{
    cn_tensor *images = cn_randn(CN_SHAPE(2, 3, 4, 4), CN_F32);
    cn_tensor *sequences = cn_randn(CN_SHAPE(2, 3, 4), CN_F32);
    cn_module *bn = cn_batch_norm2d_layer(), *ln = cn_layer_norm_layer(CN_SHAPE(4));
    lab_number(lab, "means of batch norm on (2, 3, 4, 4)", groups(bn, images), 3, 0);
    lab_number(lab, "means of layer norm on (2, 3, 4)", groups(ln, sequences), 6, 0);
    lab_shape(lab, "gamma of batch norm", cn_module_slot(bn, "weight"), CN_SHAPE(3));
    lab_shape(lab, "beta of batch norm", cn_module_slot(bn, "bias"), CN_SHAPE(3));
    lab_shape(lab, "gamma of layer norm", cn_module_slot(ln, "weight"), CN_SHAPE(4));
    lab_shape(lab, "beta of layer norm", cn_module_slot(ln, "bias"), CN_SHAPE(4));
    cn_module_free(bn);
    cn_module_free(ln);
}

const Experiment experiment_c07_normq = {
    .id = "C07-NORMQ",
    .title = "Batch and layer normalization: what is averaged",
    .title_zh = "批量规范化与层规范化小测",
    .section = "8.5.2",
    .published = "3 means and 6; gamma and beta (3) and (4)",
    .run = run,
};
