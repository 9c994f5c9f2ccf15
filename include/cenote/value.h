/* value.h - a value of any kind: what a dictionary holds, and what calls by name take and give. */
#ifndef CENOTE_VALUE_H
#define CENOTE_VALUE_H

#include "base.h"

CN_BEGIN_DECLS

typedef struct cn_tensor cn_tensor;
typedef struct cn_dict cn_dict;
typedef struct cn_module cn_module;

typedef enum cn_kind {
    CN_KIND_NONE = 0,
    CN_KIND_BOOL = 1,
    CN_KIND_INT = 2,
    CN_KIND_FLOAT = 3,
    CN_KIND_STR = 4,
    CN_KIND_TENSOR = 5,
    CN_KIND_LIST = 6,
    CN_KIND_DTYPE = 7,
    CN_KIND_SLICE = 8, /* a list of 3: start, stop, step */
    CN_KIND_ELLIPSIS = 9,
    CN_KIND_DICT = 10,
    CN_KIND_MODULE = 11 /* where a constructor takes modules */
} cn_kind;

typedef struct cn_ffi_value { /* 16 bytes */
    int32_t kind;             /* a cn_kind */
    int32_t n;                /* length of a list or slice, otherwise 0 */
    union {
        int64_t i; /* bool (0 or 1), int, dtype */
        double f;
        const char *s; /* UTF-8 */
        cn_tensor *t;
        cn_dict *d;
        cn_module *m;
        const struct cn_ffi_value *list;
    } u;
} cn_ffi_value;

typedef cn_ffi_value cn_value;

CN_API const char *cn_kind_name(int kind); /* "tensor"; "unknown" for what is no kind */

CN_END_DECLS
#endif
