/* pickle_ops.c - what the opcodes of protocols 0 to 5 do.
   Source: the comments of CPython's Lib/pickletools.py, which define the format. */
#include <stdio.h>
#include <string.h>

#include "io/number.h"
#include "io/pickle.h"

/* ---- plain values -------------------------------------------------------------------------- */

static bool push_new(cn_pickle *m, cn_pickle_kind kind, int64_t i)
{
    cn_pickle_ref ref;
    cn_pickle_value *v = cn_pickle_new(m, kind, &ref);
    if (!v) return false;
    v->u.i = i;
    return cn_pickle_push(m, ref);
}

static bool push_float(cn_pickle *m, double f)
{
    cn_pickle_ref ref;
    cn_pickle_value *v = cn_pickle_new(m, CN_P_FLOAT, &ref);
    if (!v) return false;
    v->u.f = f;
    return cn_pickle_push(m, ref);
}

/* The next `size` bytes of the pickle as text, borrowed. */
static bool push_text(cn_pickle *m, cn_pickle_kind kind, uint64_t size)
{
    cn_pickle_ref ref;
    const uint8_t *text = cn_reader_take(&m->in, size);
    if (size > CN_PICKLE_MAX) return cn_pickle_fail(m, CN_EUNSUPPORTED, "a text too long");
    cn_pickle_value *v = text ? cn_pickle_new(m, kind, &ref) : NULL;
    if (!v) return false;
    v->u.text = text, v->n = (uint32_t)size;
    return cn_pickle_push(m, ref);
}

static bool op_none(cn_pickle *m)
{
    return push_new(m, CN_P_NONE, 0);
}

static bool op_true(cn_pickle *m)
{
    return push_new(m, CN_P_BOOL, 1);
}

static bool op_false(cn_pickle *m)
{
    return push_new(m, CN_P_BOOL, 0);
}

static bool op_binint(cn_pickle *m)
{
    return push_new(m, CN_P_INT, (int32_t)cn_reader_le32(&m->in)) && !m->in.failed;
}

static bool op_binint1(cn_pickle *m)
{
    return push_new(m, CN_P_INT, cn_reader_u8(&m->in)) && !m->in.failed;
}

static bool op_binint2(cn_pickle *m)
{
    return push_new(m, CN_P_INT, cn_reader_le16(&m->in)) && !m->in.failed;
}

/* Two's complement of any length; no bytes are 0. */
static bool push_long(cn_pickle *m, uint64_t size)
{
    if (size > 8) return push_text(m, CN_P_LONG, size);
    const uint8_t *bytes = cn_reader_take(&m->in, size);
    if (!bytes) return false;
    uint64_t value = size && bytes[size - 1] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = (size_t)size; i-- > 0;) value = value << 8 | bytes[i];
    return push_new(m, CN_P_INT, (int64_t)value);
}

static bool op_long1(cn_pickle *m)
{
    uint8_t size = cn_reader_u8(&m->in);
    return !m->in.failed && push_long(m, size);
}

static bool op_long4(cn_pickle *m)
{
    uint32_t size = cn_reader_le32(&m->in);
    return !m->in.failed && push_long(m, size);
}

static bool op_binfloat(cn_pickle *m)
{
    uint64_t bits = __builtin_bswap64(cn_reader_le64(&m->in));
    double f;
    memcpy(&f, &bits, sizeof f);
    return !m->in.failed && push_float(m, f);
}

static bool op_short_str(cn_pickle *m)
{
    uint8_t size = cn_reader_u8(&m->in);
    return !m->in.failed && push_text(m, CN_P_STR, size);
}

static bool op_str(cn_pickle *m)
{
    uint32_t size = cn_reader_le32(&m->in);
    return !m->in.failed && push_text(m, CN_P_STR, size);
}

static bool op_long_str(cn_pickle *m)
{
    uint64_t size = cn_reader_le64(&m->in);
    return !m->in.failed && push_text(m, CN_P_STR, size);
}

