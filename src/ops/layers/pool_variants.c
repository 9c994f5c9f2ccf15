/* pool_variants.c - pooling to a given size, and of lines: made of pool2d and other ops. */
#include "ops/compose.h"

/* ---- to a given size: output i sees floor(i n / m) .. ceil((i + 1) n / m) of n elements ---- */

static int64_t window_start(int64_t i, int64_t n, int64_t m)
{
    return i * n / m;
}

static int64_t window_end(int64_t i, int64_t n, int64_t m)
{
    return ((i + 1) * n + m - 1) / m;
}

static bool sizes_fit(const cn_call *c, const cn_ints *size, int dims)
{
    const cn_shape *s = &c->in[0]->v.shape;
    if (!cn_want_dims(c, 0, dims + 1, dims + 2)) return false;
    for (int i = 0; i < dims; i++)
        if (size->v[i] < 1 || s->dim[s->ndim - dims + i] < 1)
            return cn_fail(CN_EINVALID, "%s: %lld outputs of %lld inputs are not possible",
                           c->op->name, (long long)size->v[i],
                           (long long)s->dim[s->ndim - dims + i]);
    return true;
}

/* (n, m): column i averages the window of output i. */
static cn_tensor *averaging_matrix(int64_t n, int64_t m, cn_dtype dtype)
{
    cn_tensor *matrix = cn_zeros(CN_SHAPE(n, m), CN_F64);
    if (!matrix) return NULL;
    double *to = (double *)(void *)matrix->v.data;
    for (int64_t i = 0; i < m; i++) {
        int64_t first = window_start(i, n, m), end = window_end(i, n, m);
        for (int64_t k = first; k < end; k++) to[k * m + i] = 1 / (double)(end - first);
    }
    return cn_to(matrix, dtype);
}

static cn_tensor *average_last(cn_tensor *x, int64_t m)
{
    int64_t n = x ? cn_size(x, -1) : 0;
    return x && n != m ? cn_matmul(x, averaging_matrix(n, m, x->v.dtype)) : x;
}

/* Windows of equal size are a plain pooling; others a product with an averaging matrix per
   dimension. */
static cn_tensor *adaptive_average(cn_tensor *x, int64_t height, int64_t width)
{
    int64_t h = cn_size(x, -2), w = cn_size(x, -1);
    if (h % height == 0 && w % width == 0) return cn_avg_pool2d(x, { h / height, w / width });
    cn_tensor *y = average_last(x, width);
    return y ? cn_transpose(average_last(cn_transpose(y, -2, -1), height), -2, -1) : NULL;
}

static bool adaptive_avg_pool2d_compose(cn_call *c)
{
    const cn_ints *size = c->params;
    return sizes_fit(c, size, 2) &&
           cn_set_out(c, 0, adaptive_average(c->in[0], size->v[0], size->v[1]));
}

static bool adaptive_avg_pool1d_compose(cn_call *c)
{
    const cn_ints *size = c->params;
    return sizes_fit(c, size, 1) && cn_set_out(c, 0, average_last(c->in[0], size->v[0]));
}

/* The index that lays the windows of one dimension side by side, each stretched to the longest by
   repeating its last element, which changes no maximum. */
static cn_tensor *window_index(int64_t n, int64_t m, int64_t *length)
{
    *length = 0;
    for (int64_t i = 0; i < m; i++)
        if (window_end(i, n, m) - window_start(i, n, m) > *length)
            *length = window_end(i, n, m) - window_start(i, n, m);
    cn_tensor *index = cn_empty(CN_SHAPE(m * *length), CN_I64);
    if (!index) return NULL;
    int64_t *to = (int64_t *)(void *)index->v.data;
    for (int64_t i = 0; i < m; i++)
        for (int64_t k = 0; k < *length; k++) {
            int64_t at = window_start(i, n, m) + k, last = window_end(i, n, m) - 1;
            *to++ = at < last ? at : last;
        }
    return index;
}

/* Places in the stretched plane as places in the plane of width w. */
static cn_tensor *original_places(cn_tensor *places, const cn_tensor *rows,
                                  const cn_tensor *columns, int64_t w)
{
    cn_tensor *r = cn_empty(places->v.shape, CN_I64);
    if (!r) return NULL;
    const int64_t *row = (const int64_t *)(const void *)rows->v.data, wide = columns->v.numel;
    const int64_t *column = (const int64_t *)(const void *)columns->v.data;
    const int64_t *from = (const int64_t *)(const void *)places->v.data;
    for (int64_t i = 0; i < r->v.numel; i++)
        ((int64_t *)(void *)r->v.data)[i] = row[from[i] / wide] * w + column[from[i] % wide];
    return r;
}

static bool adaptive_max(cn_call *c, cn_tensor *x, int64_t height, int64_t width, bool with_indices)
{
    int64_t high, wide, w = cn_size(x, -1);
    cn_tensor *rows = window_index(cn_size(x, -2), height, &high),
              *columns = window_index(w, width, &wide);
    if (!rows || !columns) return false;
    cn_tensor *places = NULL,
              *stretched = cn_index_select(cn_index_select(x, -2, rows), -1, columns);
    if (!stretched) return false;
    cn_tensor *y =
        cn_max_pool2d(stretched, { high, wide }, .indices = with_indices ? &places : NULL);
    if (!y || !cn_set_out(c, 0, y)) return false;
    return !with_indices || cn_set_out(c, 1, original_places(places, rows, columns, w));
}

typedef struct {
    cn_ints size;
    bool return_indices;
} AdaptiveMax;

