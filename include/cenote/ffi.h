/* ffi.h - everything by name: for bindings, tools and test suites. Version 1.

   Opaque handles and plain C types, so that any foreign-function interface can drive the library
   without generated code. Every function returns 0 or a negative cn_code (or NULL, or a negative
   count); cn_ffi_last_error() says what was wrong in one sentence. A handle that a call returns is
   owned by the caller and ends with its ..._release (NULL accepted); no scope needs to be open.
   Strings are UTF-8 and copied; a returned `const char *` lives until the next call on the same
   thread
   or as long as its object. */
#ifndef CENOTE_FFI_H
#define CENOTE_FFI_H

#include "value.h"

CN_BEGIN_DECLS

typedef struct cn_module cn_module;
typedef struct cn_optim cn_optim;
typedef struct cn_sched cn_sched;

/* dtypes: 0 bool 1 u8 2 i8 3 i16 4 i32 5 i64 6 f16 7 bf16 8 f32 9 f64 10 complex64 11 complex128 */
/* kinds and values: value.h */
typedef struct cn_ffi_arg {
    const char *name; /* NULL: positional */
    cn_ffi_value value;
} cn_ffi_arg;

CN_API int cn_ffi_version(void); /* 1 */
CN_API const char *cn_ffi_last_error(void);

/* ---- tensors: strides in elements, NULL means row-major; data is copied -------------------- */

CN_API int cn_ffi_tensor_new(int dtype, int ndim, const int64_t *shape, const int64_t *strides,
                             const void *data, size_t bytes, cn_tensor **out);
CN_API int cn_ffi_tensor_info(const cn_tensor *t, int *dtype, int *ndim, int64_t shape[8],
                              int64_t strides[8]);
CN_API int cn_ffi_tensor_read(const cn_tensor *t, void *dst, size_t bytes); /* row-major copy */
CN_API int cn_ffi_tensor_requires_grad(cn_tensor *t, int on);
CN_API int cn_ffi_tensor_grad(const cn_tensor *t, cn_tensor **out); /* *out NULL: no gradient */
CN_API void cn_ffi_tensor_release(cn_tensor *t);

/* ---- operators, by PyTorch's qualified name; aliases allowed ------------------------------- */

CN_API int cn_ffi_op_count(void);
CN_API const char *cn_ffi_op_name(int i);
CN_API const char *cn_ffi_op_schema(const char *name); /* PyTorch's wording; NULL if unknown */
CN_API const char *cn_ffi_op_doc(const char *name);
CN_API const char *cn_ffi_op_samples(const char *name); /* example calls, separated by '|' */
CN_API const char *cn_ffi_op_aliases(const char *name); /* separated by blanks */
/* Whether it is differentiable, in words that begin with "yes" or "no"; NULL if unknown. */
CN_API const char *cn_ffi_op_gradient(const char *name);
CN_API int cn_ffi_op_call(const char *name, const cn_ffi_arg *args, int nargs, cn_ffi_value *outs,
                          int *nouts); /* *nouts: in room, out count; tensors in outs are owned */
CN_API int cn_ffi_backward(cn_tensor *const *outs, cn_tensor *const *cotangents, int n);

/* ---- modules, by PyTorch's class name with PyTorch's constructor arguments ------------------

   Modules among the constructor arguments (Sequential, TransformerEncoder) are values of kind
   CN_KIND_MODULE; they get another owner. forward() takes its arguments as in PyTorch, by position
   or by name, a tuple like (h_0, c_0) as a list, a PackedSequence as the list (data, batch_sizes,
   sorted_indices, unsorted_indices); its results come one after the other, tuples in their place,
   None as CN_KIND_NONE unless it is at the end. */

CN_API int cn_ffi_module_new(const char *cls, const cn_ffi_arg *args, int n, cn_module **out);
CN_API int cn_ffi_module_forward(cn_module *m, const cn_ffi_arg *args, int n, cn_ffi_value *outs,
                                 int *nouts);
CN_API int cn_ffi_module_train(cn_module *m, int on);
/* PyTorch's keys and order. The entries are the parameters and buffers themselves: they have the
   gradients, and are what an optimiser takes. */
CN_API int cn_ffi_module_state(cn_module *m, cn_dict **out);
CN_API int cn_ffi_module_load_state(cn_module *m, const cn_dict *state, int strict);
CN_API void cn_ffi_module_release(cn_module *m);

/* ---- optimisers and schedulers, by class name ---------------------------------------------- */

CN_API int cn_ffi_optim_new(const char *cls, cn_tensor *const *params, const int *group, int n,
                            const cn_ffi_arg *const *group_args, const int *n_group_args,
                            int n_groups, const cn_ffi_arg *defaults, int n_defaults,
                            cn_optim **out);
CN_API int cn_ffi_optim_step(cn_optim *o);
CN_API int cn_ffi_optim_zero_grad(cn_optim *o);
CN_API int cn_ffi_optim_state(cn_optim *o, cn_dict **out);
CN_API int cn_ffi_optim_load_state(cn_optim *o, const cn_dict *state);
CN_API double cn_ffi_optim_lr(const cn_optim *o, int group);
CN_API void cn_ffi_optim_release(cn_optim *o);
CN_API int cn_ffi_sched_new(const char *cls, cn_optim *o, const cn_ffi_arg *args, int n,
                            cn_sched **out);
CN_API int cn_ffi_sched_step(cn_sched *s, double metric); /* NaN: no metric */
CN_API void cn_ffi_sched_release(cn_sched *s);

/* ---- ordered dictionaries: a state_dict, an .npz, a checkpoint ----------------------------- */

CN_API int cn_ffi_dict_new(cn_dict **out);
CN_API int cn_ffi_dict_count(const cn_dict *d);
CN_API const char *cn_ffi_dict_key(const cn_dict *d,
                                   int i); /* integer keys as their decimal text */
/* Tensors and dicts are owned by the caller; the items of a list belong to d. */
CN_API int cn_ffi_dict_get(const cn_dict *d, int i, cn_ffi_value *out);
CN_API int cn_ffi_dict_set(cn_dict *d, const char *key, const cn_ffi_value *value);
CN_API void cn_ffi_dict_release(cn_dict *d);

/* ---- files: recognised by content when read, by extension when written --------------------- */

CN_API int cn_ffi_load(const char *path, cn_dict **out);
CN_API int cn_ffi_save(const char *path, const cn_dict *d);
CN_API int cn_ffi_read_image(const char *path, cn_tensor **out); /* u8, (C, H, W) */
CN_API int cn_ffi_read_csv(const char *path,
                           cn_dict **out); /* column name -> tensor or list of str */

CN_API int cn_ffi_set(const char *what,
                      int64_t value); /* "threads", "alloc_limit_bytes", "seed", "deterministic" */

CN_END_DECLS
#endif
