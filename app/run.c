/* run.c - from a configuration to networks, data and optimisers, and back. */
#include "app/corpus.h"
#include "app/pretrained.h"
#include "app/sentences.h"

#include <jansson.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- configuration ------------------------------------------------------------------------- */

static bool choose_model(const char *name, Config *c)
{
    const char *names[128] = { NULL };
    for (int i = 0; cn_models[i] && i < 127; i++) names[i] = cn_models[i]->name;
    c->model = cn_model_find(name);
    if (c->model) return true;
    const char *like = nearest(name, names);
    return cn_fail(CN_ENOTFOUND, "there is no model '%s'%s%s%s; 'cenote list' shows all", name,
                   like ? "; did you mean '" : "", like ? like : "", like ? "'?" : "");
}

static bool copy_text(const Args *args, const char *option, char *to, size_t room)
{
    return snprintf(to, room, "%s", text_of(args, option)) < (int)room ||
           cn_fail(CN_EINVALID, "--%s is longer than %zu bytes", option, room - 1);
}

bool config_from_args(const Args *args, const char *model, Config *c)
{
    memset(c, 0, sizeof *c);
    if (!choose_model(model, c)) return false;
    const cn_model *m = c->model;
    snprintf(c->data, sizeof c->data, "%s", m->data);
    if (given(args, "data") && !copy_text(args, "data", c->data, sizeof c->data)) return false;
    c->epochs = given(args, "epochs") ? int_of(args, "epochs") : m->epochs;
    c->batch = given(args, "batch") ? int_of(args, "batch") : m->batch;
    c->lr = given(args, "lr") ? float_of(args, "lr") : m->lr;
    c->limit = given(args, "limit") ? int_of(args, "limit") : m->limit;
    c->seed = (uint64_t)int_of(args, "seed");
    snprintf(c->optim, sizeof c->optim, "%s", m->optim ? m->optim : "sgd");
    if ((given(args, "optim") && !copy_text(args, "optim", c->optim, sizeof c->optim)) ||
        !copy_text(args, "schedule", c->schedule, sizeof c->schedule))
        return false;
    c->momentum = float_of(args, "momentum");
    c->weight_decay = float_of(args, "weight-decay");
    c->clip = given(args, "clip") ? float_of(args, "clip") : m->clip;
    c->workers = int_of(args, "workers");
    c->patience = int_of(args, "patience");
    c->checkpoint_steps = int_of(args, "checkpoint-steps");
    c->accumulate = int_of(args, "accumulate");
    c->log_steps = int_of(args, "log-steps");
    c->resize = int_of(args, "resize");
    c->recompute = flag(args, "recompute");
    if (given(args, "amp") && !copy_text(args, "amp", c->amp, sizeof c->amp)) return false;
    amp_named(c->amp);
    return cn_ok();
}

bool config_of_model(Config *c, const char *model)
{
    memset(c, 0, sizeof *c);
    if (!choose_model(model, c)) return false;
    snprintf(c->data, sizeof c->data, "%s", c->model->data);
    return true;
}

bool config_in_folder(Config *c, const char *folder)
{
    size_t room = sizeof c->vocab;
    return (snprintf(c->vocab, room, "%s/vocab.txt", folder) < (int)room &&
            snprintf(c->targets, room, "%s/vocab-target.txt", folder) < (int)room) ||
           cn_fail(CN_EINVALID, "the name of the folder %.40s.. is too long", folder);
}

static json_t *config_to_json(const Config *c)
{
    return json_pack(
        "{s:i, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:s, s:f, s:f, s:f, s:f, s:I, s:I, s:I, "
        "s:I, s:I, s:I, s:b, s:s}",
        "v", 1, "version", cn_version(), "model", c->model->name, "data", c->data, "epochs",
        (json_int_t)c->epochs, "batch", (json_int_t)c->batch, "limit", (json_int_t)c->limit, "seed",
        (json_int_t)c->seed, "optim", c->optim, "schedule", c->schedule, "lr", c->lr, "momentum",
        c->momentum, "weight_decay", c->weight_decay, "clip", c->clip, "workers",
        (json_int_t)c->workers, "patience", (json_int_t)c->patience, "checkpoint_steps",
        (json_int_t)c->checkpoint_steps, "accumulate", (json_int_t)c->accumulate, "log_steps",
        (json_int_t)c->log_steps, "resize", (json_int_t)c->resize, "recompute", (int)c->recompute,
        "amp", c->amp);
}

