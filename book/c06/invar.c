/* invar.c - from fully connected layers to convolutions: translation invariance and locality (D2L 7.1). */
#include "book/book.h"

enum { H = 7, W = 8, K = 3, ROWS = H - K + 1, COLUMNS = W - K + 1, PIXELS = H * W };

/* Small whole numbers: sums of their products are exact, in whatever order they are added. */
static cn_tensor *whole(cn_shape shape)
{
    return cn_to(cn_sub(cn_to(cn_randint(0, 9, shape), CN_F32), cn_num(4)), CN_F32);
}

/* The picture on a larger canvas of zeros, so many pixels from its upper left corner. */
static cn_tensor *placed(cn_tensor *x, int64_t down, int64_t right)
{
    return cn_pad(x, CN_SHAPE(right, 6 - right, down, 6 - down));
}

static void shifts(Lab *lab, cn_tensor *x, cn_tensor *k)
{
    cn_tensor *here = cn_conv2d(placed(x, 1, 2), k), *there = cn_conv2d(placed(x, 4, 3), k);
    lab_same(lab, "shifted input, shifted output",
             cn_slice(cn_slice(here, 2, 0, -3, 1), 3, 0, -1, 1),
             cn_slice(cn_slice(there, 2, 3, INT64_MAX, 1), 3, 1, INT64_MAX, 1), 0);
}

/* The fully connected layer whose weight V[i, j, a, b], from pixel (i + a, j + b) to output (i, j), is
   zero beyond the window: locality. kernels: (outputs, K * K), one for each output. */
static cn_tensor *locally_connected(cn_tensor *kernels)
{
    float weight[ROWS * COLUMNS][PIXELS] = { 0 }, v[ROWS * COLUMNS][K * K];
    if (!cn_read(kernels, CN_F32, v, ROWS * COLUMNS * K * K)) return NULL;
    for (int o = 0; o < ROWS * COLUMNS; o++)
        for (int a = 0; a < K; a++)
            for (int b = 0; b < K; b++)
                weight[o][(o / COLUMNS + a) * W + o % COLUMNS + b] = v[o][a * K + b];
    return cn_from(weight, CN_SHAPE(ROWS * COLUMNS, PIXELS), CN_F32);
}

static void run(Lab *lab)
{
    cn_tensor *x = whole(CN_SHAPE(1, 1, H, W)), *k = whole(CN_SHAPE(1, 1, K, K));
    shifts(lab, x, k);

    /* Translation invariance: all outputs share one kernel. */
    cn_tensor *tied = cn_expand(cn_reshape(k, CN_SHAPE(1, K * K)), CN_SHAPE(ROWS * COLUMNS, K * K));
    cn_tensor *weight = locally_connected(tied), *flat = cn_reshape(x, CN_SHAPE(PIXELS));
    cn_tensor *y = cn_reshape(cn_conv2d(x, k), CN_SHAPE(ROWS * COLUMNS));
    lab_same(lab, "a local layer with tied weights is the convolution", cn_mv(weight, flat), y, 0);

    cn_tensor *untied = locally_connected(whole(CN_SHAPE(ROWS * COLUMNS, K * K)));
    lab_at_least(lab, "one with a kernel for each output is not, by",
                 cn_item(cn_amax(cn_abs(cn_sub(cn_mv(untied, flat), y)))), 1);
    lab_number(lab, "weights of the local layer",
               cn_item(cn_sum(cn_to(cn_ne(weight, cn_num(0)), CN_F32))),
               ROWS * COLUMNS * cn_item(cn_sum(cn_to(cn_ne(k, cn_num(0)), CN_F32))), 0);

    double shown[ROWS * COLUMNS * PIXELS];
    cn_figure *f = cn_figure_new("A convolution as a fully connected layer");
    if (cn_read(weight, CN_F64, shown, ROWS * COLUMNS * PIXELS))
        cn_figure_heatmap(f, shown, ROWS * COLUMNS, PIXELS, .xlabel = "pixel", .ylabel = "output");
    lab_figure(lab, f);
}

const Experiment experiment_c06_invar = {
    .id = "C06-INVAR",
    .title = "Translation invariance and locality",
    .title_zh = "平移不变性和局部性",
    .section = "7.1",
    .run = run,
};
