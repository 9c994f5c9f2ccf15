/* adapter.h - the little of oneDNN that is used, the same for versions 2.6 and 3.x. */
#ifndef CN_BACKENDS_ONEDNN_ADAPTER_H
#define CN_BACKENDS_ONEDNN_ADAPTER_H

#include <dnnl.h>

#include <stdbool.h>
#include <stdint.h>

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t cn_dnnl_md; /* a handle */
#define CN_DNNL_MD(md) (md)
#else
typedef dnnl_memory_desc_t cn_dnnl_md; /* a struct */
#define CN_DNNL_MD(md) (&(md))
#endif

/* A primitive with its memory objects, which are pointed to other data at each execution. */
typedef struct cn_dnnl_op {
    dnnl_primitive_t primitive;
    int n;
    dnnl_exec_arg_t args[6];
} cn_dnnl_op;

bool cn_dnnl_start(void); /* engine and stream of this thread; false: not usable */
dnnl_engine_t cn_dnnl_engine(void);

/* float32 with these dimensions; strides in elements, NULL: the primitive chooses the layout. */
bool cn_dnnl_describe(cn_dnnl_md *md, int ndim, const int64_t *dims, const int64_t *strides);
void cn_dnnl_forget(cn_dnnl_md *md);

/* Activation as a post-op: "sigmoid", "tanh" or NULL. *attr may be NULL afterwards. */
bool cn_dnnl_activation(const char *name, dnnl_primitive_attr_t *attr);

/* Creates op->primitive from a descriptor, which is destroyed. */
bool cn_dnnl_finish(cn_dnnl_op *op, dnnl_primitive_desc_t pd);
/* Adds an argument with the layout of md; its data come later. */
bool cn_dnnl_argument(cn_dnnl_op *op, int id, const cn_dnnl_md *md);
void cn_dnnl_point(const cn_dnnl_op *op, int argument, const void *data);
bool cn_dnnl_run(const cn_dnnl_op *op);
void cn_dnnl_destroy(cn_dnnl_op *op);

bool cn_dnnl_matmul(cn_dnnl_op *op, const cn_dnnl_md *src, const cn_dnnl_md *weights,
                    const cn_dnnl_md *bias, const cn_dnnl_md *dst, dnnl_primitive_attr_t attr);

#endif
