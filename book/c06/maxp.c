/* maxp.c - maximum and average pooling, padding and stride (D2L 7.5.1 and 7.5.2). */
#include "book/book.h"

typedef enum { MAX, AVG } Mode;

/* The book's pool2d(). */
static cn_tensor *pool2d(cn_tensor *x, int64_t h, int64_t w, Mode mode)
{
    int64_t rows = cn_size(x, 0) - h + 1, columns = cn_size(x, 1) - w + 1;
    cn_tensor *y = cn_zeros(CN_SHAPE(rows, columns), CN_F32);
    float *out = cn_data_mut(y);
    for (int64_t i = 0; out && i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            cn_tensor *window = cn_narrow(cn_narrow(x, 0, i, h), 1, j, w);
            *out++ = (float)cn_item(mode == MAX ? cn_amax(window) : cn_mean(window));
        }
    return y;
}

static cn_tensor *plane(int64_t side)
{
    return cn_reshape(cn_arange(0, (double)(side * side), 1, CN_F32), CN_SHAPE(1, 1, side, side));
}

static void run(Lab *lab)
{
    cn_tensor *x = plane(3), *flat = cn_reshape(x, CN_SHAPE(3, 3)), *large = plane(4);
    lab_values(lab, "pool2d(X, (2, 2))", pool2d(flat, 2, 2, MAX), 0, 4, 5, 7, 8);
    lab_values(lab, "pool2d(X, (2, 2), 'avg')", pool2d(flat, 2, 2, AVG), 0, 2, 3, 5, 6);
    lab_values(lab, "max_pool2d(X)", cn_max_pool2d(x, { 2 }, .stride = { 1 }), 0, 4, 5, 7, 8);
    lab_values(lab, "avg_pool2d(X)", cn_avg_pool2d(x, { 2 }, .stride = { 1 }), 0, 2, 3, 5, 6);

    lab_values(lab, "MaxPool2d(3)", cn_max_pool2d(large, { 3 }), 0, 10);
    lab_values(lab, "MaxPool2d(3, padding=1, stride=2)",
               cn_max_pool2d(large, { 3 }, .padding = { 1, 1 }, .stride = { 2 }), 0, 5, 7, 13, 15);
    lab_values(lab, "MaxPool2d((2, 3), stride=(2, 3), padding=(0, 1))",
               cn_max_pool2d(large, { 2, 3 }, .stride = { 2, 3 }, .padding = { 0, 1 }), 0, 5, 7, 13,
               15);

    /* A margin never wins a maximum, but counts in an average unless it is excluded. */
    cn_tensor *below = cn_sub(large, cn_num(100)), *ones = cn_ones(CN_SHAPE(1, 1, 4, 4), CN_F32);
    lab_values(lab, "maxima of negative numbers at a margin",
               cn_max_pool2d(below, { 3 }, .padding = { 1, 1 }, .stride = { 2 }), 0, -95, -93, -87,
               -85);
    lab_values(lab, "averages of ones, the margin counts",
               cn_avg_pool2d(ones, { 3 }, .padding = { 1, 1 }, .stride = { 2 }), 1e-6, 4.0 / 9,
               6.0 / 9, 6.0 / 9, 1);
    lab_values(
        lab, "averages of ones, the margin is excluded",
        cn_avg_pool2d(ones, { 3 }, .padding = { 1, 1 }, .stride = { 2 }, .exclude_pad = true), 1e-6,
        1, 1, 1, 1);
}

const Experiment experiment_c06_maxp = {
    .id = "C06-MAXP C06-AVGP",
    .title = "Maximum pooling and average pooling",
    .title_zh = "最大汇聚层和平均汇聚层",
    .section = "7.5.1",
    .published = "[[4, 5], [7, 8]]; [[2, 3], [5, 6]]; 10; [[5, 7], [13, 15]] twice",
    .run = run,
};
