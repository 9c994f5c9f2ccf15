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

/* Any optimiser from its class name, in letters of either case, and its options as PyTorch calls
   them: "RMSprop lr=0.01 alpha=0.9", or "RMSprop:lr=0.01,alpha=0.9". net NULL: without parameters
   yet. */
CN_API cn_optim *cn_optim_by_name(cn_module *net, const char *text);
/* An optimiser by PyTorch's class name, without parameters yet, and groups of parameters with
   their own
   options: cn_optim_set(o, group, "lr", 0.1) for each that differs from the defaults. */
CN_API cn_optim *cn_optim_new(const char *cls, double lr);
CN_API int cn_optim_add_group(cn_optim *o, cn_tensor *const *params,
                              int n); /* its number; -1: error */
CN_API bool cn_optim_set(cn_optim *o, int group, const char *option,
                         double value); /* group -1: all */
CN_API double cn_optim_get(const cn_optim *o, int group, const char *option);

/* One step from the gradients that are there. LBFGS: one iteration without line search. */
CN_API bool cn_step(cn_optim *o);

/* Clears the gradients, computes the loss and its gradients, and returns it. */
typedef double cn_closure(void *context);
/* One step with a loss that can be computed again: LBFGS (Nocedal and Wright, sections 3.5 and 7.2)
   makes up to max_iter iterations of it, other optimisers evaluate it once. The loss before the step;
   NaN with an error set when something failed. Each evaluation is a scope of its own. */
CN_API double cn_step_closure(cn_optim *o, cn_closure *closure, void *context);
CN_API void cn_optim_zero_grad(cn_optim *o);
CN_API double cn_lr(const cn_optim *o, int group);
CN_API void cn_optim_free(cn_optim *o);

/* Scales all gradients together so that their norm is at most `max_norm`; returns the norm they
   had, NaN
   on error (D2L 9.5). */
CN_API double cn_clip_grad_norm(cn_tensor *const *params, int n, double max_norm);
CN_API double cn_clip_grad_norm_of(cn_optim *o, double max_norm);

/* Cuts every gradient's elements to -limit .. limit. */
CN_API bool cn_clip_grad_value(cn_tensor *const *params, int n, double limit);

/* ---- schedules: the learning rate of each group as a function of the number of steps -------

   A schedule sets the rate when it is made and after each step. They are torch.optim.lr_scheduler's;
   those made of others take them over, also when they fail. D2L 12.11. */

CN_API cn_sched *cn_step_lr(cn_optim *o, int64_t step_size, double gamma);
/* At most 8 milestones. */
CN_API cn_sched *cn_multi_step_lr(cn_optim *o, const int64_t *milestones, int n, double gamma);
CN_API cn_sched *cn_cosine_lr(cn_optim *o, int64_t t_max, double eta_min);
CN_API cn_sched *cn_warm_restarts_lr(cn_optim *o, int64_t t_0, int64_t t_mult, double eta_min);
CN_API cn_sched *cn_polynomial_lr(cn_optim *o, int64_t total, double power);
CN_API cn_sched *cn_constant_lr(cn_optim *o, double factor, int64_t total);
CN_API cn_sched *cn_linear_lr(cn_optim *o, double start, double end, int64_t total);
/* lr *= factor each step, down to stop_lr; with 0: ExponentialLR. */
CN_API cn_sched *cn_factor_lr(cn_optim *o, double factor, double stop_lr);
/* lr times factor(step), or times all of factor(1) .. factor(step). */
CN_API cn_sched *cn_lambda_lr(cn_optim *o, double (*factor)(int64_t step, void *context),
                              void *context);
CN_API cn_sched *cn_multiplicative_lr(cn_optim *o, double (*factor)(int64_t step, void *context),
                                      void *context);
/* Triangles; mode "triangular", "triangular2" (halved each time). Momentum stays; to cycle it, use
   cn_sched_new(). */
CN_API cn_sched *cn_cyclic_lr(cn_optim *o, double base, double max, int64_t up, const char *mode);
CN_API cn_sched *cn_one_cycle_lr(cn_optim *o, double max_lr, int64_t total_steps);
/* Linear from begin * lr to lr over `steps` steps, then what `after` says (NULL: constant). */
CN_API cn_sched *cn_warmup_lr(cn_optim *o, int64_t steps, double begin, cn_sched *after);
/* parts[i] from milestones[i - 1] on, counting from there; n - 1 milestones, at most 8 parts. */
CN_API cn_sched *cn_sequential_lr(cn_optim *o, cn_sched *const *parts, int n,
                                  const int64_t *milestones);
/* All of them: their factors multiply. */
CN_API cn_sched *cn_chained_lr(cn_optim *o, cn_sched *const *parts, int n);
/* lr *= factor when a metric has not improved for more than `patience` steps. */
CN_API cn_sched *cn_plateau_lr(cn_optim *o, bool larger_is_better, double factor, int64_t patience);

/* Any schedule that is not made of others or of functions, as cn_optim_by_name() takes optimisers:
   "OneCycleLR max_lr=0.1 total_steps=100". */
CN_API cn_sched *cn_sched_by_name(cn_optim *o, const char *text);

CN_API bool cn_sched_step(cn_sched *s); /* after each epoch, or each step, as you count */
/* A step of a schedule that looks at a metric, such as the validation loss; others ignore it. */
CN_API bool cn_sched_observe(cn_sched *s, double metric);
CN_API bool cn_sched_wants_metric(const cn_sched *s);
CN_API void cn_sched_free(cn_sched *s);

/* For resuming: the count of steps, and what a metric has led to. */
typedef struct cn_sched_memory {
    double best;
    int64_t bad, cooldown, reductions;
} cn_sched_memory;
CN_API int64_t cn_sched_count(const cn_sched *s);
CN_API bool cn_sched_seek(cn_sched *s, int64_t count);
CN_API cn_sched_memory cn_sched_remember(const cn_sched *s);
CN_API bool cn_sched_recall(cn_sched *s, const cn_sched_memory *memory);

/* ---- averages of parameters -------------------------------------------------------------------

   A second set of values that follows the parameters of a module: their mean over all updates (SWA;
   Izmailov et al., 2018) or an exponential mean with decay (EMA). */
typedef struct cn_average cn_average;

CN_API cn_average *cn_average_new(cn_module *net, double decay); /* 0: the plain mean */
CN_API bool cn_average_update(cn_average *a);
/* Exchanges the parameters and their averages; a second call puts them back. */
CN_API bool cn_average_swap(cn_average *a);
CN_API void cn_average_free(cn_average *a);

CN_END_DECLS
#endif
