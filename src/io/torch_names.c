/* torch_names.c - the names that PyTorch's files may use: all there are. What a call makes is a
   plain value; storages and tensors are descriptions, checked against what the storage claims, and
   that is checked against the bytes that are there before a tensor is made (torch_values.c). */
#include "io/torch.h"

#include <string.h>

#include "core/memory.h"
#include "core/tensor.h"
#include "io/utf8.h"

/* Storages are known by digits; a path would not be one. */
#define MAX_KEY 64
/* What tensors with strides of 0 may stand for. */
#define MAX_EXPANDED_TENSOR ((uint64_t)1 << 30)

static uint32_t argument_count(const cn_pickle *m, cn_pickle_ref args)
{
    return cn_pickle_at(m, args)->n;
}

/* The i-th argument as it is. */
static cn_pickle_ref argument(const cn_pickle *m, cn_pickle_ref args, uint32_t i)
{
    return cn_pickle_at(m, args)->u.items[i];
}

/* A short call may copy a long value again and again: all copies together are limited to what an
   honest pickle of this size can ask for. */
static bool spend(cn_pickle *m, uint32_t items)
{
    m->copied += items;
    return m->copied <= m->in.size || cn_pickle_fail(m, CN_EFORMAT, "it copies without end");
}

static bool wrong_arguments(const cn_pickle *m, const char *of)
{
    return cn_pickle_fail(m, CN_EFORMAT, "%s with arguments that it does not take", of);
}

/* ---- containers and text -------------------------------------------------------------------- */

/* From nothing, a dictionary, or a list of pairs. */
static bool call_dict(cn_pickle *m, cn_pickle_ref args, cn_pickle_ref *out)
{
    uint32_t n = argument_count(m, args);
    cn_pickle_ref from = n ? argument(m, args, 0) : 0;
    cn_pickle_value *d = cn_pickle_new(m, CN_P_DICT, out);
    if (!d) return false;
    d->ordered = true;
    if (n == 0) return true;
    const cn_pickle_value *f = cn_pickle_at(m, from);
    if (n > 1 || (f->kind != CN_P_DICT && f->kind != CN_P_LIST))
        return wrong_arguments(m, "a dictionary");
    if (!spend(m, f->n)) return false;
    for (uint32_t i = 0; i < f->n; i++) {
        const cn_pickle_value *pair = f->kind == CN_P_LIST ? cn_pickle_at(m, f->u.items[i]) : NULL;
        if (pair && ((pair->kind != CN_P_TUPLE && pair->kind != CN_P_LIST) || pair->n != 2))
            return wrong_arguments(m, "a dictionary");
        bool ok = pair ? cn_pickle_append(m, *out, pair->u.items[0]) &&
                             cn_pickle_append(m, *out, pair->u.items[1])
                       : cn_pickle_append(m, *out, f->u.items[i]);
        if (!ok) return false;
    }
    return true;
}

/* The factory of what is missing is never called. */
static bool call_default_dict(cn_pickle *m, cn_pickle_ref args, cn_pickle_ref *out)
{
    if (argument_count(m, args) > 1) return wrong_arguments(m, "collections.defaultdict");
    return cn_pickle_new(m, CN_P_DICT, out);
}

/* A call that gives back what it is given. */
static bool same_as(cn_pickle *m, cn_pickle_ref args, cn_pickle_kind kind, cn_pickle_ref *out)
{
    if (!cn_pickle_arg(m, args, 0, kind)) return false;
    *out = argument(m, args, 0);
    return true;
}

static bool call_set(cn_pickle *m, cn_pickle_ref args, cn_pickle_ref *out)
{
    return same_as(m, args, CN_P_LIST, out);
}

static bool call_size(cn_pickle *m, cn_pickle_ref args, cn_pickle_ref *out)
{
    return same_as(m, args, CN_P_TUPLE, out);
}

/* torch.device('cuda', 0) is the text "cuda". */
static bool call_device(cn_pickle *m, cn_pickle_ref args, cn_pickle_ref *out)
{
    return same_as(m, args, CN_P_STR, out);
}

/* (tensor, requires_grad, hooks[, state]) */
static bool call_parameter(cn_pickle *m, cn_pickle_ref args, cn_pickle_ref *out)
{
    return same_as(m, args, CN_P_TENSOR, out);
}

