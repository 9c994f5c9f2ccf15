/* checkpoint.h (internal) - everything a run needs to go on as if nothing had happened, in one
   file that is
   replaced as a whole: CHECKPOINT in the run folder, a safetensors file whose metadata hold the
   state. */
#ifndef CN_TRAIN_CHECKPOINT_H
#define CN_TRAIN_CHECKPOINT_H

#include <cenote/train.h>

typedef struct cn_run_state {
    int64_t epoch, step;      /* finished epochs; finished steps of the current one */
    double loss_sum, correct; /* of the current epoch so far */
    int64_t seen;
    double test_loss, test_acc, best_acc;
    int64_t epochs_since_best;
    double last_loss, last_acc; /* of the last finished epoch */
    double seconds;
    cn_sched_memory sched; /* what the schedule knows of the metrics so far */
    int64_t metrics_bytes; /* length of metrics.jsonl that belongs to this state */
} cn_run_state;

bool cn_checkpoint_save(const char *folder, const cn_fit_options *o, const cn_loader *loader,
                        const cn_run_state *state);
bool cn_checkpoint_load(const char *folder, const cn_fit_options *o, cn_loader *loader,
                        cn_run_state *state);
bool cn_checkpoint_exists(const char *folder);
bool cn_checkpoint_folder(
    const char *folder); /* makes it, and checkpoints/ in it; those above must exist */

#endif
