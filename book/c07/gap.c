/* gap.c - global average pooling instead of fully connected layers (D2L 8.3.2). */
#include "book/book.h"
#include "models/parts.h"

enum { CLASSES = 10 };

static void run(Lab *lab)
{
    cn_module *gap = cn_adaptive_avg_pool2d_layer(1), *nin = lab_network("nin", 96, 8);
    cn_train_mode(nin, false);
    cn_tensor *x = cn_randn(CN_SHAPE(1, CLASSES, 5, 5), CN_F32), *y = cn_forward(gap, x);
    lab_shape(lab, "after NiN's last block", y, CN_SHAPE(1, CLASSES, 1, 1));
    lab_same(lab, "the mean of each channel", cn_reshape(y, CN_SHAPE(CLASSES)),
             cn_mean(cn_reshape(x, CN_SHAPE(CLASSES, 25)), .dim = CN_SHAPE(1)), 1e-6);
    lab_same(lab, "the same picture four times gives the same",
             cn_forward(gap, cn_repeat(x, CN_SHAPE(1, 1, 2, 2))), y, 1e-6);
    lab_number(lab, "parameters", (double)cn_parameter_count(gap), 0, 0);
    for (int64_t side = 96; side <= 224; side += 64)
        lab_shape(lab, "NiN on a picture of another size",
                  cn_forward(nin, cn_zeros(CN_SHAPE(1, 1, side, side), CN_F32)),
                  CN_SHAPE(1, CLASSES));
    cn_module_free(gap);
    cn_module_free(nin);
}

const Experiment experiment_c07_gap = {
    .id = "C07-GAP",
    .title = "Global average pooling",
    .title_zh = "全局平均汇聚层",
    .section = "8.3.2",
    .published = "10 x 1 x 1",
    .run = run,
};