/* How protocol 2 writes bytes: as text of the characters up to U+00FF, in UTF-8. */
static bool decode_latin1(const uint8_t *text, uint32_t size, uint8_t *out, uint32_t *n)
{
    for (uint32_t i = 0; i < size; i++) {
        uint8_t c = text[i];
        bool wide = (c == 0xC2 || c == 0xC3) && i + 1 < size && (text[i + 1] & 0xC0) == 0x80;
        if (c >= 0x80 && !wide) return false;
        if (wide) c = (uint8_t)((unsigned)c << 6 | (text[++i] & 0x3Fu));
        out[(*n)++] = c;
    }
    return true;
}

static bool call_encode(cn_pickle *m, cn_pickle_ref args, cn_pickle_ref *out)
{
    const cn_pickle_value *text = cn_pickle_arg(m, args, 0, CN_P_STR);
    const cn_pickle_value *codec = text ? cn_pickle_arg(m, args, 1, CN_P_STR) : NULL;
    if (!codec) return false;
    if (codec->n != 6 || memcmp(codec->u.text, "latin1", 6) != 0)
        return wrong_arguments(m, "_codecs.encode");
    if (!spend(m, text->n)) return false;
    const uint8_t *from = text->u.text;
    uint32_t size = text->n, n = 0;
    uint8_t *bytes = cn_alloc(size);
    cn_pickle_value *v = bytes ? cn_pickle_new(m, CN_P_BYTES, out) : NULL;
    if (!v) return cn_free(bytes), false;
    v->owned = true, v->u.text = bytes;
    if (!decode_latin1(from, size, bytes, &n)) return wrong_arguments(m, "_codecs.encode");
    v->n = n;
    return true;
}

/* ---- NumPy's numbers ------------------------------------------------------------------------ */

static bool call_numpy_dtype(cn_pickle *m, cn_pickle_ref args, cn_pickle_ref *out)
{
    const cn_pickle_value *text = cn_pickle_arg(m, args, 0, CN_P_STR);
    if (!text) return false;
    cn_dtype dtype;
    if (cn_npy_dtype((const char *)text->u.text, text->n, &dtype)) {
        cn_pickle_value *v = cn_pickle_new(m, CN_P_DTYPE, out);
        if (v) v->u.i = dtype;
        return v;
    }
    char name[CN_PRINTABLE_ROOM];
    return cn_pickle_fail(m, CN_EUNSUPPORTED, "NumPy's type '%s' is not supported",
                          cn_printable(name, text->u.text, text->n));
}

static bool call_numpy_scalar(cn_pickle *m, cn_pickle_ref args, cn_pickle_ref *out)
{
    const cn_pickle_value *type = cn_pickle_arg(m, args, 0, CN_P_DTYPE);
    if (!type || argument_count(m, args) != 2) return type && wrong_arguments(m, "a NumPy number");
    cn_dtype dtype = (cn_dtype)type->u.i;
    const cn_pickle_value *bytes = cn_pickle_at(m, argument(m, args, 1));
    bool text = bytes->kind == CN_P_BYTES || bytes->kind == CN_P_STR;
    if (!text || bytes->n != cn_dtype_size(dtype)) return wrong_arguments(m, "a NumPy number");
    const char *data = (const char *)bytes->u.text;
    if (cn_dtype_is_complex(dtype)) return wrong_arguments(m, "a real NumPy number");
    bool is_float = cn_dtype_is_float(dtype);
    cn_pickle_value *v = cn_pickle_new(m,
                                       is_float           ? CN_P_FLOAT
                                       : dtype == CN_BOOL ? CN_P_BOOL
                                                          : CN_P_INT,
                                       out);
    if (!v) return false;
    if (is_float) v->u.f = cn_load_f64(data, dtype);
    else v->u.i = dtype == CN_BOOL ? *data != 0 : cn_load_i64(data, dtype);
    return true;
}

/* ---- storages ------------------------------------------------------------------------------ */

