/* optim.h - optimisers, learning-rate schedules and gradient clipping (D2L chapter 12).

   An optimiser keeps its parameters alive and updates them from their gradients, in place, with the
   arithmetic of torch.optim. */
#ifndef CENOTE_OPTIM_H
#define CENOTE_OPTIM_H

#include "nn.h"

CN_BEGIN_DECLS

typedef struct cn_optim cn_optim;
typedef struct cn_sched cn_sched;

/* ---- optimisers: over all parameters of a module ------------------------------------------- */

typedef struct cn_sgd_options {
    size_t size;
    cn_module *net;
    cn_named_only named_only_;
    double lr; /* must be given */
    double momentum, dampening, weight_decay;
    bool nesterov;
} cn_sgd_options;
CN_API cn_optim *cn_sgd_with(const cn_sgd_options *o);

typedef struct cn_adam_options {
    size_t size;
    cn_module *net;
    cn_named_only named_only_;
    double lr;           /* 1e-3 */
    double beta1, beta2; /* 0.9, 0.999; to ask for 0, use cn_optim_set() */
    double eps;          /* 1e-8 */
    double weight_decay; /* 0; cn_adamw: 0.01 */
    bool amsgrad;
} cn_adam_options;
CN_API cn_optim *cn_adam_with(const cn_adam_options *o);
CN_API cn_optim *cn_adamw_with(const cn_adam_options *o);

#ifndef __cplusplus
#define cn_sgd(...) cn_sgd_with(&(cn_sgd_options){ .size = sizeof(cn_sgd_options), __VA_ARGS__ })
#define cn_adam(...)                                                                               \
    cn_adam_with(&(cn_adam_options){ .size = sizeof(cn_adam_options), __VA_ARGS__ })
#define cn_adamw(...)                                                                              \
    cn_adamw_with(&(cn_adam_options){ .size = sizeof(cn_adam_options), __VA_ARGS__ })
#endif

/* An optimiser by PyTorch's class name, without parameters yet, and groups of parameters with
   their own
   options: cn_optim_set(o, group, "lr", 0.1) for each that differs from the defaults. */
CN_API cn_optim *cn_optim_new(const char *cls, double lr);
CN_API int cn_optim_add_group(cn_optim *o, cn_tensor *const *params,
                              int n); /* its number; -1: error */
CN_API bool cn_optim_set(cn_optim *o, int group, const char *option,
                         double value); /* group -1: all */
CN_API double cn_optim_get(const cn_optim *o, int group, const char *option);

CN_API bool cn_step(cn_optim *o);
CN_API void cn_optim_zero_grad(cn_optim *o);
CN_API double cn_lr(const cn_optim *o, int group);
CN_API void cn_optim_free(cn_optim *o);

/* Scales all gradients together so that their norm is at most `max_norm`; returns the norm they
   had, NaN
   on error (D2L 9.5). */
CN_API double cn_clip_grad_norm(cn_tensor *const *params, int n, double max_norm);
CN_API double cn_clip_grad_norm_of(cn_optim *o, double max_norm);

/* ---- schedules: the learning rate of each group as a function of the number of steps ------- */

CN_API cn_sched *cn_step_lr(cn_optim *o, int64_t step_size, double gamma);
CN_API cn_sched *cn_multi_step_lr(cn_optim *o, const int64_t *milestones, int n, double gamma);
CN_API cn_sched *cn_cosine_lr(cn_optim *o, int64_t t_max, double eta_min);
CN_API cn_sched *cn_polynomial_lr(cn_optim *o, int64_t total, double power);
CN_API cn_sched *cn_factor_lr(cn_optim *o, double factor,
                              double stop_lr); /* lr *= factor, D2L 12.11 */
CN_API cn_sched *cn_lambda_lr(cn_optim *o, double (*factor)(int64_t step, void *context),
                              void *context);
/* Linear from begin * lr to lr over `steps` steps, then what `after` says (NULL: constant); takes
   it. */
CN_API cn_sched *cn_warmup_lr(cn_optim *o, int64_t steps, double begin, cn_sched *after);

CN_API bool cn_sched_step(cn_sched *s); /* after each epoch, or each step, as you count */
CN_API int64_t cn_sched_count(const cn_sched *s);
CN_API bool cn_sched_seek(cn_sched *s, int64_t count); /* for resuming */
CN_API void cn_sched_free(cn_sched *s);

CN_END_DECLS
#endif
