/* grads.h - what the gradient rule of an op works with. */
#ifndef CN_AUTOGRAD_GRADS_H
#define CN_AUTOGRAD_GRADS_H

#include "core/op.h"

/* The gradient of output i; zeros when the loss does not depend on it. */
cn_tensor *cn_gout(cn_grads *g, int i);
bool cn_has_gout(const cn_grads *g, int i);
/* May the rule write over that gradient, because nobody else has it? */
bool cn_gout_is_free(const cn_grads *g, int i);
/* Inputs and outputs of the call, those the op's `saves` names; NULL with an error when they
   changed
   since, NULL without when an optional input was not given. */
cn_tensor *cn_saved_in(cn_grads *g, int i);
cn_tensor *cn_saved_out(cn_grads *g, int i);
const void *cn_grad_params(const cn_grads *g);
int cn_grad_inputs(const cn_grads *g);
const cn_shape *cn_in_shape(const cn_grads *g, int i); /* also of inputs that were not saved */
cn_dtype cn_in_dtype(const cn_grads *g, int i);

bool cn_wants(const cn_grads *g, int i); /* does input i need a gradient? */
/* Hands in the gradient of input i: sums it over what was broadcast, converts it to the input's
   type. */
void cn_give(cn_grads *g, int i, cn_tensor *gradient);

#endif
