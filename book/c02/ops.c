/* ops.c - arithmetic, joining, comparing and adding up (D2L 2.1.3). */
#include "book/book.h"

static void run(Lab *lab)
{
    cn_tensor *x = cn_from((const float[]){ 1, 2, 4, 8 }, CN_SHAPE(4), CN_F32);
    cn_tensor *y = cn_full(CN_SHAPE(4), 2, CN_F32);
    lab_values(lab, "x + y", cn_add(x, y), 0, 3, 4, 6, 10);
    lab_values(lab, "x - y", cn_sub(x, y), 0, -1, 0, 2, 6);
    lab_values(lab, "x * y", cn_mul(x, y), 0, 2, 4, 8, 16);
    lab_values(lab, "x / y", cn_div(x, y), 0, 0.5, 1, 2, 4);
    lab_values(lab, "x ** y", cn_pow(x, y), 0, 1, 4, 16, 64);
    /* printed with five digits */
    lab_values(lab, "exp(x)",
               cn_div(cn_exp(x), cn_from((const float[]){ 1, 1, 10, 1000 }, CN_SHAPE(4), CN_F32)),
               5.1e-5, 2.7183, 7.3891, 5.4598, 2.9810);

    cn_tensor *a = cn_reshape(cn_arange(0, 12, 1, CN_F32), CN_SHAPE(3, 4));
    const float rows[3][4] = { { 2, 1, 4, 3 }, { 1, 2, 3, 4 }, { 4, 3, 2, 1 } };
    cn_tensor *b = cn_from(rows, CN_SHAPE(3, 4), CN_F32), *both[] = { a, b };
    cn_tensor *below = cn_cat(both, 2, 0), *beside = cn_cat(both, 2, 1);
    lab_shape(lab, "cat((X, Y), dim=0)", below, CN_SHAPE(6, 4));
    lab_shape(lab, "cat((X, Y), dim=1)", beside, CN_SHAPE(3, 8));
    lab_values(lab, "its first row", cn_select(beside, 0, 0), 0, 0, 1, 2, 3, 2, 1, 4, 3);
    lab_values(lab, "the fourth row of the other", cn_select(below, 0, 3), 0, 2, 1, 4, 3);
    lab_values(lab, "X == Y", cn_eq(a, b), 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
    lab_number(lab, "X.sum()", cn_item(cn_sum(a)), 66, 0);
}

const Experiment experiment_c02_ops = {
    .id = "C02-OPS",
    .title = "Operations element by element",
    .title_zh = "按元素运算",
    .section = "2.1.3",
    .published = "x + y = [3, 4, 6, 10], exp(x) = [2.7183, 7.3891, 54.598, 2981.0], X.sum() = 66",
    .run = run,
};
