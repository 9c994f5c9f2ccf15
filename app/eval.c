/* eval.c - cenote eval */
#include "app/run.h"

#include <jansson.h>

#include <stdio.h>

static const Option options[] = {
    { "data", "NAME", OPT_TEXT, NULL, 0, 0, "data set (default: the run's)" },
    { "batch", "N", OPT_INT, "256", 1, 1e9, "examples at a time" },
    { "limit", "N", OPT_INT, "0", 0, 1e12, "use only the first N examples; 0: all" },
    { NULL, NULL, OPT_FLAG, NULL, 0, 0, NULL },
};

static cn_tensor *squared_error(cn_tensor *output, const cn_batch *batch, void *context)
{
    (void)context;
    return cn_mse_loss(output, batch->y);
}

static int run(const Args *args)
{
    Config c;
    cn_score score = { 0 };
    bool ok = config_load(&c, operand(args, 0));
    if (ok && given(args, "data")) snprintf(c.data, sizeof c.data, "%s", text_of(args, "data"));
    c.limit = int_of(args, "limit");
    cn_module *net = ok ? run_network(&c, operand(args, 0)) : NULL;
    cn_dataset *test = net ? config_data(&c, CN_TEST) : NULL;
    ok = test && cn_evaluate(net, test, int_of(args, "batch"),
                             c.model->regression ? squared_error : NULL, NULL, &score);
    cn_dataset_free(test);
    cn_module_free(net);
    if (!ok) return failed(args);
    if (!json_wanted(args)) {
        printf("%s on %s: %lld examples, loss %.4f, accuracy %.4f\n", c.model->title, c.data,
               (long long)score.samples, score.loss, score.accuracy);
        return EXIT_OK;
    }
    json_t *j =
        json_pack("{s:s, s:i, s:s, s:s, s:I, s:f, s:f}", "schema", "cenote-eval", "v", 1, "model",
                  c.model->name, "data", c.data, "examples", (json_int_t)score.samples, "test_loss",
                  score.loss, "test_acc", score.accuracy);
    json_dumpf(j, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(j);
    return EXIT_OK;
}

const Command command_eval = {
    .name = "eval",
    .operands = "DIR",
    .least = 1,
    .most = 1,
    .about = "test a trained network",
    .details =
        "Loss and accuracy of the network in run folder DIR on the test part of its data set, or of another.",
    .examples = "cenote eval runs/lenet",
    .options = options,
    .run = run,
};
