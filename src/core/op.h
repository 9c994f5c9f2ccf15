/* op.h - the type of an op, of a call, and the one way to make a call.

   An op is a constant of type cn_op in a file of src/ops/FAMILY/, listed in src/ops/ops.def. Everything
   that
   calls, checks, documents or differentiates ops works from that table. */
#ifndef CN_CORE_OP_H
#define CN_CORE_OP_H

#include "core/tensor.h"

/* Outputs of an op with kernels; those that return lists, which are composed, have no bound. */
enum { CN_MAX_OUT = 64, CN_MAX_PARAM_BYTES = 512 };

/* ---- parameters ------------------------------------------------------------------------------
   A schema is written as PyTorch writes it:
       "nn.functional.softmax(Tensor input, int dim, *, dtype? dtype=None) -> Tensor"
   The arguments that are not tensors form the op's parameter struct, in the order of the schema, of
   these C types (a test compares sizeof with what the schema says):

       int               int64_t          int?     cn_opt_int
       float             double           float?   cn_opt_float
       bool              bool             bool?    cn_opt_bool
       dtype, dtype?     int32_t (CN_NO_DTYPE: none)
       str, str?         const char *     Scalar, Scalar? cn_number_arg (Scalar|str: or a word)
       int[], int[2], .. cn_ints (a given length: one number stands for all)
       int[]?            cn_ints (n = -1: none)
       float[], float[2] cn_floats        float[]?   cn_floats (n = -1: none; one number is
                                          a list of one)
       Index             cn_index         what stands between the brackets of x[..]
       int[*]            no member: a list of any length, one dimension, int64, among the inputs;
                         one number alone has no dimension

   "Tensor|Scalar other" takes a number, too, where PyTorch has an overload with one; it becomes a
   tensor without dimensions that does not promote. "Tensor|float": even where no argument is a
   tensor. Everywhere else a number is no Tensor.
   "Tensor|int[] lengths" takes a list of integers for a tensor of them, as PyTorch's overloads do.
   A bool argument named "inplace" has no member: cn_bind() tells the caller, who then writes the
   result over the first tensor.
   An int[] argument named "padding" may be given as text: 'valid' gives zeros, 'same' gives
   n = CN_PADDING_SAME, for the op to resolve. */

enum { CN_PADDING_SAME = -2 };

/* Of int?[], an item that is None. */
#define CN_AS_IT_IS INT64_MIN

typedef struct cn_opt_int {
    bool given;
    int64_t value;
} cn_opt_int;

typedef struct cn_opt_bool {
    bool given, value;
} cn_opt_bool;

typedef struct cn_opt_float {
    bool given;
    double value;
} cn_opt_float;

/* x[1, 2:, ..., None, mask]: its items in order. The tensors among them are inputs of the call. */
typedef enum cn_index_kind {
    CN_INDEX_AT,    /* an int, in start: one place, the dimension goes */
    CN_INDEX_SLICE, /* start:stop:step */
    CN_INDEX_REST,  /* ...: all dimensions that the other items leave */
    CN_INDEX_NEW,   /* None: a new dimension of size 1 */
    CN_INDEX_FLAG,  /* a bool, in start: a new dimension of size 1 or 0 */
    CN_INDEX_TENSOR /* the next of the call's inputs: integers, or a mask */
} cn_index_kind;

enum { CN_MAX_INDEX = 15 };

typedef struct cn_index_item {
    int32_t kind; /* a cn_index_kind */
    bool has_start, has_stop;
    int64_t start, stop, step;
} cn_index_item;

typedef struct cn_index {
    int64_t n;
    cn_index_item item[CN_MAX_INDEX];
} cn_index;

typedef struct cn_number_arg {
    enum { CN_NUM_NONE, CN_NUM_BOOL, CN_NUM_INT, CN_NUM_FLOAT, CN_NUM_WORD } kind;
    union {
        int64_t i;
        double f;
        const char *s; /* CN_NUM_WORD: of arguments of type Scalar|str only */
    } u;
} cn_number_arg;

typedef struct cn_ints {
    int64_t n;
    int64_t v[CN_MAX_DIMS];
} cn_ints;

typedef struct cn_floats {
    int64_t n;
    double v[CN_MAX_DIMS];
} cn_floats;

/* ---- calls --------------------------------------------------------------------------------- */

typedef struct cn_op cn_op;

typedef struct cn_call {
    const cn_op *op;
    const void *params; /* the op's parameter struct; NULL when it has none */
    int n_in, n_out;
    cn_tensor *const
        *in; /* in the schema's order, a list in its place; NULL: an optional one not given */
    cn_tensor **out;
    bool grows; /* out is allocated with this room, and n_out rises: cn_call_grow */
    int room;
} cn_call;

typedef struct cn_spec {
    cn_dtype dtype;
    cn_shape shape;
} cn_spec;

typedef struct cn_grads cn_grads; /* autograd/grads.h */

/* A kernel fills the outputs' elements from the inputs' views. False: an error is set. */
typedef bool cn_kernel(const cn_call *call);

