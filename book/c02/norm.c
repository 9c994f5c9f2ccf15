/* norm.c - lengths of vectors and matrices, and what holds for all of them (D2L 2.3.11). */
#include "book/book.h"

#include <math.h>

static void run(Lab *lab)
{
    cn_tensor *u = cn_from((const float[]){ 3, -4 }, CN_SHAPE(2), CN_F32);
    lab_number(lab, "norm(u)", cn_item(cn_norm(u)), 5, 0);
    lab_number(lab, "abs(u).sum()", cn_item(cn_sum(cn_abs(u))), 7, 0);
    lab_number(lab, "norm(u, 1)", cn_item(cn_norm(u, .p = 1)), 7, 0);
    lab_number(lab, "norm(ones((4, 9)))", cn_item(cn_norm(cn_ones(CN_SHAPE(4, 9), CN_F32))), 6, 0);

    /* What makes a norm one, and the bound for products: the worst of many random cases. */
    double triangle = HUGE_VAL, product = HUGE_VAL, scaling = 0;
    for (int i = 0; i < 200; i++) CN_SCOPE
        {
            cn_tensor *a = cn_randn(CN_SHAPE(5, 4), CN_F64), *x = cn_randn(CN_SHAPE(4), CN_F64);
            cn_tensor *z = cn_randn(CN_SHAPE(4), CN_F64);
            double nx = cn_item(cn_norm(x)), nz = cn_item(cn_norm(z)), na = cn_item(cn_norm(a));
            triangle = fmin(triangle, nx + nz - cn_item(cn_norm(cn_add(x, z))));
            product = fmin(product, na * nx - cn_item(cn_norm(cn_mv(a, x))));
            scaling = fmax(scaling, fabs(cn_item(cn_norm(cn_mul(x, cn_num(-3)))) - 3 * nx));
        }
    lab_at_least(lab, "|x| + |y| - |x + y|, the least of 200", triangle, 0);
    lab_at_least(lab, "|A| |x| - |A x|, the least of 200", product, 0);
    lab_at_most(lab, "the greatest difference of |-3 x| and 3 |x|", scaling, 1e-12);
    lab_number(
        lab, "|A| |x| - |A x| for A of rank one along x",
        cn_item(cn_norm(cn_ones(CN_SHAPE(3, 3), CN_F64))) * sqrt(3) -
            cn_item(cn_norm(cn_mv(cn_ones(CN_SHAPE(3, 3), CN_F64), cn_ones(CN_SHAPE(3), CN_F64)))),
        0, 1e-12);
}

const Experiment experiment_c02_norm = {
    .id = "C02-NORM",
    .title = "Norms",
    .title_zh = "范数",
    .section = "2.3.11",
    .published = "5; 7; 6",
    .run = run,
};
