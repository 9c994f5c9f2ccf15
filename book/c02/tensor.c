/* tensor.c - making tensors, and their shapes (D2L 2.1.1). */
#include "book/book.h"

static void run(Lab *lab)
{
    cn_tensor *x = cn_arange(0, 12, 1, CN_F32);
    lab_values(lab, "arange(12)", x, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    lab_number(lab, "x.numel()", (double)cn_numel(x), 12, 0);
    lab_shape(lab, "x.shape", x, CN_SHAPE(12));

    cn_tensor *m = cn_reshape(x, CN_SHAPE(3, 4));
    lab_shape(lab, "x.reshape(3, 4)", m, CN_SHAPE(3, 4));
    lab_number(lab, "its element [2, 1]", cn_at(m, CN_SHAPE(2, 1)), 9, 0);
    lab_shape(lab, "x.reshape(-1, 4)", cn_reshape(x, CN_SHAPE(-1, 4)), CN_SHAPE(3, 4));
    lab_shape(lab, "x.reshape(3, -1)", cn_reshape(x, CN_SHAPE(3, -1)), CN_SHAPE(3, 4));
    cn_reshape(x, CN_SHAPE(5, -1));
    lab_refused(lab, "x.reshape(5, -1)", "reshape");

    cn_tensor *zeros = cn_zeros(CN_SHAPE(2, 3, 4), CN_F32),
              *ones = cn_ones(CN_SHAPE(2, 3, 4), CN_F32);
    lab_shape(lab, "zeros((2, 3, 4))", zeros, CN_SHAPE(2, 3, 4));
    lab_number(lab, "the sum of its squares", cn_item(cn_sum(cn_square(zeros))), 0, 0);
    lab_number(lab, "the sum of ones((2, 3, 4))", cn_item(cn_sum(ones)), 24, 0);

    cn_tensor *normal = cn_randn(CN_SHAPE(100, 400), CN_F32);
    lab_number(lab, "the mean of 40000 from randn", cn_item(cn_mean(normal)), 0, 0.02);
    lab_number(lab, "their standard deviation", cn_item(cn_std(normal)), 1, 0.02);

    const float list[3][4] = { { 2, 1, 4, 3 }, { 1, 2, 3, 4 }, { 4, 3, 2, 1 } };
    lab_values(lab, "tensor([[2, 1, 4, 3], ...])", cn_from(list, CN_SHAPE(3, 4), CN_F32), 0, 2, 1,
               4, 3, 1, 2, 3, 4, 4, 3, 2, 1);
}

const Experiment experiment_c02_tensor = {
    .id = "C02-TENSOR",
    .title = "Tensors: creation, shape, reshape",
    .title_zh = "张量的创建、形状与变形",
    .section = "2.1.1",
    .published = "arange(12): shape [12], numel 12; reshape: 3 x 4",
    .run = run,
};
