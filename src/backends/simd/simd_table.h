/* simd_table.h - the hand-vectorised kernels: one table of functions per instruction set.

   Kernels know pointers, sizes and strides, no tensors. Everything is float unless it says
   otherwise; arrays are dense and row-major unless strides are given; no alignment is required.
   In and out may be the same array where the comment says "in place", and must not overlap
   elsewhere.

   `threads` is the most threads a call may use. How work is cut never depends on it, so results
   are the same bits at any number of threads. Functions that return bool need workspace: false
   means that cn_alloc() failed (and recorded it); others cannot fail. */
#ifndef CN_BACKENDS_SIMD_TABLE_H
#define CN_BACKENDS_SIMD_TABLE_H

#include <stdbool.h>
#include <stdint.h>

/* ---- matrix product ------------------------------------------------------------------------ */

typedef enum cn_simd_act {
    CN_SIMD_ACT_NONE,
    CN_SIMD_ACT_RELU,
    CN_SIMD_ACT_SIGMOID,
    CN_SIMD_ACT_TANH
} cn_simd_act;

/* C = act(A B + bias), or with `accumulate` act(C + A B + bias), for each of `batch` triples.
   Element (i, j) of A is a[i * a_row + j * a_col]; a transposed matrix is one with its strides
   swapped. Columns of C are adjacent. `bias` (n numbers) may be NULL. `b_packed`: what gemm_pack() made of
   B, which is then not read; for one triple only. */
typedef struct cn_simd_gemm {
    int64_t m, n, k;
    const float *a;
    int64_t a_row, a_col;
    const float *b;
    int64_t b_row, b_col;
    const float *b_packed;
    float *c;
    int64_t c_row;
    int64_t batch, a_batch, b_batch, c_batch; /* count, and distance from one to the next */
    const float *bias;
    cn_simd_act act;
    bool accumulate;
} cn_simd_gemm;

/* ---- element by element -------------------------------------------------------------------- */

/* y = f(x), in place allowed. Relative error below 3e-7; NaN and infinities as in C99. */
typedef enum cn_simd_unary {
    CN_SIMD_EXP,
    CN_SIMD_LOG,
    CN_SIMD_TANH,
    CN_SIMD_SIGMOID,
    CN_SIMD_RELU, /* NaN stays NaN */
    CN_SIMD_ERF,
    CN_SIMD_GELU,      /* x * Phi(x), by erf */
    CN_SIMD_GELU_TANH, /* its approximation by tanh */
    CN_SIMD_SILU,
    CN_SIMD_SOFTPLUS,  /* log(1 + exp(x)) */
    CN_SIMD_MISH,      /* x tanh(log(1 + exp(x))) */
    CN_SIMD_HARDSWISH, /* x relu6(x + 3) / 6 */
    CN_SIMD_SQRT,
    CN_SIMD_NEG,
    CN_SIMD_ABS,
    CN_SIMD_UNARY_COUNT
} cn_simd_unary;

/* z = f(x, y), in place allowed. The last three are gradients: x is the gradient that arrives, y the
   function's saved result. Maximum and minimum give NaN when either is NaN. */
typedef enum cn_simd_binary {
    CN_SIMD_ADD,
    CN_SIMD_SUB,
    CN_SIMD_MUL,
    CN_SIMD_DIV,
    CN_SIMD_MAX,
    CN_SIMD_MIN,
    CN_SIMD_LEAKY_RELU,       /* x > 0 ? x : x * y */
    CN_SIMD_ELU,              /* x > 0 ? x : (exp(x) - 1) * y */
    CN_SIMD_RELU_BACKWARD,    /* y > 0 ? x : 0 */
    CN_SIMD_SIGMOID_BACKWARD, /* x * y * (1 - y) */
    CN_SIMD_TANH_BACKWARD,    /* x * (1 - y * y) */
    CN_SIMD_BINARY_COUNT
} cn_simd_binary;

