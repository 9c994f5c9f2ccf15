/* moments.c - optimisers that follow running means of the gradient and of its square: Adam and its
   kin, in torch.optim's order of operations (D2L 12.10). */
#include "optim/optim.h"

#include <math.h>

enum { EXP_AVG, EXP_AVG_SQ, MAX_EXP_AVG_SQ, DIRECTION = 3 };
enum { MU_PRODUCT, NADAM_EXP_AVG, NADAM_EXP_AVG_SQ };

/* Of one step. l2 joins the gradient, shrink scales the weight; root2 = sqrt(1 - beta2^t). */
typedef struct MomentNumbers {
    double sign, l2, shrink, beta1, beta2, eps, step, ahead, root2;
} MomentNumbers;

#define T float
#define NAME(x) x##_f32
#define ROOT sqrtf
#include "optim/moments.inc"
#define T double
#define NAME(x) x##_f64
#define ROOT sqrt
#include "optim/moments.inc"
#define RULES(x) (&(const cn_rules){ x##_f32, x##_f64 })

static double correction(double beta, double steps)
{
    return 1 - pow(beta, steps);
}

static bool moments(cn_update *u, int mean, int square)
{
    return cn_update_state(u, mean, 0) && cn_update_state(u, square, 0);
}

static bool check_moments(const char *cls, double lr, const cn_floats *betas, double eps,
                          double decay)
{
    return cn_not_negative(cls, "lr", lr) && cn_not_negative(cls, "eps", eps) &&
           cn_not_negative(cls, "weight_decay", decay) &&
           cn_is_fraction(cls, "betas[0]", betas->v[0]) &&
           cn_is_fraction(cls, "betas[1]", betas->v[1]);
}

/* ---- Adam, AdamW --------------------------------------------------------------------------- */

typedef struct Adam {
    double lr;
    cn_floats betas;
    double eps, weight_decay;
    bool amsgrad, maximize;
} Adam;

static bool adam_check(const void *options)
{
    const Adam *o = options;
    return check_moments("Adam", o->lr, &o->betas, o->eps, o->weight_decay);
}

static bool adam_step(cn_update *u, bool decoupled)
{
    const Adam *o = u->options;
    const double b1 = o->betas.v[0], b2 = o->betas.v[1];
    const MomentNumbers k = { .sign = cn_direction(o->maximize),
                              .l2 = decoupled ? 0 : o->weight_decay,
                              .shrink = decoupled ? 1 - o->lr * o->weight_decay : 1,
                              .beta1 = b1,
                              .beta2 = b2,
                              .eps = o->eps,
                              .step = o->lr / correction(b1, u->steps),
                              .root2 = sqrt(correction(b2, u->steps)) };
    if (!moments(u, EXP_AVG, EXP_AVG_SQ)) return false;
    if (!o->amsgrad) return cn_run_rule(u, RULES(adam), &k);
    return cn_update_state(u, MAX_EXP_AVG_SQ, 0) && cn_run_rule(u, RULES(amsgrad), &k);
}

static bool adam_update(cn_update *u)
{
    return adam_step(u, false);
}

static bool adamw_update(cn_update *u)
{
    return adam_step(u, true);
}

#define ADAM_ARGUMENTS(decay)                                                                      \
    "(float lr=0.001, float[2] betas=(0.9, 0.999), float eps=1e-08, float weight_decay=" decay     \
    ", bool amsgrad=False, *, bool maximize=False)"

const cn_optim_class cn_optim_Adam = {
    .name = "Adam",
    .schema = "Adam" ADAM_ARGUMENTS("0"),
    .doc = "Steps scaled by running means of the gradient and of its square.",
    .state = { { .name = "exp_avg" }, { .name = "exp_avg_sq" }, { .name = "max_exp_avg_sq" } },
    .check = adam_check,
    .update = adam_update,
};

const cn_optim_class cn_optim_AdamW = {
    .name = "AdamW",
    .schema = "AdamW" ADAM_ARGUMENTS("0.01"),
    .doc = "Adam whose weight decay does not pass through the running means.",
    .state = { { .name = "exp_avg" }, { .name = "exp_avg_sq" }, { .name = "max_exp_avg_sq" } },
    .check = adam_check,
    .update = adamw_update,
};

/* ---- Adamax, Yogi, Lion, LAMB: the same options ---------------------------------------------- */

typedef struct Moments {
    double lr;
    cn_floats betas;
    double eps, weight_decay;
    bool maximize;
} Moments;

static bool moments_check(const void *options)
{
    const Moments *o = options;
    return check_moments("optimiser", o->lr, &o->betas, o->eps, o->weight_decay);
}

static MomentNumbers numbers_of(const cn_update *u, double step)
{
    const Moments *o = u->options;
    return (MomentNumbers){ .sign = cn_direction(o->maximize),
                            .l2 = o->weight_decay,
                            .shrink = 1,
                            .beta1 = o->betas.v[0],
                            .beta2 = o->betas.v[1],
                            .eps = o->eps,
                            .step = step / correction(o->betas.v[0], u->steps),
                            .root2 = sqrt(correction(o->betas.v[1], u->steps)) };
}

