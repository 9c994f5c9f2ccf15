/* train.h - the one training loop: metrics, validation, checkpoints, exact resume. */
#ifndef CENOTE_TRAIN_H
#define CENOTE_TRAIN_H

#include "data.h"
#include "io.h"
#include "nn.h"
#include "optim.h"
#include "plot.h"

CN_BEGIN_DECLS

/* ---- state: parameters and buffers by PyTorch's keys --------------------------------------- */

/* Shares the tensors' memory. The caller frees it with cn_dict_free(). */
CN_API cn_dict *cn_state_dict(cn_module *m);
/* Copies the values in. Shapes must agree; with `strict` so must the keys. A failed load changes
   nothing.
   A module whose shapes are not known yet must be built first. */
CN_API bool cn_load_state_dict(cn_module *m, const cn_dict *state, bool strict);

/* The whole network in a .pt file, to be loaded without the code that made it: "modules" has the
   classes with their arguments, "state_dict" the parameters and buffers. A module that stands in two
   places is one again. CN_EUNSUPPORTED for classes of one's own, whose code no file can hold, and
   for those that take modules as arguments: keep the code, and save the state. */
CN_API bool cn_module_save(const char *path, cn_module *m);
CN_API cn_module *cn_module_load(const char *path); /* the caller frees it */

/* An optimiser's state as torch.optim has it: {"state": {"0": {...}, ..}, "param_groups": [{...}]}. */
CN_API cn_dict *cn_optim_state_dict(const cn_optim *o);
CN_API bool cn_optim_load_state_dict(cn_optim *o, const cn_dict *state);

/* ---- fitting ------------------------------------------------------------------------------- */

/* The loss of a batch, one number; NULL after an error. */
typedef cn_tensor *cn_loss_fn(cn_tensor *output, const cn_batch *batch, void *context);
/* The output for a batch, of a network that takes more than x. */
typedef cn_tensor *cn_run_fn(cn_module *net, const cn_batch *batch, void *context);

typedef enum cn_fit_event { CN_FIT_BEGIN, CN_FIT_STEP, CN_FIT_EPOCH, CN_FIT_END } cn_fit_event;

typedef struct cn_fit_progress {
    cn_fit_event event;
    int64_t epoch, epochs;                   /* finished so far, and in all */
    int64_t step, steps;                     /* within this epoch */
    double train_loss, train_acc;            /* means of this epoch so far */
    double test_loss, test_acc;              /* of the last validation; NaN before */
    double lr, examples_per_second, seconds; /* seconds: of training, resumed parts included */
    bool stopped_early, interrupted;
    double loss;      /* of the last step; NaN before */
    double data_wait; /* share of this call's time that was spent waiting for batches */
} cn_fit_progress;

typedef struct cn_fit_options {
    size_t size;
    cn_module *net;
    cn_dataset *train;
    cn_named_only named_only_;
    cn_optim *optim; /* must be given */
    cn_sched *sched; /* stepped after each epoch */
    cn_dataset *validate;
    cn_loss_fn *loss; /* NULL: cross-entropy of class scores */
    void *loss_context;
    int64_t batch, epochs; /* 256, 10 */
    uint64_t seed;         /* of the order of the samples */
    double clip;           /* largest norm of the gradient; 0: no clipping */
    int workers;           /* loader threads */
    const char *out; /* run folder: metrics.jsonl, checkpoints/, model.safetensors; NULL: none */
    bool resume;     /* go on from the checkpoint in `out` */
    int64_t checkpoint_steps; /* also within epochs; 0: after each epoch */
    int64_t patience; /* stop after so many epochs without a better test accuracy; 0: never */
    void (*watch)(const cn_fit_progress *p, void *context);
    void *watch_context;
    cn_transform transform[CN_MAX_TRANSFORMS];
    int64_t accumulate; /* batches whose gradients make one step; 0: 1. Each counts by its samples:
                           a loss that is a mean over samples gives the gradient of one large batch */
    int recompute;      /* a Sequential in so many segments, whose insides backward computes again:
                           cn_checkpoint_sequential(); 0: everything is kept */
    cn_dtype amp;       /* CN_BF16, CN_F16: forward and loss under autocast; 0: no */
    int64_t log_steps;  /* a line in metrics.jsonl every so many steps, too; 0: only epochs */
    cn_run_fn *run;     /* NULL: cn_forward() of x; not with `recompute` */
    void *run_context;
} cn_fit_options;

/* Trains. False: an error, also CN_EDIVERGED (the loss is not a number) and CN_EINTERRUPTED (what
   was
   done is saved in the run folder). `last`, if not NULL, gets the final figures in every case. */
CN_API bool cn_fit_with(const cn_fit_options *o, cn_fit_progress *last);
#ifndef __cplusplus
#define cn_fit(last, ...)                                                                          \
    cn_fit_with(&(cn_fit_options){ .size = sizeof(cn_fit_options), __VA_ARGS__ }, last)
#endif

/* Asks the running fit to finish its step, save and return. Safe in a signal handler. */
CN_API void cn_request_stop(void);

/* Mean loss and accuracy over a data set, without gradients, in evaluation mode. */
typedef struct cn_score {
    double loss, accuracy;
    int64_t samples;
} cn_score;
CN_API bool cn_evaluate(cn_module *net, cn_dataset *data, int64_t batch, cn_loss_fn *loss,
                        void *context, cn_score *out);

/* The same as a fit validates: of o->validate, with o's batch, run and loss. */
CN_API bool cn_evaluate_with(const cn_fit_options *o, cn_score *out);

/* The learning curves of a run folder, from its metrics.jsonl. */
CN_API cn_figure *cn_learning_curves(const char *run_folder, const char *title);

CN_END_DECLS
#endif
