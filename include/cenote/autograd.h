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
/* From now on backward leaves the gradient of t, a result of recorded calls, for cn_grad(t), too. */
CN_API bool cn_retain_grad(cn_tensor *t);

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
/* Called with the leaf when a backward has added to its gradient, which cn_grad(leaf) has. To
   report an error: cn_fail(). Not called by cn_grad_of(), which adds to no leaf. */
typedef void cn_accumulated_hook(cn_tensor *leaf, void *context);
CN_API bool cn_register_accumulated_hook(cn_tensor *leaf, cn_accumulated_hook *hook, void *context);
/* Undoes one registration with the same arguments; false, without an error, when there is none. */
CN_API bool cn_remove_hook(cn_tensor *t, cn_grad_hook *hook, void *context);
CN_API bool cn_remove_accumulated_hook(cn_tensor *leaf, cn_accumulated_hook *hook, void *context);

/* ---- derivatives of functions --------------------------------------------------------------
   As torch.autograd.functional has them. The function gets tensors that require gradients in
   place of in[0 .. n-1] (float tensors) and returns a tensor of any shape made from them. Results
   belong to the current scope. Where the function does not depend on an input, its derivative is
   zeros. `options` may be NULL; of its members .create_graph counts: results can then be
   differentiated further, by inputs that require gradients, too. */

typedef cn_tensor *cn_function(cn_tensor *const *in, void *context);

/* (v J): grads[i] has the shape of in[i]; v that of the output (NULL: ones, for one element).
   *out, unless out is NULL: the function's value. */
CN_API bool cn_vjp(cn_function *f, cn_tensor *const *in, int n, void *context, cn_tensor *v,
                   cn_tensor **out, cn_tensor **grads, const cn_backward_options *options);
/* (J v): the derivative in the direction v[0 .. n-1], which have the shapes of the inputs (v NULL:
   ones, for inputs of one element). *jvp has the shape of the output. Made of two backward
   passes: v J is linear in v, and its derivative with respect to v is J; so every differentiable
   op has its exact forward derivative without a rule of its own. */
CN_API bool cn_jvp(cn_function *f, cn_tensor *const *in, int n, void *context, cn_tensor *const *v,
                   cn_tensor **out, cn_tensor **jvp, const cn_backward_options *options);
/* jacobian[i] has the shape of the output followed by that of in[i]. One backward pass for each
   element of the output. */
CN_API bool cn_jacobian(cn_function *f, cn_tensor *const *in, int n, void *context,
                        cn_tensor **jacobian, const cn_backward_options *options);
/* Of a function with one number as its value: hessian[i * n + j] has the shape of in[i] followed
   by that of in[j]. */
CN_API bool cn_hessian(cn_function *f, cn_tensor *const *in, int n, void *context,
                       cn_tensor **hessian, const cn_backward_options *options);
/* (H v) and (v H) of such a function, without making H; the second takes one pass less. */
CN_API bool cn_hvp(cn_function *f, cn_tensor *const *in, int n, void *context, cn_tensor *const *v,
                   cn_tensor **out, cn_tensor **hvp, const cn_backward_options *options);
CN_API bool cn_vhp(cn_function *f, cn_tensor *const *in, int n, void *context, cn_tensor *const *v,
                   cn_tensor **out, cn_tensor **vhp, const cn_backward_options *options);

/* ---- functions with a gradient of their own --------------------------------------------------
   What torch.autograd.Function is: forward computes without being recorded, backward says what the
   gradients are. The description must live as long as graphs that hold it: make it static. */

typedef struct cn_custom_call cn_custom_call; /* one call, in its forward or its backward */

typedef struct cn_custom {
    const char *name; /* for messages and graphs */
    /* Sets out[..] to tensors of the current scope. False after cn_fail(). */
    bool (*forward)(cn_custom_call *call, cn_tensor *const *in, cn_tensor **out, void *context);
    /* grad_out[k] is the gradient of out[k] (zeros when the loss does not depend on it, NULL when
       out[k] is no float tensor). Sets grad_in[i]; those left NULL have none. Written with ops it
       can itself be differentiated. */
    bool (*backward)(cn_custom_call *call, cn_tensor *const *grad_out, cn_tensor **grad_in,
                     void *context);
    void (*release)(void *context); /* when no backward can come any more; NULL: nothing to free */
} cn_custom;

