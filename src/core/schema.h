/* schema.h - schemas read once, and arguments bound to them by name. */
#ifndef CN_CORE_SCHEMA_H
#define CN_CORE_SCHEMA_H

#include "core/op.h"

#include <cenote/ffi.h>

typedef enum cn_arg_type {
    CN_ARG_TENSOR,  /* Tensor, Tensor? */
    CN_ARG_TENSORS, /* Tensor[], Tensor?[] */
    CN_ARG_INT,
    CN_ARG_FLOAT,
    CN_ARG_BOOL,
    CN_ARG_STR,
    CN_ARG_DTYPE,
    CN_ARG_NUMBER, /* Scalar */
    CN_ARG_INTS,
    CN_ARG_FLOATS,
    CN_ARG_INDEX,
    CN_ARG_INT_LIST, /* int[*] */
    CN_ARG_MODULE,   /* Module, Module?, of constructors */
    CN_ARG_MODULES   /* Module[]: the caller's list, for the constructor only */
} cn_arg_type;

typedef struct cn_arg {
    char name[32], preset[48]; /* preset: the default as written; "" when there is none */
    cn_arg_type type;
    bool optional;   /* a `?` type */
    bool or_word;    /* Scalar|str */
    bool none_items; /* int?[2]: items may be None, CN_AS_IT_IS */
    bool has_default, keyword_only;
    bool takes_ints;          /* Tensor|int[]: a list of integers is a tensor of them */
    bool takes_numbers;       /* Tensor|Scalar: PyTorch has an overload with a number */
    bool takes_numbers_alone; /* Tensor|float: and one in which no argument is a tensor */
    bool is_inplace;          /* the bool of that name: no parameter of the op itself */
    int length;    /* of int[2]: 2; 0: any. Tensor[2] takes at most 2, NULLs for the rest */
    size_t offset; /* in the parameter struct */
} cn_arg;

enum { CN_MAX_ARGS = 24 };

typedef struct cn_schema {
    int n_args, n_out; /* n_out -1: a list of tensors */
    size_t params_size;
    cn_arg args[CN_MAX_ARGS];
} cn_schema;

/* Reads "name(Type arg, ...) -> ...". False, with an error, on anything it does not know. */
bool cn_schema_parse(const char *text, cn_schema *out);

/* Arguments ready for cn_apply: tensors in order, and the parameter struct. */
typedef struct cn_bound {
    cn_tensor **in; /* inline_in, or allocated */
    int n_in, n_out;
    bool in_place; /* inplace=True was given */
    cn_tensor *inline_in[16];
    _Alignas(8) char params[CN_MAX_PARAM_BYTES];
} cn_bound;

typedef struct cn_modules_arg {
    int64_t n;
    const cn_ffi_value *v;
} cn_modules_arg;

/* Matches args with the schema: positional first, then by name; defaults for the rest. Numbers
   given for a Tensor|Scalar become tensors of the current scope. `who` starts the messages. */
bool cn_bind(const cn_schema *s, const char *who, const cn_ffi_arg *args, int n, cn_bound *out);
void cn_bound_clear(cn_bound *b);
/* Only the parameters that have defaults; the others are zero. */
bool cn_bind_presets(const cn_schema *s, const char *who, cn_bound *out);
size_t cn_arg_bytes(const cn_arg *a); /* of the argument in the parameter struct; 0 for tensors */

/* An int, or a one-element tensor of integers, which serves as one too, as in Python. */
bool cn_value_int(const cn_ffi_value *v, int64_t *out);
/* A list of integers or bools, or of such lists, as a tensor of int64 or, when all are bools, of
   bool, in the current scope; an empty list is int64. NULL, with an error, for other lists. */
cn_tensor *cn_value_tensor(const cn_ffi_value *list, const char *who);
/* What stands between brackets; the tensors among the items, and the lists that stand for tensors,
   go to `tensors` in order. A list is a tuple, as in x[1, :], unless it holds only numbers. */
bool cn_value_index(const cn_ffi_value *v, const char *who, cn_index *out,
                    cn_tensor *tensors[CN_MAX_INDEX], int *n_tensors);

/* Reads a value as written in Python: 3, -1.5, True, None, 'text', (2, 3), [1, 2], float32, inf.
   Lists of at most CN_MAX_DIMS elements go to items. */
bool cn_value_parse(const char *text, cn_ffi_value *out, cn_ffi_value items[CN_MAX_DIMS],
                    char *strings, size_t room);

#endif