static bool adaptive_max_pool2d_compose(cn_call *c)
{
    const AdaptiveMax *p = c->params;
    return sizes_fit(c, &p->size, 2) &&
           adaptive_max(c, c->in[0], p->size.v[0], p->size.v[1], p->return_indices && c->n_out > 1);
}

const cn_op cn_op_adaptive_avg_pool2d = {
    CN_OP_HEAD(adaptive_avg_pool2d, "nn.functional.adaptive_avg_pool2d",
               "(Tensor input, int[2] output_size) -> Tensor"),
    .doc = "Averages over windows that divide the picture into output_size (D2L 8.3).",
    .params_size = sizeof(cn_ints),
    .compose = adaptive_avg_pool2d_compose,
    .samples = "[2,3,4,6] (2,3) | [2,5,7] (2,3) | [1,2,3,3] 1 | [1,1,2,3] (4,3)",
};

const cn_op cn_op_adaptive_avg_pool1d = {
    CN_OP_HEAD(adaptive_avg_pool1d, "nn.functional.adaptive_avg_pool1d",
               "(Tensor input, int[1] output_size) -> Tensor"),
    .aliases = "adaptive_avg_pool1d",
    .doc = "Averages over windows that divide the line into output_size.",
    .params_size = sizeof(cn_ints),
    .compose = adaptive_avg_pool1d_compose,
    .samples = "[2,3,6] 3 | [2,5] 2",
};

const cn_op cn_op_adaptive_max_pool2d = {
    CN_OP_HEAD(adaptive_max_pool2d, "nn.functional.adaptive_max_pool2d",
               "(Tensor input, int[2] output_size, bool return_indices=False) -> (Tensor, Tensor)"),
    .doc =
        "Maxima over windows that divide the picture into output_size; with return_indices their places.",
    .params_size = sizeof(AdaptiveMax),
    .compose = adaptive_max_pool2d_compose,
    .samples = "[2,3,4,6] (2,3) | [2,5,7] (2,3) return_indices=True",
};

cn_tensor *cn_adaptive_avg_pool2d(cn_tensor *input, int64_t height, int64_t width)
{
    return CN_CALL(adaptive_avg_pool2d, (&(cn_ints){ 2, { height, width } }), input);
}

cn_tensor *cn_adaptive_max_pool2d(cn_tensor *input, int64_t height, int64_t width)
{
    AdaptiveMax p = { { 2, { height, width } }, false };
    return CN_CALL(adaptive_max_pool2d, &p, input);
}

/* ---- lines, as pictures of height 1 ------------------------------------------------------- */

typedef struct {
    cn_ints kernel, stride, padding;
    bool ceil_mode, count_include_pad;
} AvgPool1d;

typedef struct {
    cn_ints kernel, stride, padding, dilation;
    bool ceil_mode, return_indices;
} MaxPool1d;

static int64_t stride_of(const cn_ints *stride, const cn_ints *kernel)
{
    return stride->n > 0 ? stride->v[0] : kernel->v[0];
}

static cn_tensor *as_picture(const cn_call *c)
{
    return cn_want_dims(c, 0, 2, 3) ? cn_unsqueeze(c->in[0], -2) : NULL;
}

static cn_tensor *as_line(cn_tensor *t)
{
    return t ? cn_flatten(t, -2) : NULL;
}

static bool avg_pool1d_compose(cn_call *c)
{
    const AvgPool1d *p = c->params;
    cn_tensor *x = as_picture(c);
    cn_tensor *y =
        cn_avg_pool2d(x, { 1, p->kernel.v[0] }, .stride = { 1, stride_of(&p->stride, &p->kernel) },
                      .padding = { 0, p->padding.v[0] }, .ceil_mode = p->ceil_mode,
                      .exclude_pad = !p->count_include_pad);
    return cn_set_out(c, 0, as_line(y));
}

static bool max_pool1d_compose(cn_call *c)
{
    const MaxPool1d *p = c->params;
    bool with_indices = p->return_indices && c->n_out > 1;
    cn_tensor *x = as_picture(c), *places = NULL;
    cn_tensor *y =
        cn_max_pool2d(x, { 1, p->kernel.v[0] }, .stride = { 1, stride_of(&p->stride, &p->kernel) },
                      .padding = { 0, p->padding.v[0] }, .dilation = { 1, p->dilation.v[0] },
                      .ceil_mode = p->ceil_mode, .indices = with_indices ? &places : NULL);
    return cn_set_out(c, 0, as_line(y)) && (!with_indices || cn_set_out(c, 1, as_line(places)));
}

const cn_op cn_op_avg_pool1d = {
    CN_OP_HEAD(
        avg_pool1d, "nn.functional.avg_pool1d",
        "(Tensor input, int[1] kernel_size, int[1]? stride=None, int[1] padding=0, bool ceil_mode=False, "
        "bool count_include_pad=True) -> Tensor"),
    .aliases = "avg_pool1d",
    .doc = "The mean of each window of a line.",
    .params_size = sizeof(AvgPool1d),
    .compose = avg_pool1d_compose,
    .samples = "[2,3,6] 2 | [2,7] 3 2 1",
};

const cn_op cn_op_max_pool1d = {
    CN_OP_HEAD(
        max_pool1d, "nn.functional.max_pool1d",
        "(Tensor input, int[1] kernel_size, int[1]? stride=None, int[1] padding=0, int[1] dilation=1, "
        "bool ceil_mode=False, bool return_indices=False) -> (Tensor, Tensor)"),
    .aliases = "max_pool1d",
    .doc = "The maximum of each window of a line; with return_indices also its place.",
    .params_size = sizeof(MaxPool1d),
    .compose = max_pool1d_compose,
    .samples = "[2,3,6] 2 | [2,7] 3 2 1 return_indices=True",
};
