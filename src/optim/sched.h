/* sched.h (internal) - what a schedule is made of, and the table of classes. */
#ifndef CN_OPTIM_SCHED_H
#define CN_OPTIM_SCHED_H

#include "optim/optim.h"

typedef struct cn_sched_class {
    const char *name;
    const char *schema; /* constructor arguments; NULL: not made by name */
    const char *doc;
    bool (*check)(const cn_sched *s); /* of the arguments; NULL: anything goes */
    /* The learning rate after s->count steps for a group that began with `initial`. */
    double (*rate)(const cn_sched *s, double initial);
    /* The momentum, where the schedule sets it, too; NaN: it stays. Both are asked for each group. */
    double (*momentum)(const cn_sched *s);
    /* Takes note of a metric; NULL: it does not look at one. */
    void (*observe)(cn_sched *s, double metric);
} cn_sched_class;

struct cn_sched {
    const cn_sched_class *cls;
    cn_optim *optim;
    int64_t count;
    int group;                                   /* which rate() and momentum() are asked about */
    _Alignas(8) char params[CN_MAX_PARAM_BYTES]; /* the class's struct */
    cn_sched **parts;                            /* of those made of others; owned */
    int n_parts;
    cn_sched_memory memory; /* of those that look at a metric */
};

extern const cn_sched_class *const cn_sched_classes[]; /* ended by NULL */

/* A schedule of a class, by its parameter struct; takes the parts, also when it fails. */
cn_sched *cn_sched_make(const cn_sched_class *cls, cn_optim *o, const void *params, size_t size,
                        cn_sched *const *parts, int n_parts);
cn_sched *cn_sched_create(const char *cls, cn_optim *o, const cn_ffi_arg *args, int n);
#define CN_SCHED(cls, optim, params) cn_sched_make(cls, optim, &(params), sizeof(params), NULL, 0)

#endif
