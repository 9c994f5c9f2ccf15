/* distance.c - distances between the rows of two matrices. */
#include "ops/linalg/linalg.h"

#include <string.h>

typedef struct {
    double p;
    const char *compute_mode; /* of p = 2: by a matrix product always, never, or of many rows */
} Cdist;

enum { MANY_ROWS = 25 };

static bool by_product(const cn_call *c, bool *yes)
{
    const Cdist *p = c->params;
    int64_t a = cn_size(c->in[0], -2), b = cn_size(c->in[1], -2);
    bool always = strcmp(p->compute_mode, "use_mm_for_euclid_dist") == 0;
    bool maybe = strcmp(p->compute_mode, "use_mm_for_euclid_dist_if_necessary") == 0;
    *yes = p->p == 2 && (always || (maybe && (a > MANY_ROWS || b > MANY_ROWS)));
    if (always || maybe || strcmp(p->compute_mode, "donot_use_mm_for_euclid_dist") == 0)
        return true;
    return cn_fail(CN_EINVALID, "cdist: there is no compute_mode '%s'", p->compute_mode);
}

/* |a - b|^2 = |a|^2 + |b|^2 - 2 a b, which needs no room for all differences. */
static cn_tensor *euclidean(cn_tensor *a, cn_tensor *b)
{
    cn_tensor *aa = cn_sum(cn_square(a), .dim = CN_SHAPE(-1), .keepdim = true);
    cn_tensor *bb = cn_sum(cn_square(b), .dim = CN_SHAPE(-1), .keepdim = true);
    cn_tensor *ab = cn_mul(cn_matmul(a, cn_mt(b)), cn_number(2));
    cn_tensor *squares = cn_sub(cn_add(aa, cn_mt(bb)), ab);
    return cn_root(cn_clamp_min(squares, cn_number(0)));
}

static bool cdist_compose(cn_call *c)
{
    const Cdist *p = c->params;
    cn_tensor *a = c->in[0], *b = c->in[1];
    if (!cn_want_dims(c, 0, 2, CN_MAX_DIMS - 1) || !cn_want_dims(c, 1, 2, CN_MAX_DIMS - 1) ||
        !cn_want_real(c, 0) || !cn_want_real(c, 1))
        return false;
    if (!(p->p >= 0)) return cn_fail(CN_EINVALID, "cdist: p is %g; it must not be negative", p->p);
    if (cn_size(a, -1) != cn_size(b, -1))
        return cn_fail(CN_EINVALID, "cdist: rows of %lld and of %lld elements",
                       (long long)cn_size(a, -1), (long long)cn_size(b, -1));
    bool product;
    if (!by_product(c, &product)) return false;
    if (product) return cn_set_out(c, 0, euclidean(a, b));
    cn_tensor *difference = cn_sub(cn_unsqueeze(a, -2), cn_unsqueeze(b, -3));
    if (!difference) return false;
    bool empty = cn_size(a, -1) == 0; /* which has no largest element */
    cn_ints last = { 1, { -1 } };
    return cn_set_out(c, 0, cn_vector_norm(difference, empty ? 2 : p->p, &last, false));
}

const cn_op cn_op_cdist = {
    CN_OP_HEAD(cdist, "cdist",
               "(Tensor x1, Tensor x2, float p=2.0, str "
               "compute_mode='use_mm_for_euclid_dist_if_necessary') -> Tensor"),
    .doc = "The p-norms of the differences of every row of x1 and every row of x2.",
    .params_size = sizeof(Cdist),
    .compose = cdist_compose,
    .samples = "[3,2] [4,2] | [2,3,2] [4,2] 1 | [3,2] [2,2] inf | [3,2] [2,2] 3 | [3,2] [2,2] 0 | "
               "[0,2] [3,2] | [2,0] [3,0] | [2,1,3,2] [3,2,2] 1.5 | "
               "[3,2] [2,2,2] compute_mode=use_mm_for_euclid_dist",
};

static bool pdist_compose(cn_call *c)
{
    double p = *(const double *)c->params;
    cn_tensor *x = c->in[0];
    if (!cn_want_dims(c, 0, 2, 2) || !cn_want_real(c, 0)) return false;
    if (!(p >= 0)) return cn_fail(CN_EINVALID, "pdist: p is %g; it must not be negative", p);
    struct {
        int64_t row, col, offset;
        int32_t dtype;
    } above = { cn_size(x, 0), cn_size(x, 0), 1, CN_NO_DTYPE };
    cn_tensor *pairs = cn_apply1(&cn_op_triu_indices, NULL, 0, &above);
    cn_tensor *gap = cn_sub(cn_index_select(x, 0, cn_select(pairs, 0, 0)),
                            cn_index_select(x, 0, cn_select(pairs, 0, 1)));
    bool empty = cn_size(x, 1) == 0; /* which has no largest element */
    return gap &&
           cn_set_out(c, 0, cn_vector_norm(gap, empty ? 2 : p, &(cn_ints){ 1, { -1 } }, false));
}

const cn_op cn_op_pdist = {
    CN_OP_HEAD(pdist, "nn.functional.pdist", "(Tensor input, float p=2.0) -> Tensor"),
    .aliases = "pdist",
    .doc = "The p-norms of the differences of every two rows, those of the first row first.",
    .params_size = sizeof(double),
    .compose = pdist_compose,
    .samples = "[4,2] | [3,2] 1 | [3,2] inf | [3,2] 3 | [3,2] 0",
};
