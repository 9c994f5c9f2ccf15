/* bind.c - arguments by name into tensors and a parameter struct. */
#include "core/schema.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- values as text ------------------------------------------------------------------------ */

static bool parse_word(const char *t, cn_ffi_value *v)
{
    static const struct {
        const char *word;
        cn_ffi_value value;
    } words[] = {
        { "None", { .kind = CN_KIND_NONE } },
        { "True", { .kind = CN_KIND_BOOL, .u.i = 1 } },
        { "False", { .kind = CN_KIND_BOOL, .u.i = 0 } },
    };
    for (size_t i = 0; i < CN_COUNT(words); i++)
        if (strcmp(t, words[i].word) == 0) return *v = words[i].value, true;
    for (int d = 0; d < CN_NUM_DTYPES; d++)
        if (strcmp(t, cn_dtype_name((cn_dtype)d)) == 0)
            return *v = (cn_ffi_value){ .kind = CN_KIND_DTYPE, .u.i = d }, true;
    return false;
}

static bool parse_number(const char *t, cn_ffi_value *v)
{
    char *end;
    long long i = strtoll(t, &end, 10);
    if (end != t && *end == 0) return *v = (cn_ffi_value){ .kind = CN_KIND_INT, .u.i = i }, true;
    double f = strtod(t, &end);
    if (end == t || *end) return false;
    *v = (cn_ffi_value){ .kind = CN_KIND_FLOAT, .u.f = f };
    return true;
}

static bool parse_string(const char *t, cn_ffi_value *v, char *strings, size_t room)
{
    size_t n = strlen(t);
    bool quoted = n >= 2 && (*t == '\'' || *t == '"') && t[n - 1] == *t;
    if (quoted) t++, n -= 2;
    if (n + 1 > room) return cn_fail(CN_EINVALID, "value: text of %zu bytes is too long", n);
    memmove(strings, t, n); /* which may be the text itself */
    strings[n] = 0;
    *v = (cn_ffi_value){ .kind = CN_KIND_STR, .u.s = strings };
    return true;
}

static bool parse_list(const char *t, cn_ffi_value *v, cn_ffi_value items[CN_MAX_DIMS])
{
    *v = (cn_ffi_value){ .kind = CN_KIND_LIST, .u.list = items };
    const char *p = t + 1;
    while (*p && *p != ')' && *p != ']') {
        char item[32];
        p += strspn(p, " ");
        size_t n = strcspn(p, ",)]");
        if (n == 0 || n >= sizeof item || v->n == CN_MAX_DIMS)
            return cn_fail(CN_EINVALID, "value: \"%s\" is not a list of numbers", t);
        memcpy(item, p, n), item[n] = 0;
        if (!parse_number(item, &items[v->n++]) && !parse_word(item, &items[v->n - 1]))
            return cn_fail(CN_EINVALID, "value: \"%s\" is not a number", item);
        p += n;
        p += strspn(p, ", ");
    }
    return *p && p[1] == 0 ? true : cn_fail(CN_EINVALID, "value: \"%s\" does not end its list", t);
}

bool cn_value_parse(const char *text, cn_ffi_value *out, cn_ffi_value items[CN_MAX_DIMS],
                    char *strings, size_t room)
{
    if (*text == '(' || *text == '[') return parse_list(text, out, items);
    if (parse_word(text, out) || parse_number(text, out)) return true;
    return parse_string(text, out, strings, room);
}

/* ---- one argument -------------------------------------------------------------------------- */

typedef struct {
    const char *who;
    const cn_schema *schema;
    cn_bound *out;
    int room;
} Binder;

static bool mismatch(const Binder *b, const cn_arg *a, const cn_ffi_value *v)
{
    static const char *const kinds[] = { "None", "bool",  "int",   "float",    "str",  "Tensor",
                                         "list", "dtype", "slice", "Ellipsis", "dict", "module" };
    static const char *const wanted[] = {
        "a Tensor", "a list of Tensors", "an int", "a float", "a bool",   "a str",
        "a dtype",  "a number",          "ints",   "floats",  "an index", "ints",
        "a module", "a list of modules"
    };
    const char *got =
        v->kind >= 0 && v->kind <= CN_KIND_MODULE ? kinds[v->kind] : "an unknown kind";
    return cn_fail(CN_EINVALID, "%s: argument '%s' must be %s%s, not %s", b->who, a->name,
                   wanted[a->type], a->takes_numbers ? " or a number" : "", got);
}

