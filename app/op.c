/* op.c - cenote op: one call of one op, by name. */
#include "app/app.h"
#include "app/commands.h"
#include "app/json.h"
#include "app/literal.h"

#include <cenote/ffi.h>
#include <cenote/io.h>
#include <cenote/ops.h>
#include <cenote/rng.h>
#include <cenote/tensor.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ARGS = 32, MAX_OUTS = 4096, MAX_PRINTED = 64 };

static const Option options[] = {
    { "out", "FILE", OPT_TEXT, NULL, 0, 0, "save the results as .npy (one), .npz or .safetensors" },
    { "seed", "N", OPT_INT, "0", 0, 1e18, "seed of random ops" },
    { NULL, NULL, OPT_FLAG, NULL, 0, 0, NULL },
};

/* ---- arguments ----------------------------------------------------------------------------- */

/* The type, as in "Tensor? ", that the schema gives an argument (with name NULL: the one at that
   position), and what follows it; "" when it has none like that. */
static const char *type_of(const char *schema, const char *name, int position)
{
    const char *p = strchr(schema, '(');
    for (int i = 0; p && *p && *p != ')'; i++) {
        p += strspn(p, "(, ");
        size_t type = strcspn(p, " ,)");
        const char *here = p + type + strspn(p + type, " ");
        size_t length = strcspn(here, "=,)");
        bool wanted =
            name ? strlen(name) == length && strncmp(here, name, length) == 0 : i == position;
        if (wanted) return p;
        p = strpbrk(p, ",)");
    }
    return "";
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Of "dim=1" the 3 letters before the '='; 0 for a value without a name. */
static size_t name_length(const char *word)
{
    size_t n = 0;
    while (isalnum((unsigned char)word[n]) || word[n] == '_') n++;
    return n && word[n] == '=' && !isdigit((unsigned char)*word) ? n : 0;
}

/* A single number stays one: where a tensor is wanted, it yields to the type of the others. */
static bool read_arg(const char *schema, const char *word, int i, LiteralMemory *memory,
                     cn_ffi_arg *out)
{
    size_t n = name_length(word);
    out->name = n ? literal_copy(memory, word, n) : NULL;
    if (n && !out->name) return false;
    if (!literal_parse(word + n + (n > 0), memory, &out->value)) return false;
    const char *type = type_of(schema, out->name, i);
    if (out->value.kind != CN_KIND_LIST) return true;
    if (starts(type, "Tensor[") || starts(type, "Tensor?["))
        return literal_to_tensors(&out->value, memory);
    return !starts(type, "Tensor") || literal_to_tensor(&out->value);
}

/* ---- results ------------------------------------------------------------------------------- */

static int print_tensor(const Args *args, const cn_tensor *t)
{
    size_t n = cn_to_text(t, NULL, 0) + 1;
    char *text = malloc(n);
    if (!text) return failed_with(args, EXIT_FAILED, "out of memory");
    cn_to_text(t, text, n);
    puts(text);
    free(text);
    return EXIT_OK;
}

static int print_results(const Args *args, const cn_value *outs, int n)
{
    int code = EXIT_OK;
    for (int i = 0; i < n && i < MAX_PRINTED && code == EXIT_OK; i++) {
        char text[400];
        if (outs[i].kind == CN_KIND_TENSOR) {
            code = print_tensor(args, outs[i].u.t);
        } else if (outs[i].kind == CN_KIND_LIST) {
            code = print_results(args, outs[i].u.list, outs[i].n);
        } else {
            literal_format(&outs[i], text, sizeof text);
            puts(text);
        }
    }
    if (n > MAX_PRINTED && code == EXIT_OK)
        printf("and %d more; --out FILE saves all\n", n - MAX_PRINTED);
    return code;
}

/* Complex numbers as two each: real part, imaginary part. */
static json_t *elements_as_json(cn_tensor *t)
{
    if (cn_dtype_is_complex(cn_dtype_of(t))) t = cn_view_as_real(t);
    int64_t n = cn_numel(t);
    bool real = cn_dtype_is_float(cn_dtype_of(t));
    json_t *list = json_array();
    union {
        double f;
        int64_t i;
    } *x = malloc((size_t)(n + 1) * sizeof *x);
    if (x && cn_read(t, real ? CN_F64 : CN_I64, x, n))
        for (int64_t i = 0; i < n; i++)
            json_array_append_new(list, real ? json_number(x[i].f) : json_integer(x[i].i));
    free(x);
    return list;
}

static json_t *results_as_json(const cn_value *outs, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++) {
        cn_tensor *t = outs[i].u.t;
        char text[400];
        if (outs[i].kind == CN_KIND_TENSOR) {
            json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "dtype",
                                                  cn_dtype_name(cn_dtype_of(t)), "shape",
                                                  json_shape(cn_shape_of(t)->dim, cn_ndim(t)),
                                                  "elements", elements_as_json(t)));
        } else if (outs[i].kind == CN_KIND_LIST) {
            json_array_append_new(list, results_as_json(outs[i].u.list, outs[i].n));
        } else {
            literal_format(&outs[i], text, sizeof text);
            json_array_append_new(list, json_text(text));
        }
    }
    return list;
}

