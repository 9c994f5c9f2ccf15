/* linalg.c - the objects of linear algebra (D2L 2.3.1). */
#include "book/book.h"

static void run(Lab *lab)
{
    cn_tensor *x = cn_scalar(3), *y = cn_scalar(2);
    lab_number(lab, "x + y", cn_item(cn_add(x, y)), 5, 0);
    lab_number(lab, "x * y", cn_item(cn_mul(x, y)), 6, 0);
    lab_number(lab, "x / y", cn_item(cn_div(x, y)), 1.5, 0);
    lab_number(lab, "x ** y", cn_item(cn_pow(x, y)), 9, 0);

    cn_tensor *v = cn_arange(0, 4, 1, CN_F32);
    lab_number(lab, "x[3]", cn_at(v, CN_SHAPE(3)), 3, 0);
    lab_number(lab, "len(x)", (double)cn_size(v, 0), 4, 0);

    cn_tensor *a = cn_reshape(cn_arange(0, 20, 1, CN_F32), CN_SHAPE(5, 4));
    lab_values(lab, "A.T", cn_t(a), 0, 0, 4, 8, 12, 16, 1, 5, 9, 13, 17, 2, 6, 10, 14, 18, 3, 7, 11,
               15, 19);
    const float symmetric[3][3] = { { 1, 2, 3 }, { 2, 0, 4 }, { 3, 4, 5 } };
    cn_tensor *b = cn_from(symmetric, CN_SHAPE(3, 3), CN_F32);
    lab_values(lab, "B == B.T", cn_eq(b, cn_t(b)), 0, 1, 1, 1, 1, 1, 1, 1, 1, 1);
    lab_number(
        lab, "elements of A A that differ from their mirror image",
        cn_item(cn_sum(cn_to(cn_ne(cn_matmul(a, cn_t(a)), cn_t(cn_matmul(a, cn_t(a)))), CN_F32))),
        0, 0);

    cn_tensor *cube = cn_reshape(cn_arange(0, 24, 1, CN_F32), CN_SHAPE(2, 3, 4));
    lab_number(lab, "element [1, 2, 3] of a (2, 3, 4) tensor", cn_at(cube, CN_SHAPE(1, 2, 3)), 23,
               0);
    lab_values(lab, "a row of A * B (Hadamard)", cn_select(cn_mul(a, cn_clone(a)), 0, 4), 0, 256,
               289, 324, 361);
    lab_values(lab, "a matrix of a + X", cn_select(cn_select(cn_add(cn_num(2), cube), 0, 1), 0, 0),
               0, 14, 15, 16, 17);
}

const Experiment experiment_c02_linalg = {
    .id = "C02-LINALG",
    .title = "Scalars, vectors, matrices, tensors",
    .title_zh = "标量、向量、矩阵和张量",
    .section = "2.3.1",
    .published = "A.T; B == B.T all true; A * B ends in 361",
    .run = run,
};