typedef enum cn_op_flags {
    CN_POINTWISE = 1 << 0,  /* inputs broadcast to the output; kernels see one compute dtype */
    CN_NO_GRAD_OP = 1 << 1, /* not differentiable, by nature */
    CN_ANY_DTYPE =
        1 << 2, /* kernels move elements of any type; otherwise they see f32, f64, i64, bool */
    CN_ROWS = 1 << 3,         /* kernels want contiguous inputs */
    CN_RANDOM = 1 << 4,       /* draws from the default generator: not repeatable, not compared */
    CN_TO_FLOAT = 1 << 5,     /* pointwise on integers gives float32 */
    CN_ON_STRIDES = 1 << 6,   /* refuses inputs by their strides */
    CN_ANY_LAYOUT = 1 << 7,   /* its kernels may take blocked inputs, as those of pointwise ops */
    CN_ONE_TRIANGLE = 1 << 8, /* input 0 stands for a symmetric matrix, of which one triangle is
                                read; the gradient is that of the symmetric one */
    CN_AGREED_GRAD = 1 << 9   /* the gradient is PyTorch's convention, not the derivative */
} cn_op_flags;

struct cn_op {
    int id;              /* its place in the table, CN_OP_ID(ident) */
    const char *name;    /* PyTorch's qualified name */
    const char *aliases; /* other names, separated by blanks; NULL: none */
    const char *schema;
    const char *doc; /* formula and source, one line */
    unsigned flags;
    size_t params_size;
    unsigned optional; /* inputs that may be absent: CN_SAVE_IN(i) of each */
    unsigned saves;    /* what backward reads: CN_SAVE_IN(i) | CN_SAVE_OUT(i) */
    int grad_outs;     /* how many of the first outputs carry gradients; 0: all of them */

    /* Exactly one of these three says what a call does. */
    bool (*infer)(const cn_call *call,
                  cn_spec out[]); /* dtype and shape of the outputs; then a kernel runs */
    bool (*view)(const cn_call *call, cn_view *out); /* the output shares the memory of input 0 */
    bool (*compose)(cn_call *call);                  /* sets call->out by calling other ops */

    cn_kernel *kernel; /* the reference kernel, complete, portable; with infer */
    void (*backward)(cn_grads *g);
    void (*release)(
        void *params); /* frees what params own when a recorded call is freed; or NULL */
    /* The op that the name means when a second tensor is given: max(a, b) is maximum(a, b). */
    const cn_op *of_two;
    /* Example calls for tests, docs and benches, separated by '|'. See core/sample.h. */
    const char *samples;
};

#define CN_SAVE_IN(i) (1u << (i))
#define CN_SAVE_OUT(i) (1u << (16 + (i)))

extern const cn_op *const cn_ops[];
extern const int cn_op_count;

/* What ops do with complex inputs, by op->id: how such a call is composed. Without a form, views and
   ops with CN_ANY_DTYPE take complex tensors as any others; everybody else refuses them. */
typedef bool cn_complex_form(cn_call *call);
extern cn_complex_form *const cn_complex_forms[];

static inline bool cn_op_grades(const cn_op *op, int out)
{
    return op->grad_outs == 0 || out < op->grad_outs;
}

const cn_op *cn_op_find(const char *name); /* by name, alias or C identifier; NULL: unknown */

/* Makes the call: checks, infers, picks a kernel, runs it, records it. Outputs belong to the
   current
   scope. A NULL among the inputs that are not optional is an error, unless the one that gave it is pending. */
bool cn_apply(const cn_op *op, cn_tensor *const *in, int n_in, const void *params, cn_tensor **out,
              int n_out);
/* The same for one output: the result, or NULL. */
cn_tensor *cn_apply1(const cn_op *op, cn_tensor *const *in, int n_in, const void *params);
/* The same for an op that returns a list of any length: *out is allocated (cn_free it), *n_out says
   how long it is. On failure *out is NULL. */
bool cn_apply_list(const cn_op *op, cn_tensor *const *in, int n_in, const void *params,
                   cn_tensor ***out, int *n_out);
/* Makes room for n outputs, the new ones NULL; without effect unless the call grows. */
bool cn_call_grow(cn_call *call, int n);
/* Writes the result into in[0]'s memory and makes in[0] the result, for autograd too. */
cn_tensor *cn_apply_inplace(const cn_op *op, cn_tensor *const *in, int n_in, const void *params);
/* The second half of it: t takes r's values, shape and place in the graph. `who` did so, in messages. */
bool cn_become(const char *who, cn_tensor *t, cn_tensor *r);
/* A pointwise op on inputs of one type and shape, which its result has, too, for a caller that will not
   look at in[0] again: the result takes in[0]'s memory where nobody else holds it and its own rule
   does not need its values. The op's rule must not need in[0]. Recorded as ever. */
cn_tensor *cn_apply_reusing(const cn_op *op, cn_tensor *const *in, int n_in, const void *params);
/* cn_apply_inplace() in one pass over memory and without a record, for a pointwise op whose result has the type
   and shape of in[0], which nobody else looks at. False: cn_ok() tells an error from inputs that are not
   laid out alike, when in[0] has not changed. */
bool cn_apply_over(const cn_op *op, cn_tensor *const *in, int n_in, const void *params);

static inline const cn_view *cn_in(const cn_call *c, int i)
{
    return i < c->n_in && c->in[i] ? &c->in[i]->v : NULL;
}

static inline const cn_view *cn_out(const cn_call *c, int i)
{
    return &c->out[i]->v;
}

#define CN_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