static bool adamax_update(cn_update *u)
{
    const Moments *o = u->options;
    const MomentNumbers k = numbers_of(u, o->lr);
    return moments(u, EXP_AVG, EXP_AVG_SQ) && cn_run_rule(u, RULES(adamax), &k);
}

static bool yogi_update(cn_update *u)
{
    const Moments *o = u->options;
    const MomentNumbers k = numbers_of(u, o->lr);
    return moments(u, EXP_AVG, EXP_AVG_SQ) && cn_run_rule(u, RULES(yogi), &k);
}

/* How far to go along a layer's direction: as far as the layer is large. */
static bool lamb_update(cn_update *u)
{
    const Moments *o = u->options;
    const MomentNumbers k = numbers_of(u, 1);
    size_t mark = cn_mark();
    cn_tensor *direction = cn_empty(u->param->tensor->v.shape, u->param->tensor->v.dtype);
    bool ok = direction && moments(u, EXP_AVG, EXP_AVG_SQ);
    if (ok) {
        u->s[DIRECTION] = direction->v.data;
        ok = cn_run_rule(u, RULES(lamb_direction), &k);
        const double size = cn_norm_of(u, u->w), length = cn_norm_of(u, u->s[DIRECTION]);
        const double rate = o->lr * (size > 0 && length > 0 ? size / length : 1);
        ok = ok && cn_run_rule(u, RULES(walk), &rate);
    }
    cn_release(mark);
    return ok;
}

const cn_optim_class cn_optim_Adamax = {
    .name = "Adamax",
    .schema = "Adamax(float lr=0.002, float[2] betas=(0.9, 0.999), float eps=1e-08, float "
              "weight_decay=0, *, bool maximize=False)",
    .doc = "Adam with the largest recent gradient in place of its root mean square (Kingma and Ba, "
           "2015).",
    .state = { { .name = "exp_avg" }, { .name = "exp_inf" } },
    .check = moments_check,
    .update = adamax_update,
};

const cn_optim_class cn_optim_Yogi = {
    .name = "Yogi",
    .schema = "Yogi(float lr=0.01, float[2] betas=(0.9, 0.999), float eps=0.001, float "
              "weight_decay=0, *, bool maximize=False)",
    .doc = "Adam whose second mean moves by steps that do not depend on its size (D2L 12.10).",
    .state = { { .name = "exp_avg" }, { .name = "exp_avg_sq" } },
    .check = moments_check,
    .update = yogi_update,
};

const cn_optim_class cn_optim_LAMB = {
    .name = "LAMB",
    .schema = "LAMB(float lr=0.001, float[2] betas=(0.9, 0.999), float eps=1e-06, float "
              "weight_decay=0, *, bool maximize=False)",
    .doc =
        "Adam with the step of each parameter scaled to the parameter's norm (You et al., 2020).",
    .state = { { .name = "exp_avg" }, { .name = "exp_avg_sq" } },
    .check = moments_check,
    .update = lamb_update,
};

/* ---- Lion ------------------------------------------------------------------------------------ */

typedef struct Lion {
    double lr;
    cn_floats betas;
    double weight_decay;
    bool maximize;
} Lion;

static bool lion_check(const void *options)
{
    const Lion *o = options;
    return check_moments("Lion", o->lr, &o->betas, 0, o->weight_decay);
}

static bool lion_update(cn_update *u)
{
    const Lion *o = u->options;
    const MomentNumbers k = { .sign = cn_direction(o->maximize),
                              .shrink = 1 - o->lr * o->weight_decay,
                              .beta1 = o->betas.v[0],
                              .beta2 = o->betas.v[1],
                              .step = o->lr };
    return cn_update_state(u, EXP_AVG, 0) && cn_run_rule(u, RULES(lion), &k);
}

const cn_optim_class cn_optim_Lion = {
    .name = "Lion",
    .schema = "Lion(float lr=0.0001, float[2] betas=(0.9, 0.99), float weight_decay=0, *, bool "
              "maximize=False)",
    .doc = "Steps of one size, by the sign of a mean of the gradient (Chen et al., 2023).",
    .state = { { .name = "exp_avg" } },
    .uncounted = true,
    .check = lion_check,
    .update = lion_update,
};

/* ---- NAdam ----------------------------------------------------------------------------------- */

typedef struct NAdam {
    double lr;
    cn_floats betas;
    double eps, weight_decay, momentum_decay;
    bool decoupled, maximize;
} NAdam;

static bool nadam_check(const void *options)
{
    const NAdam *o = options;
    return check_moments("NAdam", o->lr, &o->betas, o->eps, o->weight_decay) &&
           cn_not_negative("NAdam", "momentum_decay", o->momentum_decay);
}

static double nadam_momentum(const NAdam *o, double steps)
{
    return o->betas.v[0] * (1 - 0.5 * pow(0.96, steps * o->momentum_decay));
}

