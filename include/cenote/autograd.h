/* autograd.h - gradients by reverse mode over a recorded graph, with PyTorch's semantics. */
#ifndef CENOTE_AUTOGRAD_H
#define CENOTE_AUTOGRAD_H

#include "tensor.h"

CN_BEGIN_DECLS

/* Makes a float tensor a leaf whose gradient is wanted (or not). Returns t. */
CN_API cn_tensor *cn_requires_grad(cn_tensor *t, bool on);
CN_API bool cn_needs_grad(const cn_tensor *t);
CN_API bool cn_is_leaf(const cn_tensor *t);

/* The gradient accumulated in a leaf; NULL when there is none (which is not an error, and not
   zeros).
   Borrowed: it lives as long as the leaf holds it. */
CN_API cn_tensor *cn_grad(const cn_tensor *t);
CN_API void cn_set_grad(cn_tensor *t, cn_tensor *grad); /* NULL: none, as after zero_grad */

/* The same values outside any graph, sharing memory. */
CN_API cn_tensor *cn_detach(cn_tensor *t);

/* ---- backward ------------------------------------------------------------------------------ */

/* Adds d(loss)/d(leaf) to the gradient of every leaf that loss, a one-element tensor, depends on.
   */
CN_API bool cn_backward(cn_tensor *loss);

typedef struct cn_backward_options {
    size_t size;
    cn_named_only named_only_;
    bool retain_graph; /* keep what a second backward needs */
    bool create_graph; /* record the backward pass itself: gradients of gradients */
    bool allow_unused; /* cn_grad_of: NULL for an input the outputs do not depend on */
} cn_backward_options;

/* Several outputs, each with a cotangent of its shape (NULL: ones, for a one-element output). */
CN_API bool cn_backward_of(cn_tensor *const *outs, cn_tensor *const *cotangents, int n,
                           const cn_backward_options *options);

/* Puts d(outs)/d(inputs[i]) into grads[i] (of the current scope) and touches no leaf. */
CN_API bool cn_grad_of(cn_tensor *const *outs, cn_tensor *const *cotangents, int n,
                       cn_tensor *const *inputs, int n_inputs, cn_tensor **grads,
                       const cn_backward_options *options);

/* ---- hooks --------------------------------------------------------------------------------- */

/* Called with the gradient of t when it is known; returns it, a replacement, or NULL after
   cn_fail(). */
typedef cn_tensor *cn_grad_hook(cn_tensor *grad, void *context);
CN_API bool cn_register_hook(cn_tensor *t, cn_grad_hook *hook, void *context);

/* ---- modes --------------------------------------------------------------------------------- */

/* Recording, per thread; on at first. Returns what it was. */
CN_API bool cn_set_grad_enabled(bool on);

#ifndef __cplusplus
/* CN_NO_GRAD { ... }: nothing is recorded inside. Leave it by its end. */
#define CN_NO_GRAD CN_NO_GRAD_(__LINE__)
#define CN_NO_GRAD_(line) CN_NO_GRAD__(line)
#define CN_NO_GRAD__(line)                                                                         \
    for (bool cn_was_##line = cn_set_grad_enabled(false), cn_run_##line = true; cn_run_##line;     \
         cn_set_grad_enabled(cn_was_##line), cn_run_##line = false)
#endif

CN_END_DECLS
#endif