/* Derivatives of activations; p is the parameter of those that have one. */
typedef enum cn_simd_slope {
    CN_SIMD_SILU_SLOPE,
    CN_SIMD_GELU_SLOPE,
    CN_SIMD_GELU_TANH_SLOPE,
    CN_SIMD_SOFTPLUS_SLOPE, /* sigmoid(x) */
    CN_SIMD_MISH_SLOPE,
    CN_SIMD_HARDSWISH_SLOPE,
    CN_SIMD_ELU_SLOPE,        /* x > 0 ? 1 : p exp(x) */
    CN_SIMD_LEAKY_RELU_SLOPE, /* x > 0 ? 1 : p */
    CN_SIMD_SLOPE_COUNT
} cn_simd_slope;

/* x has outer x size x inner numbers, v one for each place along the middle:
   z[o][s][i] = f(x[o][s][i], v[s]), or f(v[s], x[o][s][i]) with `flipped`. z = x allowed. */
typedef struct cn_simd_along {
    float *z;
    const float *x, *v;
    int64_t outer, size, inner;
    bool flipped;
} cn_simd_along;

/* ---- recurrent cells ------------------------------------------------------------------------- */

/* The arrays of an op lstm_gates, gru_gates, or of its backward op, in the op's order. */
typedef struct cn_simd_cell {
    int64_t rows, width; /* hidden units of a row */
    const float *in[5];
    float *out[3];
} cn_simd_cell;

/* Of a recurrent layer. Gates lie side by side: i, f, g, o of an LSTM, r, z, n of a GRU. */
typedef enum cn_simd_layer {
    CN_SIMD_TANH_LAYER,
    CN_SIMD_RELU_LAYER,
    CN_SIMD_GRU_LAYER,
    CN_SIMD_LSTM_LAYER
} cn_simd_layer;

/* One step: `rows` x `width` from h and c. `w_hh` is what gemm_pack() made of (width x gates), `w_ih` of
   (inputs x gates); without w_ih, x is what the inputs already gave to the gates, biases included. */
typedef struct cn_simd_step {
    cn_simd_layer layer;
    int64_t rows, width, inputs;
    const float *x, *h, *c;
    const float *w_ih, *w_hh;
    const float *b_ih, *b_hh; /* may be NULL */
    float *h_out, *c_out;
    float *gates; /* after their activation, as lstm_gates and gru_gates keep them */
} cn_simd_step;

/* Back through it. h is the sum of two gradients, of this step's result and from the step after it; d_h may be
   grad_h, d_c may be grad_c. `w_hh` is what gemm_pack() made of (gates x width). */
typedef struct cn_simd_step_back {
    cn_simd_layer layer;
    int64_t rows, width;
    const float *grad_out, *grad_h, *grad_c;
    const float *h0, *c0; /* before the step */
    const float *h, *c, *gates;
    const float *w_hh;
    float *d_projected,
        *d_hidden; /* of the parts of the gates; d_hidden: of a GRU, others have one alone */
    float *d_h, *d_c;
} cn_simd_step_back;

/* ---- the largest and the smallest ------------------------------------------------------------ */

/* Of outer x size x inner numbers the largest along the middle, and the first place where it is; NaN
   is larger and smaller than everything. None of the three is 0. */
typedef struct cn_simd_extremes {
    const float *x;
    int64_t outer, size, inner;
    bool smallest;
    float *values;   /* outer x inner; NULL: not wanted */
    int64_t *places; /* likewise; then size is below 2^31 */
} cn_simd_extremes;

/* ---- softmax and cross-entropy ------------------------------------------------------------- */

/* Softmax or, with log, log_softmax along the middle of outer x size x inner numbers. */
typedef struct cn_simd_columns {
    float *out; /* may be x */
    const float *x;
    const float
        *y; /* NULL: forward; otherwise x is the gradient that arrives, y the saved result */
    int64_t outer, size, inner;
    bool log;
} cn_simd_columns;

typedef struct cn_simd_xent {
    const float *logits; /* rows x classes */
    const int64_t *target;
    int64_t rows, classes, ignore_index;
    bool mean;   /* divide by the number of rows not ignored (NaN if none), else sum */
    float *grad; /* rows x classes, may be `logits`; NULL: loss only */
} cn_simd_xent;