/* Calls f on in[0 .. n_in-1] and records it. The context is f's from here on, also on failure. */
CN_API bool cn_custom_function(const cn_custom *f, cn_tensor *const *in, int n_in, cn_tensor **out,
                               int n_out, void *context);
/* In forward: keeps an input, an output, or anything else (or NULL) for backward, in order. */
CN_API bool cn_save_for_backward(cn_custom_call *call, cn_tensor *t);
/* In backward: the i-th tensor that was saved. An error when it was changed in place since. */
CN_API cn_tensor *cn_saved(cn_custom_call *call, int i);
CN_API bool cn_custom_wants(const cn_custom_call *call, int i); /* is grad_in[i] asked for? */

/* ---- recomputation --------------------------------------------------------------------------- */

/* f(in, context), of which only the inputs are kept: backward runs f again, with the state that
   random generators had, and goes through what that records. Gradients are the same, also those
   of tensors that f takes from its context; memory holds the intermediate results of one such f
   at a time. `context` must live until the graph is gone. Can be nested. (Chen et al., "Training deep nets
   with sublinear memory cost", 2016) */
CN_API cn_tensor *cn_checkpoint(cn_function *f, cn_tensor *const *in, int n, void *context);

/* ---- looking for mistakes ---------------------------------------------------------------------- */

/* Anomaly mode, per thread; off at first. Returns what it was. While it is on, a call that makes
   NaN of inputs without fails, and so does a backward pass whose rule for an op makes NaN of a
   gradient without; the message has the op and the labels open when it was called. Each result is
   looked through: for finding mistakes, not for training. */
CN_API bool cn_detect_anomaly(bool on);
/* Opens a label within those that are open; returns what cn_label_pop() closes it with. Modules in
   containers have theirs, "2 (Linear)". Nothing happens while anomaly mode is off. */
CN_API size_t cn_label_push(const char *label);
CN_API void cn_label_pop(size_t was);

/* Writes the recorded graph that made t as text for Graphviz (DOT): calls with the shapes of their
   results, leaves as ellipses. Like snprintf: returns the length it has or would have, terminates
   what fits; 0: an error. Not from within a hook. */
CN_API size_t cn_graph_dot(const cn_tensor *t, char *buf, size_t room);

/* ---- modes --------------------------------------------------------------------------------- */

/* Recording, per thread; on at first. Returns what it was. */
CN_API bool cn_set_grad_enabled(bool on);
CN_API bool cn_grad_enabled(void); /* does this thread record? */

#ifndef __cplusplus
/* CN_NO_GRAD { ... }: nothing is recorded inside. Leave it by its end. */
#define CN_NO_GRAD CN_GRAD_MODE_(false, __LINE__)
/* CN_ENABLE_GRAD { ... }: recorded again, within CN_NO_GRAD. */
#define CN_ENABLE_GRAD CN_GRAD_MODE_(true, __LINE__)
#define CN_GRAD_MODE_(on, line) CN_GRAD_MODE__(on, line)
#define CN_GRAD_MODE__(on, line)                                                                   \
    for (bool cn_was_##line = cn_set_grad_enabled(on), cn_run_##line = true; cn_run_##line;        \
         cn_set_grad_enabled(cn_was_##line), cn_run_##line = false)
/* CN_LABEL("encoder") { ... }: what messages of anomaly mode call this part. */
#define CN_LABEL(text) CN_LABEL_(text, __LINE__)
#define CN_LABEL_(text, line) CN_LABEL__(text, line)
#define CN_LABEL__(text, line)                                                                     \
    for (size_t cn_label_##line = cn_label_push(text), cn_in_##line = 1; cn_in_##line;             \
         cn_label_pop(cn_label_##line), cn_in_##line = 0)
#endif

CN_END_DECLS
#endif