static bool push(Binder *b, cn_tensor *t)
{
    cn_bound *o = b->out;
    if (o->n_in == b->room) {
        int room = 4 * b->room;
        cn_tensor **in = cn_alloc((size_t)room * sizeof *in);
        if (!in) return false;
        memcpy(in, o->in, (size_t)o->n_in * sizeof *in);
        if (o->in != o->inline_in) cn_free(o->in);
        o->in = in, b->room = room;
    }
    o->in[o->n_in++] = t;
    return true;
}

/* A list of integers as a tensor; NULL, with an error, when something else is among them. */
static cn_tensor *tensor_of_ints(const Binder *b, const cn_arg *a, const cn_ffi_value *v)
{
    cn_tensor *t = cn_empty(CN_SHAPE(v->n), CN_I64);
    for (int i = 0; t && i < v->n; i++)
        if (!cn_value_int(&v->u.list[i], (int64_t *)(void *)t->v.data + i))
            return mismatch(b, a, &v->u.list[i]), NULL;
    return t;
}

static bool is_number(const cn_ffi_value *v)
{
    return v->kind == CN_KIND_BOOL || v->kind == CN_KIND_INT || v->kind == CN_KIND_FLOAT;
}

static bool bind_tensor(Binder *b, const cn_arg *a, const cn_ffi_value *v)
{
    cn_tensor *t = NULL;
    if (is_number(v) && !a->takes_numbers) return mismatch(b, a, v);
    if (v->kind == CN_KIND_LIST && a->takes_ints)
        return (t = tensor_of_ints(b, a, v)) && push(b, t);
    switch (v->kind) {
    case CN_KIND_NONE:
        if (!a->optional && a->type == CN_ARG_TENSOR) return mismatch(b, a, v);
        return push(b, NULL);
    case CN_KIND_TENSOR: t = v->u.t; break;
    case CN_KIND_BOOL: t = cn_number_bool(v->u.i != 0); break;
    case CN_KIND_INT: t = cn_number_i64(v->u.i); break;
    case CN_KIND_FLOAT: t = cn_number(v->u.f); break;
    default: return mismatch(b, a, v);
    }
    return t ? push(b, t) : cn_fail(CN_EINVALID, "%s: argument '%s' is NULL", b->who, a->name);
}

static bool bind_tensors(Binder *b, const cn_arg *a, const cn_ffi_value *v)
{
    bool none = v->kind == CN_KIND_NONE && a->optional;
    bool one = v->kind == CN_KIND_TENSOR || (a->takes_numbers && is_number(v));
    if (!none && !one && v->kind != CN_KIND_LIST) return mismatch(b, a, v);
    if (a->length && v->n > a->length)
        return cn_fail(CN_EINVALID, "%s: argument '%s' has %d tensors, at most %d are possible",
                       b->who, a->name, v->n, a->length);
    if (one && !bind_tensor(b, a, v)) return false;
    for (int i = 0; i < v->n; i++)
        if (!bind_tensor(b, a, &v->u.list[i])) return false;
    for (int i = one ? 1 : v->n; i < a->length; i++)
        if (!push(b, NULL)) return false;
    return true;
}

static bool bind_module(Binder *b, const cn_arg *a, const cn_ffi_value *v, char *slot)
{
    cn_module *m = v->kind == CN_KIND_MODULE ? v->u.m : NULL;
    bool none = v->kind == CN_KIND_NONE && a->optional;
    if (!m && !none) return mismatch(b, a, v);
    memcpy(slot, &m, sizeof m);
    return true;
}

static bool bind_modules(Binder *b, const cn_arg *a, const cn_ffi_value *v, char *slot)
{
    cn_modules_arg list = { v->n, v->u.list };
    if (v->kind != CN_KIND_LIST) return mismatch(b, a, v);
    for (int i = 0; i < v->n; i++)
        if (v->u.list[i].kind != CN_KIND_MODULE || !v->u.list[i].u.m)
            return mismatch(b, a, &v->u.list[i]);
    memcpy(slot, &list, sizeof list);
    return true;
}

