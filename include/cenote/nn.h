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
typedef struct cn_module_class cn_module_class;

/* ---- using --------------------------------------------------------------------------------- */

CN_API cn_tensor *cn_forward(cn_module *m, cn_tensor *x);
/* relu(forward(m, x)) and relu(forward(m, x) + other), as Sequential computes it: in one pass where the
   layer has one, else over the memory of what the layer made, if nobody else holds that. */
CN_API cn_tensor *cn_forward_relu(cn_module *m, cn_tensor *x);
CN_API cn_tensor *cn_forward_add_relu(cn_module *m, cn_tensor *x, cn_tensor *other);
/* Modules with several inputs (losses, attention) or outputs: `in` are the first arguments of
   PyTorch's forward(), NULL where it has None. *n_out: room in, count out. Recurrent layers and
   attention have functions of their own below. */
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
/* Another module with the same options, and copies of the parameters and buffers. Refused
   (CN_EUNSUPPORTED) when a class of one's own has something to release. */
CN_API cn_module *cn_module_clone(const cn_module *m);
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

/* Modules and parameters that belong together but are run by someone else: see "modules of one's
   own". They are named "0", "1", ..; cn_module_add() adds to them. */
CN_API cn_module *cn_module_list(cn_module *const *modules, int n); /* takes them over */
CN_API cn_module *cn_module_dict(void);                             /* named by cn_module_add() */
CN_API cn_module *cn_parameter_list(cn_tensor *const *parameters, int n); /* keeps them */

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

/* Over several dimensions, the last ones, of these sizes. */
typedef struct cn_layer_norm_options {
    size_t size;
    cn_shape normalized_shape;
    cn_named_only named_only_;
    double eps; /* 1e-5 */
    bool no_affine, no_bias;
} cn_layer_norm_options;
CN_API cn_module *cn_layer_norm_layer_with(const cn_layer_norm_options *o);

#ifndef __cplusplus
#define cn_layer_norm_layer(...)                                                                   \
    cn_layer_norm_layer_with(                                                                      \
        &(cn_layer_norm_options){ .size = sizeof(cn_layer_norm_options), __VA_ARGS__ })
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

/* ---- recurrent layers -----------------------------------------------------------------------

   RNN, GRU and LSTM take (steps, batch, features), or (batch, steps, features) with batch_first, or
   without a batch (steps, features); cells take one step, (batch, features) or (features). The
   state h, and of an LSTM c, is (layers * directions, batch, hidden) for layers, (batch, hidden)
   for cells. cn_forward() starts with zeros and gives the outputs only. D2L 9 and 10. */

typedef struct cn_recurrent_options {
    size_t size;
    int64_t hidden;
    cn_named_only named_only_;
    int64_t in;         /* 0: inferred */
    int64_t layers;     /* 1; this and what follows: not of cells, but no_bias and relu */
    int64_t projection; /* LSTM: h is projected to this size; 0: it is not */
    double dropout;     /* between layers, in training */
    bool batch_first, bidirectional;
    bool no_bias;
    bool relu; /* RNN: instead of tanh */
} cn_recurrent_options;
CN_API cn_module *cn_rnn_layer_with(const cn_recurrent_options *o);
CN_API cn_module *cn_gru_layer_with(const cn_recurrent_options *o);
CN_API cn_module *cn_lstm_layer_with(const cn_recurrent_options *o);
CN_API cn_module *cn_rnn_cell_layer_with(const cn_recurrent_options *o);
CN_API cn_module *cn_gru_cell_layer_with(const cn_recurrent_options *o);
CN_API cn_module *cn_lstm_cell_layer_with(const cn_recurrent_options *o);

typedef struct cn_recurrent_args {
    size_t size;
    cn_module *layer; /* one of the six */
    cn_tensor *input;
    cn_named_only named_only_;
    cn_tensor *h, *c;   /* the state to start from; NULL: zeros */
    cn_tensor *lengths; /* (batch) int64: so many steps of each sequence count; NULL: all. The
                           outputs of the others are 0, and they do not change the state. */
} cn_recurrent_args;

/* out: h of each step of the last layer, of a cell h itself; the last state. All NULL on failure. */
typedef struct cn_recurrent_result {
    cn_tensor *out, *h, *c;
} cn_recurrent_result;
CN_API cn_recurrent_result cn_recurrent_with(const cn_recurrent_args *args);

#ifndef __cplusplus
#define CN_RECURRENT_OPTIONS_(...)                                                                 \
    (&(cn_recurrent_options){ .size = sizeof(cn_recurrent_options), __VA_ARGS__ })
