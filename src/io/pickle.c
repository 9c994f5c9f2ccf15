/* pickle.c - the machine that runs pickles: its values, stack, memo and calls. */
#include "io/pickle.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "io/utf8.h"

#define FORGOTTEN UINT32_MAX

bool cn_pickle_fail(const cn_pickle *m, cn_code code, const char *fmt, ...)
{
    char why[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, sizeof why, fmt, args);
    va_end(args);
    return cn_fail(code, "%s: pickle, up to byte %zu: %s", m->in.what, m->in.at, why);
}

/* ---- values -------------------------------------------------------------------------------- */

cn_pickle_value *cn_pickle_at(const cn_pickle *m, cn_pickle_ref ref)
{
    return &m->values[ref];
}

const char *cn_pickle_kind_name(const cn_pickle_value *v)
{
    static const char *const names[CN_P_KINDS] = {
        [CN_P_NONE] = "none",       [CN_P_BOOL] = "bool",     [CN_P_INT] = "int",
        [CN_P_LONG] = "long",       [CN_P_FLOAT] = "float",   [CN_P_STR] = "str",
        [CN_P_BYTES] = "bytes",     [CN_P_TUPLE] = "tuple",   [CN_P_LIST] = "list",
        [CN_P_DICT] = "dict",       [CN_P_DTYPE] = "dtype",   [CN_P_NAME] = "name",
        [CN_P_STORAGE] = "storage", [CN_P_TENSOR] = "tensor", [CN_P_OPAQUE] = "object",
    };
    return names[v->kind];
}

cn_pickle_value *cn_pickle_new(cn_pickle *m, cn_pickle_kind kind, cn_pickle_ref *out)
{
    if (m->n_values == CN_PICKLE_MAX)
        return cn_pickle_fail(m, CN_EUNSUPPORTED, "too many values"), NULL;
    if (!cn_array_grow(&m->values, &m->values_room, m->n_values + 1, sizeof *m->values))
        return NULL;
    *out = (cn_pickle_ref)m->n_values;
    cn_pickle_value *v = &m->values[m->n_values++];
    *v = (cn_pickle_value){ .kind = (uint8_t)kind };
    return v;
}

/* The room of a container is the least power of two, from 4 on, that holds its items. */
bool cn_pickle_append(cn_pickle *m, cn_pickle_ref container, cn_pickle_ref item)
{
    cn_pickle_value *v = &m->values[container];
    if (v->n == CN_PICKLE_MAX) return cn_pickle_fail(m, CN_EUNSUPPORTED, "too many items");
    bool full = v->n == 0 || (v->n >= 4 && (v->n & (v->n - 1)) == 0);
    if (full) {
        size_t room = v->n ? (size_t)v->n * 2 : 4;
        cn_pickle_ref *items = cn_realloc(v->u.items, room * sizeof *items);
        if (!items) return false;
        v->u.items = items;
    }
    v->u.items[v->n++] = item;
    return true;
}

static void clear_value(cn_pickle_value *v)
{
    switch (v->kind) {
    case CN_P_TUPLE:
    case CN_P_LIST:
    case CN_P_DICT: cn_free(v->u.items); break;
    case CN_P_STORAGE: cn_free(v->u.part); break;
    case CN_P_TENSOR: cn_free(v->u.tensor); break;
    default:
        if (v->owned) cn_free((void *)v->u.text);
    }
}

void cn_pickle_free(cn_pickle *m)
{
    for (size_t i = 0; i < m->n_values; i++) clear_value(&m->values[i]);
    cn_free(m->values);
    cn_free(m->stack);
    cn_free(m->memo);
    cn_free(m->marks);
    cn_free(m->storages);
    cn_dict_free(m->storage_index);
    *m = (cn_pickle){ .rules = NULL };
}

/* ---- stack and memo ------------------------------------------------------------------------ */

bool cn_pickle_push(cn_pickle *m, cn_pickle_ref ref)
{
    if (!cn_array_grow(&m->stack, &m->stack_room, m->height + 1, sizeof *m->stack)) return false;
    m->stack[m->height++] = ref;
    return true;
}

/* Values below the innermost mark are out of reach. */
bool cn_pickle_top(cn_pickle *m, cn_pickle_ref *out)
{
    size_t floor = m->n_marks ? m->marks[m->n_marks - 1] : 0;
    if (m->height == floor) return cn_pickle_fail(m, CN_EFORMAT, "a value is missing");
    *out = m->stack[m->height - 1];
    return true;
}

