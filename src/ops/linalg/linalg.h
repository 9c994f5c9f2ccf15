/* linalg.h - what the ops of linear algebra share. */
#ifndef CN_OPS_LINALG_LINALG_H
#define CN_OPS_LINALG_LINALG_H

#include "ops/compose.h"

/* ---- checks -------------------------------------------------------------------------------- */

/* Is the input (a batch of) matrices of float32 or float64, square ones if that is asked? */
bool cn_want_matrix(const cn_call *c, int input, bool square);
bool cn_want_real(const cn_call *c, int input); /* float32 or float64 */
/* Does input 0 of a kernel, contiguous, hold neither NaN nor infinity? */
bool cn_all_finite(const cn_call *c);
/* Fails with the first number of `info` other than 0, after `what` and its place in the batch. */
bool cn_check_info(const cn_call *c, const cn_tensor *info, const char *what);

/* ---- batches -------------------------------------------------------------------------------- */

cn_shape cn_batch_shape(const cn_shape *s, int drop); /* without the last `drop` dimensions */
cn_shape cn_with_sizes(cn_shape batch, int64_t m, int64_t n);
int64_t cn_batch_size(const cn_view *v, int drop);
/* Where matrix i of contiguous v starts, `size` elements each. */
void *cn_matrix_at(const cn_view *v, int64_t i, int64_t size);

/* Runs a forward pass made of ops as a kernel: unrecorded, its results y copied to the outputs. */
bool cn_run_composed(const cn_call *c, bool (*forward)(const cn_call *c, cn_tensor *y[]));

/* ---- parts and products ---------------------------------------------------------------------- */

cn_tensor *cn_mt(cn_tensor *t); /* the last two dimensions exchanged */
cn_tensor *cn_lower(cn_tensor *t, int64_t diagonal);
cn_tensor *cn_upper(cn_tensor *t, int64_t diagonal);
cn_tensor *cn_diagonal_of(cn_tensor *t); /* of the last two dimensions */
cn_tensor *cn_on_diagonal(cn_tensor *v); /* (.., n) on the diagonal of (.., n, n) */
cn_tensor *cn_eye_like(cn_tensor *t, int64_t n);
/* t diag(by). */
cn_tensor *cn_scaled_columns(cn_tensor *t, cn_tensor *by);

/* ---- solving --------------------------------------------------------------------------------- */

typedef struct cn_triangle {
    bool upper, left, unit;
} cn_triangle;

/* The type and shape of the solution of a x = b (or x a = b), whose batches broadcast. */
bool cn_infer_solution(const cn_call *c, bool left, cn_spec *out);
/* The solution of a x = b, or x a = b; only the triangle of a is read. */
cn_tensor *cn_solve_triangular(cn_tensor *a, cn_tensor *b, cn_triangle how);
/* The solution of a x = b for matrices; a singular matrix gives infinities and NaN. */
cn_tensor *cn_solve_matrices(cn_tensor *a, cn_tensor *b);
/* LU, pivots and, in a third tensor, how it went. */
bool cn_lu_factors(cn_tensor *a, cn_tensor *out[3]);
cn_tensor *cn_lu_solution(cn_tensor *lu, cn_tensor *pivots, cn_tensor *b, bool adjoint);
/* The singular values, descending. */
cn_tensor *cn_singular_values(cn_tensor *a);

/* ---- norms ----------------------------------------------------------------------------------- */

/* (sum |x|^p)^(1/p) over dims (none given: all). */
cn_tensor *cn_vector_norm(cn_tensor *x, double p, const cn_ints *dims, bool keepdim);
/* Of the last two dimensions, of an order as linalg.matrix_norm takes it. */
cn_tensor *cn_matrix_norm(cn_tensor *x, const cn_number_arg *order);

#endif