#define cn_rnn_layer(...) cn_rnn_layer_with(CN_RECURRENT_OPTIONS_(__VA_ARGS__))
#define cn_gru_layer(...) cn_gru_layer_with(CN_RECURRENT_OPTIONS_(__VA_ARGS__))
#define cn_lstm_layer(...) cn_lstm_layer_with(CN_RECURRENT_OPTIONS_(__VA_ARGS__))
#define cn_rnn_cell_layer(...) cn_rnn_cell_layer_with(CN_RECURRENT_OPTIONS_(__VA_ARGS__))
#define cn_gru_cell_layer(...) cn_gru_cell_layer_with(CN_RECURRENT_OPTIONS_(__VA_ARGS__))
#define cn_lstm_cell_layer(...) cn_lstm_cell_layer_with(CN_RECURRENT_OPTIONS_(__VA_ARGS__))
#define cn_recurrent(...)                                                                          \
    cn_recurrent_with(&(cn_recurrent_args){ .size = sizeof(cn_recurrent_args), __VA_ARGS__ })
#endif

/* ---- attention and Transformers -------------------------------------------------------------

   (steps, batch, features), or (batch, steps, features) with batch_first, or without a batch
   (steps, features). Masks are bool, true where not to look, or float, added to the scores.
   Transformers run with cn_forward_all(): {src, src_mask, src_key_padding_mask} for an encoder,
   {tgt, memory, tgt_mask, memory_mask, ..} for a decoder, {src, tgt, src_mask, tgt_mask, ..} for
   both. D2L 11. */

typedef struct cn_attention_options {
    size_t size;
    int64_t features, heads;
    cn_named_only named_only_;
    int64_t key_features, value_features; /* 0: as many as features */
    double dropout;                       /* of the weights, in training */
    bool batch_first, no_bias;
    bool bias_kv, zero_attn; /* keys and values get one more step: trained, or zeros */
} cn_attention_options;
CN_API cn_module *cn_attention_layer_with(const cn_attention_options *o);

typedef struct cn_attention_args {
    size_t size;
    cn_module *layer;
    cn_tensor *query, *key, *value;
    cn_named_only named_only_;
    cn_tensor *key_padding_mask; /* (batch, keys) */
    cn_tensor *attn_mask;        /* (queries, keys) or (batch * heads, queries, keys) */
    cn_tensor **weights;         /* gets the mean over the heads; NULL: not wanted */
    bool per_head;               /* it gets those of each head */
} cn_attention_args;
CN_API cn_tensor *cn_attention_with(const cn_attention_args *args);

typedef struct cn_transformer_options {
    size_t size;
    int64_t features, heads; /* 512, 8 */
    cn_named_only named_only_;
    int64_t encoders, decoders; /* 6, 6; of the Transformer: how many layers */
    int64_t feedforward;        /* 2048 */
    double dropout;             /* 0, where PyTorch has 0.1 */
    double eps;                 /* 1e-5 */
    bool gelu;                  /* instead of ReLU */
    bool batch_first, norm_first, no_bias;
} cn_transformer_options;
CN_API cn_module *cn_transformer_layer_with(const cn_transformer_options *o);
CN_API cn_module *cn_transformer_encoder_layer_with(const cn_transformer_options *o);
CN_API cn_module *cn_transformer_decoder_layer_with(const cn_transformer_options *o);
/* n copies of such a layer, which is taken over, and `norm` after them (NULL: none), too. */
CN_API cn_module *cn_transformer_encoder(cn_module *layer, int64_t n, cn_module *norm);
CN_API cn_module *cn_transformer_decoder(cn_module *layer, int64_t n, cn_module *norm);
/* true where row < column: what a step must not see of the steps after it, as a mask. */
CN_API cn_tensor *cn_causal_mask(int64_t steps);

#ifndef __cplusplus
#define cn_attention_layer(...)                                                                    \
    cn_attention_layer_with(                                                                       \
        &(cn_attention_options){ .size = sizeof(cn_attention_options), __VA_ARGS__ })
#define cn_attention(...)                                                                          \
    cn_attention_with(&(cn_attention_args){ .size = sizeof(cn_attention_args), __VA_ARGS__ })
#define CN_TRANSFORMER_OPTIONS_(...)                                                               \
    (&(cn_transformer_options){ .size = sizeof(cn_transformer_options), __VA_ARGS__ })
#define cn_transformer_layer(...) cn_transformer_layer_with(CN_TRANSFORMER_OPTIONS_(__VA_ARGS__))
#define cn_transformer_encoder_layer(...)                                                          \
    cn_transformer_encoder_layer_with(CN_TRANSFORMER_OPTIONS_(__VA_ARGS__))
#define cn_transformer_decoder_layer(...)                                                          \
    cn_transformer_decoder_layer_with(CN_TRANSFORMER_OPTIONS_(__VA_ARGS__))
#endif

/* ---- modules of one's own ------------------------------------------------------------------

   A class is a constant; cn_module_of() makes modules of it. All classes of the library are made
   in the same way. examples/own_module.c is a complete one. */