static bool read_key(cn_pickle *m, const cn_pickle_value *v, char key[MAX_KEY + 1])
{
    bool good = v->n > 0 && v->n <= MAX_KEY;
    for (uint32_t i = 0; good && i < v->n; i++) {
        char c = (char)v->u.text[i];
        good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '_' || c == '-';
    }
    if (!good) return cn_pickle_fail(m, CN_EFORMAT, "a storage with an impossible key");
    memcpy(key, v->u.text, v->n);
    key[v->n] = '\0';
    return true;
}

/* The number of the storage; who names it again must describe it as before. */
static bool find_storage(cn_pickle *m, const char *key, cn_dtype dtype, int64_t numel,
                         uint32_t *number)
{
    const cn_value *known = cn_dict_find(m->storage_index, key);
    if (known) {
        *number = (uint32_t)known->u.i;
        const cn_pickle_storage *s = &m->storages[*number];
        return (s->dtype == dtype && s->numel == numel) ||
               cn_pickle_fail(m, CN_EFORMAT, "storage '%s' is described in two ways", key);
    }
    if (!cn_array_grow(&m->storages, &m->storages_room, m->n_storages + 1, sizeof *m->storages) ||
        !cn_dict_set_int(m->storage_index, key, (int64_t)m->n_storages))
        return false;
    *number = (uint32_t)m->n_storages;
    m->storages[m->n_storages++] = (cn_pickle_storage){
        .key = cn_dict_key(m->storage_index, cn_dict_count(m->storage_index) - 1),
        .dtype = dtype,
        .numel = numel,
    };
    return true;
}

/* The old form may speak of a part of a storage: (key of the part, offset, length). */
static bool read_part(cn_pickle *m, cn_pickle_ref ref, cn_pickle_part *part)
{
    const cn_pickle_value *v = cn_pickle_at(m, ref);
    if (v->kind == CN_P_NONE) return true;
    if (v->kind != CN_P_TUPLE) return wrong_arguments(m, "a part of a storage");
    const cn_pickle_value *offset = cn_pickle_arg(m, ref, 1, CN_P_INT);
    const cn_pickle_value *numel = offset ? cn_pickle_arg(m, ref, 2, CN_P_INT) : NULL;
    if (!numel) return false;
    if (offset->u.i < 0 || numel->u.i < 0 || offset->u.i > part->numel ||
        numel->u.i > part->numel - offset->u.i)
        return cn_pickle_fail(m, CN_EFORMAT, "a part that reaches out of its storage");
    part->offset = offset->u.i, part->numel = numel->u.i;
    return true;
}

/* ("storage", type, key, where it was, elements[, part]). Where it was, is of no importance. */
static bool storage_outside(cn_pickle *m, cn_pickle_ref id, cn_pickle_ref *out)
{
    char key[MAX_KEY + 1];
    cn_pickle_part part = { 0 };
    if (cn_pickle_at(m, id)->kind != CN_P_TUPLE)
        return cn_pickle_fail(m, CN_EFORMAT, "a storage described by %s",
                              cn_pickle_kind_name(cn_pickle_at(m, id)));
    const cn_pickle_value *tag = cn_pickle_arg(m, id, 0, CN_P_STR);
    const cn_pickle_value *type = tag ? cn_pickle_arg(m, id, 1, CN_P_NAME) : NULL;
    const cn_pickle_value *name = type ? cn_pickle_arg(m, id, 2, CN_P_STR) : NULL;
    const cn_pickle_value *numel = name ? cn_pickle_arg(m, id, 4, CN_P_INT) : NULL;
    if (!numel) return false;
    bool is_storage = tag->n == 7 && memcmp(tag->u.text, "storage", 7) == 0;
    if (!is_storage || !strstr(type->u.name->name, "Storage") || numel->u.i < 0)
        return cn_pickle_fail(m, CN_EFORMAT, "an object outside that is no storage");
    part.numel = numel->u.i;
    if (!read_key(m, name, key) ||
        !find_storage(m, key, type->u.name->dtype, part.numel, &part.storage))
        return false;
    if (argument_count(m, id) > 5 && !read_part(m, argument(m, id, 5), &part)) return false;
    cn_pickle_value *v = cn_pickle_new(m, CN_P_STORAGE, out);
    if (!v || !(v->u.part = cn_alloc(sizeof part))) return false;
    *v->u.part = part;
    return true;
}

