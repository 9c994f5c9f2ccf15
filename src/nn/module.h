/* module.h (internal) - what a module is made of, and the table of classes. */
#ifndef CN_NN_MODULE_H
#define CN_NN_MODULE_H

#include "core/error.h"
#include "core/schema.h"

#include <cenote/functional.h>
#include <cenote/nn.h>

typedef struct cn_module_class cn_module_class;

typedef struct cn_io {
    int n_in, n_out;
    cn_tensor *in[8], *out[8];
} cn_io;

struct cn_module_class {
    const char *name; /* PyTorch's */
    const char
        *schema; /* constructor arguments in PyTorch's wording; they form the option struct */
    const char *doc;
    size_t options_size;
    /* A functional class: the op it calls with its options and with the parameters and buffers
       that have the names of its arguments; NULL otherwise. */
    const char *op;
    /* Makes parameters and buffers; `input` is NULL when the constructor has just run. Returning
       true
       without making any means: not yet, ask again with the first input. */
    bool (*build)(cn_module *m, const cn_shape *input);
    bool (*forward)(cn_module *m, cn_io *io);
    double (*multiply_adds)(const cn_module *m,
                            const cn_shape *out); /* of one forward; NULL: none */
};

typedef struct cn_slot {
    const char *name;
    cn_tensor *tensor;
    bool is_buffer;
} cn_slot;

typedef struct cn_watch {
    void (*seen)(struct cn_watch *w, cn_module *m, const cn_tensor *in, const cn_tensor *out);
} cn_watch;

enum { CN_MAX_SLOTS = 8 };

struct cn_module {
    const cn_module_class *cls;
    int refs;
    bool training, built;
    void *options;
    const cn_op *op;         /* of a functional class */
    int op_inputs;           /* how many tensors it takes, optional ones included */
    signed char op_slots[8]; /* which slot each of them is; -1: the caller gives it */
    void *op_params;         /* of a functional class: options in the order of the op */
    cn_rng rng;              /* of random layers */
    int n_slots, n_children, children_room;
    cn_slot slots[CN_MAX_SLOTS];
    struct cn_child {
        char *name;
        cn_module *module;
    } * children;
    cn_initialiser *init; /* asked for before the parameters existed */
    void *init_context;
    cn_watch *watch;
};

/* A module of that class with these constructor arguments. */
cn_module *cn_module_create(const cn_module_class *cls, const cn_ffi_arg *args, int n);
const cn_module_class *cn_module_class_find(const char *name);

/* Adds a child, which the module now owns (also on failure); names are copied. */
bool cn_module_add(cn_module *m, const char *name, cn_module *child);
/* Adds a float32 parameter or a buffer, filled with `value`; `name` must be a literal. */
bool cn_module_parameter(cn_module *m, const char *name, const cn_shape *shape);
bool cn_module_buffer(cn_module *m, const char *name, const cn_shape *shape, cn_dtype dtype,
                      double value);
cn_tensor *cn_module_slot(const cn_module *m, const char *name); /* NULL when there is none */

/* PyTorch's default for Linear and Conv: uniform within 1 / sqrt(fan_in). */
bool cn_init_default(cn_tensor *parameter, int64_t fan_in);
int64_t cn_fan_in(const cn_shape *weight);

#endif
