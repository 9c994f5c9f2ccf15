/* table.c - the table of ops and looking things up in it. */
#include "core/schema.h"
#include "ops/internal.h"

#include <string.h>

#define OP(ident) &cn_op_##ident,
const cn_op *const cn_ops[] = {
#include "ops/ops.def"
};
#undef OP

const int cn_op_count = CN_NUM_OPS;

static const char *const idents[] = {
#define OP(ident) #ident,
#include "ops/ops.def"
#undef OP
};

/* Is name one of the blank-separated words? */
static bool among(const char *words, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = words; p; p = strchr(p, ' '), p = p ? p + 1 : NULL)
        if (strncmp(p, name, n) == 0 && (p[n] == ' ' || p[n] == 0)) return true;
    return false;
}

const cn_op *cn_op_find(const char *name)
{
    if (!name) return NULL;
    if (strncmp(name, "torch.", 6) == 0) name += 6;
    for (int i = 0; i < CN_NUM_OPS; i++)
        if (strcmp(cn_ops[i]->name, name) == 0 || strcmp(idents[i], name) == 0) return cn_ops[i];
    for (int i = 0; i < CN_NUM_OPS; i++)
        if (cn_ops[i]->aliases && among(cn_ops[i]->aliases, name)) return cn_ops[i];
    return NULL;
}

cn_tensor *cn_call_op(const char *name, cn_tensor *const *inputs, int n)
{
    const cn_op *op = cn_op_find(name);
    cn_schema schema;
    cn_bound bound;
    cn_ffi_arg args[CN_MAX_ARGS];
    cn_tensor *y = NULL;
    if (!op || n < 0 || n > CN_MAX_ARGS) {
        cn_fail(CN_ENOTFOUND, "there is no op '%.64s' of %d tensors", name ? name : "(null)", n);
        return NULL;
    }
    for (int i = 0; i < n; i++) {
        args[i] = (cn_ffi_arg){ NULL, { .kind = CN_KIND_NONE } };
        if (inputs[i]) args[i].value = (cn_ffi_value){ .kind = CN_KIND_TENSOR, .u.t = inputs[i] };
    }
    if (!cn_schema_parse(op->schema, &schema) || !cn_bind(&schema, op->name, args, n, &bound))
        return NULL;
    y = cn_apply1(op, bound.in, bound.n_in, bound.params);
    cn_bound_clear(&bound);
    return y;
}