static bool op_short_bytes(cn_pickle *m)
{
    uint8_t size = cn_reader_u8(&m->in);
    return !m->in.failed && push_text(m, CN_P_BYTES, size);
}

static bool op_bytes(cn_pickle *m)
{
    uint32_t size = cn_reader_le32(&m->in);
    return !m->in.failed && push_text(m, CN_P_BYTES, size);
}

static bool op_long_bytes(cn_pickle *m)
{
    uint64_t size = cn_reader_le64(&m->in);
    return !m->in.failed && push_text(m, CN_P_BYTES, size);
}

/* ---- values in lines of text (protocol 0) --------------------------------------------------- */

/* The text up to the end of the line, without it. */
static const char *take_line(cn_pickle *m, size_t *size)
{
    const uint8_t *text = m->in.bytes + m->in.at;
    const uint8_t *end = memchr(text, '\n', cn_reader_left(&m->in));
    if (!end || end - text > CN_PICKLE_MAX)
        return cn_pickle_fail(m, CN_EFORMAT, "a line without end"), NULL;
    *size = (size_t)(end - text);
    return (const char *)cn_reader_take(&m->in, *size + 1);
}

static bool take_integer(cn_pickle *m, int64_t *out)
{
    size_t size;
    const char *line = take_line(m, &size);
    if (!line) return false;
    if (size && line[size - 1] == 'L') size--;
    return cn_parse_int(line, size, out) ||
           cn_pickle_fail(m, CN_EFORMAT, "a line that is no integer, or too large a one");
}

/* "00" and "01" are bools. */
static bool op_int_line(cn_pickle *m)
{
    size_t start = m->in.at;
    int64_t value;
    if (!take_integer(m, &value)) return false;
    bool boolean = m->in.at - start == 3 && m->in.bytes[start] == '0';
    return push_new(m, boolean ? CN_P_BOOL : CN_P_INT, value);
}

static bool op_long_line(cn_pickle *m)
{
    int64_t value;
    return take_integer(m, &value) && push_new(m, CN_P_INT, value);
}

static bool op_float_line(cn_pickle *m)
{
    size_t size;
    double value;
    const char *line = take_line(m, &size);
    if (!line) return false;
    if (!cn_parse_double(line, size, &value))
        return cn_pickle_fail(m, CN_EFORMAT, "a line that is no number");
    return push_float(m, value);
}

static bool push_line(cn_pickle *m, const char *text, size_t size)
{
    cn_pickle_ref ref;
    if (memchr(text, '\\', size))
        return cn_pickle_fail(m, CN_EUNSUPPORTED, "a line with backslashes");
    cn_pickle_value *v = cn_pickle_new(m, CN_P_STR, &ref);
    if (!v) return false;
    v->u.text = (const uint8_t *)text, v->n = (uint32_t)size;
    return cn_pickle_push(m, ref);
}

static bool op_unicode_line(cn_pickle *m)
{
    size_t size;
    const char *line = take_line(m, &size);
    return line && push_line(m, line, size);
}

static bool op_string_line(cn_pickle *m)
{
    size_t size;
    const char *line = take_line(m, &size);
    if (!line) return false;
    bool quoted = size >= 2 && (line[0] == '\'' || line[0] == '"') && line[size - 1] == line[0];
    return quoted ? push_line(m, line + 1, size - 2)
                  : cn_pickle_fail(m, CN_EFORMAT, "a string without quotes");
}

/* ---- containers ---------------------------------------------------------------------------- */

/* What an opcode works on must be of its kind; in an audit an opaque value takes everything. */
static bool demand(cn_pickle *m, cn_pickle_ref ref, cn_pickle_kind kind, const char *doing)
{
    const cn_pickle_value *v = cn_pickle_at(m, ref);
    return v->kind == kind || (m->audit && v->kind == CN_P_OPAQUE) ||
           cn_pickle_fail(m, CN_EFORMAT, "it wants to %s a value of kind %s", doing,
                          cn_pickle_kind_name(v));
}