/* Each row by itself: its loss (0 where it is ignored) and log-sum-exp; or, with `gy`, what arrives for each
   loss, from that log-sum-exp the gradient. All targets are classes or ignore_index. */
typedef struct cn_simd_xent_rows {
    const float *logits; /* rows x classes */
    const int64_t *target;
    int64_t rows, classes, ignore_index;
    float *loss, *lse;
    const float *gy;
    float *grad;
} cn_simd_xent_rows;

/* ---- normalisation ------------------------------------------------------------------------- */

/* x has n x size x inner numbers. Layer normalisation standardises each of its n rows (inner is 1),
   batch normalisation each of the `size` channels over n and inner:
       y = (x - mean) * rstd * weight + bias,  rstd = 1 / sqrt(variance + eps). */
typedef struct cn_simd_norm {
    int64_t n, size, inner;
    const float *weight, *bias; /* `size` numbers each; NULL: ones, zeros */
    double eps;
} cn_simd_norm;

typedef struct cn_simd_norm_grads {
    float *x, *weight, *bias; /* all are written, whether the forward pass had them or not */
} cn_simd_norm_grads;

/* ---- dropout ----------------------------------------------------------------------------------
   Element i is kept when word i % 4 of the Philox block at (seed, stream, position + i / 4), see
   rng.h, is at least floor(p * 2^32): the numbers of the reference kernel of dropout_at. */
typedef struct cn_simd_philox {
    uint64_t seed, stream, position;
} cn_simd_philox;

/* ---- attention ---------------------------------------------------------------------------------
   Rows of queries, keys, values and the gradient of the result are dense; strides are those of
   examples, heads and rows. The results are dense altogether: (examples, heads, rows, width). */
typedef struct cn_simd_heads {
    const float *data;
    int64_t example, head, row;
} cn_simd_heads;

typedef struct cn_simd_attention {
    int64_t examples, heads, queries, keys, width, value_width;
    cn_simd_heads q, k, v, gy;
    const void *mask; /* NULL: none; strides as above, columns adjacent */
    bool mask_is_bool, is_causal;
    int64_t mask_example, mask_head, mask_row;
    float scale;
    double drop; /* the probability with which a weight is dropped */
    cn_simd_philox rng;
    float *out, *sums;   /* sums: log of the sum of exp(score); +infinity where no key takes part */
    float *gq, *gk, *gv; /* of backward, which reads out and sums */
} cn_simd_attention;

/* ---- pooling ------------------------------------------------------------------------------- */

/* `planes` (N * C) pictures of h x w give planes of out_h x out_w. The caller guarantees that every
   window touches the picture: pad <= kernel / 2 and out = (size + 2 pad - kernel) / stride + 1, or
   one more with ceil_mode under PyTorch's rule that a window starts inside the left padding or
   input. */
typedef struct cn_simd_pool {
    int64_t planes, h, w, out_h, out_w;
    int64_t kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
    /* Average only: divide by the window's size clipped to the padded picture. */
    bool count_include_pad;
} cn_simd_pool;

/* ---- convolution + activation + pooling with the batch in vector lanes --------------------- */

typedef enum cn_simd_lanes_pool {
    CN_SIMD_LANES_NO_POOL,
    CN_SIMD_LANES_AVG2, /* 2 x 2, stride 2, no padding */
    CN_SIMD_LANES_MAX2
} cn_simd_lanes_pool;

/* x [n, in_channels, h, w], weight [out_channels, in_channels, kernel_h, kernel_w], stride 1, zero
   padding. As many images as a vector has lanes travel together, so that few channels cost
   nothing. */
typedef struct cn_simd_lanes {
    int64_t n, in_channels, out_channels, h, w;
    int64_t kernel_h, kernel_w, pad_h, pad_w;
    cn_simd_act act;
    cn_simd_lanes_pool pool;
} cn_simd_lanes;

/* Backward: gradients are written, not added; grad_x and grad_bias may be NULL. */
typedef struct cn_simd_lanes_grads {
    float *grad_x, *grad_weight, *grad_bias;
} cn_simd_lanes_grads;

