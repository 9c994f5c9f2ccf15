/* conv.c - the convolutional layer with its bias, by hand and in several ways (D2L 7.2.2). */
#include "book/book.h"

enum {
    N = 2,
    IN = 3,
    OUT = 2,
    H = 7,
    W = 6,
    KH = 3,
    KW = 2,
    ROWS = H - KH + 1,
    COLUMNS = W - KW + 1
};

/* One output after the other. */
static cn_tensor *directly(cn_tensor *x, cn_tensor *k, cn_tensor *b)
{
    cn_tensor *y = cn_zeros(CN_SHAPE(N, OUT, ROWS, COLUMNS), CN_F64);
    double *out = cn_data_mut(y);
    for (int64_t at = 0; out && at < cn_numel(y); at++) {
        int64_t j = at % COLUMNS, i = at / COLUMNS % ROWS, o = at / COLUMNS / ROWS % OUT;
        cn_tensor *image = cn_select(x, 0, at / COLUMNS / ROWS / OUT);
        cn_tensor *window = cn_narrow(cn_narrow(image, 1, i, KH), 2, j, KW);
        out[at] = cn_item(cn_sum(cn_mul(window, cn_select(k, 0, o)))) + cn_at(b, CN_SHAPE(o));
    }
    return y;
}

/* "im2col": each row of a matrix is what a window covers; the kernels are the columns of another. */
static cn_tensor *by_matrices(cn_tensor *x, cn_tensor *k, cn_tensor *b)
{
    cn_tensor *shifted[KH * KW];
    for (int a = 0; a < KH * KW; a++)
        shifted[a] = cn_narrow(cn_narrow(x, 2, a / KW, ROWS), 3, a % KW, COLUMNS);
    cn_tensor *windows = cn_permute(cn_stack(shifted, KH * KW, 2), CN_SHAPE(0, 3, 4, 1, 2));
    cn_tensor *rows = cn_reshape(windows, CN_SHAPE(N * ROWS * COLUMNS, IN * KH * KW));
    cn_tensor *y = cn_add(cn_matmul(rows, cn_t(cn_reshape(k, CN_SHAPE(OUT, IN * KH * KW)))), b);
    return cn_permute(cn_reshape(y, CN_SHAPE(N, ROWS, COLUMNS, OUT)), CN_SHAPE(0, 3, 1, 2));
}

static cn_tensor *layer(cn_tensor *const *in, void *context)
{
    (void)context;
    return cn_conv2d(in[0], in[1], .bias = in[2], .stride = { 2, 1 }, .padding = { 1, 2 });
}

static void run(Lab *lab)
{
    cn_tensor *x = cn_randn(CN_SHAPE(N, IN, H, W), CN_F64);
    cn_tensor *k = cn_randn(CN_SHAPE(OUT, IN, KH, KW), CN_F64),
              *b = cn_randn(CN_SHAPE(OUT), CN_F64);
    cn_tensor *y = cn_conv2d(x, k, .bias = b), *slow = directly(x, k, b);
    lab_same(lab, "direct sums and the library", slow, y, 1e-12);
    lab_same(lab, "matrices of windows (im2col) and the library", by_matrices(x, k, b), y, 1e-12);
    cn_tensor *single = cn_conv2d(cn_to(x, CN_F32), cn_to(k, CN_F32), .bias = cn_to(b, CN_F32));
    lab_same(lab, "direct sums and the library's float32", slow, single, 1e-5);
    lab_gradients(lab, "gradients of input, kernel and bias, stride (2, 1), padding (1, 2)", layer,
                  (cn_tensor *[]){ x, k, b }, 3, NULL);
}

const Experiment experiment_c06_conv = {
    .id = "C06-CONV",
    .title = "Convolutional layers",
    .title_zh = "卷积层",
    .section = "7.2.2",
    .run = run,
};