/* int[*]: a tensor, so that its length has no bound. */
static bool bind_int_list(Binder *b, const cn_arg *a, const cn_ffi_value *v)
{
    cn_tensor *t = NULL;
    int64_t one;
    if (v->kind == CN_KIND_LIST) t = cn_value_tensor(v, b->who);
    else if (v->kind == CN_KIND_TENSOR) t = v->u.t;
    else if (cn_value_int(v, &one)) t = cn_number_i64(one);
    else return mismatch(b, a, v);
    t = t ? cn_cast_raw(t, CN_I64) : NULL;
    return t ? push(b, t) : cn_fail(CN_EINVALID, "%s: argument '%s' is NULL", b->who, a->name);
}

static bool bind_index(Binder *b, const cn_ffi_value *v, cn_index *out)
{
    cn_tensor *tensors[CN_MAX_INDEX];
    int n = 0;
    bool ok = cn_value_index(v, b->who, out, tensors, &n);
    for (int i = 0; ok && i < n; i++) ok = push(b, tensors[i]);
    return ok;
}

/* What convolutions take for numbers: 'valid' is no padding, 'same' is theirs to work out. */
static bool bind_padding(const Binder *b, const cn_arg *a, const cn_ffi_value *v, cn_ints *out)
{
    if (strcmp(v->u.s, "valid") == 0) return out->n = a->length ? a->length : 1, true;
    if (strcmp(v->u.s, "same") == 0) return out->n = CN_PADDING_SAME, true;
    return cn_fail(CN_EINVALID, "%s: padding must be numbers, 'same' or 'valid', not '%s'", b->who,
                   v->u.s);
}

static bool bind_int_item(const cn_arg *a, const cn_ffi_value *v, int64_t *out)
{
    if (v->kind == CN_KIND_NONE && a->none_items) return *out = CN_AS_IT_IS, true;
    return cn_value_int(v, out);
}

static bool bind_ints(Binder *b, const cn_arg *a, const cn_ffi_value *v, cn_ints *out)
{
    int64_t one;
    *out = (cn_ints){ 0 };
    bool empty = v->kind == CN_KIND_LIST && v->n == 0 && a->length; /* of stride=(): none */
    if ((v->kind == CN_KIND_NONE || empty) && a->optional) return out->n = -1, true;
    if (v->kind == CN_KIND_STR && strcmp(a->name, "padding") == 0)
        return bind_padding(b, a, v, out);
    if (bind_int_item(a, v, &one)) {
        out->n = a->length ? a->length : 1;
        for (int i = 0; i < out->n; i++) out->v[i] = one;
        return true;
    }
    if (v->kind != CN_KIND_LIST) return mismatch(b, a, v);
    if (v->n > CN_MAX_DIMS)
        return cn_fail(CN_EINVALID, "%s: argument '%s' has %d entries, at most %d are possible",
                       b->who, a->name, v->n, CN_MAX_DIMS);
    out->n = v->n;
    for (int i = 0; i < v->n; i++)
        if (!bind_int_item(a, &v->u.list[i], &out->v[i])) return mismatch(b, a, &v->u.list[i]);
    if (a->length && out->n == 1)
        for (int i = 1; i < a->length; i++) out->v[i] = out->v[0], out->n = a->length;
    if (!a->length || out->n == a->length) return true;
    return cn_fail(CN_EINVALID, "%s: argument '%s' needs %d entries, not %d", b->who, a->name,
                   a->length, v->n);
}

static bool as_float(const cn_ffi_value *v, double *out)
{
    int64_t i;
    if (v->kind == CN_KIND_FLOAT) return *out = v->u.f, true;
    return cn_value_int(v, &i) && (*out = (double)i, true);
}

