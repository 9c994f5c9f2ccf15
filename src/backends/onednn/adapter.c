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

dnnl_engine_t cn_dnnl_engine(void)
{
    return engine;
}

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

void cn_dnnl_forget(cn_dnnl_md *md)
{
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_destroy(*md);
#else
    (void)md;
#endif
}

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

bool cn_dnnl_finish(cn_dnnl_op *op, dnnl_primitive_desc_t pd)
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
    return status == dnnl_success && cn_dnnl_finish(op, pd);
}