static bool extend(cn_pickle *m, cn_pickle_ref container, const cn_pickle_ref *items, size_t n)
{
    if (cn_pickle_at(m, container)->kind == CN_P_OPAQUE) return true;
    for (size_t i = 0; i < n; i++)
        if (!cn_pickle_append(m, container, items[i])) return false;
    return true;
}

static bool push_container(cn_pickle *m, cn_pickle_kind kind, const cn_pickle_ref *items, size_t n)
{
    cn_pickle_ref ref;
    return cn_pickle_new(m, kind, &ref) && extend(m, ref, items, n) && cn_pickle_push(m, ref);
}

static bool op_empty_list(cn_pickle *m)
{
    return push_container(m, CN_P_LIST, NULL, 0);
}

static bool op_empty_tuple(cn_pickle *m)
{
    return push_container(m, CN_P_TUPLE, NULL, 0);
}

static bool op_empty_dict(cn_pickle *m)
{
    return push_container(m, CN_P_DICT, NULL, 0);
}

static bool from_mark(cn_pickle *m, cn_pickle_kind kind)
{
    const cn_pickle_ref *items;
    size_t n;
    return cn_pickle_pop_mark(m, &items, &n) &&
           (kind != CN_P_DICT || n % 2 == 0 ||
            cn_pickle_fail(m, CN_EFORMAT, "a key without a value")) &&
           push_container(m, kind, items, n);
}

static bool op_tuple(cn_pickle *m)
{
    return from_mark(m, CN_P_TUPLE);
}

static bool op_list(cn_pickle *m)
{
    return from_mark(m, CN_P_LIST);
}

static bool op_dict(cn_pickle *m)
{
    return from_mark(m, CN_P_DICT);
}

static bool short_tuple(cn_pickle *m, int n)
{
    cn_pickle_ref items[3];
    for (int i = n; i-- > 0;)
        if (!cn_pickle_pop(m, &items[i])) return false;
    return push_container(m, CN_P_TUPLE, items, (size_t)n);
}

static bool op_tuple1(cn_pickle *m)
{
    return short_tuple(m, 1);
}

static bool op_tuple2(cn_pickle *m)
{
    return short_tuple(m, 2);
}

static bool op_tuple3(cn_pickle *m)
{
    return short_tuple(m, 3);
}

static bool op_append(cn_pickle *m)
{
    cn_pickle_ref item, list;
    return cn_pickle_pop(m, &item) && cn_pickle_top(m, &list) &&
           demand(m, list, CN_P_LIST, "append to") && extend(m, list, &item, 1);
}

static bool op_appends(cn_pickle *m)
{
    const cn_pickle_ref *items;
    cn_pickle_ref list;
    size_t n;
    return cn_pickle_pop_mark(m, &items, &n) && cn_pickle_top(m, &list) &&
           demand(m, list, CN_P_LIST, "append to") && extend(m, list, items, n);
}

static bool op_setitem(cn_pickle *m)
{
    cn_pickle_ref pair[2], dict;
    return cn_pickle_pop(m, &pair[1]) && cn_pickle_pop(m, &pair[0]) && cn_pickle_top(m, &dict) &&
           demand(m, dict, CN_P_DICT, "set an item of") && extend(m, dict, pair, 2);
}

static bool op_setitems(cn_pickle *m)
{
    const cn_pickle_ref *items;
    cn_pickle_ref dict;
    size_t n;
    return cn_pickle_pop_mark(m, &items, &n) && cn_pickle_top(m, &dict) &&
           (n % 2 == 0 || cn_pickle_fail(m, CN_EFORMAT, "a key without a value")) &&
           demand(m, dict, CN_P_DICT, "set items of") && extend(m, dict, items, n);
}

/* ---- stack and memo ------------------------------------------------------------------------ */