static bool bind_floats(Binder *b, const cn_arg *a, const cn_ffi_value *v, cn_floats *out)
{
    double one;
    *out = (cn_floats){ 0 };
    if (v->kind == CN_KIND_NONE && a->optional) return out->n = -1, true;
    if (a->length && as_float(v, &one)) {
        for (int i = 0; i < a->length; i++) out->v[out->n++] = one;
        return true;
    }
    if (!a->length && as_float(v, &out->v[0])) return out->n = 1, true;
    if (v->kind != CN_KIND_LIST || v->n > CN_MAX_DIMS || (a->length && v->n != a->length))
        return mismatch(b, a, v);
    out->n = v->n;
    for (int i = 0; i < v->n; i++)
        if (!as_float(&v->u.list[i], &out->v[i])) return mismatch(b, a, &v->u.list[i]);
    return true;
}

static bool bind_bool(Binder *b, const cn_arg *a, const cn_ffi_value *v, char *slot)
{
    cn_opt_bool x = { .given = v->kind != CN_KIND_NONE };
    if (x.given ? v->kind != CN_KIND_BOOL && v->kind != CN_KIND_INT : !a->optional)
        return mismatch(b, a, v);
    x.value = x.given && v->u.i != 0;
    if (a->is_inplace) b->out->in_place = x.value;
    else if (a->optional) memcpy(slot, &x, sizeof x);
    else memcpy(slot, &x.value, sizeof x.value);
    return true;
}

/* Parameters are copied with a recorded call and outlive the caller's text: equal strings share
   one copy
   that is never freed. The few words that options take fit; a flood of others is refused. */
static const char *intern(const char *text)
{
    enum { WORDS = 256, LONGEST = 64 };
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static char words[WORDS][LONGEST];
    static int count;
    const char *found = NULL;
    if (strlen(text) >= LONGEST) return NULL;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < count && !found; i++)
        if (strcmp(words[i], text) == 0) found = words[i];
    if (!found && count < WORDS) found = memcpy(words[count++], text, strlen(text) + 1);
    pthread_mutex_unlock(&lock);
    return found;
}

static bool bind_str(Binder *b, const cn_arg *a, const cn_ffi_value *v, const char **out)
{
    *out = NULL;
    if (v->kind == CN_KIND_NONE) return true;
    if (v->kind != CN_KIND_STR) return mismatch(b, a, v);
    *out = intern(v->u.s);
    return *out ||
           cn_fail(CN_EINVALID, "%s: argument '%s' is no word that it knows", b->who, a->name);
}

static bool bind_number(Binder *b, const cn_arg *a, const cn_ffi_value *v, cn_number_arg *out)
{
    switch (v->kind) {
    case CN_KIND_NONE:
        if (!a->optional) return mismatch(b, a, v);
        *out = (cn_number_arg){ .kind = CN_NUM_NONE };
        return true;
    case CN_KIND_BOOL: *out = (cn_number_arg){ .kind = CN_NUM_BOOL, .u.i = v->u.i }; return true;
    case CN_KIND_INT: *out = (cn_number_arg){ .kind = CN_NUM_INT, .u.i = v->u.i }; return true;
    case CN_KIND_FLOAT: *out = (cn_number_arg){ .kind = CN_NUM_FLOAT, .u.f = v->u.f }; return true;
    case CN_KIND_STR:
        if (!a->or_word) return mismatch(b, a, v);
        *out = (cn_number_arg){ .kind = CN_NUM_WORD };
        return bind_str(b, a, v, &out->u.s);
    default: return mismatch(b, a, v);
    }
}

static bool bind_int(Binder *b, const cn_arg *a, const cn_ffi_value *v, char *slot)
{
    cn_opt_int x = { .given = v->kind != CN_KIND_NONE };
    if (x.given ? !cn_value_int(v, &x.value) : !a->optional) return mismatch(b, a, v);
    if (a->optional) memcpy(slot, &x, sizeof x);
    else memcpy(slot, &x.value, sizeof x.value);
    return true;
}

static bool bind_float(Binder *b, const cn_arg *a, const cn_ffi_value *v, char *slot)
{
    cn_opt_float x = { .given = v->kind != CN_KIND_NONE };
    if (x.given ? !as_float(v, &x.value) : !a->optional) return mismatch(b, a, v);
    if (a->optional) memcpy(slot, &x, sizeof x);
    else memcpy(slot, &x.value, sizeof x.value);
    return true;
}

