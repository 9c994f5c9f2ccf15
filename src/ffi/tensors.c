/* tensors.c - tensors and operators by name. */
#include "core/error.h"
#include "core/op.h"
#include "core/schema.h"
#include "core/tape.h"
#include "ffi/ffi.h"

#include <cenote/autograd.h>
#include <cenote/rng.h>

#include <string.h>

int cn_ffi_version(void)
{
    return 1;
}

const char *cn_ffi_last_error(void)
{
    return cn_error();
}

/* ---- tensors ------------------------------------------------------------------------------- */

/* The bytes that a strided view reaches from its first element; false when it goes backwards or
   overflows. */
static bool reach(const cn_shape *s, const int64_t *strides, size_t item, size_t *bytes)
{
    int64_t last = 0, step;
    for (int i = 0; i < s->ndim; i++) {
        if (s->dim[i] == 0) return *bytes = 0, true;
        if (strides[i] < 0 || __builtin_mul_overflow(s->dim[i] - 1, strides[i], &step) ||
            __builtin_add_overflow(last, step, &last))
            return cn_fail(CN_EINVALID, "tensor_new: strides must not be negative or leave memory");
    }
    return cn_mul_size((size_t)last + 1, item, bytes, "tensor_new");
}

static cn_tensor *tensor_from(int dtype, const cn_shape *shape, const int64_t *strides,
                              const void *data, size_t bytes)
{
    cn_view from = { .dtype = (cn_dtype)dtype };
    size_t need;
    if (!cn_view_rows(&from, shape, "tensor_new")) return NULL;
    for (int i = 0; strides && i < shape->ndim; i++) from.strides[i] = strides[i];
    if (!reach(shape, from.strides, cn_dtype_size(from.dtype), &need)) return NULL;
    if (need > bytes || (need && !data)) {
        cn_fail(CN_EINVALID, "tensor_new: %zu bytes given, but the shape needs %zu", bytes, need);
        return NULL;
    }
    cn_view_refresh(&from);
    memcpy(&from.data, &data, sizeof data);
    cn_tensor *t = cn_tensor_new(shape, from.dtype);
    if (t) cn_copy_view(&t->v, &from);
    return t;
}

int cn_ffi_tensor_new(int dtype, int ndim, const int64_t *shape, const int64_t *strides,
                      const void *data, size_t bytes, cn_tensor **out)
{
    size_t mark = cn_ffi_enter();
    *out = NULL;
    cn_shape s = { .ndim = -1 };
    bool ok = dtype >= 0 && dtype < CN_NUM_DTYPES;
    if (!ok) cn_fail(CN_EUNSUPPORTED, "tensor_new: dtype %d is not supported", dtype);
    else s = cn_shape_from(ndim, shape);
    ok = ok && s.ndim >= 0;
    cn_tensor *t = ok ? tensor_from(dtype, &s, strides, data, bytes) : NULL;
    if (t) *out = cn_keep(t);
    return cn_ffi_leave(mark, t != NULL);
}

int cn_ffi_tensor_info(const cn_tensor *t, int *dtype, int *ndim, int64_t shape[8],
                       int64_t strides[8])
{
    size_t mark = cn_ffi_enter();
    if (!t)
        return cn_fail(CN_EINVALID, "tensor_info: the tensor is NULL"), cn_ffi_leave(mark, false);
    *dtype = (int)t->v.dtype, *ndim = t->v.shape.ndim;
    for (int i = 0; i < t->v.shape.ndim; i++)
        shape[i] = t->v.shape.dim[i], strides[i] = t->v.strides[i];
    return cn_ffi_leave(mark, true);
}

