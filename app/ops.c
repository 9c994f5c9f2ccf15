/* ops.c - cenote ops: the table of ops, for people and for tools. */
#include "app/app.h"
#include "app/commands.h"
#include "app/json.h"
#include "app/table.h"

#include <cenote/base.h>
#include <cenote/ffi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* The pieces of `text` between separators, without blanks around them. */
static json_t *split(const char *text, char separator)
{
    json_t *list = json_array();
    const char stop[] = { separator, 0 };
    text = or_empty(text);
    while (*text) {
        text += strspn(text, " ");
        size_t length = strcspn(text, stop), used = length;
        while (used && text[used - 1] == ' ') used--;
        if (used) json_array_append_new(list, json_stringn(text, used));
        text += length + (text[length] == separator);
    }
    return list;
}

static json_t *op_as_json(const char *name)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "name", name, "schema",
                     or_empty(cn_ffi_op_schema(name)), "doc", or_empty(cn_ffi_op_doc(name)),
                     "gradient", or_empty(cn_ffi_op_gradient(name)), "aliases",
                     split(cn_ffi_op_aliases(name), ' '), "samples",
                     split(cn_ffi_op_samples(name), '|'));
}

static int all_as_json(const Args *args)
{
    json_t *list = json_array();
    for (int i = 0; i < cn_ffi_op_count(); i++)
        json_array_append_new(list, op_as_json(cn_ffi_op_name(i)));
    return print_json(args, json_pack("{s:o}", "ops", list));
}

static int all_as_table(const Args *args)
{
    Table t = { .columns = 2 };
    for (int i = 0; i < cn_ffi_op_count(); i++) {
        const char *name = cn_ffi_op_name(i);
        table_cell(&t, "%s", name);
        table_cell(&t, "%s", or_empty(cn_ffi_op_doc(name)));
    }
    return table_print(&t) ? EXIT_OK : failed_with(args, EXIT_FAILED, "out of memory");
}

static void print_samples(const char *samples, const char *before)
{
    const char *end;
    for (samples = or_empty(samples); *samples; samples = *end ? end + 1 : end) {
        samples += strspn(samples, " ");
        end = strchrnul(samples, '|');
        int length = (int)(end - samples);
        while (length && samples[length - 1] == ' ') length--;
        if (length) printf("%s%.*s\n", before, length, samples);
    }
}

int unknown_op(const Args *args, const char *name)
{
    int n = cn_ffi_op_count();
    const char **known = calloc((size_t)n + 1, sizeof *known);
    for (int i = 0; known && i < n; i++) known[i] = cn_ffi_op_name(i);
    const char *near = known ? nearest(name, known) : NULL;
    free(known);
    return failed_with(args, EXIT_NO_INPUT, "there is no op '%s'; %s%s%s", name,
                       near ? "did you mean '" : "'cenote ops' lists them", near ? near : "",
                       near ? "'?" : "");
}

static int one_op(const Args *args, const char *name)
{
    const char *schema = cn_ffi_op_schema(name), *aliases;
    if (!schema) return unknown_op(args, name);
    if (json_wanted(args)) return print_json(args, op_as_json(name));
    printf("%s\n\n%s\n", schema, or_empty(cn_ffi_op_doc(name)));
    aliases = cn_ffi_op_aliases(name);
    if (aliases && *aliases) printf("\nAlso: %s\n", aliases);
    printf("\nGradient: %s\n\nSamples:\n", or_empty(cn_ffi_op_gradient(name)));
    print_samples(cn_ffi_op_samples(name), "  ");
    return EXIT_OK;
}

static int run(const Args *args)
{
    const char *name = operand(args, 0);
    if (name) return one_op(args, name);
    return json_wanted(args) ? all_as_json(args) : all_as_table(args);
}

const Command command_ops = {
    .name = "ops",
    .operands = "[OP]",
    .most = 1,
    .about = "list the ops, or explain one",
    .details = "The schema is in PyTorch's wording. In samples [2,3] stands for a tensor of that "
               "shape, +[2,3] for one of positive numbers, i64<9[3] for integers below 9.",
    .examples = "cenote ops\ncenote ops matmul\ncenote ops --json",
    .run = run,
    .instant = true,
};
