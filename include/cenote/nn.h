/* nn.h - modules: layers with parameters, under PyTorch's names and state_dict keys.

   A module is made by a constructor, run by cn_forward() and freed by cn_module_free().
   Containers own
   their children, also when a constructor fails. Shapes that are not given (in-features,
   in-channels)
   are inferred at the first forward. */
#ifndef CENOTE_NN_H
#define CENOTE_NN_H

#include "rng.h"
#include "tensor.h"

CN_BEGIN_DECLS

typedef struct cn_module cn_module;

/* ---- using --------------------------------------------------------------------------------- */

CN_API cn_tensor *cn_forward(cn_module *m, cn_tensor *x);
/* Modules with several inputs (losses) or outputs. *n_out: room in, count out. */
CN_API bool cn_forward_all(cn_module *m, cn_tensor *const *in, int n_in, cn_tensor **out,
                           int *n_out);

/* cn_forward(), of which only the input is kept: backward computes the rest again. See
   cn_checkpoint(). Batch norm counts its statistics once, dropout drops the same twice. */
CN_API cn_tensor *cn_checkpoint_module(cn_module *m, cn_tensor *x);
/* The same for a Sequential in so many parts, of as many children each as evenly go; the last, with
   which backward begins, keeps what it makes. */
CN_API cn_tensor *cn_checkpoint_sequential(cn_module *m, int segments, cn_tensor *x);

CN_API void cn_train_mode(cn_module *m,
                          bool on); /* dropout and batch norm behave differently; on at first */
CN_API bool cn_is_training(const cn_module *m);
CN_API cn_module *cn_module_keep(cn_module *m); /* one more owner: to use a module in two places */
CN_API void cn_module_free(cn_module *m);       /* gives one ownership back; NULL is fine */
CN_API const char *cn_module_name(const cn_module *m); /* "Linear" */
CN_API int cn_module_children(const cn_module *m);
CN_API cn_module *cn_module_child(cn_module *m, int i);         /* borrowed */
CN_API cn_module *cn_module_at(cn_module *m, const char *path); /* "0.1"; NULL when there is none */

/* ---- parameters ---------------------------------------------------------------------------- */

typedef struct cn_entry {
    const char *name;  /* dotted, as in PyTorch's state_dict: "0.weight"; lives during the visit */
    cn_tensor *tensor; /* NULL while its shape is not yet known */
    bool is_buffer;    /* saved with the parameters, but not trained */
} cn_entry;

/* Calls `visit` for all parameters and buffers in PyTorch's order; stops at false, and returns
   it. */
CN_API bool cn_visit(cn_module *m, bool (*visit)(const cn_entry *entry, void *context),
                     void *context);
CN_API int cn_parameters(cn_module *m, cn_tensor **out,
                         int room);              /* how many; writes those that fit */
CN_API int64_t cn_parameter_count(cn_module *m); /* elements; shared ones once */
CN_API void cn_zero_grad(cn_module *m);
CN_API void cn_freeze(cn_module *m, bool frozen); /* parameters stop requiring gradients */
/* Makes all shapes known without training: runs one forward without gradients on zeros of this
   shape. */
CN_API bool cn_build(cn_module *m, cn_shape input);

/* ---- initialisation ------------------------------------------------------------------------ */

/* Called with each weight and bias: `name` is "weight" or "bias". */
typedef bool cn_initialiser(cn_tensor *parameter, const char *name, void *context);
/* For all present parameters, and those that are still to be made, at the time they are. */
CN_API bool cn_init(cn_module *m, cn_initialiser *init, void *context);

/* Ready-made ones; context: NULL, or a const double * (the gain, or the standard deviation). They
   draw from cn_default_rng(). Biases: zero, or as PyTorch leaves them for the first two. */
CN_API cn_initialiser
    cn_xavier_uniform; /* U(-a, a), a = gain sqrt(6 / (fan_in + fan_out)); biases kept (D2L 4.8) */
CN_API cn_initialiser cn_xavier_normal;
CN_API cn_initialiser cn_kaiming_uniform; /* U(-a, a), a = sqrt(6 / fan_in) */
CN_API cn_initialiser cn_kaiming_normal;
CN_API cn_initialiser cn_normal_init; /* N(0, std), std 0.01 when no context is given; biases 0 */
CN_API cn_initialiser cn_zeros_init;

