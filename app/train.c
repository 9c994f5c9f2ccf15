/* train.c - cenote train */
#include "app/corpus.h"
#include "app/progress.h"
#include "app/sentences.h"

#include <jansson.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const Option options[] = {
    { "data", "NAME|FILE", OPT_TEXT, NULL, 0, 0,
      "data set, or for language models a text (default: the book's for the model)" },
    { "epochs", "N", OPT_INT, NULL, 1, 1e9, "passes over the data (default: the book's)" },
    { "batch", "N", OPT_INT, NULL, 1, 1e9, "examples per step (default: the book's)" },
    { "lr", "X", OPT_FLOAT, NULL, 1e-12, 1e6, "learning rate (default: the book's)" },
    { "optim", "NAME[:ARGS]", OPT_TEXT, NULL, 0, 0,
      "optimiser, as PyTorch calls it (default: the book's): sgd, adamw, rmsprop:alpha=0.9,eps=1e-6" },
    { "momentum", "X", OPT_FLOAT, "0", 0, 1, "momentum, of optimisers that have it" },
    { "weight-decay", "X", OPT_FLOAT, "0", 0, 1e6, "weight decay" },
    { "schedule", "NAME[:ARGS]", OPT_TEXT, "constant", 0, 0,
      "learning rate over the epochs: constant, step, cosine, or a class of PyTorch's with its "
      "arguments: OneCycleLR:max_lr=0.1,total_steps=10" },
    { "clip", "X", OPT_FLOAT, NULL, 0, 1e9,
      "largest norm of the gradient; 0: no clipping (default: the book's)" },
    { "seed", "N", OPT_INT, "0", 0, 1e18, "seed of parameters, order of examples and dropout" },
    { "limit", "N", OPT_INT, NULL, 0, 1e12,
      "use only the first N examples, of a text characters; 0: all (default: the book's)" },
    { "workers", "N", OPT_INT, "1", 0, 64, "threads that prepare batches" },
    { "patience", "N", OPT_INT, "0", 0, 1e9,
      "stop after N epochs without a better test accuracy; 0: never" },
    { "checkpoint-steps", "N", OPT_INT, "0", 0, 1e9, "save within epochs, too, every N steps" },
    { "resize", "N", OPT_INT, "0", 0, 4096,
      "make images N x N, for a network built for that size; 0: as the model takes them" },
    { "accumulate", "N", OPT_INT, "1", 1, 1e6, "batches whose gradients make one step" },
    { "recompute", NULL, OPT_FLAG, NULL, 0, 0,
      "keep less for the backward pass, which computes it again: less memory, more time" },
    { "amp", "TYPE", OPT_TEXT, NULL, 0, 0, "mixed precision: bf16, or f16" },
    { "log-steps", "N", OPT_INT, "0", 0, 1e9, "a line in metrics.jsonl every N steps, too" },
    { "profile", "FILE", OPT_TEXT, NULL, 0, 0,
      "time every op: a table, and a trace for chrome://tracing or ui.perfetto.dev" },
    { "out", "DIR", OPT_TEXT, NULL, 0, 0, "run folder (default: runs/MODEL-TIME)" },
    { "resume", "DIR", OPT_TEXT, NULL, 0, 0, "go on with an interrupted run" },
    { "quiet", NULL, OPT_FLAG, NULL, 0, 0, "no progress" },
    { NULL, NULL, OPT_FLAG, NULL, 0, 0, NULL },
};

/* The first signal finishes the step and saves; the second finds the default action again. */
static void on_signal(int number)
{
    cn_request_stop(); /* NOLINT(bugprone-signal-handler): it sets a flag, nothing else */
    signal(number, SIG_DFL);
}

static bool choose_folder(const Args *args, const Config *c, char out[1024])
{
    if (given(args, "out")) {
        snprintf(out, 1024, "%s", text_of(args, "out"));
    } else {
        char stamp[32];
        time_t t = time(NULL);
        struct tm now;
        strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", localtime_r(&t, &now));
        snprintf(out, 1024, "runs/%s-%s", c->model->name, stamp);
    }
    return make_folder(out);
}

static bool draw_curves(const Config *c, const char *out)
{
    char path[1040], title[384];
    snprintf(title, sizeof title, "%s on %s", c->model->title, c->data);
    cn_figure *f = cn_learning_curves(out, title);
    bool ok = f != NULL;
    const char *const kinds[] = { "svg", "png" };
    for (int i = 0; ok && i < 2; i++) {
        snprintf(path, sizeof path, "%s/curves.%s", out, kinds[i]);
        ok = cn_figure_save(f, path);
    }
    cn_figure_free(f);
    if (ok || cn_error_code() != CN_EUNSUPPORTED) return ok;
    cn_error_clear(); /* a build without pictures: the numbers are there */
    return true;
}