static bool collect(cn_dict *d, const cn_value *outs, int n)
{
    for (int i = 0; i < n; i++) {
        char key[16];
        if (outs[i].kind == CN_KIND_LIST) {
            if (!collect(d, outs[i].u.list, outs[i].n)) return false;
            continue;
        }
        snprintf(key, sizeof key, "%d", cn_dict_count(d));
        if (!cn_dict_set(d, key, outs[i])) return false;
    }
    return true;
}

static bool save_results(const char *path, const cn_value *outs, int n)
{
    cn_dict *d = cn_dict_new();
    bool good = d && collect(d, outs, n) && cn_save(path, d);
    cn_dict_free(d);
    return good;
}

static void release_results(const cn_value *outs, int n)
{
    for (int i = 0; i < n; i++) {
        if (outs[i].kind == CN_KIND_TENSOR) cn_ffi_tensor_release(outs[i].u.t);
        if (outs[i].kind == CN_KIND_LIST) release_results(outs[i].u.list, outs[i].n);
    }
}

/* ---- the call ------------------------------------------------------------------------------ */

static int show_results(const Args *args, const cn_value *outs, int n)
{
    const char *path = text_of(args, "out");
    if (path && !save_results(path, outs, n)) return failed(args);
    if (json_wanted(args))
        return print_json(args, json_pack("{s:o, s:o}", "op", json_text(operand(args, 0)),
                                          "results", results_as_json(outs, n)));
    return path ? EXIT_OK : print_results(args, outs, n);
}

static int call_into(const Args *args, const cn_ffi_arg *given_args, int n, cn_value *outs)
{
    int n_outs = MAX_OUTS, code = cn_ffi_op_call(operand(args, 0), given_args, n, outs, &n_outs);
    if (code < 0) return failed_with(args, exit_code_for(code), "%s", cn_ffi_last_error());
    code = show_results(args, outs, n_outs);
    release_results(outs, n_outs);
    return code;
}

static int call(const Args *args, const char *schema, LiteralMemory *memory)
{
    cn_ffi_arg given_args[MAX_ARGS];
    int n = operand_count(args) - 1;
    if (n > MAX_ARGS) return failed_with(args, EXIT_USAGE, "op: more than %d arguments", MAX_ARGS);
    for (int i = 0; i < n; i++)
        if (!read_arg(schema, operand(args, i + 1), i, memory, &given_args[i])) return failed(args);
    cn_value *outs = malloc(MAX_OUTS * sizeof *outs);
    int code = outs ? call_into(args, given_args, n, outs)
                    : failed_with(args, EXIT_FAILED, "out of memory");
    free(outs);
    return code;
}

static int run(const Args *args)
{
    const char *schema = cn_ffi_op_schema(operand(args, 0));
    LiteralMemory memory = { 0 };
    if (!schema) return unknown_op(args, operand(args, 0));
    cn_manual_seed((uint64_t)int_of(args, "seed"));
    size_t mark = cn_mark();
    int code = call(args, schema, &memory);
    cn_release(mark);
    literal_clear(&memory);
    return code;
}

const Command command_op = {
    .name = "op",
    .operands = "OP [NAME=VALUE]...",
    .least = 1,
    .most = -1,
    .about = "call one op and print what it returns",
    .details =
        "Values are written as in Python: 3, 0.5, True, None, mean, float32, (2, 3) or 2,3. "
        "Lists of numbers become tensors where the op wants one; @FILE is the tensor in a file. "
        "'cenote ops OP' shows the arguments; those without NAME= go by position.",
    .examples = "cenote op matmul \"[[1., 2.], [3., 4.]]\" \"[[0., 1.], [1., 0.]]\"\n"
                "cenote op sum input=@x.npy dim=0,1 keepdim=True --out y.npy",
    .options = options,
    .run = run,
};