static bool op_mark(cn_pickle *m)
{
    if (!cn_array_grow(&m->marks, &m->marks_room, m->n_marks + 1, sizeof *m->marks)) return false;
    m->marks[m->n_marks++] = m->height;
    return true;
}

static bool op_pop(cn_pickle *m)
{
    cn_pickle_ref ref;
    bool mark_on_top = m->n_marks && m->marks[m->n_marks - 1] == m->height;
    if (mark_on_top) return m->n_marks--, true;
    return cn_pickle_pop(m, &ref);
}

static bool op_pop_mark(cn_pickle *m)
{
    const cn_pickle_ref *items;
    size_t n;
    return cn_pickle_pop_mark(m, &items, &n);
}

static bool op_dup(cn_pickle *m)
{
    cn_pickle_ref ref;
    return cn_pickle_top(m, &ref) && cn_pickle_push(m, ref);
}

static bool op_binput(cn_pickle *m)
{
    uint8_t index = cn_reader_u8(&m->in);
    return !m->in.failed && cn_pickle_remember(m, index);
}

static bool op_long_binput(cn_pickle *m)
{
    uint32_t index = cn_reader_le32(&m->in);
    return !m->in.failed && cn_pickle_remember(m, index);
}

static bool op_memoize(cn_pickle *m)
{
    return cn_pickle_remember(m, m->n_memo);
}

static bool op_binget(cn_pickle *m)
{
    uint8_t index = cn_reader_u8(&m->in);
    return !m->in.failed && cn_pickle_recall(m, index);
}

static bool op_long_binget(cn_pickle *m)
{
    uint32_t index = cn_reader_le32(&m->in);
    return !m->in.failed && cn_pickle_recall(m, index);
}

static bool op_put_line(cn_pickle *m)
{
    int64_t index;
    return take_integer(m, &index) && cn_pickle_remember(m, (uint64_t)index);
}

static bool op_get_line(cn_pickle *m)
{
    int64_t index;
    return take_integer(m, &index) && cn_pickle_recall(m, (uint64_t)index);
}

static bool op_proto(cn_pickle *m)
{
    uint8_t version = cn_reader_u8(&m->in);
    return !m->in.failed &&
           (version <= 5 || cn_pickle_fail(m, CN_EUNSUPPORTED, "protocol %d", version));
}

/* Frames only tell a reader how much to buffer. */
static bool op_frame(cn_pickle *m)
{
    uint64_t size = cn_reader_le64(&m->in);
    return !m->in.failed && (size <= cn_reader_left(&m->in) ||
                             cn_pickle_fail(m, CN_EFORMAT, "a frame longer than the pickle"));
}

/* ---- names, calls, and what lies outside ---------------------------------------------------- */

static bool op_global(cn_pickle *m)
{
    size_t module_size, name_size;
    const char *module = take_line(m, &module_size);
    const char *name = module ? take_line(m, &name_size) : NULL;
    return name && cn_pickle_import(m, module, module_size, name, name_size);
}

static bool op_stack_global(cn_pickle *m)
{
    cn_pickle_ref module, name;
    if (!cn_pickle_pop(m, &name) || !cn_pickle_pop(m, &module)) return false;
    const cn_pickle_value *a = cn_pickle_at(m, module), *b = cn_pickle_at(m, name);
    if (a->kind != CN_P_STR || b->kind != CN_P_STR)
        return cn_pickle_fail(m, CN_EFORMAT, "a name made of %s and %s", cn_pickle_kind_name(a),
                              cn_pickle_kind_name(b));
    return cn_pickle_import(m, a->u.text, a->n, b->u.text, b->n);
}

static bool op_reduce(cn_pickle *m)
{
    cn_pickle_ref callee, args;
    return cn_pickle_pop(m, &args) && cn_pickle_pop(m, &callee) && cn_pickle_call(m, callee, args);
}

