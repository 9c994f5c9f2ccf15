/* decompose.h - decompositions of one matrix: our own routines, or LAPACK's, behind one interface.

   Matrices are row-major without gaps, of float or double. A routine returns 0, a number k > 0 that
   says where it had to give up, or CN_NO_WORKSPACE with the error set. */
#ifndef CN_OPS_LINALG_DECOMPOSE_H
#define CN_OPS_LINALG_DECOMPOSE_H

#include "core/op.h"

enum { CN_NO_WORKSPACE = -1 };

typedef struct cn_decompositions {
    /* a (m, n) becomes U and, below its diagonal, L, whose own diagonal is 1; row i was exchanged
       with row pivots[i] - 1, for i = 0, 1, .. min(m, n) - 1. k: U(k, k) is 0, the first such. */
    int64_t (*lu)(int64_t m, int64_t n, void *a, int64_t *pivots);
    /* One triangle of a becomes L or U. k: the leading minor of order k is not positive. */
    int64_t (*cholesky)(bool upper, int64_t n, void *a);
    /* a (m, n) becomes R and, below its diagonal, the vectors of min(m, n) reflections
       1 - tau v v^T, whose v start with 1. */
    int64_t (*qr)(int64_t m, int64_t n, void *a, void *tau);
    /* a (m, n), n <= m, with the vectors of k <= n reflections as above, becomes the first n columns
       of their product. */
    int64_t (*reflections)(int64_t m, int64_t n, int64_t k, void *a, const void *tau);
    /* The columns of a become the eigenvectors of the symmetric matrix of which it holds one
       triangle; w: the eigenvalues, ascending. k: no convergence. */
    int64_t (*eigh)(bool upper, int64_t n, void *a, void *w);
    /* u (m, full ? m : min), s (min) descending, vh (full ? n : min, n); a is lost.
       k: no convergence. */
    int64_t (*svd)(bool full, int64_t m, int64_t n, void *a, void *u, void *s, void *vh);
    /* w (n) and the columns of v (n, n), both complex: eigenvalues and eigenvectors of a, which is lost;
       the vectors have length 1 and a real largest element. k: no convergence. */
    int64_t (*eig)(int64_t n, void *a, void *w, void *v);
} cn_decompositions;

extern const cn_decompositions cn_own_f32, cn_own_f64;
int64_t cn_own_eig_f32(int64_t n, void *a, void *w, void *v);
int64_t cn_own_eig_f64(int64_t n, void *a, void *w, void *v);

/* The ops whose kernels do nothing but call these for each matrix of a batch, in CN_ROWS. */
bool cn_run_lu(const cn_call *c, const cn_decompositions *by);       /* linalg.lu_factor_ex */
bool cn_run_cholesky(const cn_call *c, const cn_decompositions *by); /* linalg.cholesky_ex */
bool cn_run_qr(const cn_call *c, const cn_decompositions *by);       /* linalg.qr */
bool cn_run_eigh(const cn_call *c, const cn_decompositions *by);     /* linalg.eigh */
bool cn_run_eig(const cn_call *c, const cn_decompositions *by);      /* linalg.eig */
bool cn_run_svd(const cn_call *c, const cn_decompositions *by);      /* linalg.svd */

static inline const cn_decompositions *cn_own_decompositions(const cn_call *c)
{
    return cn_in(c, 0)->dtype == CN_F32 ? &cn_own_f32 : &cn_own_f64;
}

#endif
