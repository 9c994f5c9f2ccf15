/* eval.c - cenote eval */
#include "app/pretrained.h"

#include <jansson.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static const Option options[] = {
    { "model", "NAME", OPT_TEXT, NULL, 0, 0, "this network, instead of that of a run folder" },
    { "weights", "FILE", OPT_TEXT, NULL, 0, 0, "its weights: .pt, .pth, .safetensors and so on" },
    { "data", "NAME|PATH", OPT_TEXT, NULL, 0, 0,
      "data set (default: the run's), a file of CIFAR-10's binary records, or a folder with one "
      "folder of pictures for each class" },
    { "batch", "N", OPT_INT, "256", 1, 1e9, "examples at a time" },
    { "limit", "N", OPT_INT, "0", 0, 1e12, "use only the first N examples; 0: all" },
    { NULL, NULL, OPT_FLAG, NULL, 0, 0, NULL },
};

/* A path, not a name. */
static cn_dataset *test_data(const Config *c, const char *path)
{
    return path && strchr(path, '/') && !cn_model_reads(c->model)
               ? pictures_for(c->model, path, c->limit)
               : config_data(c, CN_TEST);
}

static cn_module *network(const Args *args, Config *c)
{
    const char *model = text_of(args, "model"), *weights = text_of(args, "weights");
    const char *folder = operand(args, 0);
    if (!model != !weights || !model == !folder)
        return cn_fail(CN_EINVALID, "eval: a run folder is wanted, or --model with --weights"),
               NULL;
    if (folder) return config_load(c, folder) ? run_network(c, folder) : NULL;
    if (!config_of_model(c, model)) return NULL;
    if (!cn_model_reads(c->model)) return pretrained_network(c->model, weights);
    return cn_fail(CN_EINVALID, "eval: %s needs its vocabulary: give its run folder", model), NULL;
}

/* What follows a text that a network was trained with is as long as that says. */
static bool set_limit(const Args *args, Config *c)
{
    if (!cn_model_reads(c->model)) c->limit = int_of(args, "limit");
    else if (given(args, "limit")) return cn_fail(CN_EINVALID, "eval: texts have no --limit");
    return true;
}

static void print_score(const Config *c, const cn_score *s)
{
    printf("%s on %s: %lld examples, loss %.4f", c->model->title, c->data, (long long)s->samples,
           s->loss);
    if (!c->model->translates) printf(", accuracy %.4f", s->accuracy);
    if (cn_model_reads(c->model)) printf(", perplexity %.3f", exp(s->loss));
    printf("\n");
}

static int run(const Args *args)
{
    Config c;
    cn_score score = { 0 };
    cn_module *net = network(args, &c);
    if (net && given(args, "data")) snprintf(c.data, sizeof c.data, "%s", text_of(args, "data"));
    cn_dataset *test = net && set_limit(args, &c) ? test_data(&c, text_of(args, "data")) : NULL;
    bool ok;
    ok = test && cn_evaluate_with(&(cn_fit_options){ .size = sizeof(cn_fit_options),
                                                     .net = net,
                                                     .validate = test,
                                                     .batch = int_of(args, "batch"),
                                                     .loss = config_loss(&c),
                                                     .run = config_run(&c) },
                                  &score);
    cn_dataset_free(test);
    cn_module_free(net);
    if (!ok) return failed(args);
    if (!json_wanted(args)) {
        print_score(&c, &score);
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
    .operands = "[DIR]",
    .most = 1,
    .about = "test a trained network",
    .details =
        "Loss and accuracy of the network in run folder DIR on the test part of its data set, or of another. With "
        "--model and --weights: of a network of 'cenote list' with the weights of a file.",
    .examples =
        "cenote eval runs/lenet\n"
        "cenote eval --model resnet20 --weights resnet20.th --data ./cifar-10/data_batch_1.bin",
    .options = options,
    .run = run,
};
