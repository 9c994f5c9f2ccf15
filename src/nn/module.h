/* module.h (internal) - what a module is made of, and the table of classes. */
#ifndef CN_NN_MODULE_H
#define CN_NN_MODULE_H

#include "core/error.h"
#include "core/schema.h"

#include <cenote/functional.h>
#include <cenote/nn.h>

typedef struct cn_slot {
    char *name;
    cn_tensor *tensor;
    bool is_buffer;
} cn_slot;

typedef struct cn_child {
    char *name;
    cn_module *module;
} cn_child;

typedef struct cn_watch {
    void (*seen)(struct cn_watch *w, cn_module *m, const cn_tensor *in, const cn_tensor *out);
} cn_watch;

struct cn_module {
    const cn_module_class *cls;
    int refs;
    bool training, built;
    bool in_place; /* made with inplace=True: the result takes the place of the input */
    void *options;
    size_t options_size;
    const cn_op *op;         /* of a functional class */
    int op_inputs;           /* how many tensors it takes, optional ones included */
    signed char op_slots[8]; /* which slot each of them is; -1: the caller gives it */
    int op_outputs;
    void *op_params; /* of a functional class: options in the order of the op */
    cn_rng rng;      /* of random layers */
    int n_slots, slots_room, n_children, children_room;
    cn_slot *slots;
    cn_child *children;
    cn_initialiser *init; /* asked for before the parameters existed */
    void *init_context;
    cn_watch *watch;
};

/* A module of that class with these constructor arguments. */
cn_module *cn_module_create(const cn_module_class *cls, const cn_ffi_arg *args, int n);
const cn_module_class *cn_module_class_find(const char *name);
/* Makes a tensor a parameter or buffer of the module. */
bool cn_module_hold(cn_module *m, const char *name, cn_tensor *t, bool is_buffer);
/* Adds children "0", "1", ..: takes them over, also on failure. */
bool cn_module_add_all(cn_module *m, cn_module *const *modules, int n);
/* The build of classes whose options are the list of their children, which others own, too. */
bool cn_build_from_list(cn_module *m, const cn_shape *input);

/* ---- forward.c ------------------------------------------------------------------------------ */

/* Runs the module on inputs that stand where the schema of its forward() puts them. */
bool cn_module_run(cn_module *m, cn_io *io);
/* forward() with positional and named arguments, bound by its schema. */
bool cn_module_call(cn_module *m, const cn_ffi_arg *args, int n, cn_io *io);

/* ---- summary.c ------------------------------------------------------------------------------ */

/* From now on w sees every run of m and of those below it; NULL: nobody does. Watched modules run
   one by one: nothing is fused. */
void cn_module_watch(cn_module *m, cn_watch *w);

/* ---- init.c --------------------------------------------------------------------------------- */

/* PyTorch's default for Linear and Conv: uniform within 1 / sqrt(fan_in). */
bool cn_init_default(cn_tensor *parameter, int64_t fan_in);
int64_t cn_fan_in(const cn_shape *weight);

/* A lazy module in this one that has not seen an input yet, so that its parameters are not there; NULL: none. */
const cn_module *cn_unmade(const cn_module *m);

#endif
