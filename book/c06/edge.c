/* edge.c - finding edges with the kernel [1, -1] (D2L 7.2.3). */
#include "book/book.h"

static void show(cn_figure *f, const char *title, const cn_tensor *t, size_t h, size_t w)
{
    float pixels[64];
    cn_figure_panel(f, title);
    if (cn_read(t, CN_F32, pixels, (int64_t)(h * w)))
        cn_figure_images(f, 1, h, w, .f32 = pixels, .lo = -1, .hi = 1);
}

static void run(Lab *lab)
{
    cn_tensor *x = cn_ones(CN_SHAPE(6, 8), CN_F32);
    cn_mul_(cn_narrow(x, 1, 2, 4), cn_num(0)); /* the book's X[:, 2:6] = 0 */
    cn_tensor *k = cn_from((const float[]){ 1, -1 }, CN_SHAPE(1, 1, 1, 2), CN_F32);
    cn_tensor *y = cn_reshape(cn_conv2d(cn_reshape(x, CN_SHAPE(1, 1, 6, 8)), k), CN_SHAPE(6, 7));
    cn_tensor *turned = cn_conv2d(cn_reshape(cn_contiguous(cn_t(x)), CN_SHAPE(1, 1, 8, 6)), k);

    /* clang-format off */
    lab_values(lab, "corr2d(X, K)", y, 0,
               0, 1, 0, 0, 0, -1, 0,   0, 1, 0, 0, 0, -1, 0,   0, 1, 0, 0, 0, -1, 0,
               0, 1, 0, 0, 0, -1, 0,   0, 1, 0, 0, 0, -1, 0,   0, 1, 0, 0, 0, -1, 0);
    /* clang-format on */
    lab_shape(lab, "corr2d(X.t(), K)", turned, CN_SHAPE(1, 1, 8, 5));
    lab_same(lab, "corr2d(X.t(), K) is zero", turned, cn_zeros(CN_SHAPE(1, 1, 8, 5), CN_F32), 0);

    cn_figure *f = cn_figure_new("Edge detection");
    show(f, "X", x, 6, 8);
    show(f, "corr2d(X, K)", y, 6, 7);
    show(f, "corr2d(X.t(), K)", turned, 8, 5);
    lab_figure(lab, f);
}

const Experiment experiment_c06_edge = {
    .id = "C06-EDGE",
    .title = "Edge detection in images",
    .title_zh = "图像中目标的边缘检测",
    .section = "7.2.3",
    .published = "1 at column 1, -1 at column 5; zeros for the transposed image",
    .run = run,
};
