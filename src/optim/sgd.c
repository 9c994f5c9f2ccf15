/* sgd.c - stochastic gradient descent and what differs from it by a factor: momentum, an average of
   the way, rates by layer (D2L 12.4, 12.6). */
#include "optim/optim.h"

#include <math.h>

enum { ETA, MU, AVERAGE };

/* Of one step: the gradient is sign g + decay w; the velocity v = keep v + take of it; the step is
   lr (direct of the gradient + ahead v). */
typedef struct SgdNumbers {
    double sign, decay, lr, keep, take, direct, ahead;
} SgdNumbers;

#define T float
#define NAME(x) x##_f32
#include "optim/sgd.inc"
#define T double
#define NAME(x) x##_f64
#include "optim/sgd.inc"
#define RULES(x) (&(const cn_rules){ x##_f32, x##_f64 })

/* ---- SGD ------------------------------------------------------------------------------------- */

typedef struct Sgd {
    double lr, momentum, dampening, weight_decay;
    bool nesterov, maximize;
} Sgd;

static bool sgd_check(const void *options)
{
    const Sgd *o = options;
    if (o->nesterov && (o->momentum <= 0 || o->dampening != 0))
        return cn_fail(CN_EINVALID, "SGD: Nesterov momentum needs a momentum and no dampening");
    return cn_not_negative("SGD", "lr", o->lr) && cn_not_negative("SGD", "momentum", o->momentum) &&
           cn_not_negative("SGD", "weight_decay", o->weight_decay);
}

/* The first velocity is the gradient, undampened. */
static bool descend(cn_update *u, const Sgd *o, double lr, double decay, double scale)
{
    const bool first = !u->param->state[0];
    const SgdNumbers k = { .sign = cn_direction(o->maximize) * scale,
                           .decay = decay * scale,
                           .lr = lr,
                           .keep = first ? 0 : o->momentum,
                           .take = first ? 1 : 1 - o->dampening,
                           .direct = o->nesterov,
                           .ahead = o->nesterov ? o->momentum : 1 };
    if (o->momentum == 0) return cn_run_rule(u, RULES(plain), &k);
    return cn_update_state(u, 0, 0) && cn_run_rule(u, RULES(heavy), &k);
}

static bool sgd_update(cn_update *u)
{
    const Sgd *o = u->options;
    return descend(u, o, o->lr, o->weight_decay, 1);
}

const cn_optim_class cn_optim_SGD = {
    .name = "SGD",
    .schema = "SGD(float lr=0.001, float momentum=0, float dampening=0, float weight_decay=0, bool "
              "nesterov=False, *, bool maximize=False)",
    .doc = "w -= lr v, v = momentum v + (1 - dampening) gradient.",
    .state = { { .name = "momentum_buffer" } },
    .uncounted = true,
    .check = sgd_check,
    .update = sgd_update,
};

/* ---- LARS ------------------------------------------------------------------------------------ */

typedef struct Lars {
    Sgd sgd;
    double trust_coefficient, eps;
} Lars;

static bool lars_check(const void *options)
{
    const Lars *o = options;
    return sgd_check(&o->sgd) && cn_not_negative("LARS", "trust_coefficient", o->trust_coefficient);
}

/* The ratio of the norms of parameter and gradient scales the latter. */
static bool lars_update(cn_update *u)
{
    const Lars *o = u->options;
    const double size = cn_norm_of(u, u->w), slope = cn_norm_of(u, u->g),
                 decay = o->sgd.weight_decay;
    double scale = 1;
    if (size > 0 && slope > 0)
        scale = o->trust_coefficient * size / (slope + decay * size + o->eps);
    return descend(u, &o->sgd, o->sgd.lr, decay, scale);
}

const cn_optim_class cn_optim_LARS = {
    .name = "LARS",
    .schema = "LARS(float lr=0.001, float momentum=0, float dampening=0, float weight_decay=0, "
              "bool nesterov=False, bool maximize=False, float trust_coefficient=0.001, float "
              "eps=1e-08)",
    .doc = "SGD with the gradient of each parameter scaled to the parameter's norm (You et al., "
           "2017).",
    .state = { { .name = "momentum_buffer" } },
    .uncounted = true,
    .check = lars_check,
    .update = lars_update,
};

/* ---- ASGD ------------------------------------------------------------------------------------ */

typedef struct Asgd {
    double lr, lambd, alpha, t0, weight_decay;
    bool maximize;
} Asgd;

static bool asgd_check(const void *options)
{
    const Asgd *o = options;
    return cn_not_negative("ASGD", "lr", o->lr) &&
           cn_not_negative("ASGD", "weight_decay", o->weight_decay);
}

static bool asgd_update(cn_update *u)
{
    const Asgd *o = u->options;
    float *eta = cn_update_number(u, ETA, o->lr), *mu = cn_update_number(u, MU, 1);
    if (!eta || !mu || !cn_update_state(u, AVERAGE, 0)) return false;
    /* The numbers are kept as float32, but follow from the count of steps. */
    const double before = u->steps - 1,
                 rate = before > 0 ? o->lr / pow(1 + o->lambd * o->lr * before, o->alpha) : o->lr,
                 weight = before > 0 ? 1 / fmax(1, before - o->t0) : 1;
    const SgdNumbers k = { .sign = cn_direction(o->maximize),
                           .decay = o->weight_decay,
                           .lr = rate,
                           .keep = 1 - o->lambd * rate,
                           .take = weight };
    *eta = (float)(o->lr / pow(1 + o->lambd * o->lr * u->steps, o->alpha));
    *mu = (float)(1 / fmax(1, u->steps - o->t0));
    return cn_run_rule(u, RULES(averaged), &k);
}

const cn_optim_class cn_optim_ASGD = {
    .name = "ASGD",
    .schema = "ASGD(float lr=0.01, float lambd=0.0001, float alpha=0.75, float t0=1000000.0, float "
              "weight_decay=0, *, bool maximize=False)",
    .doc = "SGD with a falling rate and the average of its way (Polyak and Juditsky, 1992).",
    .state = { { "eta", CN_STATE_NUMBER }, { "mu", CN_STATE_NUMBER }, { .name = "ax" } },
    .check = asgd_check,
    .update = asgd_update,
};

/* ---- in C ------------------------------------------------------------------------------------ */

cn_optim *cn_sgd_with(const cn_sgd_options *s)
{
    const cn_ffi_arg args[] = {
        { "lr", { .kind = CN_KIND_FLOAT, .u.f = s->lr } },
        { "momentum", { .kind = CN_KIND_FLOAT, .u.f = s->momentum } },
        { "dampening", { .kind = CN_KIND_FLOAT, .u.f = s->dampening } },
        { "weight_decay", { .kind = CN_KIND_FLOAT, .u.f = s->weight_decay } },
        { "nesterov", { .kind = CN_KIND_BOOL, .u.i = s->nesterov } },
    };
    if (!(s->lr > 0)) {
        cn_fail(CN_EINVALID, "SGD: the learning rate must be positive, got %g; give .lr", s->lr);
        return NULL;
    }
    return cn_optim_over(cn_optim_create(&cn_optim_SGD, args, (int)CN_COUNT(args)), s->net);
}