/* ---- containers ---------------------------------------------------------------------------- */

#ifndef __cplusplus
extern CN_API cn_module *const cn_end; /* marks the end of a list; no module */
/* cn_sequential(a, b, c): the modules one after the other. Takes them over. */
#define cn_sequential(...) cn_sequential_of((cn_module *[]){ __VA_ARGS__, cn_end })
#endif
CN_API cn_module *cn_sequential_of(cn_module *const *modules); /* ended by cn_end */
CN_API cn_module *cn_sequential_n(cn_module *const *modules, int n);

/* ---- layers -------------------------------------------------------------------------------- */

typedef struct cn_linear_options {
    size_t size;
    int64_t out;
    cn_named_only named_only_;
    int64_t in; /* 0: inferred */
    bool no_bias;
} cn_linear_options;
CN_API cn_module *cn_linear_layer_with(const cn_linear_options *o);

typedef struct cn_conv2d_options {
    size_t size;
    int64_t out;
    cn_named_only named_only_;
    int64_t in;                                /* 0: inferred */
    int64_t kernel, stride, padding, dilation; /* 3, 1, 0, 1 */
    int64_t kernel_hw[2], stride_hw[2], padding_hw[2],
        dilation_hw[2]; /* instead, when not square */
    int64_t groups;     /* 1 */
    bool no_bias;
} cn_conv2d_options;
CN_API cn_module *cn_conv2d_layer_with(const cn_conv2d_options *o);

typedef struct cn_pool_options {
    size_t size;
    int64_t kernel;
    cn_named_only named_only_;
    int64_t stride, padding; /* kernel, 0 */
    bool ceil_mode;
} cn_pool_options;
CN_API cn_module *cn_max_pool2d_layer_with(const cn_pool_options *o);
CN_API cn_module *cn_avg_pool2d_layer_with(const cn_pool_options *o);

typedef struct cn_batch_norm_options {
    size_t size;
    cn_named_only named_only_;
    int64_t features;     /* 0: inferred */
    double eps, momentum; /* 1e-5, 0.1 */
    bool no_affine, no_stats;
} cn_batch_norm_options;
CN_API cn_module *cn_batch_norm2d_layer_with(const cn_batch_norm_options *o);
CN_API cn_module *cn_batch_norm1d_layer_with(const cn_batch_norm_options *o);

#ifndef __cplusplus
#define cn_linear_layer(...)                                                                       \
    cn_linear_layer_with(&(cn_linear_options){ .size = sizeof(cn_linear_options), __VA_ARGS__ })
#define cn_conv2d_layer(...)                                                                       \
    cn_conv2d_layer_with(&(cn_conv2d_options){ .size = sizeof(cn_conv2d_options), __VA_ARGS__ })
#define cn_max_pool2d_layer(...)                                                                   \
    cn_max_pool2d_layer_with(&(cn_pool_options){ .size = sizeof(cn_pool_options), __VA_ARGS__ })
#define cn_avg_pool2d_layer(...)                                                                   \
    cn_avg_pool2d_layer_with(&(cn_pool_options){ .size = sizeof(cn_pool_options), __VA_ARGS__ })
#endif

CN_API cn_module *cn_flatten_layer(void); /* (N, ...) to (N, features) */
CN_API cn_module *cn_dropout_layer(double p);
CN_API cn_module *cn_relu_layer(void);
CN_API cn_module *cn_sigmoid_layer(void);
CN_API cn_module *cn_tanh_layer(void);
CN_API cn_module *cn_batch_norm2d_layer(void);
CN_API cn_module *cn_batch_norm1d_layer(void);
/* Any module class by PyTorch's name with its default arguments: "GELU". NULL: unknown, or it
   needs some. */
CN_API cn_module *cn_layer(const char *cls);

/* ---- what a network is made of ------------------------------------------------------------- */

/* A table of layers with output shapes, parameters and multiply-adds for an input of this shape,
   like
   snprintf: the length it has or would have; 0: an error is set. */
CN_API size_t cn_summary(cn_module *m, cn_shape input, char *buf, size_t room);

/* Floating-point operations of one training step on an input of this shape: forward and backward
   of the
   layers that multiply. 0: an error is set, or there are none. */
CN_API double cn_step_flops(cn_module *m, cn_shape input);

CN_END_DECLS
#endif
