/* schema.c - reading schemas as PyTorch writes them. */
#include "core/schema.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *p, *whole;
} Cursor;

static void blanks(Cursor *c)
{
    while (*c->p == ' ') c->p++;
}

static bool eat(Cursor *c, const char *token)
{
    blanks(c);
    size_t n = strlen(token);
    if (strncmp(c->p, token, n) != 0) return false;
    c->p += n;
    return true;
}

static bool bad(const Cursor *c, const char *what)
{
    return cn_fail(CN_EINVALID, "schema \"%s\": %s at \"%.20s\"", c->whole, what, c->p);
}

static bool word(Cursor *c, char out[32])
{
    blanks(c);
    size_t n = 0;
    while ((isalnum((unsigned char)*c->p) || *c->p == '_') && n < 31) out[n++] = *c->p++;
    out[n] = 0;
    return n > 0;
}

static const struct {
    const char *name;
    cn_arg_type type;
} types[] = {
    { "Tensor", CN_ARG_TENSOR }, { "int", CN_ARG_INT },     { "float", CN_ARG_FLOAT },
    { "bool", CN_ARG_BOOL },     { "str", CN_ARG_STR },     { "dtype", CN_ARG_DTYPE },
    { "Scalar", CN_ARG_NUMBER }, { "Index", CN_ARG_INDEX }, { "Module", CN_ARG_MODULE },
};

static bool read_type(Cursor *c, cn_arg *a)
{
    char name[32];
    if (!word(c, name)) return bad(c, "expected a type");
    size_t i = 0;
    while (i < CN_COUNT(types) && strcmp(types[i].name, name) != 0) i++;
    if (i == CN_COUNT(types)) return bad(c, "unknown type");
    a->type = types[i].type;
    a->takes_numbers_alone = a->type == CN_ARG_TENSOR && eat(c, "|float");
    a->takes_numbers = a->takes_numbers_alone || (a->type == CN_ARG_TENSOR && eat(c, "|Scalar"));
    a->or_word = a->type == CN_ARG_NUMBER && eat(c, "|str");
    a->optional = eat(c, "?");
    if (eat(c, "[")) {
        a->none_items = a->optional, a->optional = false;
        if (a->type == CN_ARG_TENSOR) a->type = CN_ARG_TENSORS;
        else if (a->type == CN_ARG_INT && eat(c, "*")) a->type = CN_ARG_INT_LIST;
        else if (a->type == CN_ARG_INT) a->type = CN_ARG_INTS;
        else if (a->type == CN_ARG_FLOAT) a->type = CN_ARG_FLOATS;
        else if (a->type == CN_ARG_MODULE) a->type = CN_ARG_MODULES;
        else return bad(c, "no lists of this type");
        a->length = isdigit((unsigned char)*c->p) ? (int)strtol(c->p, NULL, 10) : 0;
        while (isdigit((unsigned char)*c->p)) c->p++;
        if (!eat(c, "]")) return bad(c, "expected ]");
        a->optional |= eat(c, "?");
    }
    a->takes_ints = a->type == CN_ARG_TENSOR && eat(c, "|int[]");
    return true;
}

/* A default ends at a comma or parenthesis outside brackets. */
static bool read_default(Cursor *c, cn_arg *a)
{
    a->has_default = eat(c, "=");
    if (!a->has_default) return true;
    int depth = 0;
    size_t n = 0;
    for (; *c->p && n < sizeof a->preset - 1; c->p++) {
        if (depth == 0 && (*c->p == ',' || *c->p == ')')) break;
        depth += (*c->p == '[' || *c->p == '(') - (*c->p == ']' || *c->p == ')');
        if (*c->p != '\'') a->preset[n++] = *c->p;
    }
    a->preset[n] = 0;
    return n > 0 || bad(c, "expected a default");
}

static size_t align_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

/* Size and alignment of the C type of a parameter; see op.h. */
static void param_layout(const cn_arg *a, size_t *size, size_t *align)
{
    *align = 8;
    switch (a->type) {
    case CN_ARG_TENSOR:
    case CN_ARG_TENSORS:
    case CN_ARG_INT_LIST: *size = 0, *align = 1; break;
    case CN_ARG_INT: *size = a->optional ? sizeof(cn_opt_int) : sizeof(int64_t); break;
    case CN_ARG_FLOAT: *size = a->optional ? sizeof(cn_opt_float) : sizeof(double); break;
    case CN_ARG_BOOL:
        *size = a->is_inplace ? 0 : a->optional ? sizeof(cn_opt_bool) : sizeof(bool), *align = 1;
        break;
    case CN_ARG_STR: *size = sizeof(char *); break;
    case CN_ARG_DTYPE: *size = *align = sizeof(int32_t); break;
    case CN_ARG_NUMBER: *size = sizeof(cn_number_arg); break;
    case CN_ARG_INTS: *size = sizeof(cn_ints); break;
    case CN_ARG_FLOATS: *size = sizeof(cn_floats); break;
    case CN_ARG_INDEX: *size = sizeof(cn_index); break;
    case CN_ARG_MODULE: *size = sizeof(cn_module *); break;
    case CN_ARG_MODULES: *size = sizeof(cn_modules_arg); break;
    }
}

size_t cn_arg_bytes(const cn_arg *a)
{
    size_t size = 0, align = 1;
    param_layout(a, &size, &align);
    return size;
}

static bool read_args(Cursor *c, cn_schema *s)
{
    bool keyword_only = false;
    size_t end = 0, widest = 1;
    while (!eat(c, ")")) {
        if (eat(c, "*,")) keyword_only = true;
        if (s->n_args == CN_MAX_ARGS) return bad(c, "too many arguments");
        cn_arg *a = &s->args[s->n_args];
        *a = (cn_arg){ .keyword_only = keyword_only };
        if (!read_type(c, a)) return false;
        if (!word(c, a->name)) return bad(c, "expected a name");
        if (!read_default(c, a)) return false;
        a->is_inplace = a->type == CN_ARG_BOOL && strcmp(a->name, "inplace") == 0;
        size_t size = 0, align = 1;
        param_layout(a, &size, &align);
        a->offset = align_up(end, align);
        end = a->offset + size;
        if (align > widest) widest = align;
        s->n_args++;
        if (!eat(c, ",") && *c->p != ')') return bad(c, "expected , or )");
    }
    s->params_size = align_up(end, widest);
    return s->params_size <= CN_MAX_PARAM_BYTES || bad(c, "too many parameters");
}

static bool read_returns(Cursor *c, cn_schema *s)
{
    if (!eat(c, "->")) return s->n_out = 1, true; /* a constructor */
    if (eat(c, "Tensor[]")) return s->n_out = -1, true;
    if (eat(c, "(")) {
        while (eat(c, "Tensor")) s->n_out++, eat(c, ",");
        return eat(c, ")") || bad(c, "expected )");
    }
    s->n_out = 1;
    return eat(c, "Tensor") || bad(c, "expected a result type");
}

bool cn_schema_parse(const char *text, cn_schema *out)
{
    Cursor c = { text, text };
    *out = (cn_schema){ 0 };
    c.p += strcspn(text, "(");
    if (!eat(&c, "(")) return bad(&c, "expected (");
    return read_args(&c, out) && read_returns(&c, out);
}