/* ---- images in blocks of as many channels as a vector has lanes -----------------------------

   [n][channels / width][h][w][width], see core/tensor.h. Pooling takes cn_simd_pool with one plane
   for each block of each image. */

/* Batch normalisation: out = (x - mean) rstd weight + bias, with mean and rstd computed; or, when
   `grad` is given, its gradients, with mean and rstd read: out is that of x. `relu`: what is below 0
   becomes 0, and gets no gradient. */
typedef struct cn_simd_blocked_norm {
    int64_t images, channels, pixels;
    double eps;
    bool relu;
    const float *x, *weight, *bias, *grad; /* weight and bias may be NULL */
    float *out, *mean, *rstd, *grad_weight, *grad_bias;
} cn_simd_blocked_norm;

/* A convolution with stride 1 by kernels [out][in][5][5]; with `turned` by [in][out][5][5], turned by
   half a circle, as the gradient of an input is. Both numbers of channels fill blocks. */
enum { CN_WINOGRAD_KERNEL = 5 };
typedef struct cn_simd_winograd {
    int64_t images, in_channels, out_channels, h, w, out_h, out_w;
    int64_t pad_h, pad_w;
    bool turned;
    const float *weight;
} cn_simd_winograd;

/* ---- the table ----------------------------------------------------------------------------- */

