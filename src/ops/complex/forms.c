/* forms.c - which ops take complex tensors, and forms that follow from what ops do with real ones. */
#include "ops/complex/complex.h"
#include "ops/params.h"

enum { MOST_INPUTS = 4 };

/* The op itself on all real parts, and on all imaginary ones. */
static bool partwise(cn_call *c)
{
    cn_tensor *re[MOST_INPUTS], *im[MOST_INPUTS];
    for (int i = 0; i < c->n_in; i++) {
        bool is_number = cn_dtype_is_graded(c->in[i]->v.dtype); /* not an index */
        cn_pair p = is_number ? cn_pair_of(c->in[i]) : (cn_pair){ c->in[i], c->in[i] };
        re[i] = p.re;
        im[i] = p.im && p.re ? cn_expand(p.im, p.re->v.shape) : NULL;
    }
    return cn_set_pair(c, cn_apply1(c->op, re, c->n_in, c->params),
                       cn_apply1(c->op, im, c->n_in, c->params));
}

bool cn_complex_choose(cn_call *c)
{
    cn_dtype d = cn_result_type(c->in + 1, 2);
    cn_pair a = cn_pair_of(cn_to(c->in[1], d)), b = cn_pair_of(cn_to(c->in[2], d));
    return cn_set_pair(c, cn_where(c->in[0], a.re, b.re), cn_where(c->in[0], a.im, b.im));
}

/* sum and mean, in the type that is asked for. */
bool cn_complex_sum(cn_call *c)
{
    cn_reduce_params p = *(const cn_reduce_params *)c->params;
    cn_tensor *x = p.dtype == CN_NO_DTYPE ? c->in[0] : cn_to(c->in[0], (cn_dtype)p.dtype);
    if (!x) return false;
    if (!cn_dtype_is_complex(x->v.dtype)) return cn_set_out(c, 0, cn_apply1(c->op, &x, 1, &p));
    cn_pair parts = cn_pair_of(x);
    p.dtype = CN_NO_DTYPE;
    return cn_set_pair(c, cn_apply1(c->op, &parts.re, 1, &p), cn_apply1(c->op, &parts.im, 1, &p));
}

/* Composed as for any other type. */
#define FORM(ident, form)
#define PASSES(ident)                                                                              \
    static bool pass_##ident(cn_call *c)                                                           \
    {                                                                                              \
        return cn_op_##ident.compose(c);                                                           \
    }
#include "ops/complex/forms.def"
#undef FORM

cn_complex_form *const cn_complex_forms[CN_NUM_OPS] = {
#define FORM(ident, form) [CN_OP_ID_##ident] = form,
#define PASSES(ident) [CN_OP_ID_##ident] = pass_##ident,
#define PARTWISE(ident) [CN_OP_ID_##ident] = partwise,
#include "ops/complex/forms.def"
#undef FORM
};
