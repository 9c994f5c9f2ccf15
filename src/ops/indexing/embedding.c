/* embedding.c - rows of a table by index, and one-hot vectors. D2L 10.7, 15.1. */
#include "ops/indexing/embedding.h"

#include <math.h>
#include <string.h>

static bool indices_in_range(const cn_call *c, const cn_view *index, int64_t rows)
{
    if (index->dtype != CN_I64)
        return cn_fail(CN_EINVALID, "%s: the indices must be integers, not %s", c->op->name,
                       cn_dtype_name(index->dtype));
    const int64_t *at = (const int64_t *)(const void *)index->data;
    for (int64_t i = 0; i < index->numel; i++)
        if (at[i] < 0 || at[i] >= rows)
            return cn_fail(CN_EINVALID, "%s: index %lld at %lld is outside 0 .. %lld", c->op->name,
                           (long long)at[i], (long long)i, (long long)rows - 1);
    return true;
}

/* ---- kernels: padding (-1: none) is the row whose gradient stays 0 ------------------------ */

typedef struct {
    const cn_view *table, *picked;
    const int64_t *index;
    int64_t count, width, padding;
} Rows;

/* Rows come in any order, which no processor foresees: those a few steps ahead are asked for. */
enum { AHEAD = 8, LINE = 64 };

static void pick_rows(int64_t first, int64_t last, void *context)
{
    const Rows *r = context;
    const size_t bytes = (size_t)r->width * cn_dtype_size(r->table->dtype);
    for (int64_t i = first; i < last; i++) {
        if (i + AHEAD < last) {
            const char *later = r->table->data + (size_t)r->index[i + AHEAD] * bytes;
            for (size_t k = 0; k < bytes && k < 8 * LINE; k += LINE) __builtin_prefetch(later + k);
        }
        memcpy(r->picked->data + (size_t)i * bytes, r->table->data + (size_t)r->index[i] * bytes,
               bytes);
    }
}

#define T float
#define NAME(x) x##_f32
#include "ops/indexing/embedding.inc"
#define T double
#define NAME(x) x##_f64
#include "ops/indexing/embedding.inc"

static bool rows_infer(const cn_call *c, cn_spec out[])
{
    const cn_shape *index = &c->in[0]->v.shape, *table = &c->in[1]->v.shape;
    if (!cn_want_dims(c, 1, 2, 2) || !cn_want_dims(c, 0, 0, CN_MAX_DIMS - 1)) return false;
    *out = (cn_spec){ c->in[1]->v.dtype, *index };
    out->shape.dim[out->shape.ndim++] = table->dim[1];
    return true;
}

static bool rows_kernel(const cn_call *c)
{
    const cn_view *index = cn_in(c, 0), *table = cn_in(c, 1);
    if (!indices_in_range(c, index, table->shape.dim[0])) return false;
    Rows r = { table,        cn_out(c, 0),        (const int64_t *)(const void *)index->data,
               index->numel, table->shape.dim[1], -1 };
    cn_parallel(r.count, r.width, pick_rows, &r);
    return true;
}

typedef struct {
    int64_t padding;
    bool by_frequency;
} RowsParams;

typedef struct {
    int64_t rows, padding;
} Backward;

/* One over how often each index occurs. */
static cn_tensor *one_by_count(cn_tensor *index, int64_t rows, cn_dtype dtype)
{
    cn_tensor *flat = cn_reshape(index, CN_SHAPE(index->v.numel)), *zeros, *counts;
    zeros = cn_zeros(CN_SHAPE(rows), dtype);
    counts = cn_index_add(zeros, 0, flat, cn_ones(CN_SHAPE(index->v.numel), dtype));
    cn_tensor *each = cn_reciprocal(cn_index_select(counts, 0, flat));
    return each ? cn_reshape(each, index->v.shape) : NULL;
}

static void rows_backward(cn_grads *g)
{
    const RowsParams *rows = cn_grad_params(g);
    Backward p = { cn_in_shape(g, 1)->dim[0], rows->padding };
    cn_tensor *gy = cn_gout(g, 0), *index = cn_saved_in(g, 0);
    if (rows->by_frequency && gy && index)
        gy = cn_mul(gy, cn_unsqueeze(one_by_count(index, p.rows, gy->v.dtype), -1));
    cn_give(g, 1, CN_CALL(embedding_backward, &p, gy, index));
}

const cn_op cn_op_embedding_rows = {
    CN_OP_HEAD(embedding_rows, "embedding_rows",
               "(Tensor input, Tensor weight, int padding=-1, bool by_frequency=False) -> Tensor"),
    .doc = "The rows of weight that the indices name; row `padding` gets no gradient. "
           "by_frequency divides the gradient of a row by how often it was named.",
    .flags = CN_ROWS,
    .params_size = sizeof(RowsParams),
    .infer = rows_infer,
    .kernel = rows_kernel,
    .saves = CN_SAVE_IN(0),
    .backward = rows_backward,
    .samples = "i64<4[5] [4,3] | i64<4[2,3] [4,2] | i64<3[] [3,2] | i64<3[0] [3,2]",
};

