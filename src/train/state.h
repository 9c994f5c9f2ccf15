/* state.h (internal) - what a checkpoint is made of. */
#ifndef CN_TRAIN_STATE_H
#define CN_TRAIN_STATE_H

#include <cenote/train.h>

bool cn_state_into(cn_module *m, const char *prefix, cn_dict *dict);
cn_dict *cn_live_state(cn_module *m); /* parameters that know their gradients */
bool cn_state_from(cn_module *m, const char *prefix, const cn_dict *dict, bool strict);
bool cn_entry_named(cn_module *m, const char *name);
bool cn_optim_into(const cn_optim *o, cn_dict *dict);
bool cn_optim_from(cn_optim *o, const cn_dict *dict);
int cn_module_generators(cn_module *m, cn_rng **out, int room); /* of dropout and the like */

#endif
