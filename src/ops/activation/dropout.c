/* dropout.c - dropout from a counter-based generator: what is dropped depends on the generator's
   place and on
   nothing else, not on threads (D2L 5.6). */
#include "ops/internal.h"
#include "ops/params.h"

#include "autograd/checkpoint.h"

static bool probability_is_sane(const cn_call *c, double p)
{
    if (!(p >= 0 && p <= 1))
        return cn_fail(CN_EINVALID, "dropout: p must be between 0 and 1, got %g", p);
    if (cn_dtype_is_float(c->in[0]->v.dtype)) return true;
    return cn_fail(CN_EINVALID, "dropout: the input must be float, not %s",
                   cn_dtype_name(c->in[0]->v.dtype));
}

/* What is kept is multiplied by this, rounded to the type of the elements: a kernel that computes in
   float32 gives the same bits as one that computes in double. */
static double scale_of(double p, cn_dtype dtype)
{
    double scale = p < 1 ? 1 / (1 - p) : 0;
    return dtype == CN_F64 ? scale : (double)(float)scale;
}

static bool drop_infer(const cn_call *c, cn_spec out[])
{
    if (!probability_is_sane(c, ((const cn_dropout_params *)c->params)->p)) return false;
    out[0] = (cn_spec){ c->in[0]->v.dtype, c->in[0]->v.shape };
    out[1] = (cn_spec){ CN_BOOL, c->in[0]->v.shape };
    return true;
}

typedef struct {
    const cn_dropout_params *d;
    const cn_view *x, *y;
    char *mask;
} Job;

/* Element i belongs to word i % 4 of block position + i / 4; it stays when that word is at least
   p 2^32. */
static void drop_blocks(int64_t first, int64_t last, void *context)
{
    const Job *j = context;
    double scale = scale_of(j->d->p, j->x->dtype);
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

static void drop_gradient(cn_grads *g)
{
    double p = ((const cn_dropout_params *)cn_grad_params(g))->p;
    cn_give(g, 0, CN_CALL(dropout_backward, &p, cn_gout(g, 0), cn_saved_out(g, 1)));
}

const cn_op cn_op_dropout_at = {
    CN_OP_HEAD(dropout_at, "dropout_at",
               "(Tensor input, float p, int seed, int stream, int position) -> (Tensor, Tensor)"),
    .doc = "dropout from a given place of the generator; also gives the mask of what was kept.",
    .flags = CN_ROWS,
    .params_size = sizeof(cn_dropout_params),
    .infer = drop_infer,
    .kernel = drop_kernel,
    .saves = CN_SAVE_OUT(1),
    .backward = drop_gradient,
    .samples = "[2,3] 0.5 1 2 3 | [9] 0.0 1 0 0 | [0] 0.5 0 0 0 | [4] 1.0 0 0 0",
};

/* ---- its gradient -------------------------------------------------------------------------- */

static bool backward_infer(const cn_call *c, cn_spec out[])
{
    const cn_view *g = cn_in(c, 0), *mask = cn_in(c, 1);
    char a[128], b[128];
    if (!probability_is_sane(c, *(const double *)c->params)) return false;
    if (mask->dtype != CN_BOOL || !cn_shape_equal(&g->shape, &mask->shape))
        return cn_fail(CN_EINVALID,
                       "dropout_backward: mask must be bool of grad_output's shape %s, not %s %s",
                       cn_shape_text(&g->shape, a), cn_dtype_name(mask->dtype),
                       cn_shape_text(&mask->shape, b));
    *out = (cn_spec){ g->dtype, g->shape };
    return true;
}

typedef struct {
    const cn_view *g, *to;
    const char *mask;
    double scale;
} Return;

static void return_kept(int64_t first, int64_t last, void *context)
{
    const Return *r = context;
    size_t size = cn_dtype_size(r->g->dtype);
    for (int64_t i = first; i < last; i++) {
        size_t at = (size_t)i * size;
        double g = r->mask[i] ? cn_load_f64(r->g->data + at, r->g->dtype) * r->scale : 0;
        cn_store_f64(r->to->data + at, r->to->dtype, g);
    }
}

static bool backward_kernel(const cn_call *c)
{
    const cn_view *g = cn_in(c, 0);
    Return r = { g, cn_out(c, 0), cn_in(c, 1)->data,
                 scale_of(*(const double *)c->params, g->dtype) };
    cn_parallel(g->numel, 4, return_kept, &r);
    return true;
}

/* It is linear in grad_output, by the same factors. */
static void backward_gradient(cn_grads *g)
{
    cn_give(g, 0, CN_CALL(dropout_backward, cn_grad_params(g), cn_gout(g, 0), cn_saved_in(g, 1)));
}

const cn_op cn_op_dropout_backward = {
    CN_OP_HEAD(dropout_backward, "dropout_backward",
               "(Tensor grad_output, Tensor mask, float p) -> Tensor"),
    .doc = "The gradient of dropout_at: grad_output / (1 - p) where the mask is set, else 0.",
    .flags = CN_ROWS,
    .params_size = sizeof(double),
    .infer = backward_infer,
    .kernel = backward_kernel,
    .saves = CN_SAVE_IN(1),
    .backward = backward_gradient,
    .samples = "[2,3] bool[2,3] 0.5 | [40] bool[40] 0.1 | [0] bool[0] 0.5 | [3] bool[3] 1.0",
};

/* ---- dropout ------------------------------------------------------------------------------- */

typedef struct {
    double p;
    bool training;
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
    cn_dropout_params d = { p, (int64_t)rng->seed, (int64_t)rng->stream, (int64_t)rng->position };
    cn_tensor *out[2];
    if (!cn_apply(&cn_op_dropout_at, &input, 1, &d, out, 2)) return NULL;
    rng->position += (uint64_t)(input->v.numel + 3) / 4;
    return out[0];
}
