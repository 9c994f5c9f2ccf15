/* decompose.c - our own decompositions, portable and plain: the reference, and what there is without
   LAPACK. Golub, Van Loan, Matrix Computations, sections 3.4, 4.2, 5.2 and 8.5. */
#include "ops/linalg/decompose.h"

#include <float.h>
#include <math.h>
#include <string.h>

static int64_t smaller(int64_t m, int64_t n)
{
    return m < n ? m : n;
}

#define T float
#define EPSILON FLT_EPSILON
#define NAME(x) x##_f32
#define M(x) x##f
#include "ops/linalg/factor.inc"
#include "ops/linalg/spectrum.inc"
#undef T
#undef EPSILON
#undef NAME
#undef M

#define T double
#define EPSILON DBL_EPSILON
#define NAME(x) x##_f64
#define M(x) x
#include "ops/linalg/factor.inc"
#include "ops/linalg/spectrum.inc"
#undef T
#undef EPSILON
#undef NAME
#undef M

const cn_decompositions cn_own_f32 = { lu_f32,   cholesky_f32, qr_f32,        reflections_f32,
                                       eigh_f32, svd_f32,      cn_own_eig_f32 };
const cn_decompositions cn_own_f64 = { lu_f64,   cholesky_f64, qr_f64,        reflections_f64,
                                       eigh_f64, svd_f64,      cn_own_eig_f64 };
