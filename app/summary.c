/* summary.c - cenote summary */
#include "app/json.h"
#include "app/run.h"

#include <stdio.h>
#include <stdlib.h>

static const Option options[] = {
    { "batch", "N", OPT_INT, "1", 1, 1e6, "examples at a time" },
    { "input", "C,H,W", OPT_TEXT, NULL, 0, 0, "one example (default: the book's)" },
    { "depth", "N", OPT_INT, "0", 0, 100, "how far down the tree; 0: everything" },
    { NULL, NULL, OPT_FLAG, NULL, 0, 0, NULL },
};

/* "1,96,96"; the number of examples comes before it. */
static bool parse_input(const char *text, cn_shape *s)
{
    int64_t batch = s->dim[0];
    *s = (cn_shape){ 1, { batch } };
    for (const char *at = text; s->ndim < CN_MAX_DIMS;) {
        char *end;
        long long n = strtoll(at, &end, 10);
        if (end == at || n < 1 || (*end && *end != ',')) break;
        s->dim[s->ndim++] = n;
        if (!*end) return true;
        at = end + 1;
    }
    return cn_fail(CN_EINVALID, "--input: '%.40s' is no shape; 1,96,96 is one", text);
}

static bool print_text(cn_module *net, cn_shape input, int depth)
{
    size_t n = cn_summary_to(net, input, depth, NULL, 0);
    char *text = n ? malloc(n + 1) : NULL;
    if (text) cn_summary_to(net, input, depth, text, n + 1), fputs(text, stdout);
    free(text);
    return text != NULL;
}

static json_t *layer_to_json(const cn_layer_info *l)
{
    return json_pack("{s:o, s:o, s:i, s:o, s:o, s:o, s:I, s:I, s:o, s:b}", "name",
                     json_text(l->name), "class", json_text(l->cls), "depth", l->depth, "input",
                     l->ran ? json_shape(l->input.dim, l->input.ndim) : json_null(), "output",
                     l->ran ? json_shape(l->output.dim, l->output.ndim) : json_null(), "kernel",
                     l->kernel.ndim ? json_shape(l->kernel.dim, l->kernel.ndim) : json_null(),
                     "parameters", (json_int_t)l->parameters, "trainable", (json_int_t)l->trainable,
                     "multiply_adds", json_number(l->multiply_adds), "repeated", (int)l->repeated);
}

static int print_layers(const Args *args, cn_module *net, cn_shape input, int depth)
{
    cn_layer_sums s;
    int n = cn_layers(net, input, NULL, 0, &s);
    cn_layer_info *layers = n ? malloc((size_t)n * sizeof *layers) : NULL;
    if (!layers) return failed(args);
    n = cn_layers(net, input, layers, n, &s);
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        if (!depth || layers[i].depth <= depth)
            json_array_append_new(list, layer_to_json(&layers[i]));
    free(layers);
    return print_json(args,
                      json_pack("{s:o, s:I, s:I, s:o, s:o, s:o, s:o}", "layers", list, "parameters",
                                (json_int_t)s.parameters, "trainable", (json_int_t)s.trainable,
                                "multiply_adds", json_number(s.multiply_adds), "input_bytes",
                                json_number(s.input_bytes), "pass_bytes", json_number(s.pass_bytes),
                                "parameter_bytes", json_number(s.parameter_bytes)));
}

static int run(const Args *args)
{
    Config c = { .model = cn_model_find(operand(args, 0)) };
    if (!c.model)
        return failed_with(args, EXIT_NO_INPUT, "there is no model '%s'; 'cenote list' shows all",
                           operand(args, 0));
    cn_shape input = config_input(&c, int_of(args, "batch"));
    if (given(args, "input") && !parse_input(text_of(args, "input"), &input)) return failed(args);
    cn_module *net = cn_model_make(c.model);
    int depth = (int)int_of(args, "depth"), code = EXIT_OK;
    if (!net) code = failed(args);
    else if (json_wanted(args)) code = print_layers(args, net, input, depth);
    else if (!print_text(net, input, depth)) code = failed(args);
    cn_module_free(net);
    return code;
}

const Command command_summary = {
    .name = "summary",
    .operands = "MODEL",
    .least = 1,
    .most = 1,
    .about = "layers, shapes, parameters and multiply-adds of a network",
    .examples = "cenote summary lenet\ncenote summary lenet --input 1,96,96 --batch 256 --json",
    .options = options,
    .run = run,
};