static bool bind_one(Binder *b, const cn_arg *a, const cn_ffi_value *v)
{
    char *slot = b->out->params + a->offset;
    int32_t dtype = v->kind == CN_KIND_NONE ? CN_NO_DTYPE : (int32_t)v->u.i;
    switch (a->type) {
    case CN_ARG_TENSOR: return bind_tensor(b, a, v);
    case CN_ARG_TENSORS: return bind_tensors(b, a, v);
    case CN_ARG_INT_LIST: return bind_int_list(b, a, v);
    case CN_ARG_INDEX: return bind_index(b, v, (cn_index *)(void *)slot);
    case CN_ARG_INT: return bind_int(b, a, v, slot);
    case CN_ARG_FLOAT: return bind_float(b, a, v, slot);
    case CN_ARG_INTS: return bind_ints(b, a, v, (cn_ints *)(void *)slot);
    case CN_ARG_FLOATS: return bind_floats(b, a, v, (cn_floats *)(void *)slot);
    case CN_ARG_NUMBER: return bind_number(b, a, v, (cn_number_arg *)(void *)slot);
    case CN_ARG_BOOL: return bind_bool(b, a, v, slot);
    case CN_ARG_MODULE: return bind_module(b, a, v, slot);
    case CN_ARG_MODULES: return bind_modules(b, a, v, slot);
    case CN_ARG_STR: return bind_str(b, a, v, (const char **)(void *)slot);
    case CN_ARG_DTYPE:
        if (v->kind != CN_KIND_DTYPE && v->kind != CN_KIND_NONE) return mismatch(b, a, v);
        if (dtype < CN_NO_DTYPE || dtype >= CN_NUM_DTYPES)
            return cn_fail(CN_EUNSUPPORTED, "%s: dtype %d is not supported", b->who, dtype);
        memcpy(slot, &dtype, sizeof dtype);
        return true;
    }
    return false;
}

/* ---- all of them --------------------------------------------------------------------------- */

static bool bind_default(Binder *b, const cn_arg *a)
{
    cn_ffi_value v = { .kind = CN_KIND_NONE }, items[CN_MAX_DIMS];
    char text[sizeof a->preset];
    bool any_list = (a->type == CN_ARG_TENSORS && !a->length) || a->type == CN_ARG_MODULES;
    if (any_list) return true; /* an empty one */
    if (!a->has_default && !a->optional)
        return cn_fail(CN_EINVALID, "%s: argument '%s' is missing", b->who, a->name);
    if (a->type == CN_ARG_STR && strcmp(a->preset, "None") != 0)
        v = (cn_ffi_value){ .kind = CN_KIND_STR, .u.s = a->preset }; /* as old as the schema */
    else if (a->has_default && !cn_value_parse(a->preset, &v, items, text, sizeof text))
        return false;
    return bind_one(b, a, &v);
}

static int position_of(const cn_schema *s, const char *name)
{
    for (int i = 0; i < s->n_args; i++)
        if (strcmp(s->args[i].name, name) == 0) return i;
    return -1;
}

enum { LONGEST_RUN = 64 };

/* The trailing items of a list of any length may be given one by one, as in reshape(x, 2, 3) and
   meshgrid(x, y). */
static int gather_run(const cn_schema *s, int at, const cn_ffi_arg *args, int n,
                      cn_ffi_value items[LONGEST_RUN])
{
    int count = 0;
    const cn_arg *a = &s->args[at];
    bool last = at + 1 == s->n_args || s->args[at + 1].keyword_only, ints = a->type == CN_ARG_INTS;
    int kind = ints ? CN_KIND_INT : CN_KIND_TENSOR, most = ints ? CN_MAX_DIMS : LONGEST_RUN;
    if ((!ints && a->type != CN_ARG_TENSORS) || a->length || !last) return 0;
    while (count < n && count < most && !args[count].name && args[count].value.kind == kind)
        items[count] = args[count].value, count++;
    return count > 1 ? count : 0;
}

/* var(x, False) is PyTorch's overload without dim: the bool is meant for `unbiased`. */
static bool skips_dim(const cn_schema *s, const cn_ffi_arg *arg, int at)
{
    return !arg->name && arg->value.kind == CN_KIND_BOOL && at + 1 < s->n_args &&
           strcmp(s->args[at].name, "dim") == 0 && strcmp(s->args[at + 1].name, "unbiased") == 0;
}

