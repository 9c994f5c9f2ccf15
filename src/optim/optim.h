/* optim.h (internal) - what an optimiser is made of, and the table of classes. */
#ifndef CN_OPTIM_OPTIM_H
#define CN_OPTIM_OPTIM_H

#include "core/schema.h"

#include <cenote/autograd.h>
#include <cenote/optim.h>

enum { CN_MAX_STATE = 4, CN_MAX_GROUPS = 64, CN_MAX_SHARED = 10 };

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

/* State of the optimiser as a whole. Everything is kept in tensors, numbers as 0-d float64. */
typedef enum cn_shared_kind {
    CN_SHARED_TENSOR,
    CN_SHARED_TENSORS, /* a list */
    CN_SHARED_NUMBER,  /* in PyTorch's form: a float */
    CN_SHARED_COUNT    /* in PyTorch's form: an int */
} cn_shared_kind;

typedef struct cn_tensors {
    int n, room;
    cn_tensor **v; /* owned */
} cn_tensors;

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
    /* Exactly one of these: the step of one parameter, or of all parameters together. The latter may
       evaluate the closure as often as it likes; NULL: only the present gradients are there. The
       loss before the step goes to *loss. */
    bool (*update)(cn_update *u);
    bool (*step)(cn_optim *o, cn_closure *closure, void *context, double *loss);
    struct {
        const char *name; /* PyTorch's, as an entry of the first parameter's state */
        cn_shared_kind kind;
    } shared[CN_MAX_SHARED];
};

/* Makes state k elements there (filled with `start` when new) and points u->s[k] at them. */
bool cn_update_state(cn_update *u, int k, double start);
/* State k as one number, `start` when new; NULL: out of memory. */
float *cn_update_number(cn_update *u, int k, double start);
/* The closure's loss, its temporaries released; NaN when an error is set. */
double cn_call_closure(cn_closure *closure, void *context);
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
    cn_tensors shared[CN_MAX_SHARED]; /* named by the class */
};

/* ---- state of the whole (shared.c) -------------------------------------------------------------- */

/* A number of the state, `start` when new; NULL: out of memory. */
double *cn_shared_number(cn_optim *o, int k, double start);
/* The n elements of a vector of the state, zeros when new; NULL: out of memory, or it has another
   size. */
double *cn_shared_vector(cn_optim *o, int k, int64_t n);
/* The next entry of a list of at most `most` of one shape, to be filled; a full list gives up its
   oldest. */
double *cn_shared_next(cn_optim *o, int k, cn_shape shape, int64_t most);
/* Appends a copy of t in float64. */
bool cn_shared_append(cn_optim *o, int k, const cn_tensor *t);
void cn_shared_clear(cn_optim *o, int k);

extern const cn_optim_class *const cn_optim_classes[]; /* ended by NULL */

const cn_optim_class *cn_optim_class_find(const char *name);
cn_optim *cn_optim_create(const cn_optim_class *cls, const cn_ffi_arg *defaults, int n);
/* A group whose options are the defaults, changed by args. */
int cn_optim_group(cn_optim *o, cn_tensor *const *params, int n, const cn_ffi_arg *args,
                   int n_args);
/* o with all parameters of net as its group; frees o and gives NULL when that fails. */
cn_optim *cn_optim_over(cn_optim *o, cn_module *net);
/* An option of one group by a value of any kind that its schema takes. */
bool cn_optim_assign(cn_optim *o, int group, const cn_ffi_arg *arg);
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