static bool op_newobj_ex(cn_pickle *m)
{
    cn_pickle_ref keywords;
    if (!cn_pickle_pop(m, &keywords)) return false;
    const cn_pickle_value *k = cn_pickle_at(m, keywords);
    bool none = m->audit || (k->kind == CN_P_DICT && k->n == 0);
    return none ? op_reduce(m)
                : cn_pickle_fail(m, CN_EUNSUPPORTED, "a call with named arguments: refused");
}

/* The arguments lie on the stack from the mark on; `first` of them is the callee. */
static bool call_from_mark(cn_pickle *m, bool first)
{
    const cn_pickle_ref *items;
    cn_pickle_ref callee, args;
    size_t n;
    if (!first && !cn_pickle_pop(m, &callee)) return false;
    if (!cn_pickle_pop_mark(m, &items, &n)) return false;
    if (first && !n) return cn_pickle_fail(m, CN_EFORMAT, "a call of nothing");
    if (first) callee = *items++, n--;
    return cn_pickle_new(m, CN_P_TUPLE, &args) && extend(m, args, items, n) &&
           cn_pickle_call(m, callee, args);
}

static bool op_inst(cn_pickle *m)
{
    return op_global(m) && call_from_mark(m, false);
}

static bool op_obj(cn_pickle *m)
{
    return call_from_mark(m, true);
}

/* State is accepted where it changes nothing: the attributes of an OrderedDict (`_metadata` of a
   state_dict), and NumPy's description of a type, if that says little-endian. */
static bool check_state(cn_pickle *m, const cn_pickle_value *v, const cn_pickle_value *state)
{
    if (v->kind == CN_P_DICT && v->ordered && state->kind == CN_P_DICT) return true;
    const cn_pickle_value *order = NULL;
    if (v->kind == CN_P_DTYPE && state->kind == CN_P_TUPLE && state->n > 1)
        order = cn_pickle_at(m, state->u.items[1]);
    bool text = order && order->kind == CN_P_STR && order->n == 1;
    if (text && strchr("<|=", order->u.text[0])) return true;
    return cn_pickle_fail(m, CN_EUNSUPPORTED,
                          "it wants to change the state of a value of kind "
                          "%s: refused",
                          cn_pickle_kind_name(v));
}

static bool op_build(cn_pickle *m)
{
    cn_pickle_ref state, ref;
    return cn_pickle_pop(m, &state) && cn_pickle_top(m, &ref) &&
           (m->audit || check_state(m, cn_pickle_at(m, ref), cn_pickle_at(m, state)));
}

static bool outside(cn_pickle *m, cn_pickle_ref id)
{
    cn_pickle_ref ref;
    if (m->audit) return push_new(m, CN_P_NONE, 0);
    if (!m->rules->outside)
        return cn_pickle_fail(m, CN_EUNSUPPORTED, "it speaks of an object outside: refused");
    return m->rules->outside(m, id, &ref) && cn_pickle_push(m, ref);
}

static bool op_binpersid(cn_pickle *m)
{
    cn_pickle_ref id;
    return cn_pickle_pop(m, &id) && outside(m, id);
}

static bool op_persid_line(cn_pickle *m)
{
    cn_pickle_ref id;
    return op_unicode_line(m) && cn_pickle_pop(m, &id) && outside(m, id);
}

/* A name by the number under which some programs register it. */
static bool extension(cn_pickle *m, uint32_t code)
{
    char name[32];
    snprintf(name, sizeof name, "%u", code);
    return !m->in.failed && cn_pickle_import(m, "extension", 9, name, strlen(name));
}

static bool op_ext1(cn_pickle *m)
{
    return extension(m, cn_reader_u8(&m->in));
}

static bool op_ext2(cn_pickle *m)
{
    return extension(m, cn_reader_le16(&m->in));
}

static bool op_ext4(cn_pickle *m)
{
    return extension(m, cn_reader_le32(&m->in));
}

