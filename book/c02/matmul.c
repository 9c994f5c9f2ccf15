/* matmul.c - products of vectors and matrices (D2L 2.3.8). */
#include "book/book.h"

static void run(Lab *lab)
{
    cn_tensor *x = cn_arange(0, 4, 1, CN_F32), *y = cn_ones(CN_SHAPE(4), CN_F32);
    lab_number(lab, "dot(x, y)", cn_item(cn_dot(x, y)), 6, 0);
    lab_number(lab, "sum(x * y)", cn_item(cn_sum(cn_mul(x, y))), 6, 0);

    cn_tensor *a = cn_reshape(cn_arange(0, 20, 1, CN_F32), CN_SHAPE(5, 4)),
              *b = cn_ones(CN_SHAPE(4, 3), CN_F32);
    lab_values(lab, "mv(A, x)", cn_mv(a, x), 0, 14, 38, 62, 86, 110);
    lab_values(lab, "mm(A, B)", cn_mm(a, b), 0, 6, 6, 6, 22, 22, 22, 38, 38, 38, 54, 54, 54, 70, 70,
               70);
    lab_shape(lab, "A * A is no matrix product", cn_mul(a, a), CN_SHAPE(5, 4));
    cn_mul(a, b);
    lab_refused(lab, "A * B, element by element", "(4, 3)");
    cn_mm(a, a);
    lab_refused(lab, "mm(A, A)", "(5, 4)");

    /* By the definition, on numbers that hide nothing. */
    cn_tensor *p = cn_randn(CN_SHAPE(7, 5), CN_F64), *q = cn_randn(CN_SHAPE(5, 6), CN_F64);
    cn_tensor *sums = cn_empty(CN_SHAPE(7, 6), CN_F64);
    double *out = cn_data_mut(sums);
    for (int64_t i = 0; out && i < 7; i++)
        for (int64_t j = 0; j < 6; j++)
            out[6 * i + j] = cn_item(cn_sum(cn_mul(cn_select(p, 0, i), cn_select(q, 1, j))));
    lab_same(lab, "mm of random matrices, and rows times columns", cn_mm(p, q), sums, 1e-13);
}

const Experiment experiment_c02_matmul = {
    .id = "C02-MATMUL",
    .title = "Dot, matrix-vector and matrix-matrix products",
    .title_zh = "点积、矩阵-向量积和矩阵-矩阵乘法",
    .section = "2.3.8",
    .published = "6; [14, 38, 62, 86, 110]; rows of 6, 22, 38, 54, 70",
    .run = run,
};