bool cn_pickle_pop(cn_pickle *m, cn_pickle_ref *out)
{
    if (!cn_pickle_top(m, out)) return false;
    m->height--;
    return true;
}

bool cn_pickle_pop_mark(cn_pickle *m, const cn_pickle_ref **items, size_t *n)
{
    if (!m->n_marks) return cn_pickle_fail(m, CN_EFORMAT, "a mark is missing");
    size_t floor = m->marks[--m->n_marks];
    *n = m->height - floor;
    *items = *n ? m->stack + floor : NULL;
    m->height = floor;
    return true;
}

/* An honest memo counts up from 0, so an index beyond the pickle's size is a lie. */
bool cn_pickle_remember(cn_pickle *m, uint64_t index)
{
    cn_pickle_ref top = FORGOTTEN;
    if (!cn_pickle_top(m, &top)) return false;
    if (index > m->in.size) return cn_pickle_fail(m, CN_EFORMAT, "a memo index that is too large");
    if (!cn_array_grow(&m->memo, &m->memo_room, (size_t)index + 1, sizeof *m->memo)) return false;
    while (m->n_memo <= index) m->memo[m->n_memo++] = FORGOTTEN;
    m->memo[index] = top;
    return true;
}

bool cn_pickle_recall(cn_pickle *m, uint64_t index)
{
    if (index >= m->n_memo || m->memo[index] == FORGOTTEN)
        return cn_pickle_fail(m, CN_EFORMAT, "memo entry %llu is used before it is made",
                              (unsigned long long)index);
    return cn_pickle_push(m, m->memo[index]);
}

/* ---- names and calls ----------------------------------------------------------------------- */

bool cn_pickle_note(cn_pickle *m, const char *name, bool known, bool called)
{
    const cn_value *old = cn_dict_find(m->audit, name);
    int64_t calls = old ? cn_dict_int(old->u.d, "calls", 0) : 0;
    known = old ? cn_dict_int(old->u.d, "known", 0) : known;
    cn_dict *entry = cn_dict_new();
    bool ok = entry && cn_dict_set_int(entry, "calls", calls + called) &&
              cn_dict_set_bool(entry, "known", known) && cn_dict_set_dict(m->audit, name, entry);
    cn_dict_free(entry);
    return ok;
}

static bool push_opaque(cn_pickle *m, const char *name)
{
    cn_pickle_ref ref;
    char *copy = cn_strdup(name);
    cn_pickle_value *v = copy ? cn_pickle_new(m, CN_P_OPAQUE, &ref) : NULL;
    if (!v) return cn_free(copy), false;
    v->owned = true;
    v->u.text = (const uint8_t *)copy;
    return cn_pickle_push(m, ref);
}

static const cn_pickle_name *find_name(const cn_pickle_rules *rules, const void *module,
                                       size_t module_size, const void *name, size_t name_size)
{
    for (size_t i = 0; i < rules->n_names; i++) {
        const cn_pickle_name *n = &rules->names[i];
        if (strlen(n->module) == module_size && memcmp(n->module, module, module_size) == 0 &&
            strlen(n->name) == name_size && memcmp(n->name, name, name_size) == 0)
            return n;
    }
    return NULL;
}

bool cn_pickle_import(cn_pickle *m, const void *module, size_t module_size, const void *name,
                      size_t name_size)
{
    char a[CN_PRINTABLE_ROOM], b[CN_PRINTABLE_ROOM], full[2 * CN_PRINTABLE_ROOM];
    const cn_pickle_name *n = find_name(m->rules, module, module_size, name, name_size);
    cn_pickle_ref ref;
    snprintf(full, sizeof full, "%s.%s", cn_printable(a, module, module_size),
             cn_printable(b, name, name_size));
    if (m->audit) return cn_pickle_note(m, full, n != NULL, false) && push_opaque(m, full);
    if (!n)
        return cn_pickle_fail(m, CN_EUNSUPPORTED,
                              "it wants to import '%s', which is not on the list of names that "
                              "are safe: refused",
                              full);
    cn_pickle_value *v = cn_pickle_new(m, (cn_pickle_kind)n->stands_for, &ref);
    if (!v) return false;
    if (v->kind == CN_P_DTYPE) v->u.i = n->dtype;
    else v->u.name = n;
    return cn_pickle_push(m, ref);
}

