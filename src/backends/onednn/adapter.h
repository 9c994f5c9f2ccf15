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

/* A primitive with its memory objects, which are pointed to other data at each execution. The
   arguments
   come in the order in which they were added. */
enum { CN_DNNL_MAX_ARGS = 6 };
typedef struct cn_dnnl_op {
    dnnl_primitive_t primitive;
    int n;
    dnnl_exec_arg_t args[CN_DNNL_MAX_ARGS];
} cn_dnnl_op;

bool cn_dnnl_start(void); /* engine and stream of this thread; false: not usable */
void cn_dnnl_stop(void);  /* gives them back, when the thread ends */

/* ---- memory: float32 ------------------------------------------------------------------------- */

/* Strides in elements; NULL: the primitive chooses the layout. */
bool cn_dnnl_describe(cn_dnnl_md *md, int ndim, const int64_t *dims, const int64_t *strides);
/* (N, C, H, W) with the channels in blocks of 8 or 16. */
bool cn_dnnl_describe_blocked(cn_dnnl_md *md, const int64_t dims[4], int block);
bool cn_dnnl_same(const cn_dnnl_md *a, const cn_dnnl_md *b);
size_t cn_dnnl_bytes(const cn_dnnl_md *md);
void cn_dnnl_forget(cn_dnnl_md *md);

/* ---- primitives ------------------------------------------------------------------------------ */

/* Activation as a post-op: "sigmoid", "tanh" or NULL. *attr may be NULL afterwards. */
bool cn_dnnl_activation(const char *name, dnnl_primitive_attr_t *attr);

bool cn_dnnl_matmul(cn_dnnl_op *op, const cn_dnnl_md *src, const cn_dnnl_md *weights,
                    const cn_dnnl_md *bias, const cn_dnnl_md *dst, dnnl_primitive_attr_t attr);

/* Arguments: the source, then the result. */
bool cn_dnnl_reorder(cn_dnnl_op *op, const cn_dnnl_md *from, const cn_dnnl_md *to);

typedef enum cn_dnnl_pass { CN_DNNL_FORWARD, CN_DNNL_INPUT, CN_DNNL_WEIGHT } cn_dnnl_pass;

/* A convolution or one of its gradients. x, w, y say sizes only; the layouts that the primitive
   chose are
   written to `chosen`, in that order, and belong to the caller. */
typedef struct cn_dnnl_conv {
    cn_dnnl_pass pass;
    bool winograd;
    const cn_dnnl_md *x, *w, *y, *bias; /* bias: forward only, NULL: none */
    int64_t stride[2], padding[2], dilation[2];
} cn_dnnl_conv;

/* Arguments: x, w, y in chosen layouts, scratch memory, bias. False: oneDNN has no such primitive.
 */
bool cn_dnnl_convolution(cn_dnnl_op *op, const cn_dnnl_conv *c, cn_dnnl_md chosen[3],
                         size_t *scratch);

/* Adds an argument with the layout of md; its data come later. */
bool cn_dnnl_argument(cn_dnnl_op *op, int id, const cn_dnnl_md *md);
void cn_dnnl_point(const cn_dnnl_op *op, int argument, const void *data);
bool cn_dnnl_run(const cn_dnnl_op *op);
void cn_dnnl_destroy(cn_dnnl_op *op);

#endif
