/* classes.c - the table of optimisers. */
#include "optim/optim.h"

#include <string.h>

extern const cn_optim_class cn_optim_ASGD, cn_optim_Adadelta, cn_optim_Adagrad, cn_optim_Adam,
    cn_optim_AdamW, cn_optim_Adamax, cn_optim_LAMB, cn_optim_LARS, cn_optim_LBFGS, cn_optim_Lion,
    cn_optim_NAdam, cn_optim_RAdam, cn_optim_RMSprop, cn_optim_Rprop, cn_optim_SGD, cn_optim_Yogi;

const cn_optim_class *const cn_optim_classes[] = {
    &cn_optim_ASGD,
    &cn_optim_Adadelta,
    &cn_optim_Adagrad,
    &cn_optim_Adam,
    &cn_optim_AdamW,
    &cn_optim_Adamax,
    &cn_optim_LAMB,
    &cn_optim_LARS,
    &cn_optim_LBFGS,
    &cn_optim_Lion,
    &cn_optim_NAdam,
    &cn_optim_RAdam,
    &cn_optim_RMSprop,
    &cn_optim_Rprop,
    &cn_optim_SGD,
    &cn_optim_Yogi,
    NULL,
};

const cn_optim_class *cn_optim_class_find(const char *name)
{
    for (int i = 0; cn_optim_classes[i]; i++)
        if (strcmp(cn_optim_classes[i]->name, name) == 0) return cn_optim_classes[i];
    cn_fail(CN_ENOTFOUND,
            "optimiser: there is no '%.64s'; there are ASGD, Adadelta, Adagrad, Adam, AdamW, "
            "Adamax, LAMB, LARS, LBFGS, Lion, NAdam, RAdam, RMSprop, Rprop, SGD and Yogi",
            name);
    return NULL;
}

bool cn_not_negative(const char *cls, const char *option, double value)
{
    return value >= 0 ||
           cn_fail(CN_EINVALID, "%s: %s is %g; it must not be negative", cls, option, value);
}

bool cn_is_fraction(const char *cls, const char *option, double value)
{
    return (value >= 0 && value < 1) ||
           cn_fail(CN_EINVALID, "%s: %s is %g; it must be from 0 to below 1", cls, option, value);
}
