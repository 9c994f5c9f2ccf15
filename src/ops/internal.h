/* internal.h - what the files of ops share. */
#ifndef CN_OPS_INTERNAL_H
#define CN_OPS_INTERNAL_H

#include "autograd/grads.h"
#include "core/loop.h"
#include "core/op.h"
#include "core/tape.h"
#include "core/threads.h"

#include <cenote/autograd.h>
#include <cenote/functional.h>

#define CN_PASTE_(a, b) a##b
#define CN_PASTE(a, b) CN_PASTE_(a, b)

/* Places in the table. */
enum {
#define OP(ident) CN_OP_ID_##ident,
#include "ops/ops.def"
#undef OP
    CN_NUM_OPS
};

#define OP(ident) extern const cn_op cn_op_##ident;
#include "ops/ops.def"
#undef OP

/* The head of every entry of the table. */
#define CN_OP_HEAD(ident, qualified, arguments)                                                    \
    .id = CN_OP_ID_##ident, .name = qualified, .schema = qualified arguments

/* Calls op `ident` with these inputs; `params` may be NULL. */
#define CN_CALL(ident, params, ...)                                                                \
    cn_apply1(&cn_op_##ident, (cn_tensor *[]){ __VA_ARGS__ },                                      \
              (int)(sizeof((cn_tensor *[]){ __VA_ARGS__ }) / sizeof(cn_tensor *)), params)

/* The shape all inputs broadcast to, in the type PyTorch gives the result. */
bool cn_infer_pointwise(const cn_call *c, cn_spec out[]);
bool cn_infer_compare(const cn_call *c, cn_spec out[]); /* the same, bool */
bool cn_infer_same(const cn_call *c, cn_spec out[]);    /* the shape and type of input 0 */
/* cn_infer_pointwise where only some types have a meaning; others are refused. */
bool cn_infer_floats(const cn_call *c, cn_spec out[]);    /* floats */
bool cn_infer_ints(const cn_call *c, cn_spec out[]);      /* integers, no bools */
bool cn_infer_bits(const cn_call *c, cn_spec out[]);      /* integers and bools */
bool cn_infer_numbers(const cn_call *c, cn_spec out[]);   /* all but bools */
bool cn_want_float(const char *what, const cn_tensor *t); /* the error for any other type */

/* Runs the row function for the compute dtype of a pointwise call over all its operands. */
typedef struct cn_rows_by_type {
    cn_loop_row *f32, *f64, *i64;
    bool writes_bool; /* the rows write bools themselves */
} cn_rows_by_type;
bool cn_run_rows(const cn_call *c, const cn_rows_by_type *rows);

/* Sets *out to a bit per reduced dimension, from dims (none given: all). */
bool cn_dims_mask(const cn_ints *dims, int ndim, const char *what, unsigned *out);
/* Puts the reduced dimensions back with size 1, so that a result broadcasts against the input. */
cn_tensor *cn_restore_dims(cn_tensor *t, const cn_shape *full, const cn_ints *dims, bool keepdim);

/* Gradients of activations from their results y. */
cn_tensor *cn_relu_backward(cn_tensor *grad, cn_tensor *y);
cn_tensor *cn_sigmoid_backward(cn_tensor *grad, cn_tensor *y);
cn_tensor *cn_tanh_backward(cn_tensor *grad, cn_tensor *y);
/* Gives input 0 the result of op(gradient, saved) with the call's own parameters; in the gradient's
   memory where nobody else has that. */
void cn_give_slope(cn_grads *g, const cn_op *op, cn_tensor *saved);

/* The error for an input with the wrong number of dimensions. */
bool cn_want_dims(const cn_call *c, int input, int least, int most);

#endif
