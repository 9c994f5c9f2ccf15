/* tensor.h (internal) - what a tensor is made of. */
#ifndef CN_CORE_TENSOR_H
#define CN_CORE_TENSOR_H

#include "core/memory.h"

#include <stdatomic.h>

/* What a kernel sees: elements, their type, shape and strides (in elements). It says nothing about
   who owns the memory, nor about gradients. */
typedef struct cn_view {
    char *data;
    cn_dtype dtype;
    bool contiguous; /* row-major without gaps */
    uint8_t block;   /* 0, or channels per block: see cn_make_plain */
    int64_t numel;
    cn_shape shape;
    int64_t strides[CN_MAX_DIMS];
} cn_view;

typedef struct cn_packed cn_packed;

/* A block of memory that tensors share. The elements follow the header, or are someone else's. */
typedef struct cn_storage {
    atomic_int refs;
    uint32_t version; /* counts in-place changes; autograd compares */
    bool exposed;     /* someone holds a pointer through which it may change unseen */
    size_t bytes;
    char *data;
    void (*release)(void *context);
    void *context;
    cn_packed *packed; /* copies in the layouts of kernels: packed.h */
} cn_storage;

typedef struct cn_node cn_node;
typedef struct cn_hook cn_hook;

/* Why a change of a view is not recorded; views of the view inherit it. */
enum cn_fixed {
    CN_UNRECORDED = 1, /* it was made inside CN_NO_GRAD */
    CN_OTHER_DTYPE,    /* its elements are not those of its base: real parts, bytes */
    CN_ONE_OF_MANY,    /* an op made it together with others, as split does */
    CN_NOW_A_LEAF,
};

struct cn_tensor {
    cn_view v; /* first: a tensor is a view with owners */
    cn_storage *storage;
    cn_node *node;        /* the recorded call that made it; NULL for leaves */
    cn_tensor *grad;      /* of a leaf, after backward */
    cn_hook *hooks;       /* called with its gradient */
    cn_tensor *next_dead; /* only while it is being freed */
    atomic_int refs;
    cn_tensor *base;   /* of a recorded view: the tensor, itself no view, that it shows a part of */
    uint32_t rewrites; /* recorded in-place changes; of a view: those of base that node knows of */
    uint8_t out_index; /* which output of node it is */
    bool requires_grad;
    bool is_number; /* a plain number: does not decide the result's type within its category */
    bool is_view;   /* shares the storage of another tensor */
    uint8_t fixed;  /* of a view: why no change can be recorded through it; 0: it can */
};

/* A tensor on fresh memory, owned by the innermost scope. Contents undefined. */
cn_tensor *cn_tensor_new(const cn_shape *shape, cn_dtype dtype);
/* The same, owned by the caller (one reference), in no scope. */
cn_tensor *cn_tensor_new_owned(const cn_shape *shape, cn_dtype dtype);
/* A tensor that looks at base's storage through `view`, owned by the innermost scope. */
cn_tensor *cn_tensor_view(const cn_tensor *base, const cn_view *view);
cn_tensor *cn_tensor_view_owned(const cn_tensor *base, const cn_view *view);
cn_tensor *cn_scope_add(
    cn_tensor *t); /* gives one reference to the scope; on failure drops it, NULL */
/* cn_return() of several. False, and all NULL, when one is NULL or out of memory. */
bool cn_return_all(size_t mark, cn_tensor **t, int n);
/* A number as a 0-d tensor that yields to other operands in type promotion. */
cn_tensor *cn_number(double value);
cn_tensor *cn_number_i64(int64_t value);
cn_tensor *cn_number_bool(bool value);

/* Gives one reference back: was it the last? A lone owner needs no atomic subtraction. */
static inline bool cn_last_reference(atomic_int *refs)
{
    return atomic_load_explicit(refs, memory_order_acquire) == 1 ||
           atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel) == 1;
}

/* Does what is recorded of t belong to the values that it shows? */
static inline bool cn_is_current(const cn_tensor *t)
{
    return !t->base || t->rewrites == t->base->rewrites;
}