enum { CN_MAX_IO = 16 };

/* One run of forward(). */
typedef struct cn_io {
    int n_in, n_out;          /* forward() sets n_out, 1 at first */
    cn_tensor *in[CN_MAX_IO]; /* as `inputs` lists them; NULL: not given */
    cn_tensor *out[CN_MAX_IO];
    const void *args; /* the arguments of forward() that are not tensors, as a struct */
} cn_io;

struct cn_module_class {
    size_t size;      /* sizeof(cn_module_class) */
    const char *name; /* in messages and summaries */
    /* The arguments of forward() as PyTorch writes them: "(Tensor input, Tensor? mask=None)".
       NULL: one input. */
    const char *inputs;
    const char *doc;
    size_t options_size; /* of the struct that each module has a copy of */
    /* Makes parameters, buffers and children (cn_module_parameter() ..). It is called by the
       constructor with `input` NULL; if it made nothing then, because a size is not known, again
       with the shape of the first input. NULL: there is nothing to make. */
    bool (*build)(cn_module *m, const cn_shape *input);
    /* Sets io->out with ops and by running children. False: an error is set. NULL: a container
       that somebody else runs. */
    bool (*forward)(cn_module *m, cn_io *io);
    void (*release)(cn_module *m); /* gives back what the options hold; NULL: nothing */
    double (*multiply_adds)(const cn_module *m, const cn_shape *out); /* of one run; or NULL */
    /* The library's own classes, which are also made by name: */
    const char *schema; /* constructor arguments in PyTorch's wording; they form the options */
    /* The op to call, instead of forward, with the options, and with the parameters and buffers
       that have the names of its arguments. */
    const char *op;
};

/* A module of that class with a copy of these options (NULL: zeros). */
CN_API cn_module *cn_module_of(const cn_module_class *cls, const void *options);
CN_API void *cn_module_options(cn_module *m); /* its copy; forward() may change it */
/* Adds a float32 parameter of zeros, or a buffer filled with `value`; names as in a state_dict. */
CN_API bool cn_module_parameter(cn_module *m, const char *name, const cn_shape *shape);
CN_API bool cn_module_buffer(cn_module *m, const char *name, const cn_shape *shape, cn_dtype dtype,
                             double value);
CN_API cn_tensor *cn_module_slot(const cn_module *m, const char *name); /* NULL: there is none */
/* Adds a child, which the module now owns, also on failure; names are copied. */
CN_API bool cn_module_add(cn_module *m, const char *name, cn_module *child);
/* The module's own generator, for random layers: checkpoints save it. */
CN_API cn_rng *cn_module_rng(cn_module *m);

/* ---- what a network is made of ------------------------------------------------------------- */

/* A module of a network that was run once. */
typedef struct cn_layer_info {
    const char *name; /* within its parent: "0"; "" of the network. Lives as long as the module */
    const char *cls;  /* "Conv2d" */
    int depth;        /* 0: the network itself */
    int children;
    bool ran;      /* false: somebody uses its parameters, but does not run it */
    bool repeated; /* it stands elsewhere, further up, too: its parameters count there */
    cn_shape input, output, kernel; /* of the last run; kernel: no dimensions where it has none */
    int64_t parameters, trainable;  /* its own, without its children's; shared ones once */
    double multiply_adds;           /* of its own, in all its runs */
} cn_layer_info;

/* Below a summary. Bytes: of the input, of the results of all layers and their gradients, and of the
   parameters. */
typedef struct cn_layer_sums {
    int64_t parameters, trainable;
    double multiply_adds;
    double input_bytes, pass_bytes, parameter_bytes;
} cn_layer_sums;

/* Runs m once on zeros of that shape and describes it and all below it, parents before children.
   Writes the layers that fit, and the sums unless `sums` is NULL; returns how many layers there are, 0
   after an error. */
CN_API int cn_layers(cn_module *m, cn_shape input, cn_layer_info *out, int room,
                     cn_layer_sums *sums);

/* A table of the layers as a tree: class, shapes, kernel, parameters, multiply-adds, and the sums.
   `depth`: how far down; what is below counts to the last that is shown; 0: everything. Like
   snprintf: the length it has or would have; 0: an error is set. */
CN_API size_t cn_summary_to(cn_module *m, cn_shape input, int depth, char *buf, size_t room);
CN_API size_t cn_summary(cn_module *m, cn_shape input, char *buf, size_t room); /* everything */

/* Runs m on x and returns what the module at `path` ("0.1"; "": m itself) made in its last run. */
CN_API cn_tensor *cn_layer_output(cn_module *m, const char *path, cn_tensor *x);

/* Floating-point operations of one training step on an input of this shape: forward and backward
   of the
   layers that multiply. 0: an error is set, or there are none. */
CN_API double cn_step_flops(cn_module *m, cn_shape input);

CN_END_DECLS
#endif
