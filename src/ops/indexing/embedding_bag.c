/* embedding_bag.c - sums, means and maxima over bags of rows of a table. */
#include "ops/indexing/embedding.h"

#include <math.h>
#include <string.h>

typedef struct {
    cn_opt_float max_norm;
    double norm_type;
    bool scale_grad_by_freq;
    const char *mode;
    bool sparse, include_last_offset;
    cn_opt_int padding_idx;
} EmbeddingBag;

/* Indices in a row, the bag of each, and the number of bags. */
typedef struct {
    cn_tensor *index, *bag, *weights;
    int64_t bags;
} Bags;

static int64_t *numbers(cn_tensor *t)
{
    return (int64_t *)(void *)t->v.data;
}

/* ---- the largest of each bag --------------------------------------------------------------- */

typedef struct {
    int64_t bags, padding;
} Winners;

static bool winners_infer(const cn_call *c, cn_spec out[])
{
    const Winners *p = c->params;
    if (!cn_want_dims(c, 0, 2, 2) || !cn_want_dims(c, 1, 1, 1) || !cn_want_dims(c, 2, 1, 1))
        return false;
    if (p->bags < 0 || c->in[1]->v.numel != c->in[2]->v.numel || cn_in(c, 1)->dtype != CN_I64 ||
        cn_in(c, 2)->dtype != CN_I64)
        return cn_fail(CN_EINVALID, "bag_winners: int64 indices and the bag of each are wanted");
    *out = (cn_spec){ CN_I64, CN_SHAPE(p->bags, c->in[0]->v.shape.dim[1]) };
    return true;
}

static bool winners_kernel(const cn_call *c)
{
    const Winners *p = c->params;
    const cn_view *w = cn_in(c, 0);
    const int64_t *index = (const int64_t *)(const void *)cn_in(c, 1)->data,
                  *bag = (const int64_t *)(const void *)cn_in(c, 2)->data;
    int64_t *best = (int64_t *)(void *)cn_out(c, 0)->data, width = w->shape.dim[1];
    size_t size = cn_dtype_size(w->dtype);
    cn_fill_view(cn_out(c, 0), -1);
    for (int64_t i = 0; i < cn_in(c, 1)->numel; i++) {
        if (index[i] == p->padding) continue;
        if (index[i] < 0 || index[i] >= w->shape.dim[0] || bag[i] < 0 || bag[i] >= p->bags)
            return cn_fail(CN_EINVALID, "embedding_bag: index %lld is outside 0 .. %lld",
                           (long long)index[i], (long long)w->shape.dim[0] - 1);
        for (int64_t k = 0; k < width; k++) {
            int64_t *held = best + bag[i] * width + k;
            const char *row = w->data + (size_t)(index[i] * width + k) * size;
            const char *old = w->data + (size_t)((*held < 0 ? 0 : *held) * width + k) * size;
            if (*held < 0 || cn_load_f64(row, w->dtype) > cn_load_f64(old, w->dtype))
                *held = index[i];
        }
    }
    return true;
}

const cn_op cn_op_bag_winners = {
    CN_OP_HEAD(bag_winners, "bag_winners",
               "(Tensor weight, Tensor input, Tensor bag, int bags, int padding=-1) -> Tensor"),
    .doc = "For each bag and column the index, among those in the bag, of the row of weight with "
           "the largest element; -1: the bag is empty.",
    .flags = CN_ROWS | CN_NO_GRAD_OP,
    .params_size = sizeof(Winners),
    .infer = winners_infer,
    .kernel = winners_kernel,
    .samples = "[4,3] i64<4[5] i64<2[5] 2 | [4,2] i64<4[0] i64<2[0] 1",
};

/* ---- bags ---------------------------------------------------------------------------------- */

static bool offsets_fit(const cn_tensor *offsets, int64_t count, bool include_last)
{
    const int64_t *at = (const int64_t *)(const void *)offsets->v.data;
    int64_t n = offsets->v.numel;
    if (include_last && n == 0)
        return cn_fail(CN_EINVALID, "embedding_bag: include_last_offset wants an offset");
    if (n && at[0] != 0)
        return cn_fail(CN_EINVALID, "embedding_bag: the first offset must be 0, not %lld",
                       (long long)at[0]);
    for (int64_t i = 0; i < n; i++)
        if (at[i] > count || (i && at[i] < at[i - 1]))
            return cn_fail(CN_EINVALID,
                           "embedding_bag: offset %lld at %lld does not ascend within %lld indices",
                           (long long)at[i], (long long)i, (long long)count);
    return true;
}

