/* adaptive.c - optimisers with a rate for each element: Adagrad, Adadelta, RMSprop, Rprop
   (D2L 12.7 - 12.9). */
#include "optim/optim.h"

#include <math.h>

enum { SQUARE_AVG, SPEED, GRAD_AVG }; /* of RMSprop */

typedef struct RateNumbers {
    double sign, decay, lr, eps, keep, momentum;
} RateNumbers;

typedef struct RpropNumbers {
    double sign, slower, faster, least, most;
} RpropNumbers;

#define T float
#define NAME(x) x##_f32
#define ROOT sqrtf
#include "optim/adaptive.inc"
#define T double
#define NAME(x) x##_f64
#define ROOT sqrt
#include "optim/adaptive.inc"
#define RULES(x) (&(const cn_rules){ x##_f32, x##_f64 })

static bool check_rates(const char *cls, double lr, double decay, double eps)
{
    return cn_not_negative(cls, "lr", lr) && cn_not_negative(cls, "weight_decay", decay) &&
           cn_not_negative(cls, "eps", eps);
}

/* ---- Adagrad --------------------------------------------------------------------------------- */

typedef struct Adagrad {
    double lr, lr_decay, weight_decay, initial_accumulator_value, eps;
    bool maximize;
} Adagrad;

static bool adagrad_check(const void *options)
{
    const Adagrad *o = options;
    return check_rates("Adagrad", o->lr, o->weight_decay, o->eps) &&
           cn_not_negative("Adagrad", "lr_decay", o->lr_decay) &&
           cn_not_negative("Adagrad", "initial_accumulator_value", o->initial_accumulator_value);
}

static bool adagrad_update(cn_update *u)
{
    const Adagrad *o = u->options;
    const RateNumbers k = { .sign = cn_direction(o->maximize),
                            .decay = o->weight_decay,
                            .lr = o->lr / (1 + (u->steps - 1) * o->lr_decay),
                            .eps = o->eps };
    return cn_update_state(u, 0, o->initial_accumulator_value) &&
           cn_run_rule(u, RULES(adagrad), &k);
}

const cn_optim_class cn_optim_Adagrad = {
    .name = "Adagrad",
    .schema = "Adagrad(float lr=0.01, float lr_decay=0, float weight_decay=0, float "
              "initial_accumulator_value=0, float eps=1e-10, *, bool maximize=False)",
    .doc = "Steps divided by the root of the sum of all squared gradients (D2L 12.7).",
    .state = { { .name = "sum" } },
    .check = adagrad_check,
    .update = adagrad_update,
};

/* ---- Adadelta -------------------------------------------------------------------------------- */

typedef struct Adadelta {
    double lr, rho, eps, weight_decay;
    bool maximize;
} Adadelta;

static bool adadelta_check(const void *options)
{
    const Adadelta *o = options;
    if (!(o->rho >= 0 && o->rho <= 1))
        return cn_fail(CN_EINVALID, "Adadelta: rho is %g; it must be from 0 to 1", o->rho);
    return check_rates("Adadelta", o->lr, o->weight_decay, o->eps);
}

static bool adadelta_update(cn_update *u)
{
    const Adadelta *o = u->options;
    const RateNumbers k = { .sign = cn_direction(o->maximize),
                            .decay = o->weight_decay,
                            .lr = o->lr,
                            .eps = o->eps,
                            .keep = o->rho };
    return cn_update_state(u, 0, 0) && cn_update_state(u, 1, 0) &&
           cn_run_rule(u, RULES(adadelta), &k);
}

const cn_optim_class cn_optim_Adadelta = {
    .name = "Adadelta",
    .schema = "Adadelta(float lr=1.0, float rho=0.9, float eps=1e-06, float weight_decay=0, *, "
              "bool maximize=False)",
    .doc = "Steps as large as the recent ones, by the size of the gradient (D2L 12.9).",
    .state = { { .name = "square_avg" }, { .name = "acc_delta" } },
    .check = adadelta_check,
    .update = adadelta_update,
};

/* ---- RMSprop --------------------------------------------------------------------------------- */

typedef struct RMSprop {
    double lr, alpha, eps, weight_decay, momentum;
    bool centered, maximize;
} RMSprop;

static bool rmsprop_check(const void *options)
{
    const RMSprop *o = options;
    return check_rates("RMSprop", o->lr, o->weight_decay, o->eps) &&
           cn_not_negative("RMSprop", "momentum", o->momentum) &&
           cn_not_negative("RMSprop", "alpha", o->alpha);
}

static bool rmsprop_update(cn_update *u)
{
    const RMSprop *o = u->options;
    const RateNumbers k = { .sign = cn_direction(o->maximize),
                            .decay = o->weight_decay,
                            .lr = o->lr,
                            .eps = o->eps,
                            .keep = o->alpha,
                            .momentum = o->momentum };
    if (!cn_update_state(u, SQUARE_AVG, 0)) return false;
    if (o->momentum == 0 && !o->centered) return cn_run_rule(u, RULES(rmsprop), &k);
    if (o->momentum > 0 && !cn_update_state(u, SPEED, 0)) return false;
    if (o->centered && !cn_update_state(u, GRAD_AVG, 0)) return false;
    return cn_run_rule(u, RULES(rmsprop_full), &k);
}

const cn_optim_class cn_optim_RMSprop = {
    .name = "RMSprop",
    .schema = "RMSprop(float lr=0.01, float alpha=0.99, float eps=1e-08, float weight_decay=0, "
              "float momentum=0, bool centered=False, *, bool maximize=False)",
    .doc = "Steps divided by the root of a running mean of squared gradients (D2L 12.8).",
    .state = { { .name = "square_avg" }, { .name = "momentum_buffer" }, { .name = "grad_avg" } },
    .check = rmsprop_check,
    .update = rmsprop_update,
};

/* ---- Rprop ----------------------------------------------------------------------------------- */

typedef struct Rprop {
    double lr;
    cn_floats etas, step_sizes;
    bool maximize;
} Rprop;

static bool rprop_check(const void *options)
{
    const Rprop *o = options;
    if (!(o->etas.v[0] > 0 && o->etas.v[0] < 1 && o->etas.v[1] > 1))
        return cn_fail(CN_EINVALID, "Rprop: etas are %g and %g; 0 < the first < 1 < the second",
                       o->etas.v[0], o->etas.v[1]);
    return cn_not_negative("Rprop", "lr", o->lr);
}

static bool rprop_update(cn_update *u)
{
    const Rprop *o = u->options;
    const RpropNumbers k = { cn_direction(o->maximize), o->etas.v[0], o->etas.v[1],
                             o->step_sizes.v[0], o->step_sizes.v[1] };
    return cn_update_state(u, 0, 0) && cn_update_state(u, 1, o->lr) &&
           cn_run_rule(u, RULES(rprop), &k);
}

const cn_optim_class cn_optim_Rprop = {
    .name = "Rprop",
    .schema = "Rprop(float lr=0.01, float[2] etas=(0.5, 1.2), float[2] step_sizes=(1e-06, 50), *, "
              "bool maximize=False)",
    .doc = "Steps by the sign of the gradient, that grow while it stays (Riedmiller and Braun, "
           "1993).",
    .state = { { .name = "prev" }, { .name = "step_size" } },
    .check = rprop_check,
    .update = rprop_update,
};
