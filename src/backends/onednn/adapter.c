/* adapter.c - the only file that knows which oneDNN this is. */
#include "backends/onednn/adapter.h"

#include "core/error.h"

#include <string.h>

static _Thread_local dnnl_engine_t engine;
static _Thread_local dnnl_stream_t stream;

bool cn_dnnl_start(void)
{
    if (stream) return true;
    if (!engine && dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success) return false;
    return dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) == dnnl_success;
}

void cn_dnnl_stop(void)
{
    if (stream) dnnl_stream_destroy(stream);
    if (engine) dnnl_engine_destroy(engine);
    stream = NULL, engine = NULL;
}

/* ---- memory ------------------------------------------------------------------------------- */

bool cn_dnnl_describe(cn_dnnl_md *md, int ndim, const int64_t *dims, const int64_t *strides)
{
    dnnl_dims_t d, s;
    memcpy(d, dims, (size_t)ndim * sizeof *dims);
    if (strides) memcpy(s, strides, (size_t)ndim * sizeof *strides);
#if DNNL_VERSION_MAJOR >= 3
    dnnl_status_t status =
        strides ? dnnl_memory_desc_create_with_strides(md, ndim, d, dnnl_f32, s)
                : dnnl_memory_desc_create_with_tag(md, ndim, d, dnnl_f32, dnnl_format_tag_any);
#else
    dnnl_status_t status =
        strides ? dnnl_memory_desc_init_by_strides(md, ndim, d, dnnl_f32, s)
                : dnnl_memory_desc_init_by_tag(md, ndim, d, dnnl_f32, dnnl_format_tag_any);
#endif
    return status == dnnl_success;
}

bool cn_dnnl_describe_blocked(cn_dnnl_md *md, const int64_t dims[4], int block)
{
    dnnl_dims_t d;
    dnnl_format_tag_t tag = block == 16 ? dnnl_nChw16c : dnnl_nChw8c;
    memcpy(d, dims, 4 * sizeof *dims);
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_memory_desc_create_with_tag(md, 4, d, dnnl_f32, tag) == dnnl_success;
#else
    return dnnl_memory_desc_init_by_tag(md, 4, d, dnnl_f32, tag) == dnnl_success;
#endif
}

bool cn_dnnl_same(const cn_dnnl_md *a, const cn_dnnl_md *b)
{
    return dnnl_memory_desc_equal(CN_DNNL_MD(*a), CN_DNNL_MD(*b)) != 0;
}

size_t cn_dnnl_bytes(const cn_dnnl_md *md)
{
    return dnnl_memory_desc_get_size(CN_DNNL_MD(*md));
}

void cn_dnnl_forget(cn_dnnl_md *md)
{
#if DNNL_VERSION_MAJOR >= 3
    if (*md) dnnl_memory_desc_destroy(*md);
    *md = NULL;
#else
    (void)md;
#endif
}

/* The layout that a primitive uses; `what` is dnnl_query_src_md and the like. */
static bool layout_of(cn_dnnl_md *md, const_dnnl_primitive_desc_t pd, dnnl_query_t what)
{
#if DNNL_VERSION_MAJOR >= 3
    const_dnnl_memory_desc_t found = dnnl_primitive_desc_query_md(pd, what, 0);
    return found && dnnl_memory_desc_clone(md, found) == dnnl_success;
#else
    const dnnl_memory_desc_t *found = dnnl_primitive_desc_query_md(pd, what, 0);
    if (found) *md = *found;
    return found != NULL;
#endif
}

/* ---- primitives --------------------------------------------------------------------------- */

static dnnl_alg_kind_t algorithm(const char *name)
{
    return strcmp(name, "sigmoid") == 0 ? dnnl_eltwise_logistic : dnnl_eltwise_tanh;
}

bool cn_dnnl_activation(const char *name, dnnl_primitive_attr_t *attr)
{
    dnnl_post_ops_t ops;
    *attr = NULL;
    if (!name) return true;
    if (dnnl_primitive_attr_create(attr) != dnnl_success) return false;
    if (dnnl_post_ops_create(&ops) != dnnl_success) return false;
#if DNNL_VERSION_MAJOR >= 3
    dnnl_status_t status = dnnl_post_ops_append_eltwise(ops, algorithm(name), 0, 0);
#else
    dnnl_status_t status = dnnl_post_ops_append_eltwise(ops, 1, algorithm(name), 0, 0);
#endif
    if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(*attr, ops);
    dnnl_post_ops_destroy(ops);
    return status == dnnl_success;
}

