/* rf.c - the receptive field grows with depth: measured by gradients (D2L 7.2.6). */
#include "book/book.h"

#include <stdio.h>

enum { SIDE = 31, LAYERS = 5 };

typedef struct {
    int64_t kernel, stride;
} Layer;

/* r grows by (k - 1) times the product of the strides so far. */
static int64_t expected(const Layer *layers, int n)
{
    int64_t field = 1, jump = 1;
    for (int i = 0; i < n; i++) {
        field += (layers[i].kernel - 1) * jump;
        jump *= layers[i].stride;
    }
    return field;
}

/* How many rows of the picture the gradient of one output reaches. Kernels of positive numbers: nothing
   cancels. *map gets the gradient. */
static int64_t measured(const Layer *layers, int n, cn_tensor **map)
{
    cn_tensor *x = cn_requires_grad(cn_zeros(CN_SHAPE(1, 1, SIDE, SIDE), CN_F32), true), *y = x;
    for (int i = 0; i < n; i++)
        y = cn_conv2d(y, cn_ones(CN_SHAPE(1, 1, layers[i].kernel, layers[i].kernel), CN_F32),
                      .stride = { layers[i].stride });
    int64_t middle = cn_size(y, 2) / 2;
    cn_tensor *one = cn_select(
        cn_select(cn_reshape(y, CN_SHAPE(cn_size(y, 2), cn_size(y, 3))), 0, middle), 0, middle);
    if (!cn_backward(one)) return -1;
    *map = cn_reshape(cn_clone(cn_grad(x)), CN_SHAPE(SIDE, SIDE));
    cn_tensor *reached = cn_amax(cn_to(cn_gt(*map, cn_num(0)), CN_F32), .dim = CN_SHAPE(1));
    return (int64_t)cn_item(cn_sum(reached));
}

static void show(cn_figure *f, const char *title, cn_tensor *map)
{
    float pixels[SIDE * SIDE];
    cn_tensor *scaled = cn_sqrt(cn_div(map, cn_amax(map)));
    cn_figure_panel(f, title);
    if (cn_read(scaled, CN_F32, pixels, SIDE * SIDE))
        cn_figure_images(f, 1, SIDE, SIDE, .f32 = pixels);
}

static void run(Lab *lab)
{
    static const Layer plain[LAYERS] = { { 3, 1 }, { 3, 1 }, { 3, 1 }, { 3, 1 }, { 3, 1 } };
    static const Layer mixed[LAYERS] = { { 5, 2 }, { 3, 1 }, { 2, 2 }, { 3, 1 }, { 1, 1 } };
    cn_figure *f = cn_figure_new("Receptive field of one output");
    char what[64];
    for (int n = 1; n <= LAYERS; n++) {
        cn_tensor *map = NULL;
        int64_t rows = measured(plain, n, &map);
        snprintf(what, sizeof what, "%d of 3 x 3", n);
        lab_number(lab, what, (double)rows, 2 * n + 1, 0);
        if (map && n % 2) show(f, what, map);
        snprintf(what, sizeof what, "%d with strides: the formula", n);
        lab_number(lab, what, (double)measured(mixed, n, &map), (double)expected(mixed, n), 0);
    }
    lab_figure(lab, f);
}

const Experiment experiment_c06_rf = {
    .id = "C06-RF",
    .title = "Feature map and receptive field",
    .title_zh = "特征映射和感受野",
    .section = "7.2.6",
    .run = run,
};
