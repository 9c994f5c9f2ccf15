/* adam.c - Adam and AdamW, in torch.optim's order of operations (D2L 12.10). */
#include "optim/optim.h"

#include "core/threads.h"

#include <math.h>

typedef struct {
    double lr;
    cn_floats betas;
    double eps, weight_decay;
    bool amsgrad, maximize;
} Adam;

enum { EXP_AVG, EXP_AVG_SQ, MAX_EXP_AVG_SQ };

typedef struct {
    float *w, *m, *v, *highest;
    const float *grad;
    float sign, l2, shrink; /* l2: into the gradient (Adam); shrink: of the weight (AdamW) */
    float beta1, beta2, eps, step, root2; /* step = lr / (1 - beta1^t), root2 = sqrt(1 - beta2^t) */
} Job;

CN_STREAM static void stream(int64_t first, int64_t last, const Job *j)
{
    float *restrict w = j->w, *restrict m = j->m, *restrict v = j->v;
    const float *restrict grad = j->grad;
    const float b1 = j->beta1, b2 = j->beta2, eps = j->eps, step = j->step, root2 = j->root2;
    for (int64_t i = first; i < last; i++) {
        float x = w[i] * j->shrink;
        float g = j->sign * grad[i] + j->l2 * x;
        m[i] = b1 * m[i] + (1 - b1) * g;
        v[i] = b2 * v[i] + (1 - b2) * g * g;
        w[i] = x - step * m[i] / (sqrtf(v[i]) / root2 + eps);
    }
}

static void amsgrad(int64_t first, int64_t last, const Job *j)
{
    for (int64_t i = first; i < last; i++) {
        float x = j->w[i] * j->shrink, g = j->sign * j->grad[i] + j->l2 * x;
        j->m[i] = j->beta1 * j->m[i] + (1 - j->beta1) * g;
        j->v[i] = j->beta2 * j->v[i] + (1 - j->beta2) * g * g;
        if (j->v[i] > j->highest[i]) j->highest[i] = j->v[i];
        j->w[i] = x - j->step * j->m[i] / (sqrtf(j->highest[i]) / j->root2 + j->eps);
    }
}

static void run(int64_t first, int64_t last, void *context)
{
    const Job *j = context;
    if (j->highest) amsgrad(first, last, j);
    else stream(first, last, j);
}

static bool update(const Adam *o, cn_param *p, const float *grad, bool decoupled)
{
    double t = (double)p->steps, b1 = o->betas.v[0], b2 = o->betas.v[1];
    Job j = {
        .w = (float *)(void *)p->tensor->v.data,
        .m = cn_param_state(p, EXP_AVG),
        .v = cn_param_state(p, EXP_AVG_SQ),
        .grad = grad,
        .sign = o->maximize ? -1 : 1,
        .l2 = decoupled ? 0 : (float)o->weight_decay,
        .shrink = decoupled ? (float)(1 - o->lr * o->weight_decay) : 1,
        .beta1 = (float)b1,
        .beta2 = (float)b2,
        .eps = (float)o->eps,
        .step = (float)(o->lr / (1 - pow(b1, t))),
        .root2 = (float)sqrt(1 - pow(b2, t)),
    };
    if (o->amsgrad) j.highest = cn_param_state(p, MAX_EXP_AVG_SQ);
    if (!j.m || !j.v || (o->amsgrad && !j.highest)) return false;
    cn_parallel(p->tensor->v.numel, 4, run, &j);
    return true;
}

static bool adam_update(const void *options, cn_param *p, const float *grad)
{
    return update(options, p, grad, false);
}

static bool adamw_update(const void *options, cn_param *p, const float *grad)
{
    return update(options, p, grad, true);
}

#define ADAM_ARGUMENTS(decay)                                                                      \
    "(float lr=0.001, float[2] betas=(0.9, 0.999), float eps=1e-08, float weight_decay=" decay     \
    ", bool amsgrad=False, *, bool maximize=False)"

const cn_optim_class cn_optim_Adam = {
    .name = "Adam",
    .schema = "Adam" ADAM_ARGUMENTS("0"),
    .doc = "Steps scaled by running means of the gradient and of its square.",
    .state = { "exp_avg", "exp_avg_sq", "max_exp_avg_sq" },
    .update = adam_update,
};

const cn_optim_class cn_optim_AdamW = {
    .name = "AdamW",
    .schema = "AdamW" ADAM_ARGUMENTS("0.01"),
    .doc = "Adam whose weight decay does not pass through the running means.",
    .state = { "exp_avg", "exp_avg_sq", "max_exp_avg_sq" },
    .update = adamw_update,
};

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
