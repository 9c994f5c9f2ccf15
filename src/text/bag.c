/* bag.c - texts as vectors: how often each token occurs, and how much that says. */
#include <cenote/ops.h>

#include "core/memory.h"
#include "text/tokens.h"

cn_tensor *cn_bag_of_words(const cn_vocab *v, const cn_tokens *const *texts, int64_t n)
{
    if (!v || !texts) return NULL;
    int64_t width = cn_vocab_size(v);
    for (int64_t i = 0; i < n; i++)
        if (!texts[i]) return NULL;
    cn_tensor *bag = cn_zeros(CN_SHAPE(n, width), CN_F32);
    float *row = cn_data_mut(bag);
    for (int64_t i = 0; row && i < n; i++, row += width)
        for (int64_t t = 0; t < texts[i]->count; t++)
            row[cn_vocab_id(v, texts[i]->bytes + texts[i]->start[t])] += 1;
    return bag;
}

cn_tensor *cn_tf_idf(cn_tensor *bag)
{
    if (bag && (cn_ndim(bag) != 2 || cn_dtype_of(bag) != CN_F32)) {
        cn_fail(CN_EINVALID, "cn_tf_idf: the counts must be float32, (texts, vocabulary)");
        return NULL;
    }
    if (!bag) return NULL;
    size_t mark = cn_mark();
    cn_tensor *texts_with = cn_sum(cn_to(cn_gt(bag, cn_num(0)), CN_F32), .dim = CN_SHAPE(0));
    cn_tensor *ratio = cn_div(cn_num(1 + (double)cn_size(bag, 0)), cn_add(texts_with, cn_num(1)));
    cn_tensor *weighted = cn_mul(bag, cn_add(cn_log(ratio), cn_num(1)));
    cn_tensor *norm = cn_norm(weighted, .dim = CN_SHAPE(1), .keepdim = true);
    return cn_return(mark, cn_div(weighted, cn_clamp_min(norm, cn_num(1e-12))));
}