static bool nadam_update(cn_update *u)
{
    const NAdam *o = u->options;
    const double mu = nadam_momentum(o, u->steps), next = nadam_momentum(o, u->steps + 1);
    float *product = cn_update_number(u, MU_PRODUCT, 1);
    if (!product || !moments(u, NADAM_EXP_AVG, NADAM_EXP_AVG_SQ)) return false;
    *product *= (float)mu;
    const double so_far = (double)*product;
    const MomentNumbers k = { .sign = cn_direction(o->maximize),
                              .l2 = o->decoupled ? 0 : o->weight_decay,
                              .shrink = o->decoupled ? 1 - o->lr * o->weight_decay : 1,
                              .beta1 = o->betas.v[0],
                              .beta2 = o->betas.v[1],
                              .eps = o->eps,
                              .step = o->lr * (1 - mu) / (1 - so_far),
                              .ahead = o->lr * next / (1 - so_far * next),
                              .root2 = sqrt(correction(o->betas.v[1], u->steps)) };
    return cn_run_rule(u, RULES(nadam), &k);
}

const cn_optim_class cn_optim_NAdam = {
    .name = "NAdam",
    .schema = "NAdam(float lr=0.002, float[2] betas=(0.9, 0.999), float eps=1e-08, float "
              "weight_decay=0, float momentum_decay=0.004, bool decoupled_weight_decay=False, *, "
              "bool maximize=False)",
    .doc = "Adam with Nesterov's look ahead (Dozat, 2016).",
    .state = { { "mu_product", CN_STATE_NUMBER }, { .name = "exp_avg" }, { .name = "exp_avg_sq" } },
    .check = nadam_check,
    .update = nadam_update,
};

/* ---- RAdam ----------------------------------------------------------------------------------- */

typedef struct RAdam {
    double lr;
    cn_floats betas;
    double eps, weight_decay;
    bool decoupled, maximize;
} RAdam;

static bool radam_check(const void *options)
{
    const RAdam *o = options;
    return check_moments("RAdam", o->lr, &o->betas, o->eps, o->weight_decay);
}

/* How far the second mean can be trusted after t steps; 0: not at all. */
static double rectification(double beta2, double t)
{
    const double most = 2 / (1 - beta2) - 1,
                 now = most - 2 * t * pow(beta2, t) / correction(beta2, t);
    if (now <= 5) return 0;
    return sqrt((now - 4) * (now - 2) * most / ((most - 4) * (most - 2) * now));
}

static bool radam_update(cn_update *u)
{
    const RAdam *o = u->options;
    const double b1 = o->betas.v[0], b2 = o->betas.v[1];
    const MomentNumbers k = { .sign = cn_direction(o->maximize),
                              .l2 = o->decoupled ? 0 : o->weight_decay,
                              .shrink = o->decoupled ? 1 - o->lr * o->weight_decay : 1,
                              .beta1 = b1,
                              .beta2 = b2,
                              .eps = o->eps,
                              .step = o->lr / correction(b1, u->steps),
                              .root2 =
                                  sqrt(correction(b2, u->steps)) * rectification(b2, u->steps) };
    return moments(u, EXP_AVG, EXP_AVG_SQ) && cn_run_rule(u, RULES(radam), &k);
}

const cn_optim_class cn_optim_RAdam = {
    .name = "RAdam",
    .schema = "RAdam(float lr=0.001, float[2] betas=(0.9, 0.999), float eps=1e-08, float "
              "weight_decay=0, bool decoupled_weight_decay=False, *, bool maximize=False)",
    .doc = "Adam that warms up as its second mean becomes reliable (Liu et al., 2020).",
    .state = { { .name = "exp_avg" }, { .name = "exp_avg_sq" } },
    .check = radam_check,
    .update = radam_update,
};

/* ---- in C ------------------------------------------------------------------------------------ */

static cn_optim *make(const cn_optim_class *cls, const cn_adam_options *a, double decay)
{
    const cn_ffi_value betas[] = {
        { .kind = CN_KIND_FLOAT, .u.f = a->beta1 > 0 ? a->beta1 : 0.9 },
        { .kind = CN_KIND_FLOAT, .u.f = a->beta2 > 0 ? a->beta2 : 0.999 },
    };
    const cn_ffi_arg args[] = {
        { "lr", { .kind = CN_KIND_FLOAT, .u.f = a->lr > 0 ? a->lr : 1e-3 } },
        { "betas", { .kind = CN_KIND_LIST, .n = 2, .u.list = betas } },
        { "eps", { .kind = CN_KIND_FLOAT, .u.f = a->eps > 0 ? a->eps : 1e-8 } },
        { "weight_decay",
          { .kind = CN_KIND_FLOAT, .u.f = a->weight_decay > 0 ? a->weight_decay : decay } },
        { "amsgrad", { .kind = CN_KIND_BOOL, .u.i = a->amsgrad } },
    };
    return cn_optim_over(cn_optim_create(cls, args, (int)CN_COUNT(args)), a->net);
}

cn_optim *cn_adam_with(const cn_adam_options *o)
{
    return make(&cn_optim_Adam, o, 0);
}

cn_optim *cn_adamw_with(const cn_adam_options *o)
{
    return make(&cn_optim_AdamW, o, 0.01);
}
