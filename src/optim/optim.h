/* optim.h (internal) - what an optimiser is made of, and the table of classes. */
#ifndef CN_OPTIM_OPTIM_H
#define CN_OPTIM_OPTIM_H

#include "core/schema.h"

#include <cenote/autograd.h>
#include <cenote/optim.h>

enum { CN_MAX_STATE = 4, CN_MAX_GROUPS = 64 };

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

/* ---- one step of one parameter ---------------------------------------------------------------

   A class turns its options into the numbers of this step and hands them to a rule, which streams
   once over the elements. Rules are written for a type T in the *.inc files. */
typedef struct cn_optim_class cn_optim_class;

typedef struct cn_update {
    const cn_optim_class *cls;
    const void *options;
    cn_param *param;
    double steps;          /* of this parameter, this one included */
    void *w;               /* elements: of the parameter, float or double */
    const void *g;         /* of its gradient */
    void *s[CN_MAX_STATE]; /* of its state, where the class asked for it */
    const void *numbers;   /* a struct that class and rule share */
} cn_update;

typedef void cn_rule(int64_t first, int64_t last, const cn_update *u);

typedef struct cn_rules {
    cn_rule *f32, *f64;
} cn_rules;

typedef enum cn_state_kind {
    CN_STATE_ELEMENTS, /* as many numbers as the parameter has */
    CN_STATE_NUMBER    /* one float32, as PyTorch keeps it */
} cn_state_kind;

struct cn_optim_class {
    const char *name;
    const char *schema; /* constructor arguments; lr is the first */
    const char *doc;
    struct {
        const char *name; /* PyTorch's */
        cn_state_kind kind;
    } state[CN_MAX_STATE];
    bool uncounted;                     /* its state has no "step" */
    bool (*check)(const void *options); /* of the constructor; NULL: anything goes */
    bool (*update)(cn_update *u);
};

/* Makes state k elements there (filled with `start` when new) and points u->s[k] at them. */
bool cn_update_state(cn_update *u, int k, double start);
/* State k as one number, `start` when new; NULL: out of memory. */
float *cn_update_number(cn_update *u, int k, double start);
/* Runs the rule of the parameter's type over all elements. */
bool cn_run_rule(cn_update *u, const cn_rules *rules, const void *numbers);
/* The 2-norms of n elements of the parameter's type. */
double cn_norm_of(const cn_update *u, const void *elements);

struct cn_optim {
    const cn_optim_class *cls;
    cn_schema schema;
    char defaults[CN_MAX_PARAM_BYTES];
    int n_groups;
    cn_group groups[CN_MAX_GROUPS];
};

extern const cn_optim_class *const cn_optim_classes[]; /* ended by NULL */

const cn_optim_class *cn_optim_class_find(const char *name);
cn_optim *cn_optim_create(const cn_optim_class *cls, const cn_ffi_arg *defaults, int n);
/* A group whose options are the defaults, changed by args. */
int cn_optim_group(cn_optim *o, cn_tensor *const *params, int n, const cn_ffi_arg *args,
                   int n_args);
/* o with all parameters of net as its group; frees o and gives NULL when that fails. */
cn_optim *cn_optim_over(cn_optim *o, cn_module *net);
void cn_optim_set_lr(cn_optim *o, int group, double lr);
bool cn_optim_has(const cn_optim *o, const char *option);
/* State tensor k of a parameter, of zeros when it is not there yet. */
cn_tensor *cn_param_state(const cn_optim_class *cls, cn_param *p, int k);

/* ---- what classes share ----------------------------------------------------------------------- */

bool cn_not_negative(const char *cls, const char *option, double value);
bool cn_is_fraction(const char *cls, const char *option, double value); /* 0 <= value < 1 */
static inline double cn_direction(bool maximize)
{
    return maximize ? -1 : 1;
}

/* Compiled for several instruction sets, chosen at load time: update loops are pure streams. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CN_STREAM __attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3")))
#else
#define CN_STREAM
#endif

#endif
