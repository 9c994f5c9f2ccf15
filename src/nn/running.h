/* running.h - which modules are running, for messages that say where. */
#ifndef CN_NN_RUNNING_H
#define CN_NN_RUNNING_H

#include "nn/module.h"

/* One run of a module, within that of the module that called it. */
typedef struct cn_running {
    const cn_module *module;
    const struct cn_running *outer;
    size_t label;
    bool clean; /* no error was pending when it began */
} cn_running;

void cn_running_begin(cn_running *r, const cn_module *m);
/* The error of a run that failed is put behind the path of its module, as in "features.3 (Conv2d): ..". */
void cn_running_end(const cn_running *r, bool ok);

#endif
