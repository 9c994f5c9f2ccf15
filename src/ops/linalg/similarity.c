/* similarity.c - vectors of length 1, distances, and the cosine of angles. D2L 15.7. */
#include "ops/linalg/linalg.h"

static cn_tensor *length_along(cn_tensor *x, double p, int64_t dim)
{
    return cn_vector_norm(x, p, &(cn_ints){ 1, { dim } }, true);
}

typedef struct {
    double p;
    int64_t dim;
    double eps;
} Normalize;

static bool normalize_compose(cn_call *c)
{
    const Normalize *p = c->params;
    cn_tensor *length = length_along(c->in[0], p->p, p->dim);
    return cn_set_out(c, 0, cn_div(c->in[0], cn_clamp_min(length, cn_number(p->eps))));
}

const cn_op cn_op_normalize = {
    CN_OP_HEAD(normalize, "nn.functional.normalize",
               "(Tensor input, float p=2.0, int dim=1, float eps=1e-12) -> Tensor"),
    .doc = "input divided by its p-norm along dim, which counts as eps where it is smaller.",
    .params_size = sizeof(Normalize),
    .compose = normalize_compose,
    .samples = "[2,3] | [2,3] 1.5 0 | [4] dim=0 | [2,3] 0.0",
};

cn_tensor *cn_normalize(cn_tensor *input, double p, int dim)
{
    return CN_CALL(normalize, (&(Normalize){ p, dim, 1e-12 }), input);
}

typedef struct {
    int64_t dim;
    double eps;
} Cosine;

static bool cosine_similarity_compose(cn_call *c)
{
    const Cosine *p = c->params;
    cn_tensor *eps = cn_number(p->eps), *unit[2];
    cn_shape both;
    if (!cn_shape_broadcast(&c->in[0]->v.shape, &c->in[1]->v.shape, &both, "cosine_similarity"))
        return false;
    for (int i = 0; i < 2; i++) {
        cn_tensor *x = cn_expand(c->in[i], both);
        unit[i] = cn_div(x, cn_clamp_min(length_along(x, 2, p->dim), eps));
    }
    return cn_set_out(c, 0, cn_sum(cn_mul(unit[0], unit[1]), .dim = CN_SHAPE(p->dim)));
}

const cn_op cn_op_cosine_similarity = {
    CN_OP_HEAD(cosine_similarity, "nn.functional.cosine_similarity",
               "(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor"),
    .aliases = "cosine_similarity",
    .doc = "The cosine of the angle between x1 and x2 along dim.",
    .params_size = sizeof(Cosine),
    .compose = cosine_similarity_compose,
    .samples = "[2,3] [2,3] | [4] [4] 0 | [2,3,2] [3,2] 2",
};

cn_tensor *cn_cosine_similarity(cn_tensor *x1, cn_tensor *x2, int dim)
{
    return CN_CALL(cosine_similarity, (&(Cosine){ dim, 1e-8 }), x1, x2);
}

typedef struct {
    double p, eps;
    bool keepdim;
} Distance;

/* The 0-norm counts what is not 0. */
static bool pairwise_distance_compose(cn_call *c)
{
    const Distance *p = c->params;
    const cn_shape last = CN_SHAPE(-1);
    cn_tensor *apart = cn_add(cn_sub(c->in[0], c->in[1]), cn_number(p->eps));
    if (!apart || p->p != 0)
        return cn_set_out(c, 0, cn_norm(apart, .p = p->p, .dim = last, .keepdim = p->keepdim));
    cn_tensor *count = cn_sum(cn_ne(apart, cn_number(0)), .dim = last, .keepdim = p->keepdim);
    return cn_set_out(c, 0, cn_to(count, apart->v.dtype));
}

const cn_op cn_op_pairwise_distance = {
    CN_OP_HEAD(
        pairwise_distance, "nn.functional.pairwise_distance",
        "(Tensor x1, Tensor x2, float p=2.0, float eps=1e-06, bool keepdim=False) -> Tensor"),
    .aliases = "pairwise_distance",
    .doc = "The p-norm of x1 - x2 + eps along the last dimension.",
    .params_size = sizeof(Distance),
    .compose = pairwise_distance_compose,
    .samples = "[2,3] [2,3] | [4] [4] 1 | [2,3] [3] 3 keepdim=True",
};

cn_tensor *cn_pairwise_distance(cn_tensor *x1, cn_tensor *x2, double p, double eps)
{
    return CN_CALL(pairwise_distance, (&(Distance){ p, eps, false }), x1, x2);
}