const cn_pickle_opcode cn_pickle_opcodes[256] = {
    ['('] = { "MARK", op_mark },
    [')'] = { "EMPTY_TUPLE", op_empty_tuple },
    ['0'] = { "POP", op_pop },
    ['1'] = { "POP_MARK", op_pop_mark },
    ['2'] = { "DUP", op_dup },
    ['B'] = { "BINBYTES", op_bytes },
    ['C'] = { "SHORT_BINBYTES", op_short_bytes },
    ['F'] = { "FLOAT", op_float_line },
    ['G'] = { "BINFLOAT", op_binfloat },
    ['I'] = { "INT", op_int_line },
    ['J'] = { "BININT", op_binint },
    ['K'] = { "BININT1", op_binint1 },
    ['L'] = { "LONG", op_long_line },
    ['M'] = { "BININT2", op_binint2 },
    ['N'] = { "NONE", op_none },
    ['P'] = { "PERSID", op_persid_line },
    ['Q'] = { "BINPERSID", op_binpersid },
    ['R'] = { "REDUCE", op_reduce },
    ['S'] = { "STRING", op_string_line },
    ['T'] = { "BINSTRING", op_str },
    ['U'] = { "SHORT_BINSTRING", op_short_str },
    ['V'] = { "UNICODE", op_unicode_line },
    ['X'] = { "BINUNICODE", op_str },
    [']'] = { "EMPTY_LIST", op_empty_list },
    ['a'] = { "APPEND", op_append },
    ['b'] = { "BUILD", op_build },
    ['c'] = { "GLOBAL", op_global },
    ['d'] = { "DICT", op_dict },
    ['e'] = { "APPENDS", op_appends },
    ['g'] = { "GET", op_get_line },
    ['h'] = { "BINGET", op_binget },
    ['i'] = { "INST", op_inst },
    ['j'] = { "LONG_BINGET", op_long_binget },
    ['l'] = { "LIST", op_list },
    ['o'] = { "OBJ", op_obj },
    ['p'] = { "PUT", op_put_line },
    ['q'] = { "BINPUT", op_binput },
    ['r'] = { "LONG_BINPUT", op_long_binput },
    ['s'] = { "SETITEM", op_setitem },
    ['t'] = { "TUPLE", op_tuple },
    ['u'] = { "SETITEMS", op_setitems },
    ['}'] = { "EMPTY_DICT", op_empty_dict },
    [0x80] = { "PROTO", op_proto },
    [0x81] = { "NEWOBJ", op_reduce },
    [0x82] = { "EXT1", op_ext1 },
    [0x83] = { "EXT2", op_ext2 },
    [0x84] = { "EXT4", op_ext4 },
    [0x85] = { "TUPLE1", op_tuple1 },
    [0x86] = { "TUPLE2", op_tuple2 },
    [0x87] = { "TUPLE3", op_tuple3 },
    [0x88] = { "NEWTRUE", op_true },
    [0x89] = { "NEWFALSE", op_false },
    [0x8A] = { "LONG1", op_long1 },
    [0x8B] = { "LONG4", op_long4 },
    [0x8C] = { "SHORT_BINUNICODE", op_short_str },
    [0x8D] = { "BINUNICODE8", op_long_str },
    [0x8E] = { "BINBYTES8", op_long_bytes },
    [0x8F] = { "EMPTY_SET", op_empty_list },
    [0x90] = { "ADDITEMS", op_appends },
    [0x91] = { "FROZENSET", op_list },
    [0x92] = { "NEWOBJ_EX", op_newobj_ex },
    [0x93] = { "STACK_GLOBAL", op_stack_global },
    [0x94] = { "MEMOIZE", op_memoize },
    [0x95] = { "FRAME", op_frame },
    [0x96] = { "BYTEARRAY8", op_long_bytes },
    [0x97] = { "NEXT_BUFFER", NULL },
    [0x98] = { "READONLY_BUFFER", NULL },
};
