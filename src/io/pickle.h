/* pickle.h - a machine that runs Python's pickles without Python.

   A pickle is a program for a stack machine; in Python it can call anything. This machine makes
   values of the types below and nothing else. Names lead to entries of a given table: calling one
   runs a C function that checks its arguments. A name that is not in the table ends the reading
   with an error that says it.

   In an audit nothing is called and no name refused: names and calls are written down, and what
   they would return is an opaque value that accepts everything.

   Memory grows with the size of the pickle, whatever it claims; values refer to each other by
   number, so that shared and circular ones cost nothing; nothing recurs. */
#ifndef CN_IO_PICKLE_H
#define CN_IO_PICKLE_H

#include <cenote/io.h>

#include "io/array.h"
#include "io/reader.h"

typedef enum cn_pickle_kind {
    CN_P_NONE,
    CN_P_BOOL,
    CN_P_INT,
    CN_P_LONG, /* an integer of more than 64 bits: its bytes, little-endian */
    CN_P_FLOAT,
    CN_P_STR,
    CN_P_BYTES,
    CN_P_TUPLE,
    CN_P_LIST, /* sets, too */
    CN_P_DICT,
    CN_P_DTYPE,
    CN_P_NAME,
    CN_P_STORAGE,
    CN_P_TENSOR,
    CN_P_OPAQUE, /* in an audit only: what the call of a name returned */
    CN_P_KINDS
} cn_pickle_kind;

/* There are no more values, items of one, or bytes of a text than this. */
#define CN_PICKLE_MAX ((uint32_t)1 << 30)

/* Values are known by their number in the machine. */
typedef uint32_t cn_pickle_ref;

/* Part of a storage, by the number of that in the machine. */
typedef struct cn_pickle_part {
    uint32_t storage;
    int64_t offset, numel; /* in elements */
} cn_pickle_part;

/* A view of a storage, inside of what the storage claims to hold. */
typedef struct cn_pickle_tensor {
    uint32_t storage;
    int64_t offset;
    cn_shape shape;
    int64_t strides[CN_MAX_DIMS];
} cn_pickle_tensor;

typedef struct cn_pickle_name cn_pickle_name;

typedef struct cn_pickle_value {
    uint8_t kind;
    bool ordered; /* DICT: an OrderedDict */
    bool owned;   /* STR, BYTES: `text` is to be freed */
    uint32_t n;   /* bytes of STR, BYTES, LONG; items of TUPLE and LIST, twice those of DICT */
    union {
        int64_t i; /* BOOL, INT, DTYPE */
        double f;
        const uint8_t *text;  /* in the pickle, unless owned */
        cn_pickle_ref *items; /* of DICT: key, value, key, value, ... */
        const cn_pickle_name *name;
        cn_pickle_part *part;
        cn_pickle_tensor *tensor;
    } u;
} cn_pickle_value;

/* What a storage claims; its bytes are looked up when the pickle has been read. */
typedef struct cn_pickle_storage {
    const char *key; /* owned by the machine's index */
    cn_dtype dtype;
    int64_t numel;
} cn_pickle_storage;

typedef struct cn_pickle cn_pickle;

struct cn_pickle_name {
    const char *module, *name;
    /* Makes the value of a call; `args` is a tuple. NULL: not to be called. */
    bool (*call)(cn_pickle *m, cn_pickle_ref args, cn_pickle_ref *out);
    cn_dtype dtype;     /* of storages, and of names that stand for a dtype */
    uint8_t stands_for; /* CN_P_DTYPE: the name is that value; otherwise CN_P_NAME */
};

typedef struct cn_pickle_rules {
    const cn_pickle_name *names;
    size_t n_names;
    /* The object outside the pickle that `id` speaks of. */
    bool (*outside)(cn_pickle *m, cn_pickle_ref id, cn_pickle_ref *out);
} cn_pickle_rules;

struct cn_pickle {
    cn_reader in;
    const cn_pickle_rules *rules;
    cn_dict *audit; /* NULL: strict. Else name -> { "calls": int, "known": bool } */
    cn_pickle_value *values;
    cn_pickle_ref *stack, *memo;
    size_t *marks; /* heights of the stack */
    cn_pickle_storage *storages;
    cn_dict *storage_index; /* key -> number */
    size_t n_values, height, n_memo, n_marks, n_storages;
    size_t copied; /* items and bytes, by calls */
    size_t values_room, stack_room, memo_room, marks_room, storages_room;
};

/* Reads one pickle from the reader's place on; that moves behind it. The machine is usable, and to
   be freed, in any case; its values borrow the reader's bytes. */
bool cn_pickle_run(cn_pickle *m, cn_reader *r, const cn_pickle_rules *rules, cn_pickle_ref *out);
/* The same as an audit: what was found before the pickle ended or broke is in `audit`. */
bool cn_pickle_audit(cn_reader *r, const cn_pickle_rules *rules, cn_dict *audit);
void cn_pickle_free(cn_pickle *m);

/* ---- for calls ---------------------------------------------------------------------------- */

cn_pickle_value *cn_pickle_at(const cn_pickle *m, cn_pickle_ref ref);
const char *cn_pickle_kind_name(const cn_pickle_value *v);
/* A new value, zeroed; NULL and an error when there is no memory. It moves when another is made. */
cn_pickle_value *cn_pickle_new(cn_pickle *m, cn_pickle_kind kind, cn_pickle_ref *out);
bool cn_pickle_append(cn_pickle *m, cn_pickle_ref container, cn_pickle_ref item);
/* The i-th argument, or NULL and an error when it is missing or of another kind. */
const cn_pickle_value *cn_pickle_arg(cn_pickle *m, cn_pickle_ref args, uint32_t i,
                                     cn_pickle_kind kind);
/* Records an error that says where in the pickle it happened. Always false. */
bool cn_pickle_fail(const cn_pickle *m, cn_code code, const char *fmt, ...) CN_PRINTF(3, 4);

/* ---- between the two files of the machine --------------------------------------------------- */

typedef bool cn_pickle_op(cn_pickle *m);

typedef struct cn_pickle_opcode {
    const char *name;
    cn_pickle_op *run; /* NULL: never accepted */
} cn_pickle_opcode;

#define CN_PICKLE_STOP '.'
extern const cn_pickle_opcode cn_pickle_opcodes[256];

bool cn_pickle_push(cn_pickle *m, cn_pickle_ref ref);
bool cn_pickle_pop(cn_pickle *m, cn_pickle_ref *out);
bool cn_pickle_top(cn_pickle *m, cn_pickle_ref *out);
/* Ends the innermost mark: *items are the n values above it, still on the stack's memory. */
bool cn_pickle_pop_mark(cn_pickle *m, const cn_pickle_ref **items, size_t *n);
bool cn_pickle_remember(cn_pickle *m, uint64_t index);
bool cn_pickle_recall(cn_pickle *m, uint64_t index);
/* Pushes what the name stands for; calls a value with a tuple of arguments. */
bool cn_pickle_import(cn_pickle *m, const void *module, size_t module_size, const void *name,
                      size_t name_size);
bool cn_pickle_call(cn_pickle *m, cn_pickle_ref callee, cn_pickle_ref args);
/* In an audit: notes a name or, with `called`, a call of it. */
bool cn_pickle_note(cn_pickle *m, const char *name, bool known, bool called);

#endif