static inline cn_tensor *cn_ref(cn_tensor *t)
{
    if (t) atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

/* ---- shapes -------------------------------------------------------------------------------- */

/* The number of elements in *out; false on negative sizes and on overflow. `what` names the
   culprit. */
bool cn_shape_numel(const cn_shape *s, int64_t *out, const char *what);
bool cn_shape_equal(const cn_shape *a, const cn_shape *b);
/* The broadcast of a and b, by NumPy's rule. */
bool cn_shape_broadcast(const cn_shape *a, const cn_shape *b, cn_shape *out, const char *what);
/* -ndim .. ndim-1 to 0 .. ndim-1 (a 0-d tensor counts as 1-d here); -1 and an error when outside.
   */
int cn_wrap_dim(int64_t dim, int ndim, const char *what);
/* "(2, 3)"; returns buf. */
const char *cn_shape_text(const cn_shape *s, char buf[128]);
/* Fills strides, numel and contiguous of a row-major view. False when the product overflows. */
bool cn_view_rows(cn_view *v, const cn_shape *shape, const char *what);
/* Recomputes numel and contiguous after shape or strides changed. */
void cn_view_refresh(cn_view *v);

/* May an in-place op write to it? Not where several elements lie at one place, as after expand. */
bool cn_view_writable(const cn_view *v, const char *what);

/* Do two views of one memory, both without gaps, share elements that stand at different places in them? */
bool cn_views_cross(const cn_view *a, const cn_view *b);

/* ---- dtypes -------------------------------------------------------------------------------- */

typedef enum cn_category { CN_CAT_BOOL, CN_CAT_INT, CN_CAT_FLOAT, CN_CAT_COMPLEX } cn_category;

cn_category cn_dtype_category(cn_dtype d);
cn_dtype cn_dtype_promote(cn_dtype a, cn_dtype b);
/* The complex type whose parts have float type d, and back; other types: themselves. */
cn_dtype cn_dtype_complex_of(cn_dtype d);
cn_dtype cn_dtype_real_of(cn_dtype d);
/* Can it have gradients? */
static inline bool cn_dtype_is_graded(cn_dtype d)
{
    return cn_dtype_category(d) >= CN_CAT_FLOAT;
}
/* The type of the result of a pointwise op on these (NULLs skipped): PyTorch's rule with its three
   ranks of operands: tensors with dimensions, 0-d tensors, plain numbers. */
cn_dtype cn_result_type(cn_tensor *const *in, int n);
/* The type kernels compute `d` in: f32 for the halves, i64 for the integers, itself for the
   others. */
cn_dtype cn_compute_dtype(cn_dtype d);

/* ---- the blocked format ----------------------------------------------------------------------

   Convolution engines want images as [N][C / block][H][W][block]. A kernel may leave a result
   (4-d, C a multiple of the block) so; its view says it in `block`, and shape and strides go on
   describing what users see. Only pointwise ops and those with CN_ANY_LAYOUT get such inputs, and of their kernels
   only those that a provider offers for them (find_blocked). For everybody else core makes the tensor
   plain when it is first needed; so do the public functions that look at elements. */

/* Puts t's elements into row-major memory of its own, if they are blocked. */
bool cn_make_plain(cn_tensor *t);
/* Can a tensor of this shape be kept in blocks of so many channels? */
bool cn_can_block(const cn_shape *s, int block);
/* Writes v's elements (4 or 8 bytes each, v row-major or blocked) to `to` in the other layout. */
void cn_reorder(char *to, const cn_view *v, int block, bool to_blocks);

static inline bool cn_plain(const cn_tensor *t)
{
    cn_tensor *own = (cn_tensor *)t; /* the same values elsewhere: no visible change */
    return !t->v.block || cn_make_plain(own);
}

/* ---- moving elements ----------------------------------------------------------------------- */

/* dst[...] = (dst's type) src[...], any strides, same shape. */
void cn_copy_view(const cn_view *dst, const cn_view *src);
/* cn_data_mut() for a caller that writes at once and forgets the pointer: copies of the tensor in other
   layouts can be trusted afterwards. */
void *cn_overwritten(cn_tensor *t);
/* The same for elements of 4 bytes, when the rows of one lie along another dimension of the other;
   false, and nothing is done, otherwise. */
bool cn_copy_turned(const cn_view *dst, const cn_view *src);
/* One element as double or int64; of a complex one the real part, and a stored one has no other. */
double cn_load_f64(const char *p, cn_dtype d);
int64_t cn_load_i64(const char *p, cn_dtype d);
void cn_store_f64(char *p, cn_dtype d, double x);
/* t itself when it is contiguous, a row-major copy in this scope otherwise. Not recorded. */
cn_tensor *cn_rows(cn_tensor *t);
/* t itself when it has that dtype, a converted copy otherwise. Not recorded. */
cn_tensor *cn_cast_raw(cn_tensor *t, cn_dtype dtype);
void cn_fill_view(const cn_view *v, double value);

#endif
