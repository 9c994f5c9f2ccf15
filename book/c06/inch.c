/* inch.c - several input and output channels (D2L 7.4.1 and 7.4.2). */
#include "book/book.h"

static cn_tensor *corr2d(cn_tensor *x, cn_tensor *k)
{
    cn_tensor *y =
        cn_conv2d(cn_unsqueeze(cn_unsqueeze(x, 0), 0), cn_unsqueeze(cn_unsqueeze(k, 0), 0));
    return cn_squeeze(y, CN_SHAPE(0, 1));
}

/* Channel by channel, added up. */
static cn_tensor *corr2d_multi_in(cn_tensor *x, cn_tensor *k)
{
    cn_tensor *y = corr2d(cn_select(x, 0, 0), cn_select(k, 0, 0));
    for (int64_t c = 1; c < cn_size(x, 0); c++)
        y = cn_add(y, corr2d(cn_select(x, 0, c), cn_select(k, 0, c)));
    return y;
}

static cn_tensor *corr2d_multi_in_out(cn_tensor *x, cn_tensor *k)
{
    enum { OUT = 3 };
    cn_tensor *y[OUT];
    for (int64_t o = 0; o < OUT; o++) y[o] = corr2d_multi_in(x, cn_select(k, 0, o));
    return cn_stack(y, OUT, 0);
}

static void run(Lab *lab)
{
    cn_tensor *x = cn_reshape(cn_arange(0, 9, 1, CN_F32), CN_SHAPE(3, 3));
    cn_tensor *k = cn_reshape(cn_arange(0, 4, 1, CN_F32), CN_SHAPE(2, 2));
    cn_tensor *xs = cn_stack((cn_tensor *[]){ x, cn_add(x, cn_num(1)) }, 2, 0);
    cn_tensor *ks = cn_stack((cn_tensor *[]){ k, cn_add(k, cn_num(1)) }, 2, 0);
    lab_values(lab, "corr2d_multi_in(X, K)", corr2d_multi_in(xs, ks), 0, 56, 72, 104, 120);

    cn_tensor *all[] = { ks, cn_add(ks, cn_num(1)), cn_add(ks, cn_num(2)) };
    cn_tensor *stacked = cn_stack(all, 3, 0);
    lab_shape(lab, "K", stacked, CN_SHAPE(3, 2, 2, 2));
    lab_values(lab, "corr2d_multi_in_out(X, K)", corr2d_multi_in_out(xs, stacked), 0, 56, 72, 104,
               120, 76, 100, 148, 172, 96, 128, 192, 224);
    lab_values(lab, "conv2d(X, K)", cn_conv2d(xs, stacked), 0, 56, 72, 104, 120, 76, 100, 148, 172,
               96, 128, 192, 224);
}

const Experiment experiment_c06_inch = {
    .id = "C06-INCH C06-OUTCH",
    .title = "Multiple input and output channels",
    .title_zh = "多输入多输出通道",
    .section = "7.4",
    .published = "[[56, 72], [104, 120]], [[76, 100], [148, 172]], [[96, 128], [192, 224]]",
    .run = run,
};
