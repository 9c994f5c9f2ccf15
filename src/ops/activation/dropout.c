/* dropout.c - dropout from a counter-based generator: what is dropped depends on the generator's
   place and on
   nothing else, not on threads (D2L 5.6). */
#include "ops/internal.h"

#include "autograd/checkpoint.h"

#include <string.h>

typedef struct {
    double p;
    int64_t seed, stream, position;
} Drop;

static bool drop_infer(const cn_call *c, cn_spec out[])
{
    const Drop *d = c->params;
    if (!(d->p >= 0 && d->p <= 1))
        return cn_fail(CN_EINVALID, "dropout: p must be between 0 and 1, got %g", d->p);
    if (!cn_dtype_is_float(c->in[0]->v.dtype))
        return cn_fail(CN_EINVALID, "dropout: the input must be float, not %s",
                       cn_dtype_name(c->in[0]->v.dtype));
    out[0] = (cn_spec){ c->in[0]->v.dtype, c->in[0]->v.shape };
    out[1] = (cn_spec){ CN_BOOL, c->in[0]->v.shape };
    return true;
}

typedef struct {
    const Drop *d;
    const cn_view *x, *y;
    char *mask;
} Job;

/* Element i belongs to word i % 4 of block position + i / 4; it stays when that word is at least
   p 2^32. */
static void drop_blocks(int64_t first, int64_t last, void *context)
{
    const Job *j = context;
    double scale = j->d->p < 1 ? 1 / (1 - j->d->p) : 0;
    uint64_t threshold = (uint64_t)(j->d->p * 4294967296.0);
    size_t size = cn_dtype_size(j->x->dtype);
    for (int64_t b = first; b < last; b++) {
        uint32_t words[4];
        cn_philox((uint64_t)j->d->seed, (uint64_t)j->d->stream, (uint64_t)(j->d->position + b),
                  words);
        for (int64_t i = 4 * b; i < 4 * b + 4 && i < j->x->numel; i++) {
            bool keep = words[i & 3] >= threshold;
            size_t at = (size_t)i * size;
            j->mask[i] = keep;
            cn_store_f64(j->y->data + at, j->y->dtype,
                         keep ? cn_load_f64(j->x->data + at, j->x->dtype) * scale : 0);
        }
    }
}

static bool drop_kernel(const cn_call *c)
{
    Job j = { c->params, &c->in[0]->v, cn_out(c, 0), cn_out(c, 1)->data };
    cn_parallel((j.x->numel + 3) / 4, 32, drop_blocks, &j);
    return true;
}

static void drop_backward(cn_grads *g)
{
    const Drop *d = cn_grad_params(g);
    cn_tensor *kept = cn_mul(cn_gout(g, 0), cn_saved_out(g, 1));
    cn_give(g, 0, cn_mul(kept, cn_num(d->p < 1 ? 1 / (1 - d->p) : 0)));
}

const cn_op cn_op_dropout_at = {
    CN_OP_HEAD(dropout_at, "dropout_at",
               "(Tensor input, float p, int seed, int stream, int position) -> (Tensor, Tensor)"),
    .doc = "dropout from a given place of the generator; also gives the mask of what was kept.",
    .flags = CN_ROWS,
    .params_size = sizeof(Drop),
    .infer = drop_infer,
    .kernel = drop_kernel,
    .saves = CN_SAVE_OUT(1),
    .backward = drop_backward,
    .samples = "[2,3] 0.5 1 2 3 | [9] 0.0 1 0 0 | [0] 0.5 0 0 0 | [4] 1.0 0 0 0",
};

typedef struct {
    double p;
    bool training, inplace;
} Dropout;

static bool dropout_compose(cn_call *c)
{
    const Dropout *d = c->params;
    c->out[0] = cn_dropout(c->in[0], d->p, d->training ? cn_default_rng() : NULL);
    return c->out[0] != NULL;
}

const cn_op cn_op_dropout = {
    CN_OP_HEAD(dropout, "nn.functional.dropout",
               "(Tensor input, float p=0.5, bool training=True, bool inplace=False) -> Tensor"),
    .aliases = "dropout",
    .doc =
        "Zeroes elements with probability p and scales the others by 1 / (1 - p); nothing outside training.",
    .flags = CN_RANDOM,
    .params_size = sizeof(Dropout),
    .compose = dropout_compose,
    .samples = "[2,3] p=0.5 | [4] training=False",
};

cn_tensor *cn_dropout(cn_tensor *input, double p, cn_rng *rng)
{
    if (!input || !rng) return input;
    if (!cn_before_drawing(rng)) return NULL;
    Drop d = { p, (int64_t)rng->seed, (int64_t)rng->stream, (int64_t)rng->position };
    cn_tensor *out[2];
    if (!cn_apply(&cn_op_dropout_at, &input, 1, &d, out, 2)) return NULL;
    rng->position += (uint64_t)(input->v.numel + 3) / 4;
    return out[0];
}