int cn_ffi_tensor_read(const cn_tensor *t, void *dst, size_t bytes)
{
    size_t mark = cn_ffi_enter();
    bool ok = t != NULL;
    if (!ok) cn_fail(CN_EINVALID, "tensor_read: the tensor is NULL");
    size_t need = ok ? (size_t)t->v.numel * cn_dtype_size(t->v.dtype) : 0;
    if (ok && need != bytes)
        ok = cn_fail(CN_EINVALID, "tensor_read: the tensor has %zu bytes, not %zu", need, bytes);
    return cn_ffi_leave(mark, ok && cn_read(t, t->v.dtype, dst, t->v.numel));
}

int cn_ffi_tensor_requires_grad(cn_tensor *t, int on)
{
    size_t mark = cn_ffi_enter();
    if (!t) cn_fail(CN_EINVALID, "requires_grad: the tensor is NULL");
    return cn_ffi_leave(mark, t && cn_requires_grad(t, on != 0));
}

int cn_ffi_tensor_grad(const cn_tensor *t, cn_tensor **out)
{
    size_t mark = cn_ffi_enter();
    *out = cn_keep(cn_grad(t));
    if (!t) cn_fail(CN_EINVALID, "grad: the tensor is NULL");
    return cn_ffi_leave(mark, t != NULL);
}

void cn_ffi_tensor_release(cn_tensor *t)
{
    cn_drop(t);
}

/* ---- operators ----------------------------------------------------------------------------- */

int cn_ffi_op_count(void)
{
    return cn_op_count;
}

const char *cn_ffi_op_name(int i)
{
    return i >= 0 && i < cn_op_count ? cn_ops[i]->name : NULL;
}

/* "add_" is add in place; "normal_", whose arguments are not those of normal, has its own entry. */
static const cn_op *op_of(const char *name, bool *in_place)
{
    const cn_op *op = cn_op_find(name);
    size_t n = name ? strlen(name) : 0;
    char plain[64];
    *in_place = n > 1 && n < sizeof plain && name[n - 1] == '_' && name[n - 2] != '_';
    if (op || !*in_place) return op;
    memcpy(plain, name, n - 1), plain[n - 1] = 0;
    return cn_op_find(plain);
}

const char *cn_ffi_op_schema(const char *name)
{
    bool in_place;
    const cn_op *op = op_of(name, &in_place);
    return op ? op->schema : NULL;
}

const char *cn_ffi_op_doc(const char *name)
{
    const cn_op *op = cn_op_find(name);
    return op ? op->doc : NULL;
}

const char *cn_ffi_op_samples(const char *name)
{
    const cn_op *op = cn_op_find(name);
    return op ? op->samples : NULL;
}

const char *cn_ffi_op_aliases(const char *name)
{
    const cn_op *op = cn_op_find(name);
    return op && op->aliases ? op->aliases : "";
}

const char *cn_ffi_op_gradient(const char *name)
{
    const cn_op *op = cn_op_find(name);
    if (!op) return NULL;
    if (op->flags & CN_NO_GRAD_OP) return "no";
    if (op->flags & CN_AGREED_GRAD)
        return "yes, by PyTorch's convention, which is not the derivative";
    if (op->flags & CN_ONE_TRIANGLE)
        return "yes, for a symmetric matrix of which one triangle is read";
    return op->grad_outs == 1 ? "yes, of the first result" : "yes";
}

static bool give_results(cn_tensor *const *results, int n, cn_ffi_value *outs, int *nouts)
{
    int count = n;
    while (count > 0 && !results[count - 1]) count--; /* an output that this call does not have */
    if (count > *nouts)
        return cn_fail(CN_EINVALID, "op_call: %d results, but room for %d", count, *nouts);
    for (int i = 0; i < count; i++)
        outs[i] = (cn_ffi_value){ .kind = CN_KIND_TENSOR, .u.t = cn_keep(results[i]) };
    *nouts = count;
    return true;
}

static bool call_list(const cn_op *op, const cn_bound *b, cn_ffi_value *outs, int *nouts)
{
    cn_tensor **results;
    int n;
    if (!cn_apply_list(op, b->in, b->n_in, b->params, &results, &n)) return false;
    bool ok = give_results(results, n, outs, nouts);
    cn_free(results);
    return ok;
}

