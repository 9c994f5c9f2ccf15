/* progress.h - what a person sees while a network trains. */
#ifndef APP_PROGRESS_H
#define APP_PROGRESS_H

#include <cenote/train.h>

typedef struct {
    bool bar; /* a moving line; otherwise one line per epoch */
    bool quiet;
    double last_drawn;
} Progress;

Progress progress_begin(bool quiet);
void progress_show(const cn_fit_progress *p,
                   void *context); /* a cn_fit watch; context: a Progress */

#endif
