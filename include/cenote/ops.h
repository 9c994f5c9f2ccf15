/* ops.h - operators on tensors, under PyTorch's names.

   All of them: results belong to the current scope, NULL inputs give NULL, gradients are recorded
   when
   an input requires them. Broadcasting and type promotion follow PyTorch. Required arguments come
   by
   position, options by name:  cn_sum(x, .dim = CN_SHAPE(0), .keepdim = true). */
#ifndef CENOTE_OPS_H
#define CENOTE_OPS_H

#include "tensor.h"

CN_BEGIN_DECLS

/* Any op by its name in the table, with tensor inputs and PyTorch's defaults for the rest. */
CN_API cn_tensor *cn_call_op(const char *name, cn_tensor *const *inputs, int n);

/* A number as an operand: yields to the other operand's type, as a Python number does. */
CN_API cn_tensor *cn_num(double value);

/* ---- arithmetic, element by element -------------------------------------------------------- */

CN_API cn_tensor *cn_add(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_sub(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_mul(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_div(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_pow(cn_tensor *input, cn_tensor *exponent);
CN_API cn_tensor *cn_floor_divide(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_trunc_divide(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_remainder(cn_tensor *input, cn_tensor *other); /* has the sign of other */
CN_API cn_tensor *cn_fmod(cn_tensor *input, cn_tensor *other);      /* has the sign of input */
CN_API cn_tensor *cn_atan2(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_neg(cn_tensor *input);
CN_API cn_tensor *cn_abs(cn_tensor *input);
CN_API cn_tensor *cn_maximum(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_minimum(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_clamp_min(cn_tensor *input, cn_tensor *min);
CN_API cn_tensor *cn_clamp_max(cn_tensor *input, cn_tensor *max);
CN_API cn_tensor *cn_clamp(cn_tensor *input, cn_tensor *min,
                           cn_tensor *max); /* one of them may be NULL */
CN_API cn_tensor *cn_exp(cn_tensor *input);
CN_API cn_tensor *cn_log(cn_tensor *input);
CN_API cn_tensor *cn_sqrt(cn_tensor *input);
CN_API cn_tensor *cn_square(cn_tensor *input);
CN_API cn_tensor *cn_rsqrt(cn_tensor *input);
CN_API cn_tensor *cn_reciprocal(cn_tensor *input);
CN_API cn_tensor *cn_exp2(cn_tensor *input);
CN_API cn_tensor *cn_expm1(cn_tensor *input);
CN_API cn_tensor *cn_log2(cn_tensor *input);
CN_API cn_tensor *cn_log10(cn_tensor *input);
CN_API cn_tensor *cn_log1p(cn_tensor *input);
CN_API cn_tensor *cn_sin(cn_tensor *input);
CN_API cn_tensor *cn_cos(cn_tensor *input);
CN_API cn_tensor *cn_tan(cn_tensor *input);
CN_API cn_tensor *cn_asin(cn_tensor *input);
CN_API cn_tensor *cn_acos(cn_tensor *input);
CN_API cn_tensor *cn_atan(cn_tensor *input);
CN_API cn_tensor *cn_sinh(cn_tensor *input);
CN_API cn_tensor *cn_cosh(cn_tensor *input);
CN_API cn_tensor *cn_erf(cn_tensor *input);
CN_API cn_tensor *cn_erfc(cn_tensor *input); /* 1 - erf(input) */
CN_API cn_tensor *cn_erfinv(cn_tensor *input);
CN_API cn_tensor *cn_asinh(cn_tensor *input);
CN_API cn_tensor *cn_acosh(cn_tensor *input);
CN_API cn_tensor *cn_atanh(cn_tensor *input);
CN_API cn_tensor *cn_lgamma(cn_tensor *input);  /* log |gamma(input)| */
CN_API cn_tensor *cn_digamma(cn_tensor *input); /* its derivative */
CN_API cn_tensor *cn_hypot(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_fmax(cn_tensor *input, cn_tensor *other); /* a number rather than NaN */
CN_API cn_tensor *cn_fmin(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_copysign(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_logaddexp(cn_tensor *input, cn_tensor *other); /* log(exp(.) + exp(.)) */
CN_API cn_tensor *cn_xlogy(cn_tensor *input, cn_tensor *other);     /* 0 where input is 0 */
/* input + weight (end - input); input + value tensor1 tensor2, or tensor1 / tensor2. */
CN_API cn_tensor *cn_lerp(cn_tensor *input, cn_tensor *end, cn_tensor *weight);
CN_API cn_tensor *cn_addcmul(cn_tensor *input, cn_tensor *tensor1, cn_tensor *tensor2,
                             double value);
CN_API cn_tensor *cn_addcdiv(cn_tensor *input, cn_tensor *tensor1, cn_tensor *tensor2,
                             double value);
CN_API cn_tensor *cn_sign(cn_tensor *input);
CN_API cn_tensor *cn_floor(cn_tensor *input);
CN_API cn_tensor *cn_ceil(cn_tensor *input);
CN_API cn_tensor *cn_trunc(cn_tensor *input);
CN_API cn_tensor *cn_round(cn_tensor *input);
CN_API cn_tensor *cn_tanh(cn_tensor *input);
CN_API cn_tensor *cn_sigmoid(cn_tensor *input);
CN_API cn_tensor *cn_relu(cn_tensor *input);

/* In place: input takes the result. Recorded, also of views, whose base then has changed. Refused for leaves
   that require gradients and views of them, and for views that split, chunk and unbind made. */
CN_API cn_tensor *cn_add_(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_sub_(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_mul_(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_copy_(cn_tensor *input, cn_tensor *source); /* broadcasts, converts */

/* ---- comparison: bool results -------------------------------------------------------------- */

CN_API cn_tensor *cn_eq(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_ne(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_lt(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_le(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_gt(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_ge(cn_tensor *input, cn_tensor *other);

CN_API cn_tensor *cn_logical_and(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_logical_or(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_logical_xor(cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_logical_not(cn_tensor *input);
CN_API cn_tensor *cn_isnan(cn_tensor *input);
CN_API cn_tensor *cn_isinf(cn_tensor *input);
CN_API cn_tensor *cn_isfinite(cn_tensor *input);

/* ---- reduction ----------------------------------------------------------------------------- */

typedef struct cn_reduce_args {
    size_t size;
    cn_tensor *input;
    cn_named_only named_only_;
    cn_shape dim; /* the dimensions to reduce; none: all */
    bool keepdim;
} cn_reduce_args;

CN_API cn_tensor *cn_sum_with(const cn_reduce_args *args);
CN_API cn_tensor *cn_mean_with(const cn_reduce_args *args);
#define cn_sum(...) cn_sum_with(&(cn_reduce_args){ .size = sizeof(cn_reduce_args), __VA_ARGS__ })
#define cn_mean(...) cn_mean_with(&(cn_reduce_args){ .size = sizeof(cn_reduce_args), __VA_ARGS__ })

CN_API cn_tensor *cn_amax_with(const cn_reduce_args *args);
CN_API cn_tensor *cn_amin_with(const cn_reduce_args *args);
CN_API cn_tensor *cn_argmax_with(
    const cn_reduce_args *args); /* one dim, or none: of all, flattened */
CN_API cn_tensor *cn_argmin_with(const cn_reduce_args *args);
#define cn_amax(...) cn_amax_with(&(cn_reduce_args){ .size = sizeof(cn_reduce_args), __VA_ARGS__ })
#define cn_amin(...) cn_amin_with(&(cn_reduce_args){ .size = sizeof(cn_reduce_args), __VA_ARGS__ })
#define cn_argmax(...)                                                                             \
    cn_argmax_with(&(cn_reduce_args){ .size = sizeof(cn_reduce_args), __VA_ARGS__ })
#define cn_argmin(...)                                                                             \
    cn_argmin_with(&(cn_reduce_args){ .size = sizeof(cn_reduce_args), __VA_ARGS__ })

CN_API cn_tensor *cn_prod_with(const cn_reduce_args *args); /* one dim, or none */
#define cn_prod(...) cn_prod_with(&(cn_reduce_args){ .size = sizeof(cn_reduce_args), __VA_ARGS__ })

/* Elements and where they were; both NULL on failure. */
typedef struct cn_indexed {
    cn_tensor *values, *indices;
} cn_indexed;

CN_API cn_indexed cn_max_along(cn_tensor *input, int dim);
CN_API cn_indexed cn_min_along(cn_tensor *input, int dim);

typedef struct cn_var_args {
    size_t size;
    cn_tensor *input;
    cn_named_only named_only_;
    cn_shape dim; /* none: all */
    bool keepdim;
    bool biased; /* divide by n instead of n - 1 */
} cn_var_args;

CN_API cn_tensor *cn_var_with(const cn_var_args *args);
CN_API cn_tensor *cn_std_with(const cn_var_args *args);
#define cn_var(...) cn_var_with(&(cn_var_args){ .size = sizeof(cn_var_args), __VA_ARGS__ })
#define cn_std(...) cn_std_with(&(cn_var_args){ .size = sizeof(cn_var_args), __VA_ARGS__ })

typedef struct cn_norm_args {
    size_t size;
    cn_tensor *input;
    cn_named_only named_only_;
    double p;     /* 0: the 2-norm */
    cn_shape dim; /* none: all */
    bool keepdim;
} cn_norm_args;

CN_API cn_tensor *cn_norm_with(const cn_norm_args *args);
#define cn_norm(...) cn_norm_with(&(cn_norm_args){ .size = sizeof(cn_norm_args), __VA_ARGS__ })

/* ---- running sums, sorting ----------------------------------------------------------------- */

CN_API cn_tensor *cn_cumsum(cn_tensor *input, int dim);
CN_API cn_tensor *cn_cumprod(cn_tensor *input, int dim);
CN_API cn_indexed cn_sort(cn_tensor *input, int dim,
                          bool descending); /* stable; NaN is the largest */
CN_API cn_tensor *cn_argsort(cn_tensor *input, int dim, bool descending);
/* The largest (smallest) so far along dim. */
CN_API cn_indexed cn_cummax(cn_tensor *input, int dim);
CN_API cn_indexed cn_cummin(cn_tensor *input, int dim);
CN_API cn_tensor *cn_diff(cn_tensor *input, int64_t n, int dim); /* n-th differences */
/* The lower one of the two in the middle; of all, or along dim. */
CN_API cn_tensor *cn_median(cn_tensor *input);
CN_API cn_indexed cn_median_along(cn_tensor *input, int dim);
CN_API cn_indexed cn_kthvalue(cn_tensor *input, int64_t k, int dim); /* k = 1: the smallest */

typedef struct cn_quantile_args {
    size_t size;
    cn_tensor *input, *q; /* q: a number or a vector, 0 .. 1, of the input's type */
    cn_named_only named_only_;
    cn_shape dim; /* one, or none: of all */
    bool keepdim;
} cn_quantile_args;
/* By linear interpolation; those of a vector q lie along a new first dimension. */
CN_API cn_tensor *cn_quantile_with(const cn_quantile_args *args);
#define cn_quantile(...)                                                                           \
    cn_quantile_with(&(cn_quantile_args){ .size = sizeof(cn_quantile_args), __VA_ARGS__ })

typedef struct cn_unique_args {
    size_t size;
    cn_tensor *input;
    cn_named_only named_only_;
    cn_tensor **inverse; /* where each of the input is among them; NULL: not wanted */
    cn_tensor **counts;  /* how often each occurs */
    cn_shape dim;        /* of slices along one dim; none: of elements */
} cn_unique_args;
CN_API cn_tensor *cn_unique_with(const cn_unique_args *args); /* ascending */
#define cn_unique(...)                                                                             \
    cn_unique_with(&(cn_unique_args){ .size = sizeof(cn_unique_args), __VA_ARGS__ })

/* Where each input belongs in the sorted sequence: before equal elements, or after them. */
CN_API cn_tensor *cn_searchsorted(cn_tensor *sorted_sequence, cn_tensor *input, bool right);
CN_API cn_indexed cn_topk(cn_tensor *input, int64_t k, int dim); /* the k largest, in order */

/* ---- indexing: indices are int64, parts are views ------------------------------------------ */

CN_API cn_tensor *cn_select(cn_tensor *input, int dim,
                            int64_t index); /* input[index], without dim */
CN_API cn_tensor *cn_narrow(cn_tensor *input, int dim, int64_t start, int64_t length);
CN_API cn_tensor *cn_slice(cn_tensor *input, int dim, int64_t start, int64_t end, int64_t step);
CN_API cn_tensor *cn_slice_scatter(cn_tensor *input, cn_tensor *src, int dim, int64_t start,
                                   int64_t end);
/* Parts of `size` along dim, the last perhaps smaller, into parts[room]: how many, or -1. */
CN_API int cn_split(cn_tensor *input, int64_t size, int dim, cn_tensor *parts[], int room);
CN_API cn_tensor *cn_gather(cn_tensor *input, int dim, cn_tensor *index);
CN_API cn_tensor *cn_scatter(cn_tensor *input, int dim, cn_tensor *index, cn_tensor *src);
CN_API cn_tensor *cn_scatter_add(cn_tensor *input, int dim, cn_tensor *index, cn_tensor *src);
typedef enum cn_scatter_how {
    CN_SCATTER_SUM,
    CN_SCATTER_PROD,
    CN_SCATTER_MEAN,
    CN_SCATTER_AMAX,
    CN_SCATTER_AMIN
} cn_scatter_how;
/* input with all elements of src that go to one place combined; include_self: with what is there. */
CN_API cn_tensor *cn_scatter_reduce(cn_tensor *input, int dim, cn_tensor *index, cn_tensor *src,
                                    cn_scatter_how how, bool include_self);
/* Of the flattened input. */
CN_API cn_tensor *cn_take(cn_tensor *input, cn_tensor *index);
CN_API cn_tensor *cn_put(cn_tensor *input, cn_tensor *index, cn_tensor *source, bool accumulate);
CN_API cn_tensor *cn_index_select(cn_tensor *input, int dim, cn_tensor *index);
CN_API cn_tensor *cn_index_add(cn_tensor *input, int dim, cn_tensor *index, cn_tensor *source);
CN_API cn_tensor *cn_index_copy(cn_tensor *input, int dim, cn_tensor *index, cn_tensor *source);
CN_API cn_tensor *cn_where(cn_tensor *condition, cn_tensor *input, cn_tensor *other);
CN_API cn_tensor *cn_masked_fill(cn_tensor *input, cn_tensor *mask, cn_tensor *value);
CN_API cn_tensor *cn_masked_select(cn_tensor *input, cn_tensor *mask);
CN_API cn_tensor *cn_nonzero(cn_tensor *input); /* one index per row */

/* ---- joining and repeating ----------------------------------------------------------------- */

CN_API cn_tensor *cn_cat(cn_tensor *const *tensors, int n, int dim);
CN_API cn_tensor *cn_stack(cn_tensor *const *tensors, int n, int dim); /* along a new dimension */
CN_API cn_tensor *cn_repeat(cn_tensor *input, cn_shape repeats);
CN_API cn_tensor *cn_flip(cn_tensor *input, cn_shape dims); /* a copy */

/* ---- shape: views where they can be -------------------------------------------------------- */

CN_API cn_tensor *cn_reshape(cn_tensor *input, cn_shape shape); /* one size may be -1 */
CN_API cn_tensor *cn_view_as(cn_tensor *input, cn_shape shape); /* reshape that never copies */
CN_API cn_tensor *cn_flatten(cn_tensor *input,
                             int start_dim); /* start_dim to the last become one */
CN_API cn_tensor *cn_permute(cn_tensor *input, cn_shape dims);
CN_API cn_tensor *cn_transpose(cn_tensor *input, int dim0, int dim1);
CN_API cn_tensor *cn_expand(cn_tensor *input, cn_shape shape); /* -1 keeps a size */
CN_API cn_tensor *cn_squeeze(cn_tensor *input,
                             cn_shape dims); /* drops size 1; no dims: all of them */
CN_API cn_tensor *cn_unsqueeze(cn_tensor *input, int dim);
CN_API cn_tensor *cn_t(cn_tensor *input); /* the transpose of a matrix */
CN_API cn_tensor *cn_contiguous(cn_tensor *input);
CN_API cn_tensor *cn_clone(cn_tensor *input);
CN_API cn_tensor *cn_to(cn_tensor *input, cn_dtype dtype);

/* ---- products ------------------------------------------------------------------------------ */

CN_API cn_tensor *cn_matmul(cn_tensor *input,
                            cn_tensor *other); /* PyTorch's rules for 1-d and batches */
CN_API cn_tensor *cn_mm(cn_tensor *input, cn_tensor *mat2);   /* (m, k) x (k, n) */
CN_API cn_tensor *cn_bmm(cn_tensor *input, cn_tensor *mat2);  /* (b, m, k) x (b, k, n) */
CN_API cn_tensor *cn_dot(cn_tensor *input, cn_tensor *other); /* of two vectors */
CN_API cn_tensor *cn_mv(cn_tensor *input, cn_tensor *vec);
CN_API cn_tensor *cn_outer(cn_tensor *input, cn_tensor *other);
/* "bij,bjk->bik": sums of products by Einstein's convention. */
CN_API cn_tensor *cn_einsum(const char *equation, cn_tensor *const *operands, int n);

/* ---- linear algebra: of (batches of) float32 or float64 matrices; more by name, as "linalg.svd" */

CN_API cn_tensor *cn_linalg_inv(cn_tensor *a); /* a singular matrix is an error */
CN_API cn_tensor *cn_linalg_det(cn_tensor *a);
/* The x of a x = b; b holds vectors or matrices. */
CN_API cn_tensor *cn_linalg_solve(cn_tensor *a, cn_tensor *b);
/* The lower triangle l with a = l l^T; a must be symmetric positive definite. */
CN_API cn_tensor *cn_linalg_cholesky(cn_tensor *a);

/* Several results; all NULL on failure. */
typedef struct cn_eigen {
    cn_tensor *values, *vectors; /* ascending; in columns */
} cn_eigen;
typedef struct cn_svd_parts {
    cn_tensor *u, *s, *vh; /* a = u diag(s) vh, s descending */
} cn_svd_parts;
typedef struct cn_qr_parts {
    cn_tensor *q, *r; /* orthonormal columns; an upper triangle */
} cn_qr_parts;
typedef struct cn_log_det {
    cn_tensor *sign, *logabsdet;
} cn_log_det;

CN_API cn_eigen cn_linalg_eigh(cn_tensor *a); /* a is symmetric; its lower triangle is read */
CN_API cn_svd_parts cn_linalg_svd(cn_tensor *a, bool full_matrices);
CN_API cn_qr_parts cn_linalg_qr(cn_tensor *a);
CN_API cn_log_det cn_linalg_slogdet(cn_tensor *a);
/* The x for which |a x - b| is least; the pseudo-inverse of a. */
CN_API cn_tensor *cn_linalg_lstsq(cn_tensor *a, cn_tensor *b);
CN_API cn_tensor *cn_linalg_pinv(cn_tensor *a);
/* order: "fro", "nuc", or one of "1", "-1", "2", "-2", "inf", "-inf". */
CN_API cn_tensor *cn_linalg_matrix_norm(cn_tensor *a, const char *order);
/* The p-norms of the differences of every row of x1 and every row of x2. */
CN_API cn_tensor *cn_cdist(cn_tensor *x1, cn_tensor *x2, double p);
/* What is below (above) the diagonal, which is included; the rest is 0. */
CN_API cn_tensor *cn_tril(cn_tensor *input, int64_t diagonal);
CN_API cn_tensor *cn_triu(cn_tensor *input, int64_t diagonal);
/* Eigenvalues and, in columns, eigenvectors of general matrices, both complex. */
CN_API bool cn_linalg_eig(cn_tensor *a, cn_tensor **values, cn_tensor **vectors) CN_MUST_CHECK;

/* ---- complex numbers ----------------------------------------------------------------------- */

CN_API cn_tensor *cn_complex(cn_tensor *real, cn_tensor *imag); /* of two floats of one type */
CN_API cn_tensor *cn_real(cn_tensor *input);                    /* a view; of floats the input */
CN_API cn_tensor *cn_imag(cn_tensor *input);            /* a view, of complex numbers only */
CN_API cn_tensor *cn_view_as_real(cn_tensor *input);    /* (..) complex: (.., 2) float */
CN_API cn_tensor *cn_view_as_complex(cn_tensor *input); /* and back */
CN_API cn_tensor *cn_conj(cn_tensor *input);
CN_API cn_tensor *cn_angle(cn_tensor *input); /* in radians, -pi to pi */

/* Fourier transforms along the last dimension, of any length; inverses divide by it. With the
   other options, and in several dimensions, by name, as "fft.fftn". */
CN_API cn_tensor *cn_fft(cn_tensor *input);
CN_API cn_tensor *cn_ifft(cn_tensor *input);
CN_API cn_tensor *cn_rfft(cn_tensor *input);             /* of reals: the first n / 2 + 1 */
CN_API cn_tensor *cn_irfft(cn_tensor *input, int64_t n); /* n reals; n <= 0: 2 (size - 1) */

/* ---- making: see also cn_zeros, cn_full and their kin in tensor.h -------------------------- */

CN_API cn_tensor *cn_arange(double start, double end, double step, cn_dtype dtype);
CN_API cn_tensor *cn_linspace(double start, double end, int64_t steps, cn_dtype dtype);
CN_API cn_tensor *cn_eye(int64_t n, cn_dtype dtype);

/* Random, from this thread's default generator; see rng.h. */
CN_API cn_tensor *cn_rand(cn_shape shape, cn_dtype dtype);  /* uniform in [0, 1) */
CN_API cn_tensor *cn_randn(cn_shape shape, cn_dtype dtype); /* normal: mean 0, variance 1 */
CN_API cn_tensor *cn_randint(int64_t low, int64_t high, cn_shape shape); /* int64, low .. high-1 */
CN_API cn_tensor *cn_randperm(int64_t n);         /* 0 .. n-1 in random order */
CN_API cn_tensor *cn_bernoulli(cn_tensor *input); /* 1 with probability input, else 0 */
CN_API cn_tensor *cn_poisson(cn_tensor *input);   /* counts with mean input */
/* int64 places in a vector of weights, or in each row of a matrix, drawn in proportion to them. */
CN_API cn_tensor *cn_multinomial(cn_tensor *input, int64_t num_samples, bool replacement);

CN_END_DECLS
#endif