/* Creates op->primitive from a descriptor, which is destroyed. */
static bool finish(cn_dnnl_op *op, dnnl_primitive_desc_t pd)
{
    dnnl_status_t status = dnnl_primitive_create(&op->primitive, pd);
    dnnl_primitive_desc_destroy(pd);
    return status == dnnl_success;
}

bool cn_dnnl_argument(cn_dnnl_op *op, int id, const cn_dnnl_md *md)
{
    dnnl_memory_t memory;
    if (dnnl_memory_create(&memory, CN_DNNL_MD(*md), engine, DNNL_MEMORY_NONE) != dnnl_success)
        return false;
    op->args[op->n++] = (dnnl_exec_arg_t){ id, memory };
    return true;
}

void cn_dnnl_point(const cn_dnnl_op *op, int argument, const void *data)
{
    void *p;
    memcpy(&p, &data, sizeof p); /* oneDNN has one type of memory; inputs are only read */
    dnnl_memory_set_data_handle(op->args[argument].memory, p);
}

bool cn_dnnl_run(const cn_dnnl_op *op)
{
    if (dnnl_primitive_execute(op->primitive, stream, op->n, op->args) == dnnl_success &&
        dnnl_stream_wait(stream) == dnnl_success)
        return true;
    return cn_fail(CN_ENOMEM, "oneDNN: an operation failed, most likely for lack of memory");
}

void cn_dnnl_destroy(cn_dnnl_op *op)
{
    for (int i = 0; i < op->n; i++) dnnl_memory_destroy(op->args[i].memory);
    if (op->primitive) dnnl_primitive_destroy(op->primitive);
    *op = (cn_dnnl_op){ 0 };
}

bool cn_dnnl_matmul(cn_dnnl_op *op, const cn_dnnl_md *src, const cn_dnnl_md *weights,
                    const cn_dnnl_md *bias, const cn_dnnl_md *dst, dnnl_primitive_attr_t attr)
{
    dnnl_primitive_desc_t pd;
#if DNNL_VERSION_MAJOR >= 3
    dnnl_status_t status = dnnl_matmul_primitive_desc_create(&pd, engine, *src, *weights,
                                                             bias ? *bias : NULL, *dst, attr);
#else
    dnnl_matmul_desc_t d;
    dnnl_status_t status = dnnl_matmul_desc_init(&d, src, weights, bias, dst);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(&pd, &d, attr, engine, NULL);
#endif
    return status == dnnl_success && finish(op, pd);
}

bool cn_dnnl_reorder(cn_dnnl_op *op, const cn_dnnl_md *from, const cn_dnnl_md *to)
{
    dnnl_primitive_desc_t pd;
    return dnnl_reorder_primitive_desc_create(&pd, CN_DNNL_MD(*from), engine, CN_DNNL_MD(*to),
                                              engine, NULL) == dnnl_success &&
           finish(op, pd) && cn_dnnl_argument(op, DNNL_ARG_FROM, from) &&
           cn_dnnl_argument(op, DNNL_ARG_TO, to);
}

/* ---- convolutions ------------------------------------------------------------------------- */

typedef struct Window {
    dnnl_dims_t stride, dilation, padding;
} Window;

/* oneDNN counts the gaps between taps, not their distance. */
static Window window_of(const cn_dnnl_conv *c)
{
    Window w = { 0 };
    for (int i = 0; i < 2; i++) {
        w.stride[i] = c->stride[i];
        w.dilation[i] = c->dilation[i] - 1;
        w.padding[i] = c->padding[i];
    }
    return w;
}

