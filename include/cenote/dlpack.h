/* dlpack.h - tensors of other libraries, and ours for them, without copying: DLPack.

   The structures are DLPack's, under names of our own, so that its header may be included, too:
   cast the pointers. In Python a pointer travels in a capsule named "dltensor" (or
   "dltensor_versioned"), which __dlpack__() gives and from_dlpack() takes. */
#ifndef CENOTE_DLPACK_H
#define CENOTE_DLPACK_H

#include "tensor.h"

CN_BEGIN_DECLS

#define CN_DLPACK_MAJOR 1
#define CN_DLPACK_MINOR 1

enum { CN_DL_CPU = 1, CN_DL_CUDA = 2, CN_DL_CUDA_HOST = 3 }; /* devices */
enum {
    CN_DL_INT = 0,
    CN_DL_UINT = 1,
    CN_DL_FLOAT = 2,
    CN_DL_BFLOAT = 4,
    CN_DL_COMPLEX = 5,
    CN_DL_BOOL = 6
};
enum { CN_DL_READ_ONLY = 1, CN_DL_IS_COPIED = 2 }; /* flags */

typedef struct cn_dl_tensor { /* DLTensor */
    void *data;
    struct {
        int32_t type, id;
    } device;
    int32_t ndim;
    struct {
        uint8_t code, bits;
        uint16_t lanes;
    } dtype;
    int64_t *shape;
    int64_t *strides; /* in elements; NULL: row-major */
    uint64_t byte_offset;
} cn_dl_tensor;

typedef struct cn_dl_managed { /* DLManagedTensor, of versions 0.x */
    cn_dl_tensor tensor;
    void *manager;
    void (*deleter)(struct cn_dl_managed *self); /* may be NULL */
} cn_dl_managed;

typedef struct cn_dl_versioned { /* DLManagedTensorVersioned, since 1.0 */
    struct {
        uint32_t major, minor;
    } version;
    void *manager;
    void (*deleter)(struct cn_dl_versioned *self); /* may be NULL */
    uint64_t flags;
    cn_dl_tensor tensor;
} cn_dl_versioned;

/* Gives the tensor away for reading and writing; who receives it calls its deleter in the end, from
   any thread. The elements are ours, not a copy. Refused for tensors that require gradients:
   changes from outside would escape autograd; take cn_detach() of it. */
CN_API cn_dl_managed *cn_to_dlpack(cn_tensor *t);
CN_API cn_dl_versioned *cn_to_dlpack_versioned(cn_tensor *t);

/* A tensor on someone else's elements, in the innermost scope; the deleter is called when the last
   tensor on them is gone. On failure nothing is taken over. Memory that the CPU can read only;
   elements must be aligned to their size. What is read-only, is copied. */
CN_API cn_tensor *cn_from_dlpack(cn_dl_managed *m);
CN_API cn_tensor *cn_from_dlpack_versioned(cn_dl_versioned *m);

CN_END_DECLS
#endif
