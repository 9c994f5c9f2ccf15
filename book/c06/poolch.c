/* poolch.c - pooling treats channels by themselves, and makes position matter less (D2L 7.5.3). */
#include "book/book.h"

enum { IMAGES = 64, SIDE = 28 };

/* How much a map changes, relative to itself, when the pictures move one pixel to the right. */
static double change(cn_tensor *(*map)(cn_tensor *x), cn_tensor *x)
{
    cn_tensor *here = map(cn_pad(x, CN_SHAPE(2, 2, 2, 2)));
    cn_tensor *moved = map(cn_pad(x, CN_SHAPE(3, 1, 2, 2)));
    return cn_item(cn_norm(cn_sub(here, moved))) / cn_item(cn_norm(here));
}

/* Where the picture gets darker from left to right. */
static cn_tensor *edges(cn_tensor *x)
{
    cn_tensor *k = cn_from((const float[]){ 1, -1 }, CN_SHAPE(1, 1, 1, 2), CN_F32);
    return cn_relu(cn_conv2d(x, k));
}

static cn_tensor *maxima(cn_tensor *x)
{
    return cn_max_pool2d(edges(x), { 2 });
}

static cn_tensor *averages(cn_tensor *x)
{
    return cn_avg_pool2d(edges(x), { 2 });
}

static void run(Lab *lab)
{
    cn_tensor *x = cn_reshape(cn_arange(0, 16, 1, CN_F32), CN_SHAPE(1, 1, 4, 4));
    cn_tensor *two = cn_cat((cn_tensor *[]){ x, cn_add(x, cn_num(1)) }, 2, 1);
    cn_tensor *y = cn_max_pool2d(two, { 3 }, .padding = { 1, 1 }, .stride = { 2 });
    lab_shape(lab, "two channels stay two", y, CN_SHAPE(1, 2, 2, 2));
    lab_values(lab, "MaxPool2d(3, padding=1, stride=2)", y, 0, 5, 7, 13, 15, 6, 8, 14, 16);

    cn_dataset *images = lab_images(lab, CN_TEST, IMAGES, IMAGES);
    int64_t index[IMAGES];
    cn_batch b = { 0 };
    for (int i = 0; i < IMAGES; i++) index[i] = i;
    if (!images || !cn_dataset_get(images, index, IMAGES, &b)) return;
    double raw = change(edges, b.x), pooled = change(maxima, b.x), averaged = change(averages, b.x);
    lab_say(lab, "edges change by %.3f, their maxima by %.3f, their averages by %.3f", raw, pooled,
            averaged);
    lab_at_most(lab, "change by a pixel's shift: maxima against edges", pooled / raw, 0.9);
    lab_at_most(lab, "change by a pixel's shift: averages against edges", averaged / raw, 0.9);
}

const Experiment experiment_c06_poolch = {
    .id = "C06-POOLCH",
    .title = "Pooling, channels and position",
    .title_zh = "汇聚层：多个通道，降低对位置的敏感性",
    .section = "7.5.3",
    .published = "[[5, 7], [13, 15]], [[6, 8], [14, 16]]",
    .data = "fashion-mnist",
    .run = run,
};
