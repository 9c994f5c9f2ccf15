/* optim.h (internal) - what an optimiser is made of, and the table of classes. */
#ifndef CN_OPTIM_OPTIM_H
#define CN_OPTIM_OPTIM_H

#include "core/schema.h"

#include <cenote/autograd.h>
#include <cenote/optim.h>

enum { CN_MAX_STATE = 4, CN_MAX_GROUPS = 16 };

typedef struct cn_param {
    cn_tensor *tensor;
    cn_tensor *state[CN_MAX_STATE]; /* named by the class; NULL until needed */
    int64_t steps;
} cn_param;

typedef struct cn_group {
    void *options; /* the class's parameter struct */
    double initial_lr;
    int n, room;
    cn_param *params;
} cn_group;

typedef struct cn_optim_class {
    const char *name;
    const char *schema; /* constructor arguments; lr is the first */
    const char *doc;
    const char *state[CN_MAX_STATE]; /* PyTorch's names of the per-parameter state */
    /* Updates one parameter from its gradient, both contiguous float32. */
    bool (*update)(const void *options, cn_param *p, const float *grad);
} cn_optim_class;

struct cn_optim {
    const cn_optim_class *cls;
    cn_schema schema;
    char defaults[CN_MAX_PARAM_BYTES];
    int n_groups;
    cn_group groups[CN_MAX_GROUPS];
};

const cn_optim_class *cn_optim_class_find(const char *name);
cn_optim *cn_optim_create(const cn_optim_class *cls, const cn_ffi_arg *defaults, int n);
/* A group whose options are the defaults, changed by args. */
int cn_optim_group(cn_optim *o, cn_tensor *const *params, int n, const cn_ffi_arg *args,
                   int n_args);
/* o with all parameters of net as its group; frees o and gives NULL when that fails. */
cn_optim *cn_optim_over(cn_optim *o, cn_module *net);
void cn_optim_set_lr(cn_optim *o, int group, double lr);
/* State tensor k of a parameter, made of zeros when it is not there yet. */
float *cn_param_state(cn_param *p, int k);

/* Compiled for several instruction sets, chosen at load time: update loops are pure streams. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CN_STREAM __attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3")))
#else
#define CN_STREAM
#endif

#endif