static bool train(const Config *c, const char *out, bool resume, bool quiet,
                  cn_fit_progress *result)
{
    Progress progress = progress_begin(quiet);
    if (!quiet) say_fitted(c);
    cn_dataset *data = config_data(c, CN_TRAIN), *test = data ? config_data(c, CN_TEST) : NULL;
    cn_module *net = test ? config_network(c) : NULL;
    cn_optim *optim = net ? config_optimiser(c, net) : NULL;
    cn_sched *sched = optim ? config_schedule(c, optim) : NULL;
    bool ok = cn_ok() && cn_fit(result, net, data, .optim = optim, .sched = sched, .validate = test,
                                .loss = config_loss(c), .run = config_run(c), .batch = c->batch,
                                .epochs = c->epochs, .seed = c->seed, .clip = c->clip,
                                .workers = (int)c->workers, .out = out, .resume = resume,
                                .patience = c->patience, .checkpoint_steps = c->checkpoint_steps,
                                .watch = progress_show, .watch_context = &progress,
                                .accumulate = c->accumulate, .recompute = config_segments(c, net),
                                .amp = amp_named(c->amp), .log_steps = c->log_steps);
    cn_sched_free(sched);
    cn_optim_free(optim);
    cn_module_free(net);
    cn_dataset_free(test);
    cn_dataset_free(data);
    return ok;
}

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static void report(const Args *args, const Config *c, const char *out, const cn_fit_progress *p)
{
    if (!json_wanted(args)) {
        printf("%s on %s: train loss %.4f", c->model->title, c->data, p->train_loss);
        if (c->model->tokens)
            printf(", perplexity %.3f, on the text that follows %.3f", exp(p->train_loss),
                   exp(p->test_loss));
        else if (c->model->translates) printf(", on the pairs that follow %.4f", p->test_loss);
        else if (!c->model->regression)
            printf(", train accuracy %.4f, test accuracy %.4f", p->train_acc, p->test_acc);
        printf(", %.1f s, %.1f %% of them waiting for data\nrun folder: %s\n", p->seconds,
               100 * p->data_wait, out);
        return;
    }
    json_t *j =
        json_pack("{s:s, s:i, s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:b}",
                  "schema", "cenote-train", "v", 1, "model", c->model->name, "data", c->data,
                  "epochs", (json_int_t)p->epoch, "seed", (json_int_t)c->seed, "train_loss",
                  number(p->train_loss), "train_acc", number(p->train_acc), "test_loss",
                  number(p->test_loss), "test_acc", number(p->test_acc), "seconds",
                  number(p->seconds), "examples_per_s", number(p->examples_per_second), "data_wait",
                  number(p->data_wait), "out", out, "stopped_early", (int)p->stopped_early);
    json_dumpf(j, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(j);
}

static int run(const Args *args)
{
    Config c;
    char out[1024];
    const char *resume = text_of(args, "resume");
    if (!resume && !operand(args, 0))
        return failed_with(args, EXIT_USAGE, "train: which model? 'cenote list' shows all");
    bool ok;
    if (resume) {
        ok = config_load(&c, resume);
        snprintf(out, sizeof out, "%s", resume);
        if (ok && given(args, "epochs")) c.epochs = int_of(args, "epochs");
    } else {
        ok = config_from_args(args, operand(args, 0), &c) && choose_folder(args, &c, out) &&
             (!c.model->tokens || corpus_begin(&c, out)) &&
             (!c.model->translates || sentences_begin(&c, out)) && config_save(&c, out);
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    cn_fit_progress result = { 0 };
    ok = ok && profile_begin(args) &&
         train(&c, out, resume != NULL, flag(args, "quiet") || json_wanted(args), &result);
    ok = profile_end(args, ok) && ok;
    ok = ok && draw_curves(&c, out);
    if (!ok) return failed(args);
    report(args, &c, out, &result);
    return EXIT_OK;
}

const Command command_train = {
    .name = "train",
    .operands = "[MODEL]",
    .most = 1,
    .about = "train a network of the book",
    .details =
        "Trains with the book's hyper-parameters unless told otherwise and leaves a run folder: config.json, "
        "metrics.jsonl, model.safetensors, checkpoints/, curves.svg and curves.png; that of a language model has "
        "vocab.txt, too, and that of a network that translates vocab-target.txt. A run that was stopped, "
        "even by SIGKILL, goes on with --resume and ends with the same bits as an unbroken one.",
    .examples = "cenote train lenet --data fashion-mnist --epochs 10 --seed 1 --out runs/lenet\n"
                "cenote train gru --data timemachine --out runs/gru\n"
                "cenote train seq2seq --data numbers --out runs/numbers\n"
                "cenote train --resume runs/lenet",
    .options = options,
    .run = run,
};