/* Bags by offsets; what lies beyond the last one, when that ends the last bag, belongs to none. */
static bool bags_by_offsets(const cn_call *c, Bags *b)
{
    const EmbeddingBag *p = c->params;
    if (!c->in[2]) return cn_fail(CN_EINVALID, "embedding_bag: 1-d input wants offsets");
    if (!cn_want_dims(c, 2, 1, 1)) return false;
    if (cn_dtype_category(c->in[2]->v.dtype) != CN_CAT_INT)
        return cn_fail(CN_EINVALID, "embedding_bag: offsets must be integers");
    cn_tensor *offsets = cn_cast_raw(cn_rows(c->in[2]), CN_I64);
    int64_t count = b->index->v.numel;
    if (!offsets || !offsets_fit(offsets, count, p->include_last_offset)) return false;
    b->bags = offsets->v.numel - p->include_last_offset;
    int64_t end = p->include_last_offset ? numbers(offsets)[b->bags] : count;
    if (b->bags == 0) end = 0;
    b->index = cn_narrow(b->index, 0, 0, end);
    b->bag = cn_empty(CN_SHAPE(end), CN_I64);
    if (!b->index || !b->bag) return false;
    for (int64_t i = 0, bag = 0; i < end; i++) {
        while (bag + 1 < b->bags && numbers(offsets)[bag + 1] <= i) bag++;
        numbers(b->bag)[i] = bag;
    }
    if (b->weights) b->weights = cn_narrow(b->weights, 0, 0, end);
    return true;
}

/* With include_last_offset the start of the last row ends the last bag, as in PyTorch. */
static bool bags_by_rows(const cn_call *c, Bags *b)
{
    const EmbeddingBag *p = c->params;
    const cn_shape *s = &c->in[0]->v.shape;
    if (c->in[2]) return cn_fail(CN_EINVALID, "embedding_bag: offsets are for 1-d input only");
    b->bags = p->include_last_offset && s->dim[0] ? s->dim[0] - 1 : s->dim[0];
    int64_t end = b->bags * s->dim[1];
    b->index = cn_narrow(b->index, 0, 0, end);
    b->bag = cn_empty(CN_SHAPE(end), CN_I64);
    for (int64_t i = 0; b->bag && i < end; i++) numbers(b->bag)[i] = i / s->dim[1];
    if (b->weights) b->weights = cn_narrow(b->weights, 0, 0, end);
    return b->index && b->bag;
}

static bool find_bags(const cn_call *c, Bags *b)
{
    cn_tensor *index = c->in[0], *weights = c->n_in > 3 ? c->in[3] : NULL;
    if (!cn_want_dims(c, 0, 1, 2) || !cn_want_dims(c, 1, 2, 2)) return false;
    if (index->v.dtype != CN_I64 && index->v.dtype != CN_I32)
        return cn_fail(CN_EINVALID, "embedding_bag: the indices must be int64 or int32, not %s",
                       cn_dtype_name(index->v.dtype));
    if (weights && !cn_shape_equal(&weights->v.shape, &index->v.shape))
        return cn_fail(CN_EINVALID,
                       "embedding_bag: per_sample_weights must have the shape of the input");
    if (weights && weights->v.dtype != c->in[1]->v.dtype)
        return cn_fail(CN_EINVALID, "embedding_bag: per_sample_weights must be %s",
                       cn_dtype_name(c->in[1]->v.dtype));
    b->index = cn_rows(cn_cast_raw(index, CN_I64));
    b->index = b->index ? cn_reshape(b->index, CN_SHAPE(index->v.numel)) : NULL;
    b->weights = weights ? cn_reshape(weights, CN_SHAPE(index->v.numel)) : NULL;
    if (!b->index) return false;
    return index->v.shape.ndim == 1 ? bags_by_offsets(c, b) : bags_by_rows(c, b);
}

/* ---- reductions ---------------------------------------------------------------------------- */

