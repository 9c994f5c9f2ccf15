/* copying.c - to, clone, contiguous: the same values in other memory. */
#include "ops/compose.h"

static bool copy_kernel(const cn_call *c)
{
    cn_copy_view(cn_out(c, 0), cn_in(c, 0));
    return true;
}

static void pass_backward(cn_grads *g)
{
    cn_give(g, 0, cn_gout(g, 0)); /* cn_give converts to the input's type */
}

const cn_op cn_op_clone = {
    CN_OP_HEAD(clone, "clone", "(Tensor input) -> Tensor"),

    .doc = "A copy in memory of its own.",
    .flags = CN_ANY_DTYPE,
    .infer = cn_infer_same,
    .kernel = copy_kernel,
    .backward = pass_backward,
    .samples = "[2,3] | [] | [0] | i64<9[3]",
};

cn_tensor *cn_clone(cn_tensor *input)
{
    return CN_CALL(clone, NULL, input);
}

static bool contiguous_compose(cn_call *c)
{
    c->out[0] = c->in[0]->v.contiguous ? c->in[0] : cn_clone(c->in[0]);
    return c->out[0] != NULL;
}

const cn_op cn_op_contiguous = {
    CN_OP_HEAD(contiguous, "contiguous", "(Tensor input) -> Tensor"),
    .doc = "The input itself when it is row-major, a row-major copy otherwise.",
    .compose = contiguous_compose,
    .samples = "[2,3] | [0]",
};

cn_tensor *cn_contiguous(cn_tensor *input)
{
    return CN_CALL(contiguous, NULL, input);
}

/* ---- to ------------------------------------------------------------------------------------ */

static bool cast_infer(const cn_call *c, cn_spec out[])
{
    *out = (cn_spec){ (cn_dtype) * (const int32_t *)c->params, c->in[0]->v.shape };
    return true;
}

const cn_op cn_op_cast = {
    CN_OP_HEAD(cast, "cast", "(Tensor input, dtype dtype) -> Tensor"),
    .doc = "The values converted to dtype, in memory of their own.",
    .params_size = sizeof(int32_t),
    .flags = CN_ANY_DTYPE,
    .infer = cast_infer,
    .kernel = copy_kernel,
    .backward = pass_backward,
    .samples = "[2,3] float64 | [] float64 | i64<9[3] float32",
};

static bool to_compose(cn_call *c)
{
    int32_t dtype = *(const int32_t *)c->params;
    bool same = (cn_dtype)dtype == c->in[0]->v.dtype;
    c->out[0] = same ? c->in[0] : cn_apply1(&cn_op_cast, c->in, 1, &dtype);
    return c->out[0] != NULL;
}

const cn_op cn_op_to = {
    CN_OP_HEAD(to, "to", "(Tensor input, dtype dtype) -> Tensor"),
    .doc = "The values converted to dtype; the input itself when it has that type.",
    .params_size = sizeof(int32_t),
    .compose = to_compose,
    .samples = "[2,3] float64 | [2] float64 | i64<9[3] float32",
};

cn_tensor *cn_to(cn_tensor *input, cn_dtype dtype)
{
    int32_t params = (int32_t)dtype;
    return CN_CALL(to, &params, input);
}

static bool copy_compose(cn_call *c)
{
    cn_tensor *src = cn_to(c->in[1], c->in[0]->v.dtype);
    return cn_set_out(c, 0, cn_clone(cn_expand(src, c->in[0]->v.shape)));
}

const cn_op cn_op_copy = {
    CN_OP_HEAD(copy, "copy", "(Tensor input, Tensor src) -> Tensor"),
    .doc = "src in the shape and type of input: what copy_ leaves there.",
    .flags = CN_POINTWISE,
    .compose = copy_compose,
    .samples = "[2,3] [3] | [2] f64[2] | [3] [] | [0,2] [2]",
};

/* Straight into the memory where nothing is recorded. */
cn_tensor *cn_copy_(cn_tensor *input, cn_tensor *source)
{
    cn_tensor *in[] = { input, source };
    bool missing = !input || !source;
    if (missing || (cn_grad_enabled() && (cn_needs_grad(input) || cn_needs_grad(source))))
        return cn_apply_inplace(&cn_op_copy, in, 2, NULL);
    size_t mark = cn_mark();
    cn_tensor *fit = cn_plain(input) ? cn_expand(cn_detach(source), input->v.shape) : NULL;
    if (fit && !cn_view_writable(&input->v, "copy_")) fit = NULL;
    if (fit) cn_copy_view(&input->v, &fit->v), input->storage->version++;
    cn_release(mark);
    return fit ? input : NULL;
}
