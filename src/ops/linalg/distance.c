/* distance.c - distances between the rows of two matrices. */
#include "ops/linalg/linalg.h"

#include <math.h>

typedef struct {
    double p;
    const char *compute_mode; /* how the sums of squares are done: here always by differences */
} Cdist;

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
               "[0,2] [3,2] | [2,0] [3,0] | [2,1,3,2] [3,2,2] 1.5",
};
