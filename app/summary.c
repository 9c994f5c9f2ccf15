/* summary.c - cenote summary */
#include "app/run.h"

#include <stdio.h>
#include <stdlib.h>

static const Option options[] = {
    { "batch", "N", OPT_INT, "1", 1, 1e6, "examples at a time" },
    { NULL, NULL, OPT_FLAG, NULL, 0, 0, NULL },
};

static int run(const Args *args)
{
    Config c = { 0 };
    const cn_model *m = cn_model_find(operand(args, 0));
    if (!m)
        return failed_with(args, EXIT_NO_INPUT, "there is no model '%s'; 'cenote list' shows all",
                           operand(args, 0));
    c.model = m;
    cn_module *net = config_network(&c);
    cn_shape input = cn_model_batch(m, int_of(args, "batch"));
    size_t n = net ? cn_summary(net, input, NULL, 0) : 0;
    char *text = n ? malloc(n + 1) : NULL;
    if (text) cn_summary(net, input, text, n + 1), fputs(text, stdout);
    free(text);
    cn_module_free(net);
    return text ? EXIT_OK : failed(args);
}

const Command command_summary = {
    .name = "summary",
    .operands = "MODEL",
    .least = 1,
    .most = 1,
    .about = "layers, shapes, parameters and multiply-adds of a network",
    .examples = "cenote summary lenet",
    .options = options,
    .run = run,
};