/* ---- tensors ------------------------------------------------------------------------------- */

/* Numbers none of which is negative, at most eight. */
static bool read_sizes(cn_pickle *m, cn_pickle_ref args, uint32_t i, int *n, int64_t *out)
{
    const cn_pickle_value *v = cn_pickle_arg(m, args, i, CN_P_TUPLE);
    if (!v) return false;
    if (v->n > CN_MAX_DIMS)
        return cn_pickle_fail(m, CN_EUNSUPPORTED,
                              "a tensor of %u dimensions; at most %d are possible", (unsigned)v->n,
                              CN_MAX_DIMS);
    *n = (int)v->n;
    for (uint32_t k = 0; k < v->n; k++) {
        const cn_pickle_value *size = cn_pickle_at(m, v->u.items[k]);
        if (size->kind != CN_P_INT || size->u.i < 0)
            return cn_pickle_fail(m, CN_EFORMAT,
                                  "a tensor with a size or stride that is negative "
                                  "or no integer");
        out[k] = size->u.i;
    }
    return true;
}

/* Does the view stay in `part`? And does it not stand for far more than there is? */
static bool check_view(cn_pickle *m, const cn_pickle_tensor *t, const cn_pickle_part *part)
{
    int64_t last = t->offset, numel = 1, step;
    bool empty = false, overflow = false;
    for (int i = 0; i < t->shape.ndim; i++) empty |= t->shape.dim[i] == 0;
    for (int i = 0; i < t->shape.ndim; i++) {
        int64_t size = t->shape.dim[i];
        if (size) overflow |= __builtin_mul_overflow(numel, size, &numel);
        if (empty) continue;
        overflow |= __builtin_mul_overflow(size - 1, t->strides[i], &step);
        overflow |= __builtin_add_overflow(last, step, &last);
    }
    if (t->offset < 0 || overflow || last > part->numel - !empty)
        return cn_pickle_fail(m, CN_EFORMAT, "a tensor that reaches out of its storage");
    uint64_t width = cn_dtype_size(m->storages[part->storage].dtype);
    if (!empty && numel > part->numel && (uint64_t)numel > MAX_EXPANDED_TENSOR / width)
        return cn_pickle_fail(m, CN_EFORMAT, "a tensor of %lld elements on a storage of %lld",
                              (long long)numel, (long long)part->numel);
    return true;
}

/* (storage, offset, sizes, strides, ...): what follows says how it is trained. */
static bool call_tensor(cn_pickle *m, cn_pickle_ref args, cn_pickle_ref *out)
{
    cn_pickle_tensor t = { 0 };
    int n_strides = 0;
    const cn_pickle_value *storage = cn_pickle_arg(m, args, 0, CN_P_STORAGE);
    const cn_pickle_value *offset = storage ? cn_pickle_arg(m, args, 1, CN_P_INT) : NULL;
    if (!offset || !read_sizes(m, args, 2, &t.shape.ndim, t.shape.dim) ||
        !read_sizes(m, args, 3, &n_strides, t.strides))
        return false;
    if (n_strides != t.shape.ndim)
        return cn_pickle_fail(m, CN_EFORMAT, "a tensor of %d sizes and %d strides", t.shape.ndim,
                              n_strides);
    const cn_pickle_part *part = storage->u.part;
    t.offset = offset->u.i, t.storage = part->storage;
    if (!check_view(m, &t, part)) return false;
    t.offset += part->offset;
    cn_pickle_value *v = cn_pickle_new(m, CN_P_TENSOR, out);
    if (!v || !(v->u.tensor = cn_alloc(sizeof t))) return false;
    *v->u.tensor = t;
    return true;
}

/* (call, type, arguments of the call, attributes) of a tensor that was given attributes. */
static bool call_from_type(cn_pickle *m, cn_pickle_ref args, cn_pickle_ref *out)
{
    const cn_pickle_value *call = cn_pickle_arg(m, args, 0, CN_P_NAME);
    const cn_pickle_value *inner = call ? cn_pickle_arg(m, args, 2, CN_P_TUPLE) : NULL;
    if (!inner) return false;
    if (call->u.name->call != call_tensor)
        return wrong_arguments(m, "torch._tensor._rebuild_from_type_v2");
    return call_tensor(m, argument(m, args, 2), out);
}