typedef struct cn_simd_table {
    const char *name; /* "avx512" or "avx2" */
    int width;        /* floats per vector */

    bool (*gemm)(const cn_simd_gemm *g, int threads);
    /* B of products that come again, in the order in which they read it: so many numbers. */
    int64_t (*gemm_packed_floats)(int64_t n, int64_t k);
    void (*gemm_pack)(const cn_simd_gemm *g, float *to, int threads);

    void (*unary)(cn_simd_unary f, float *y, const float *x, int64_t n, int threads);
    void (*binary)(cn_simd_binary f, float *z, const float *x, const float *y, int64_t n,
                   int threads);
    /* z = f(x, s); z = f(s, x) with `flipped`. */
    void (*binary_scalar)(cn_simd_binary f, float *z, const float *x, float s, bool flipped,
                          int64_t n, int threads);
    void (*binary_along)(cn_simd_binary f, const cn_simd_along *p, int threads);
    /* gx = g * f(x), in place allowed. */
    void (*slope)(cn_simd_slope f, float p, float *gx, const float *g, const float *x, int64_t n,
                  int threads);
    /* z = alpha x + y, in place allowed. */
    void (*axpy)(float *z, float alpha, const float *x, const float *y, int64_t n, int threads);

    double (*sum)(const float *x, int64_t n, int threads);
    void (*row_sums)(float *out, const float *x, int64_t rows, int64_t cols, int threads);
    /* Of each of `batch` matrices the sum of all rows: out[b][j] = sum over i of x[b][i][j]. A bias
       gradient, for example. */
    bool (*column_sums)(float *out, const float *x, int64_t batch, int64_t rows, int64_t cols,
                        int threads);

    void (*extremes)(const cn_simd_extremes *e, int threads);

    void (*lstm)(const cn_simd_cell *p, int threads);
    void (*lstm_backward)(const cn_simd_cell *p, int threads);
    void (*gru)(const cn_simd_cell *p, int threads);
    void (*gru_backward)(const cn_simd_cell *p, int threads);
    /* Of widths that step_takes(). */
    bool (*step_takes)(int64_t rows, int64_t width);
    bool (*step)(const cn_simd_step *s, int threads);
    bool (*step_back)(const cn_simd_step_back *s, int threads);

    /* Over rows of x [rows, cols]; in place allowed (y = x; grad_x = grad_y). */
    void (*softmax)(float *y, const float *x, int64_t rows, int64_t cols, int threads);
    void (*log_softmax)(float *y, const float *x, int64_t rows, int64_t cols, int threads);
    void (*softmax_backward)(float *grad_x, const float *grad_y, const float *y, int64_t rows,
                             int64_t cols, int threads);
    void (*log_softmax_backward)(float *grad_x, const float *grad_y, const float *y, int64_t rows,
                                 int64_t cols, int threads);
    void (*softmax_columns)(const cn_simd_columns *p, int threads);
    /* False: some target is neither ignore_index nor in 0 .. classes-1; then nothing was written.
       */
    bool (*cross_entropy)(const cn_simd_xent *x, double *loss, int threads);
    void (*cross_entropy_rows)(const cn_simd_xent_rows *x, int threads);

    /* `mean` and `rstd` get one number per row, or per channel; backward reads them. */
    void (*layer_norm)(const cn_simd_norm *p, float *y, float *mean, float *rstd, const float *x,
                       int threads);
    bool (*layer_norm_backward)(const cn_simd_norm *p, const cn_simd_norm_grads *out,
                                const float *gy, const float *x, const float *mean,
                                const float *rstd, int threads);
    void (*batch_norm)(const cn_simd_norm *p, float *y, float *mean, float *rstd, const float *x,
                       int threads);
    void (*batch_norm_backward)(const cn_simd_norm *p, const cn_simd_norm_grads *out,
                                const float *gy, const float *x, const float *mean,
                                const float *rstd, int threads);

    /* y = keep ? x / (1 - p) : 0 (in place allowed), mask = keep. Backward: gx = gy * mask / (1 -
       p). */
    void (*dropout)(const cn_simd_philox *rng, double p, float *y, uint8_t *mask, const float *x,
                    int64_t n, int threads);
    void (*dropout_backward)(double p, float *gx, const float *gy, const uint8_t *mask, int64_t n,
                             int threads);

    bool (*attention)(const cn_simd_attention *a, int threads);
    bool (*attention_backward)(const cn_simd_attention *a, int threads);

    /* The gradient of a maximum goes to the first largest element; a NaN is larger than everything
       before it. */
    void (*max_pool)(const cn_simd_pool *p, float *y, const float *x, int threads);
    void (*max_pool_backward)(const cn_simd_pool *p, float *gx, const float *gy, const float *x,
                              int threads);
    void (*avg_pool)(const cn_simd_pool *p, float *y, const float *x, int threads);
    void (*avg_pool_backward)(const cn_simd_pool *p, float *gx, const float *gy, int threads);

    void (*blocked_pool)(const cn_simd_pool *p, bool average, float *y, const float *x,
                         int threads);
    /* x NULL: of the average. */
    void (*blocked_pool_backward)(const cn_simd_pool *p, float *gx, const float *gy, const float *x,
                                  int threads);
    void (*blocked_norm)(const cn_simd_blocked_norm *n, int threads);

    /* `bias` may be NULL. Besides the images winograd() holds 36 / 25 of the weights, and for each
       thread 1.6 MB or 4 KB a channel, whichever is more; winograd_weight() holds up to 48 MB, or twice
       36 / 25 of the weights, in place of those. False: no memory. */
    bool (*winograd)(const cn_simd_winograd *p, float *y, const float *x, const float *bias,
                     int threads);
    bool (*winograd_weight)(const cn_simd_winograd *p, float *grad_weight, const float *x,
                            const float *grad_y, int threads);

    /* Whether the lanes kernels can take it and are likely the fastest: few channels, a batch that
       fills vectors, one block of images that stays in the second-level cache. */
    bool (*lanes_accepts)(const cn_simd_lanes *c);
    int64_t (*lanes_saved_floats)(const cn_simd_lanes *c); /* size of `saved` */
    /* y: [n, out_channels, conv_h, conv_w], halved by pooling (rounding down). `bias` may be NULL.
       `saved`: the activations, in a private layout, for backward; NULL when none will follow. */
    bool (*lanes_forward)(const cn_simd_lanes *c, float *y, float *saved, const float *x,
                          const float *weight, const float *bias, int threads);
    bool (*lanes_backward)(const cn_simd_lanes *c, const cn_simd_lanes_grads *out,
                           const float *grad_y, const float *x, const float *weight,
                           const float *saved, int threads);
} cn_simd_table;

/* The best table this processor can run, NULL if none. CENOTE_ISA=avx2 or =none asks for less. */
const cn_simd_table *cn_simd_select(void);

#endif
