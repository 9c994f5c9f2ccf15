/* attention.c - attention written out (D2L 11.1 to 11.3). */
#include "book/c10/attention.h"

#include <math.h>

/* (batch), or (batch, queries), to (batch, 1 or queries, 1) */
static cn_tensor *per_row(cn_tensor *lengths)
{
    cn_tensor *rows = cn_ndim(lengths) == 1 ? cn_unsqueeze(lengths, -1) : lengths;
    return cn_unsqueeze(rows, -1);
}

cn_tensor *masked_softmax(cn_tensor *scores, cn_tensor *lengths)
{
    if (!lengths) return cn_softmax(scores, -1);
    cn_tensor *counts =
        cn_lt(cn_arange(0, (double)cn_size(scores, -1), 1, CN_I64), per_row(lengths));
    cn_tensor *w = cn_softmax(cn_where(counts, scores, cn_num(-1e6)), -1);
    return cn_where(counts, w, cn_num(0));
}

cn_tensor *dot_scores(cn_tensor *queries, cn_tensor *keys)
{
    return cn_matmul(queries, cn_transpose(keys, -2, -1));
}

cn_tensor *scaled_dot_scores(cn_tensor *queries, cn_tensor *keys)
{
    return cn_div(dot_scores(queries, keys), cn_num(sqrt((double)cn_size(queries, -1))));
}

static cn_tensor *of_length_one(cn_tensor *t)
{
    return cn_div(t, cn_sqrt(cn_sum(cn_mul(t, t), .dim = CN_SHAPE(-1), .keepdim = true)));
}

cn_tensor *cosine_scores(cn_tensor *queries, cn_tensor *keys)
{
    return dot_scores(of_length_one(queries), of_length_one(keys));
}

cn_tensor *gaussian_scores(cn_tensor *queries, cn_tensor *keys, cn_tensor *width)
{
    cn_tensor *d = cn_mul(cn_sub(cn_unsqueeze(queries, -2), cn_unsqueeze(keys, -3)), width);
    return cn_mul(cn_sum(cn_mul(d, d), .dim = CN_SHAPE(-1)), cn_num(-0.5));
}

Additive additive_new(int64_t hidden)
{
    return (Additive){ cn_linear_layer(hidden, .no_bias = true),
                       cn_linear_layer(hidden, .no_bias = true),
                       cn_linear_layer(1, .no_bias = true) };
}

void additive_free(Additive *a)
{
    cn_module_free(a->w_q);
    cn_module_free(a->w_k);
    cn_module_free(a->w_v);
}

cn_tensor *additive_scores(const Additive *a, cn_tensor *queries, cn_tensor *keys)
{
    cn_tensor *q = cn_unsqueeze(cn_forward(a->w_q, queries), -2),
              *k = cn_unsqueeze(cn_forward(a->w_k, keys), -3);
    return cn_squeeze(cn_forward(a->w_v, cn_tanh(cn_add(q, k))), CN_SHAPE(-1));
}

cn_tensor *pool_values(cn_tensor *scores, cn_tensor *values, cn_tensor *lengths,
                       cn_tensor **weights)
{
    cn_tensor *w = masked_softmax(scores, lengths);
    if (weights) *weights = w;
    return cn_matmul(w, values);
}

cn_figure *attention_map(const char *title, cn_tensor *weights)
{
    cn_tensor *w = cn_contiguous(cn_to(cn_detach(weights), CN_F64));
    const double *values = cn_data(w);
    cn_figure *f = values ? cn_figure_new(title) : NULL;
    if (f && cn_figure_heatmap(f, values, (size_t)cn_size(w, 0), (size_t)cn_size(w, 1),
                               .xlabel = "keys", .ylabel = "queries"))
        return f;
    cn_figure_free(f);
    return NULL;
}