static cn_tensor *largest(const Bags *b, cn_tensor *weight, int64_t padding)
{
    Winners p = { b->bags, padding };
    cn_tensor *best = CN_CALL(bag_winners, &p, weight, b->index, b->bag), *zero = cn_number_i64(0);
    if (!best) return NULL;
    if (weight->v.shape.dim[0] == 0) return cn_zeros(best->v.shape, weight->v.dtype);
    cn_tensor *rows = cn_gather(weight, 0, cn_clamp_min(best, zero));
    return cn_where(cn_ge(best, zero), rows, cn_number(0));
}

/* Adds the rows of each bag; `mean` divides by how many they are. Rows of padding do not count. */
static cn_tensor *added(const Bags *b, cn_tensor *rows, int64_t padding, bool mean)
{
    cn_tensor *counts = cn_ne(b->index, cn_number_i64(padding));
    cn_tensor *column = cn_unsqueeze(counts, -1), *total;
    if (!rows || !counts) return NULL;
    if (b->weights) rows = cn_mul(rows, cn_unsqueeze(b->weights, -1));
    if (padding >= 0) rows = cn_where(column, rows, cn_number(0));
    if (!rows) return NULL;
    total = cn_index_add(cn_zeros(CN_SHAPE(b->bags, rows->v.shape.dim[1]), rows->v.dtype), 0,
                         b->bag, rows);
    if (!mean) return total;
    cn_tensor *zeros = cn_zeros(CN_SHAPE(b->bags), rows->v.dtype);
    cn_tensor *sizes = cn_index_add(zeros, 0, b->bag, cn_to(counts, rows->v.dtype));
    return cn_div(total, cn_unsqueeze(cn_clamp_min(sizes, cn_number(1)), -1));
}

static bool embedding_bag_compose(cn_call *c)
{
    const EmbeddingBag *p = c->params;
    const char *mode = p->mode ? p->mode : "None";
    bool mean = strcmp(mode, "mean") == 0, max = strcmp(mode, "max") == 0;
    cn_tensor *weight = c->in[1];
    struct {
        int64_t padding;
        bool by_frequency;
    } rows = { -1, p->scale_grad_by_freq };
    Bags b = { 0 };
    if (!mean && !max && strcmp(mode, "sum") != 0)
        return cn_fail(CN_EINVALID, "embedding_bag: mode must be 'sum', 'mean' or 'max', not '%s'",
                       mode);
    if (strcmp(mode, "sum") != 0 && c->n_in > 3 && c->in[3])
        return cn_fail(CN_EINVALID, "embedding_bag: per_sample_weights are for mode 'sum' only");
    if (max && p->scale_grad_by_freq)
        return cn_fail(CN_EINVALID, "embedding_bag: scale_grad_by_freq is not for mode 'max'");
    if (!cn_padding_row(&p->padding_idx, weight, "embedding_bag", &rows.padding)) return false;
    if (!find_bags(c, &b)) return false;
    if (p->max_norm.given && !cn_bound_rows(c, b.index, weight, p->max_norm.value, p->norm_type))
        return false;
    if (max) return cn_set_out(c, 0, largest(&b, weight, rows.padding));
    cn_tensor *picked = CN_CALL(embedding_rows, &rows, b.index, weight);
    return cn_set_out(c, 0, added(&b, picked, rows.padding, mean));
}

const cn_op cn_op_embedding_bag = {
    CN_OP_HEAD(embedding_bag, "nn.functional.embedding_bag",
               "(Tensor input, Tensor weight, Tensor? offsets=None, float? max_norm=None, float "
               "norm_type=2, bool scale_grad_by_freq=False, str mode='mean', bool sparse=False, "
               "Tensor? per_sample_weights=None, bool include_last_offset=False, int? "
               "padding_idx=None) -> Tensor"),
    .doc = "The sum, mean or largest of the rows of weight in each bag of indices: the rows of a "
           "2-d input, or what starts at each offset of a 1-d one. padding_idx does not count.",
    .params_size = sizeof(EmbeddingBag),
    .optional = CN_SAVE_IN(2) | CN_SAVE_IN(3),
    .compose = embedding_bag_compose,
    .samples = "i64<4[2,3] [4,2] | i64<4[2,3] [4,2] mode=max | i64<4[5] [4,3] i64<1[1] mode=sum "
               "per_sample_weights=[5] | i64<4[2,3] [4,2] mode=sum padding_idx=1 | i64<4[2,2] "
               "[4,3] padding_idx=-1",
};