/* ---- the list ------------------------------------------------------------------------------ */

#define CALL(module, name, function)                                                               \
    {                                                                                              \
        module, name, function, CN_F32, CN_P_NAME                                                  \
    }
#define TYPE(module, name)                                                                         \
    {                                                                                              \
        module, name, NULL, CN_F32, CN_P_NAME                                                      \
    }
#define STORAGE(name, dtype)                                                                       \
    { "torch", name, NULL, dtype, CN_P_NAME },                                                     \
    {                                                                                              \
        "torch.cuda", name, NULL, dtype, CN_P_NAME                                                 \
    }
#define DTYPE(name, dtype)                                                                         \
    {                                                                                              \
        "torch", name, NULL, dtype, CN_P_DTYPE                                                     \
    }

static const cn_pickle_name names[] = {
    CALL("torch._utils", "_rebuild_tensor_v2", call_tensor),
    CALL("torch._utils", "_rebuild_tensor", call_tensor),
    CALL("torch._utils", "_rebuild_parameter", call_parameter),
    CALL("torch._utils", "_rebuild_parameter_with_state", call_parameter),
    CALL("torch._tensor", "_rebuild_from_type_v2", call_from_type),
    CALL("torch", "Size", call_size),
    CALL("torch", "device", call_device),
    CALL("collections", "OrderedDict", call_dict),
    CALL("collections", "Counter", call_dict),
    CALL("collections", "defaultdict", call_default_dict),
    CALL("_codecs", "encode", call_encode),
    CALL("builtins", "set", call_set),
    CALL("__builtin__", "set", call_set),
    CALL("numpy", "dtype", call_numpy_dtype),
    CALL("numpy.core.multiarray", "scalar", call_numpy_scalar),
    CALL("numpy._core.multiarray", "scalar", call_numpy_scalar),
    TYPE("torch", "Tensor"),
    TYPE("torch.nn.parameter", "Parameter"),
    TYPE("builtins", "dict"),
    TYPE("__builtin__", "dict"),
    TYPE("builtins", "list"),
    TYPE("__builtin__", "list"),
    TYPE("builtins", "int"),
    TYPE("__builtin__", "int"),
    TYPE("builtins", "float"),
    TYPE("__builtin__", "float"),
    STORAGE("FloatStorage", CN_F32),
    STORAGE("DoubleStorage", CN_F64),
    STORAGE("HalfStorage", CN_F16),
    STORAGE("BFloat16Storage", CN_BF16),
    STORAGE("ComplexFloatStorage", CN_C64),
    STORAGE("ComplexDoubleStorage", CN_C128),
    STORAGE("LongStorage", CN_I64),
    STORAGE("IntStorage", CN_I32),
    STORAGE("ShortStorage", CN_I16),
    STORAGE("CharStorage", CN_I8),
    STORAGE("ByteStorage", CN_U8),
    STORAGE("BoolStorage", CN_BOOL),
    { "torch.storage", "UntypedStorage", NULL, CN_U8, CN_P_NAME },
    DTYPE("float32", CN_F32),
    DTYPE("float64", CN_F64),
    DTYPE("float16", CN_F16),
    DTYPE("bfloat16", CN_BF16),
    DTYPE("complex64", CN_C64),
    DTYPE("complex128", CN_C128),
    DTYPE("int64", CN_I64),
    DTYPE("int32", CN_I32),
    DTYPE("int16", CN_I16),
    DTYPE("int8", CN_I8),
    DTYPE("uint8", CN_U8),
    DTYPE("bool", CN_BOOL),
};

#undef CALL
#undef TYPE
#undef STORAGE
#undef DTYPE

const cn_pickle_rules cn_torch_rules = {
    .names = names,
    .n_names = sizeof names / sizeof names[0],
    .outside = storage_outside,
};

const cn_pickle_rules cn_no_rules = { .names = NULL };

const char *cn_torch_storage_name(cn_dtype dtype)
{
    const cn_pickle_name *n = names;
    while (n->dtype != dtype || !strstr(n->name, "Storage")) n++;
    return n->name;
}
