/* complex.h - complex numbers as pairs of real ones.

   Ops on complex tensors are composed of ops on their real and imaginary parts. The gradient of a
   complex tensor holds the derivatives by its two parts as a complex number: that is what composition
   gives by itself, and PyTorch's convention. */
#ifndef CN_OPS_COMPLEX_COMPLEX_H
#define CN_OPS_COMPLEX_COMPLEX_H

#include "ops/compose.h"

typedef struct cn_pair {
    cn_tensor *re, *im; /* NULL after a failure */
} cn_pair;

/* The parts of t; of a real t itself, and a 0 that broadcasts. */
cn_pair cn_pair_of(cn_tensor *t);
/* The parts of input i of a call in the type of its result, which is complex. */
cn_pair cn_pair_in(const cn_call *c, int i);
/* Sets the output to the complex tensor of these parts, which broadcast. */
bool cn_set_pair(cn_call *c, cn_tensor *re, cn_tensor *im);

/* |t|, without overflow between; its gradient at 0 is 0. */
cn_tensor *cn_modulus(cn_tensor *t);

/* Forms of ops on complex inputs: see cn_complex_forms. */
#define FORM(ident, form) cn_complex_form form;
#include "ops/complex/forms.def"
#undef FORM

#endif