bool config_save(const Config *c, const char *folder)
{
    char path[1024], temporary[1040];
    snprintf(path, sizeof path, "%s/config.json", folder);
    snprintf(temporary, sizeof temporary, "%s.new", path);
    json_t *j = config_to_json(c);
    bool ok =
        j && json_dump_file(j, temporary, JSON_INDENT(2)) == 0 && rename(temporary, path) == 0;
    json_decref(j);
    return ok || cn_fail(CN_EIO, "%s: cannot write: %s", path, strerror(errno));
}

bool config_load(Config *c, const char *folder)
{
    char path[1024];
    const char *model = NULL, *data = NULL, *optim = NULL, *schedule = NULL;
    const char *amp = "";
    json_int_t epochs, batch, limit, seed, workers, patience, steps, accumulate = 1, log_steps = 0,
                                                                     resize = 0;
    int recompute = 0;
    json_error_t error;
    int v = 0;
    memset(c, 0, sizeof *c);
    snprintf(path, sizeof path, "%s/config.json", folder);
    if (access(path, F_OK))
        return cn_fail(CN_ENOTFOUND, "%s: no run folder (config.json is missing)", folder);
    json_t *j = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!j) return cn_fail(CN_EFORMAT, "%s: line %d: %s", path, error.line, error.text);
    bool ok = !json_unpack_ex(
        j, &error, 0,
        "{s:i, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:s, s:F, s:F, s:F, s:F, s:I, s:I, s:I, "
        "s?I, s?I, s?I, s?b, s?s}",
        "v", &v, "model", &model, "data", &data, "epochs", &epochs, "batch", &batch, "limit",
        &limit, "seed", &seed, "optim", &optim, "schedule", &schedule, "lr", &c->lr, "momentum",
        &c->momentum, "weight_decay", &c->weight_decay, "clip", &c->clip, "workers", &workers,
        "patience", &patience, "checkpoint_steps", &steps, "accumulate", &accumulate, "log_steps",
        &log_steps, "resize", &resize, "recompute", &recompute, "amp", &amp);
    if (!ok) cn_fail(CN_EFORMAT, "%s: %s", path, error.text);
    else if (v != 1) ok = cn_fail(CN_EFORMAT, "%s: version %d is unknown", path, v);
    ok = ok && choose_model(model, c);
    if (ok) {
        snprintf(c->data, sizeof c->data, "%s", data);
        snprintf(c->optim, sizeof c->optim, "%s", optim);
        snprintf(c->schedule, sizeof c->schedule, "%s", schedule);
        c->epochs = epochs, c->batch = batch, c->limit = limit, c->seed = (uint64_t)seed;
        c->workers = workers, c->patience = patience, c->checkpoint_steps = steps;
        c->accumulate = accumulate, c->log_steps = log_steps, c->recompute = recompute;
        c->resize = resize;
        snprintf(c->amp, sizeof c->amp, "%s", amp);
    }
    json_decref(j);
    return ok && (!cn_model_reads(c->model) || config_in_folder(c, folder));
}

/* ---- what it describes --------------------------------------------------------------------- */

/* y = 2 x1 - 3.4 x2 + 4.2 + noise: the book's synthetic regression data (D2L 3.3). */
static cn_dataset *linear_data(cn_part split, uint64_t seed)
{
    enum { SAMPLES = 1000 };
    cn_rng rng = cn_rng_make(seed, split == CN_TRAIN ? 1 : 2);
    cn_tensor *x = cn_empty(CN_SHAPE(SAMPLES, 2), CN_F32),
              *y = cn_empty(CN_SHAPE(SAMPLES, 1), CN_F32);
    float *px = cn_data_mut(x), *py = cn_data_mut(y);
    for (int i = 0; px && py && i < SAMPLES; i++) {
        double a = cn_rng_normal(&rng), b = cn_rng_normal(&rng);
        px[2 * i] = (float)a, px[2 * i + 1] = (float)b;
        py[i] = (float)(2 * a - 3.4 * b + 4.2 + 0.01 * cn_rng_normal(&rng));
    }
    return cn_dataset_from_tensors(x, y);
}

