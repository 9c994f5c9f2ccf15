/* eig.c - eigenvectors; symmetric matrices have orthogonal ones (D2L 22.2). */
#include "book/book.h"

#include <math.h>

enum { SIDE = 12 };

static double largest(cn_tensor *t)
{
    return cn_item(cn_amax(cn_abs(t)));
}

static void run(Lab *lab)
{
    const float simple[2][2] = { { 2, 1 }, { 2, 3 } };
    cn_tensor *values, *vectors;
    if (cn_linalg_eig(cn_from(simple, CN_SHAPE(2, 2), CN_F32), &values, &vectors))
        lab_values(lab, "eigenvalues of [[2, 1], [2, 3]]",
                   cn_sort(cn_real(values), 0, false).values, 1e-6, 1, 4);

    double residue = 0, orthogonal = 0, trace = 0;
    for (int i = 0; i < 10; i++) CN_SCOPE
        {
            cn_tensor *r = cn_randn(CN_SHAPE(SIDE, SIDE), CN_F32);
            cn_tensor *a = cn_mul(cn_add(r, cn_t(r)), cn_num(0.5));
            cn_eigen e = cn_linalg_eigh(a);
            cn_tensor *back = cn_matmul(cn_mul(e.vectors, e.values), cn_t(e.vectors));
            residue = fmax(residue, largest(cn_sub(a, back)));
            orthogonal =
                fmax(orthogonal,
                     largest(cn_sub(cn_matmul(cn_t(e.vectors), e.vectors), cn_eye(SIDE, CN_F32))));
            trace = fmax(trace, fabs(cn_item(cn_sum(e.values)) -
                                     cn_item(cn_sum(cn_mul(a, cn_eye(SIDE, CN_F32))))));
        }
    lab_at_most(lab, "|A - Q L Q^T|, the worst of 10 symmetric matrices", residue, 1e-5);
    lab_at_most(lab, "|Q^T Q - I|", orthogonal, 1e-5);
    lab_at_most(lab, "the sum of the eigenvalues and the trace differ by", trace, 1e-4);
}

const Experiment experiment_c02_eig = {
    .id = "C02-EIG",
    .title = "Eigenvalues and eigenvectors",
    .title_zh = "特征值与特征向量",
    .section = "22.2",
    .run = run,
};