static bool call_few(const cn_op *op, const cn_bound *b, cn_ffi_value *outs, int *nouts)
{
    cn_tensor *results[CN_MAX_OUT] = { NULL };
    return cn_apply(op, b->in, b->n_in, b->params, results, b->n_out) &&
           give_results(results, b->n_out, outs, nouts);
}

static bool call_in_place(const cn_op *op, const cn_bound *b, cn_ffi_value *outs, int *nouts)
{
    cn_tensor *t = cn_apply_inplace(op, b->in, b->n_in, b->params);
    return t && give_results(&t, 1, outs, nouts);
}

static bool two_tensors(const cn_ffi_arg *args, int n)
{
    bool other = n > 1 && (!args[1].name || strcmp(args[1].name, "other") == 0);
    return other && args[1].value.kind == CN_KIND_TENSOR;
}

/* Messages of the ops that an op is made of are put under its own name. */
static void name_the_op(const cn_op *op)
{
    const char *dot = strrchr(op->name, '.'), *word = dot ? dot + 1 : op->name;
    if (!strstr(cn_error(), word)) cn_error_prefix("%s: ", op->name);
}

static bool call(const cn_op *op, bool in_place, const cn_ffi_arg *args, int nargs,
                 cn_ffi_value *outs, int *nouts)
{
    cn_schema schema;
    cn_bound b;
    if (op->of_two && two_tensors(args, nargs)) op = op->of_two;
    if (!cn_schema_parse(op->schema, &schema) || !cn_bind(&schema, op->name, args, nargs, &b))
        return false;
    in_place |= b.in_place;
    bool ok = (in_place ? call_in_place : b.n_out < 0 ? call_list : call_few)(op, &b, outs, nouts);
    cn_bound_clear(&b);
    if (!ok) name_the_op(op);
    return ok;
}

/* __radd__ and its like are methods: what comes first is the tensor that has them. */
static bool is_self(const char *name, const cn_ffi_arg *args, int nargs)
{
    if (strncmp(name, "__", 2) != 0 || nargs < 1 || args->name ||
        args->value.kind == CN_KIND_TENSOR)
        return true;
    return cn_fail(CN_EINVALID, "%s: the first argument must be a Tensor", name);
}

int cn_ffi_op_call(const char *name, const cn_ffi_arg *args, int nargs, cn_ffi_value *outs,
                   int *nouts)
{
    size_t mark = cn_ffi_enter();
    bool in_place;
    const cn_op *op = op_of(name, &in_place);
    if (!op) cn_fail(CN_ENOTFOUND, "there is no op '%s'", name ? name : "(null)");
    return cn_ffi_leave(mark, op && is_self(name, args, nargs) &&
                                  call(op, in_place, args, nargs, outs, nouts));
}

int cn_ffi_backward(cn_tensor *const *outs, cn_tensor *const *cotangents, int n)
{
    size_t mark = cn_ffi_enter();
    return cn_ffi_leave(mark, cn_backward_of(outs, cotangents, n, NULL));
}

/* ---- settings ------------------------------------------------------------------------------ */

int cn_ffi_set(const char *what, int64_t value)
{
    size_t mark = cn_ffi_enter();
    bool ok = true;
    if (strcmp(what, "threads") == 0) cn_set_threads((int)value);
    else if (strcmp(what, "alloc_limit_bytes") == 0) cn_set_memory_limit((size_t)value);
    else if (strcmp(what, "seed") == 0) cn_manual_seed((uint64_t)value);
    else if (strcmp(what, "deterministic") == 0) ok = true; /* kernels are deterministic anyway */
    else ok = cn_fail(CN_ENOTFOUND, "set: there is no setting '%s'", what);
    return cn_ffi_leave(mark, ok);
}