static bool backward_infer(const cn_call *c, cn_spec out[])
{
    const cn_shape *gy = &c->in[0]->v.shape, *index = &c->in[1]->v.shape;
    cn_shape lead = *gy;
    if (gy->ndim < 1)
        return cn_fail(CN_EINVALID, "embedding_backward: grad_output has no dimensions");
    lead.ndim--;
    if (!cn_shape_equal(&lead, index) || ((const Backward *)c->params)->rows < 0)
        return cn_fail(CN_EINVALID,
                       "embedding_backward: grad_output does not have a row for each index");
    *out = (cn_spec){ c->in[0]->v.dtype,
                      CN_SHAPE(((const Backward *)c->params)->rows, gy->dim[gy->ndim - 1]) };
    return true;
}

static bool backward_kernel(const cn_call *c)
{
    const Backward *p = c->params;
    const cn_view *table = cn_out(c, 0), *index = cn_in(c, 1);
    if (!indices_in_range(c, index, p->rows)) return false;
    Rows r = { table,        cn_in(c, 0),         (const int64_t *)(const void *)index->data,
               index->numel, table->shape.dim[1], p->padding };
    cn_fill_view(table, 0);
    if (table->dtype != CN_F32 && table->dtype != CN_F64)
        return cn_fail(CN_EINVALID, "embedding_backward: grad_output must be of a float type");
    cn_parallel(r.width, r.count, table->dtype == CN_F32 ? add_columns_f32 : add_columns_f64, &r);
    return true;
}

static void backward_backward(cn_grads *g)
{
    const Backward *p = cn_grad_params(g);
    cn_tensor *index = cn_saved_in(g, 1), *none = NULL;
    cn_tensor *picked = CN_CALL(embedding_rows, (&(RowsParams){ -1, false }), index, cn_gout(g, 0));
    if (p->padding >= 0) none = cn_unsqueeze(cn_ne(index, cn_number_i64(p->padding)), -1);
    cn_give(g, 0, p->padding >= 0 ? cn_mul(picked, none) : picked);
}

const cn_op cn_op_embedding_backward = {
    CN_OP_HEAD(embedding_backward, "embedding_backward",
               "(Tensor grad_output, Tensor input, int rows, int padding=-1) -> Tensor"),
    .doc = "The gradient of embedding_rows: the rows of grad_output added where they came from.",
    .flags = CN_ROWS,
    .params_size = sizeof(Backward),
    .infer = backward_infer,
    .kernel = backward_kernel,
    .saves = CN_SAVE_IN(1),
    .backward = backward_backward,
    .samples = "[5,3] i64<4[5] 4 | [2,3,2] i64<4[2,3] 4 padding=1 | [2] i64<3[] 3",
};

/* ---- embedding ---------------------------------------------------------------------------- */

typedef struct {
    cn_opt_int padding_idx;
    cn_opt_float max_norm;
    double norm_type;
    bool scale_grad_by_freq, sparse;
} Embedding;

bool cn_padding_row(const cn_opt_int *padding_idx, const cn_tensor *weight, const char *what,
                    int64_t *row)
{
    int64_t rows = weight->v.shape.ndim ? weight->v.shape.dim[0] : 0;
    *row = -1;
    if (!padding_idx->given) return true;
    *row = padding_idx->value + (padding_idx->value < 0 ? rows : 0);
    if (*row >= 0 && *row < rows) return true;
    return cn_fail(CN_EINVALID, "%s: padding_idx %lld is outside the %lld rows of weight", what,
                   (long long)padding_idx->value, (long long)rows);
}

static double row_length(const cn_view *w, int64_t row, double norm_type)
{
    const size_t size = cn_dtype_size(w->dtype);
    double total = 0, largest = 0;
    for (int64_t k = 0; k < w->shape.dim[1]; k++) {
        size_t at = (size_t)(row * w->strides[0] + k * w->strides[1]) * size;
        double x = fabs(cn_load_f64(w->data + at, w->dtype));
        if (x > largest) largest = x;
        total += norm_type == 2 ? x * x : pow(x, norm_type);
    }
    return isinf(norm_type) ? largest : norm_type == 2 ? sqrt(total) : pow(total, 1 / norm_type);
}

static void scale_row(const cn_view *w, int64_t row, double factor)
{
    const size_t size = cn_dtype_size(w->dtype);
    for (int64_t k = 0; k < w->shape.dim[1]; k++) {
        char *at = w->data + (row * w->strides[0] + k * w->strides[1]) * (int64_t)size;
        cn_store_f64(at, w->dtype, cn_load_f64(at, w->dtype) * factor);
    }
}

