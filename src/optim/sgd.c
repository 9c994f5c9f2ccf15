/* sgd.c - stochastic gradient descent with momentum, as torch.optim.SGD (D2L 12.4, 12.6). */
#include "optim/optim.h"

#include "core/threads.h"

typedef struct {
    double lr, momentum, dampening, weight_decay;
    bool nesterov, maximize;
} Sgd;

typedef struct {
    const Sgd *o;
    float *w, *velocity; /* velocity NULL: no momentum */
    const float *grad;
    bool first; /* the velocity starts as the gradient, without dampening */
} Job;

CN_STREAM static void plain(float *restrict w, const float *restrict g, int64_t n, float sign,
                            float lr, float decay)
{
    for (int64_t i = 0; i < n; i++) w[i] -= lr * (sign * g[i] + decay * w[i]);
}

CN_STREAM static void heavy(float *restrict w, float *restrict v, const float *restrict g,
                            int64_t n, const Job *j)
{
    const Sgd *o = j->o;
    const float momentum = j->first ? 0 : (float)o->momentum, lr = (float)o->lr;
    const float take = j->first ? 1 : (float)(1 - o->dampening), decay = (float)o->weight_decay;
    const float sign = o->maximize ? -1 : 1, ahead = o->nesterov ? (float)o->momentum : 0;
    for (int64_t i = 0; i < n; i++) {
        float d = sign * g[i] + decay * w[i];
        v[i] = momentum * v[i] + take * d;
        w[i] -= lr * (o->nesterov ? d + ahead * v[i] : v[i]);
    }
}

static void run(int64_t first, int64_t last, void *context)
{
    const Job *j = context;
    if (j->velocity) {
        heavy(j->w + first, j->velocity + first, j->grad + first, last - first, j);
        return;
    }
    plain(j->w + first, j->grad + first, last - first, j->o->maximize ? -1 : 1, (float)j->o->lr,
          (float)j->o->weight_decay);
}

static bool sgd_update(const void *options, cn_param *p, const float *grad)
{
    Job j = { .o = options, .w = (float *)(void *)p->tensor->v.data, .grad = grad };
    if (j.o->momentum != 0) {
        j.first = !p->state[0];
        j.velocity = cn_param_state(p, 0);
        if (!j.velocity) return false;
    }
    cn_parallel(p->tensor->v.numel, 1, run, &j);
    return true;
}

const cn_optim_class cn_optim_SGD = {
    .name = "SGD",
    .schema = "SGD(float lr, float momentum=0, float dampening=0, float weight_decay=0, bool "
              "nesterov=False, *, bool maximize=False)",
    .doc = "w -= lr v, v = momentum v + (1 - dampening) gradient.",
    .state = { "momentum_buffer" },
    .update = sgd_update,
};

cn_optim *cn_sgd_with(const cn_sgd_options *s)
{
    const cn_ffi_arg args[] = {
        { "lr", { .kind = CN_KIND_FLOAT, .u.f = s->lr } },
        { "momentum", { .kind = CN_KIND_FLOAT, .u.f = s->momentum } },
        { "dampening", { .kind = CN_KIND_FLOAT, .u.f = s->dampening } },
        { "weight_decay", { .kind = CN_KIND_FLOAT, .u.f = s->weight_decay } },
        { "nesterov", { .kind = CN_KIND_BOOL, .u.i = s->nesterov } },
    };
    if (s->nesterov && (s->momentum <= 0 || s->dampening != 0)) {
        cn_fail(CN_EINVALID, "SGD: Nesterov momentum needs a momentum and no dampening");
        return NULL;
    }
    if (!(s->lr > 0)) {
        cn_fail(CN_EINVALID, "SGD: the learning rate must be positive, got %g; give .lr", s->lr);
        return NULL;
    }
    return cn_optim_over(cn_optim_create(&cn_optim_SGD, args, (int)CN_COUNT(args)), s->net);
}