/* What a call returned may be called, too: "f", "f(...)", and no longer. */
static bool audit_call(cn_pickle *m, const cn_pickle_value *callee)
{
    char name[2 * CN_PRINTABLE_ROOM + 8];
    bool named = callee->kind == CN_P_OPAQUE;
    snprintf(name, sizeof name, "%.*s", 2 * CN_PRINTABLE_ROOM,
             named ? (const char *)callee->u.text : cn_pickle_kind_name(callee));
    if (!cn_pickle_note(m, name, false, true)) return false;
    size_t n = strlen(name);
    if (!strchr(name, '(')) snprintf(name + n, sizeof name - n, "(...)");
    return push_opaque(m, name);
}

bool cn_pickle_call(cn_pickle *m, cn_pickle_ref callee, cn_pickle_ref args)
{
    const cn_pickle_value *f = cn_pickle_at(m, callee);
    cn_pickle_ref result;
    if (m->audit) return audit_call(m, f);
    if (cn_pickle_at(m, args)->kind != CN_P_TUPLE)
        return cn_pickle_fail(m, CN_EFORMAT, "a call with %s for its arguments",
                              cn_pickle_kind_name(cn_pickle_at(m, args)));
    if (f->kind != CN_P_NAME || !f->u.name->call)
        return cn_pickle_fail(m, CN_EUNSUPPORTED, "it wants to call %s%s%s: refused",
                              f->kind == CN_P_NAME ? f->u.name->module : "a value of kind ",
                              f->kind == CN_P_NAME ? "." : "",
                              f->kind == CN_P_NAME ? f->u.name->name : cn_pickle_kind_name(f));
    return f->u.name->call(m, args, &result) && cn_pickle_push(m, result);
}

const cn_pickle_value *cn_pickle_arg(cn_pickle *m, cn_pickle_ref args, uint32_t i,
                                     cn_pickle_kind kind)
{
    const cn_pickle_value *a = cn_pickle_at(m, args);
    const cn_pickle_value *v = i < a->n ? cn_pickle_at(m, a->u.items[i]) : NULL;
    if (v && v->kind == kind) return v;
    const cn_pickle_value wanted = { .kind = (uint8_t)kind };
    cn_pickle_fail(m, CN_EFORMAT, "argument %u of a call is %s, not %s", (unsigned)i + 1,
                   v ? cn_pickle_kind_name(v) : "missing", cn_pickle_kind_name(&wanted));
    return NULL;
}

/* ---- running ------------------------------------------------------------------------------- */

static bool run(cn_pickle *m)
{
    for (;;) {
        uint8_t code = cn_reader_u8(&m->in);
        if (m->in.failed) return false;
        if (code == CN_PICKLE_STOP) return true;
        const cn_pickle_opcode *op = &cn_pickle_opcodes[code];
        if (!op->run)
            return cn_pickle_fail(m, op->name ? CN_EUNSUPPORTED : CN_EFORMAT,
                                  "%s 0x%02X is not accepted", op->name ? op->name : "opcode",
                                  code);
        if (!op->run(m)) return false;
    }
}

static bool start(cn_pickle *m, cn_reader *r, const cn_pickle_rules *rules, cn_dict *audit)
{
    *m = (cn_pickle){
        .in = cn_reader_of(r->bytes + r->at, cn_reader_left(r), r->what),
        .rules = rules,
        .audit = audit,
        .storage_index = cn_dict_new(),
    };
    return m->storage_index;
}

bool cn_pickle_run(cn_pickle *m, cn_reader *r, const cn_pickle_rules *rules, cn_pickle_ref *out)
{
    if (!start(m, r, rules, NULL) || !run(m) || !cn_pickle_pop(m, out)) return false;
    if (m->height || m->n_marks)
        return cn_pickle_fail(m, CN_EFORMAT, "it ends with more than one value");
    return cn_reader_seek(r, r->at + m->in.at);
}

bool cn_pickle_audit(cn_reader *r, const cn_pickle_rules *rules, cn_dict *audit)
{
    cn_pickle m;
    bool ok = start(&m, r, rules, audit) && run(&m) && cn_reader_seek(r, r->at + m.in.at);
    cn_pickle_free(&m);
    return ok;
}