/* A row that was scaled is within the bound: repeated indices do nothing more. */
bool cn_bound_rows(const cn_call *c, cn_tensor *index, cn_tensor *weight, double max_norm,
                   double norm_type)
{
    cn_view *w = &weight->v;
    if (w->shape.ndim != 2 || !cn_dtype_is_float(w->dtype)) return true; /* refused later */
    size_t mark = cn_mark();
    cn_tensor *rows = cn_cast_raw(cn_rows(index), CN_I64);
    bool ok = rows && indices_in_range(c, &rows->v, w->shape.dim[0]);
    for (int64_t i = 0; ok && i < rows->v.numel; i++) {
        int64_t row = ((const int64_t *)(const void *)rows->v.data)[i];
        double length = row_length(w, row, norm_type);
        if (length > max_norm) scale_row(w, row, max_norm / (length + 1e-7));
    }
    weight->storage->version++;
    cn_release(mark);
    return ok;
}

static bool embedding_compose(cn_call *c)
{
    const Embedding *p = c->params;
    cn_tensor *index = c->in[0], *weight = c->in[1];
    RowsParams rows = { .by_frequency = p->scale_grad_by_freq };
    if (index->v.dtype != CN_I64 && index->v.dtype != CN_I32)
        return cn_fail(CN_EINVALID, "embedding: the indices must be int64 or int32, not %s",
                       cn_dtype_name(index->v.dtype));
    if (!cn_padding_row(&p->padding_idx, weight, "embedding", &rows.padding)) return false;
    if (p->max_norm.given && !cn_bound_rows(c, index, weight, p->max_norm.value, p->norm_type))
        return false;
    return cn_set_out(c, 0, CN_CALL(embedding_rows, &rows, index, weight));
}

const cn_op cn_op_embedding = {
    CN_OP_HEAD(
        embedding, "nn.functional.embedding",
        "(Tensor input, Tensor weight, int? padding_idx=None, float? max_norm=None, float norm_type=2.0, "
        "bool scale_grad_by_freq=False, bool sparse=False) -> Tensor"),
    .doc = "The rows of weight that the indices name; row padding_idx gets no gradient (D2L 15.1). "
           "max_norm first scales down, in weight itself, the named rows that are longer.",
    .params_size = sizeof(Embedding),
    .compose = embedding_compose,
    .samples = "i64<4[2,3] [4,3] | i64<4[5] [4,2]",
};

cn_tensor *cn_embedding_with(const cn_embedding_args *a)
{
    Embedding p = {
        { .given = a->pads, .value = a->padding_idx }, { .given = false }, 2, false, false
    };
    return CN_CALL(embedding, &p, a->input, a->weight);
}

/* ---- one_hot ------------------------------------------------------------------------------ */

static bool one_hot_compose(cn_call *c)
{
    int64_t classes = *(const int64_t *)c->params, largest = -1;
    cn_tensor *index = cn_rows(c->in[0]);
    if (!index || (index = cn_cast_raw(index, CN_I64)) == NULL) return false;
    if (cn_dtype_category(c->in[0]->v.dtype) != CN_CAT_INT)
        return cn_fail(CN_EINVALID, "one_hot: the indices must be integers, not %s",
                       cn_dtype_name(c->in[0]->v.dtype));
    const int64_t *at = (const int64_t *)(const void *)index->v.data;
    for (int64_t i = 0; i < index->v.numel; i++)
        if (at[i] > largest) largest = at[i];
    if (classes < 0) classes = largest + 1;
    if (classes == 0)
        return cn_fail(CN_EINVALID, "one_hot: no indices, so num_classes must be given");
    if (!indices_in_range(c, &index->v, classes)) return false;
    cn_shape shape = index->v.shape;
    if (shape.ndim == CN_MAX_DIMS)
        return cn_fail(CN_EINVALID, "one_hot: the result would have more than %d dimensions",
                       CN_MAX_DIMS);
    shape.dim[shape.ndim++] = classes;
    cn_tensor *hot = cn_zeros(shape, CN_I64);
    int64_t *y = cn_overwritten(hot);
    for (int64_t i = 0; y && i < index->v.numel; i++) y[i * classes + at[i]] = 1;
    return cn_set_out(c, 0, y ? hot : NULL);
}

const cn_op cn_op_one_hot = {
    CN_OP_HEAD(one_hot, "nn.functional.one_hot", "(Tensor input, int num_classes=-1) -> Tensor"),
    .doc =
        "int64 vectors of zeros with a 1 at the index; num_classes -1: the largest index plus one (D2L 9.5).",
    .params_size = sizeof(int64_t),
    .compose = one_hot_compose,
    .samples = "i64<4[3] 4 | i64<4[2,3] | i64<3[] 3",
};

cn_tensor *cn_one_hot(cn_tensor *input, int64_t num_classes)
{
    return CN_CALL(one_hot, &num_classes, input);
}