#if DNNL_VERSION_MAJOR >= 3
static bool describe_pass(dnnl_primitive_desc_t *pd, const cn_dnnl_conv *c, cn_dnnl_pass pass,
                          dnnl_primitive_attr_t attr, const_dnnl_primitive_desc_t hint)
{
    dnnl_alg_kind_t alg = c->winograd ? dnnl_convolution_winograd : dnnl_convolution_direct;
    Window w = window_of(c);
    const_dnnl_memory_desc_t bias = c->bias ? *c->bias : NULL;
    if (pass == CN_DNNL_INPUT)
        return dnnl_convolution_backward_data_primitive_desc_create(
                   pd, engine, alg, *c->x, *c->w, *c->y, w.stride, w.dilation, w.padding, w.padding,
                   hint, attr) == dnnl_success;
    if (pass == CN_DNNL_WEIGHT)
        return dnnl_convolution_backward_weights_primitive_desc_create(
                   pd, engine, alg, *c->x, *c->w, NULL, *c->y, w.stride, w.dilation, w.padding,
                   w.padding, hint, attr) == dnnl_success;
    return dnnl_convolution_forward_primitive_desc_create(
               pd, engine, dnnl_forward_training, alg, *c->x, *c->w, bias, *c->y, w.stride,
               w.dilation, w.padding, w.padding, attr) == dnnl_success;
}
#else
static bool describe_pass(dnnl_primitive_desc_t *pd, const cn_dnnl_conv *c, cn_dnnl_pass pass,
                          dnnl_primitive_attr_t attr, const_dnnl_primitive_desc_t hint)
{
    dnnl_alg_kind_t alg = c->winograd ? dnnl_convolution_winograd : dnnl_convolution_direct;
    Window w = window_of(c);
    dnnl_convolution_desc_t d;
    dnnl_status_t status;
    if (pass == CN_DNNL_INPUT)
        status = dnnl_dilated_convolution_backward_data_desc_init(
            &d, alg, c->x, c->w, c->y, w.stride, w.dilation, w.padding, w.padding);
    else if (pass == CN_DNNL_WEIGHT)
        status = dnnl_dilated_convolution_backward_weights_desc_init(
            &d, alg, c->x, c->w, NULL, c->y, w.stride, w.dilation, w.padding, w.padding);
    else
        status = dnnl_dilated_convolution_forward_desc_init(&d, dnnl_forward_training, alg, c->x,
                                                            c->w, c->bias, c->y, w.stride,
                                                            w.dilation, w.padding, w.padding);
    return status == dnnl_success &&
           dnnl_primitive_desc_create(pd, &d, attr, engine, hint) == dnnl_success;
}
#endif

/* Gradients ask which forward convolution they belong to. */
static bool describe_convolution(dnnl_primitive_desc_t *pd, const cn_dnnl_conv *c,
                                 dnnl_primitive_attr_t attr)
{
    dnnl_primitive_desc_t hint;
    if (c->pass == CN_DNNL_FORWARD) return describe_pass(pd, c, c->pass, attr, NULL);
    if (!describe_pass(&hint, c, CN_DNNL_FORWARD, NULL, NULL)) return false;
    bool ok = describe_pass(pd, c, c->pass, attr, hint);
    dnnl_primitive_desc_destroy(hint);
    return ok;
}

static const struct {
    int argument[3]; /* of x, w, y */
    dnnl_query_t layout[3];
} conv_words[] = {
    [CN_DNNL_FORWARD] = { { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST },
                          { dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md } },
    [CN_DNNL_INPUT] = { { DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST },
                        { dnnl_query_diff_src_md, dnnl_query_weights_md, dnnl_query_diff_dst_md } },
    [CN_DNNL_WEIGHT] = { { DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST },
                         { dnnl_query_src_md, dnnl_query_diff_weights_md,
                           dnnl_query_diff_dst_md } },
};

/* The arguments as the descriptor wants them; it outlives this call. */
static bool arguments_of(cn_dnnl_op *op, const cn_dnnl_conv *c, const_dnnl_primitive_desc_t pd,
                         cn_dnnl_md chosen[3], size_t *scratch)
{
    cn_dnnl_md room;
    for (int i = 0; i < 3; i++)
        if (!layout_of(&chosen[i], pd, conv_words[c->pass].layout[i]) ||
            !cn_dnnl_argument(op, conv_words[c->pass].argument[i], &chosen[i]))
            return false;
    if (!layout_of(&room, pd, dnnl_query_scratchpad_md)) return false;
    *scratch = cn_dnnl_bytes(&room);
    bool ok = cn_dnnl_argument(op, DNNL_ARG_SCRATCHPAD, &room);
    cn_dnnl_forget(&room);
    return ok && (!c->bias || cn_dnnl_argument(op, DNNL_ARG_BIAS, c->bias));
}

/* Scratch memory is ours, so that limits and the cache of freed blocks apply to it. */
bool cn_dnnl_convolution(cn_dnnl_op *op, const cn_dnnl_conv *c, cn_dnnl_md chosen[3],
                         size_t *scratch)
{
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd = NULL;
    if (dnnl_primitive_attr_create(&attr) != dnnl_success) return false;
    bool ok =
        dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user) == dnnl_success &&
        describe_convolution(&pd, c, attr);
    dnnl_primitive_attr_destroy(attr);
    if (!ok) return false;
    ok = arguments_of(op, c, pd, chosen, scratch);
    if (!ok) dnnl_primitive_desc_destroy(pd);
    return ok && finish(op, pd);
}
