/* metrics.h (internal) - metrics.jsonl, one JSON object a line, in a run folder. */
#ifndef CN_TRAIN_METRICS_H
#define CN_TRAIN_METRICS_H

#include <cenote/train.h>

typedef struct cn_metrics cn_metrics;

/* Opens the file for appending after its first `keep` bytes: what a killed run wrote after its last
   checkpoint is written again by the resumed one. */
cn_metrics *cn_metrics_open(const char *folder, int64_t keep);
bool cn_metrics_epoch(cn_metrics *m, const cn_fit_progress *p);
bool cn_metrics_step(cn_metrics *m, const cn_fit_progress *p);
bool cn_metrics_flush(cn_metrics *m, int64_t *bytes);
void cn_metrics_close(cn_metrics *m);

#endif