cn_dataset *config_data(const Config *c, cn_part split)
{
    if (c->model->tokens) return corpus_data(c, split);
    if (c->model->translates) return sentences_data(c, split);
    bool linear = strcmp(c->data, "linear") == 0;
    if (linear != c->model->regression) {
        cn_fail(CN_EINVALID, "the model %s cannot learn from the data set %s; try --data %s",
                c->model->name, c->data, c->model->data);
        return NULL;
    }
    if (linear) return linear_data(split, c->seed);
    cn_shape example = config_example(c);
    return fitted_to(c->model, &example,
                     cn_dataset_open(c->data, .split = split, .limit = c->limit));
}

static cn_tensor *squared_error(cn_tensor *output, const cn_batch *batch, void *context)
{
    (void)context;
    return cn_mse_loss(output, batch->y);
}

cn_loss_fn *config_loss(const Config *c)
{
    return c->model->regression ? squared_error : c->model->translates ? cn_seq_loss : NULL;
}

cn_run_fn *config_run(const Config *c)
{
    return c->model->translates ? cn_seq_run : NULL;
}

static cn_module *make_network(const Config *c)
{
    if (!*c->vocab) return cn_model_make(c->model);
    cn_vocab *v = cn_vocab_load(c->vocab);
    cn_vocab *targets = v && c->model->translates ? cn_vocab_load(c->targets) : NULL;
    cn_model_request r = { .classes = cn_vocab_size(v), .settings = c->model->settings };
    if (targets) r.targets = cn_vocab_size(targets);
    cn_vocab_free(v);
    cn_vocab_free(targets);
    return cn_ok() ? c->model->make(&r) : NULL;
}

cn_module *config_network(const Config *c)
{
    cn_manual_seed(c->seed);
    cn_module *net = make_network(c);
    if (net && cn_build(net, config_input(c, 1))) return net;
    cn_module_free(net);
    return NULL;
}

/* Options of their own take effect unless the name came with them. */
static void add_option(char *text, size_t room, const char *name, double value)
{
    char given[32];
    size_t n = strlen(text);
    snprintf(given, sizeof given, "%s=", name);
    if (!strstr(text, given)) snprintf(text + n, room - n, " %s%.17g", given, value);
}

cn_optim *config_optimiser(const Config *c, cn_module *net)
{
    char text[sizeof c->optim + 128];
    snprintf(text, sizeof text, "%s", c->optim);
    add_option(text, sizeof text, "lr", c->lr);
    if (c->momentum > 0) add_option(text, sizeof text, "momentum", c->momentum);
    if (c->weight_decay > 0) add_option(text, sizeof text, "weight_decay", c->weight_decay);
    return cn_optim_by_name(net, text);
}

cn_sched *config_schedule(const Config *c, cn_optim *o)
{
    if (strcmp(c->schedule, "cosine") == 0) return cn_cosine_lr(o, c->epochs, 0);
    if (strcmp(c->schedule, "step") == 0)
        return cn_step_lr(o, c->epochs / 3 > 0 ? c->epochs / 3 : 1, 0.1);
    if (strcmp(c->schedule, "constant") == 0) return NULL;
    return cn_sched_by_name(o, c->schedule);
}

/* ---- run folders --------------------------------------------------------------------------- */

cn_module *network_from(const Config *c, const char *path)
{
    cn_module *net = config_network(c);
    cn_dict *state = net ? cn_load(path) : NULL;
    bool ok = state && cn_load_state_dict(net, state, true);
    cn_dict_free(state);
    if (ok) return net;
    cn_module_free(net);
    return NULL;
}

cn_module *run_network(const Config *c, const char *folder)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    return network_from(c, path);
}

bool takes_pictures(const Config *c, const char *command)
{
    if (!c->model->regression && !cn_model_reads(c->model)) return true;
    return cn_fail(CN_EINVALID, "%s: %s does not classify pictures%s", command, c->model->name,
                   c->model->tokens       ? "; cenote generate writes with it"
                   : c->model->translates ? "; cenote translate does with it"
                                          : "");
}

bool make_folder(const char *path)
{
    char part[1024];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof part)
        return cn_fail(CN_EINVALID, "'%.60s' is no name for a folder", path);
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != 0) continue;
        memcpy(part, path, i);
        part[i] = 0;
        struct stat st;
        if (mkdir(part, 0777) == 0 ||
            (errno == EEXIST && stat(part, &st) == 0 && S_ISDIR(st.st_mode)))
            continue;
        return cn_fail(CN_EIO, "%s: cannot make this folder: %s", part, strerror(errno));
    }
    return true;
}
