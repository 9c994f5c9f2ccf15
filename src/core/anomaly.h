/* anomaly.h - finding where the first NaN comes from. */
#ifndef CN_CORE_ANOMALY_H
#define CN_CORE_ANOMALY_H

#include "core/op.h"

/* Per thread. All of this costs one look at it while it is off. */
extern _Thread_local __attribute__((tls_model("initial-exec"))) bool cn_anomaly_on;

bool cn_has_nan(cn_tensor *t); /* a float tensor's elements */
/* After a call: fails, naming it, if it made NaN of inputs without. */
bool cn_check_call(const cn_call *c);
/* The labels that are open now: "encoder > 2 (Linear)", or "". */
const char *cn_labels(void);
/* cn_label_push() of "name (class)". */
size_t cn_label_module(const char *name, const char *cls);

#endif
