/* calls.c - modules that call one op, but whose options have other names than its arguments, or whose forward()
   takes some of them: Unflatten, CrossMapLRN2d, RReLU, MaxUnpool1d to 3d. */
#include "nn/module.h"

#include "ops/internal.h"

#define CLASS(ident, arguments, options, function, text)                                           \
    const cn_module_class cn_class_##ident = { .name = #ident,                                     \
                                               .schema = #ident arguments,                         \
                                               .doc = text,                                        \
                                               .options_size = sizeof(options),                    \
                                               .forward = function

static bool give(cn_io *io, const cn_op *op, int n_in, const void *params)
{
    io->n_out = 1;
    io->out[0] = cn_apply1(op, io->in, n_in, params);
    return io->out[0] != NULL;
}

/* ---- shapes --------------------------------------------------------------------------------- */

typedef struct {
    int64_t dim;
    cn_ints size;
} Unflatten;

static bool unflatten_forward(cn_module *m, cn_io *io)
{
    return give(io, &cn_op_unflatten, 1, m->options);
}

CLASS(Unflatten, "(int dim, int[] unflattened_size)", Unflatten, unflatten_forward,
      "One dimension cut into several of these sizes; one may be -1.")
}
;

/* ---- normalisation -------------------------------------------------------------------------- */

typedef struct {
    int64_t size;
    double alpha, beta, k;
} Lrn;

/* Windows have the channel in their middle, so that their width is odd; the divisor stays size. PyTorch's running
   sum never lets go of channel 0, which windows further on then still count; that is not followed. */
static bool cross_map_forward(cn_module *m, cn_io *io)
{
    const Lrn *o = m->options;
    Lrn centred = *o;
    if (io->in[0]->v.shape.ndim != 4)
        return cn_fail(CN_EINVALID, "%s: (N, C, H, W) is wanted, not %d dimensions", m->cls->name,
                       io->in[0]->v.shape.ndim);
    if (o->size > 0 && o->size % 2 == 0) {
        centred.size = o->size - 1;
        centred.alpha = o->alpha * (double)centred.size / (double)o->size;
    }
    return give(io, &cn_op_local_response_norm, 1, &centred);
}

CLASS(CrossMapLRN2d, "(int size, float alpha=0.0001, float beta=0.75, float k=1.0)", Lrn,
      cross_map_forward,
      "input / (k + alpha / size times the sum of the squares of the channels around)^beta.")
}
;

/* ---- activation ----------------------------------------------------------------------------- */

typedef struct {
    double lower, upper;
} Slopes;

static bool rrelu_forward(cn_module *m, cn_io *io)
{
    const Slopes *o = m->options;
    struct {
        double lower, upper;
        bool training;
    } params = { o->lower, o->upper, m->training };
    return give(io, &cn_op_rrelu, 1, &params);
}

CLASS(RReLU, "(float lower=0.125, float upper=0.3333333333333333, bool inplace=False)", Slopes,
      rrelu_forward,
      "Leaky ReLU whose slopes are drawn from [lower, upper] in training, else their mean.")
}
;

/* ---- max_pool undone ------------------------------------------------------------------------ */

typedef struct {
    cn_ints kernel, stride, padding;
} Window;

static bool unpool(const cn_module *m, cn_io *io, const cn_op *op)
{
    const Window *o = m->options;
    const cn_ints *size = io->args;
    struct {
        cn_ints kernel, stride, padding, output_size;
    } params = { o->kernel, o->stride, o->padding, size ? *size : (cn_ints){ .n = -1 } };
    return give(io, op, 2, &params);
}

#define UNPOOL(dims)                                                                               \
    static bool unpool##dims##_forward(cn_module *m, cn_io *io)                                    \
    {                                                                                              \
        return unpool(m, io, &cn_op_max_unpool##dims##d);                                          \
    }                                                                                              \
    CLASS(MaxUnpool##dims##d,                                                                      \
          "(int[" #dims "] kernel_size, int[" #dims "]? stride=None, int[" #dims "] padding=0)",   \
          Window, unpool##dims##_forward,                                                          \
          "Zeros with the numbers of input where MaxPool" #dims                                    \
          "d, which gave the indices, found them.")                                                \
    , .inputs = "(Tensor input, Tensor indices, int[]? output_size=None)"                          \
    }                                                                                              \
    ;

UNPOOL(1)
UNPOOL(2)
UNPOOL(3)