/* dims=((0, 1), (2, 0)) for arguments dims and dims_b: a list for each. */
static void split_pair(const cn_schema *s, const cn_ffi_value *given[])
{
    for (int i = 0; i + 1 < s->n_args; i++) {
        const cn_ffi_value *v = given[i];
        if (!v || given[i + 1] || v->kind != CN_KIND_LIST || v->n != 2 ||
            v->u.list[0].kind != CN_KIND_LIST || strcmp(s->args[i + 1].name, "dims_b") != 0)
            continue;
        given[i] = &v->u.list[0], given[i + 1] = &v->u.list[1];
    }
}

static bool assign(const cn_schema *s, const char *who, const cn_ffi_arg *args, int n,
                   const cn_ffi_value *given[], cn_ffi_value *list, cn_ffi_value items[])
{
    for (int i = 0, at = 0; i < n; i++, at++) {
        at += skips_dim(s, &args[i], at);
        int where = args[i].name ? position_of(s, args[i].name) : at;
        if (args[i].name && where < 0)
            return cn_fail(CN_EINVALID, "%s: unknown argument '%s'", who, args[i].name);
        if (where >= s->n_args || (!args[i].name && s->args[where].keyword_only))
            return cn_fail(CN_EINVALID, "%s: too many positional arguments (%d)", who, n);
        if (given[where])
            return cn_fail(CN_EINVALID, "%s: argument '%s' is given twice", who,
                           s->args[where].name);
        given[where] = &args[i].value;
        int run = args[i].name ? 0 : gather_run(s, where, args + i, n - i, items);
        if (!run) continue;
        *list = (cn_ffi_value){ .kind = CN_KIND_LIST, .n = run, .u.list = items };
        given[where] = list;
        i += run - 1;
    }
    split_pair(s, given);
    return true;
}

/* PyTorch's overloads with a number have a tensor in another place. */
static bool some_tensor(const cn_schema *s, const char *who, const cn_ffi_value *const given[])
{
    bool numbers = false;
    for (int i = 0; i < s->n_args; i++) {
        if (s->args[i].type == CN_ARG_TENSORS && given[i]) return true;
        if (s->args[i].type != CN_ARG_TENSOR || !given[i]) continue;
        if (!is_number(given[i]) || !s->args[i].takes_numbers) return true;
        if (s->args[i].takes_numbers_alone) return true;
        numbers = true;
    }
    return !numbers ||
           cn_fail(CN_EINVALID, "%s: one of the arguments must be a Tensor, not all numbers", who);
}

bool cn_bind(const cn_schema *s, const char *who, const cn_ffi_arg *args, int n, cn_bound *out)
{
    const cn_ffi_value *given[CN_MAX_ARGS] = { 0 };
    cn_ffi_value list, items[LONGEST_RUN];
    memset(out->params, 0, sizeof out->params); /* gaps too: equal parameters are equal bytes */
    out->in = out->inline_in, out->n_in = 0, out->n_out = s->n_out, out->in_place = false;
    Binder b = { who, s, out, (int)CN_COUNT(out->inline_in) };
    if (!assign(s, who, args, n, given, &list, items) || !some_tensor(s, who, given)) return false;
    for (int i = 0; i < s->n_args; i++) {
        const cn_arg *a = &s->args[i];
        if (given[i] ? bind_one(&b, a, given[i]) : bind_default(&b, a)) continue;
        cn_bound_clear(out);
        return false;
    }
    return true;
}

bool cn_bind_presets(const cn_schema *s, const char *who, cn_bound *out)
{
    memset(out, 0, sizeof *out);
    Binder b = { who, s, out, 0 };
    for (int i = 0; i < s->n_args; i++) {
        const cn_arg *a = &s->args[i];
        if (cn_arg_bytes(a) && a->has_default && !bind_default(&b, a)) return false;
    }
    return true;
}

void cn_bound_clear(cn_bound *b)
{
    if (b->in != b->inline_in) cn_free(b->in);
    b->in = b->inline_in, b->n_in = 0;
}
