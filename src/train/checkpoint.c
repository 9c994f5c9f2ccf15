/* checkpoint.c - saving and restoring a run. */
#include "train/checkpoint.h"

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "train/state.h"

#include <jansson.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERSION = 2, MAX_GENERATORS = 256 };

static void file_name(const char *folder, char path[1024])
{
    snprintf(path, 1024, "%s/checkpoints/last.safetensors", folder);
}

bool cn_checkpoint_exists(const char *folder)
{
    char path[1024];
    file_name(folder, path);
    return access(path, F_OK) == 0;
}

static bool make(const char *path)
{
    struct stat st;
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        return true;
    return cn_fail_errno(path, "make the folder");
}

bool cn_checkpoint_folder(const char *folder)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/checkpoints", folder);
    return make(folder) && make(path);
}

/* Doubles travel as hexadecimal text: exact, also when they are not finite. */
static const char *exact(double x, char text[40])
{
    snprintf(text, 40, "%a", x);
    return text;
}

static json_t *rng_to_json(const cn_rng *r)
{
    return json_pack("[I,I,I]", (json_int_t)r->seed, (json_int_t)r->stream,
                     (json_int_t)r->position);
}

static bool rng_from_json(json_t *j, cn_rng *r)
{
    json_int_t seed, stream, position;
    if (json_unpack(j, "[I,I,I]", &seed, &stream, &position)) return false;
    *r = cn_rng_make((uint64_t)seed, (uint64_t)stream);
    r->position = (uint64_t)position;
    return true;
}

/* The numbers of a run state, with the names they have in the file. */
static const struct {
    const char *name;
    size_t offset;
} reals[] = {
    { "loss_sum", offsetof(cn_run_state, loss_sum) },   { "correct", offsetof(cn_run_state, correct) },
    { "test_loss", offsetof(cn_run_state, test_loss) }, { "test_acc", offsetof(cn_run_state, test_acc) },
    { "best_acc", offsetof(cn_run_state, best_acc) },   { "last_loss", offsetof(cn_run_state, last_loss) },
    { "last_acc", offsetof(cn_run_state, last_acc) },   { "seconds", offsetof(cn_run_state, seconds) },
    { "sched_best", offsetof(cn_run_state, sched.best) },
}, integers[] = {
    { "epoch", offsetof(cn_run_state, epoch) },
    { "step", offsetof(cn_run_state, step) },
    { "seen", offsetof(cn_run_state, seen) },
    { "epochs_since_best", offsetof(cn_run_state, epochs_since_best) },
    { "sched_bad", offsetof(cn_run_state, sched.bad) },
    { "sched_cooldown", offsetof(cn_run_state, sched.cooldown) },
    { "sched_reductions", offsetof(cn_run_state, sched.reductions) },
    { "metrics_bytes", offsetof(cn_run_state, metrics_bytes) },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static json_t *numbers_to_json(const cn_run_state *s)
{
    json_t *j = json_object();
    char text[40];
    for (size_t i = 0; i < COUNT(reals); i++)
        json_object_set_new(
            j, reals[i].name,
            json_string(
                exact(*(const double *)(const void *)((const char *)s + reals[i].offset), text)));
    for (size_t i = 0; i < COUNT(integers); i++)
        json_object_set_new(
            j, integers[i].name,
            json_integer(*(const int64_t *)(const void *)((const char *)s + integers[i].offset)));
    return j;
}

static bool numbers_from_json(json_t *j, cn_run_state *s)
{
    for (size_t i = 0; i < COUNT(reals); i++) {
        const char *text = json_string_value(json_object_get(j, reals[i].name));
        if (!text) return false;
        *(double *)(void *)((char *)s + reals[i].offset) = strtod(text, NULL);
    }
    for (size_t i = 0; i < COUNT(integers); i++) {
        json_t *n = json_object_get(j, integers[i].name);
        if (!json_is_integer(n)) return false;
        *(int64_t *)(void *)((char *)s + integers[i].offset) = json_integer_value(n);
    }
    return true;
}

static char *state_text(const cn_fit_options *o, const cn_loader *loader, const cn_run_state *s)
{
    cn_loader_cursor c;
    cn_rng *rngs[MAX_GENERATORS];
    if (!cn_loader_state(loader, &c)) return NULL;
    json_t *generators = json_array();
    int n = cn_module_generators(o->net, rngs, MAX_GENERATORS);
    for (int i = 0; i < n; i++) json_array_append_new(generators, rng_to_json(rngs[i]));
    json_t *j = json_pack("{s:i, s:o, s:[I,I,I,I,I], s:I, s:o, s:o}", "v", VERSION, "run",
                          numbers_to_json(s), "loader", (json_int_t)c.seed, (json_int_t)c.epoch,
                          (json_int_t)c.position, (json_int_t)c.samples, (json_int_t)c.batch,
                          "sched", (json_int_t)cn_sched_count(o->sched), "rng",
                          rng_to_json(cn_default_rng()), "generators", generators);
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    json_decref(j);
    if (!text) cn_fail(CN_ENOMEM, "checkpoint: out of memory");
    return text;
}

static bool set_metadata(cn_dict *d, const char *text)
{
    cn_dict *meta = cn_dict_new();
    bool ok = meta && cn_dict_set_str(meta, "format", "cenote-checkpoint") &&
              cn_dict_set_str(meta, "state", text) && cn_dict_set_dict(d, "__metadata__", meta);
    cn_dict_free(meta);
    return ok;
}

bool cn_checkpoint_save(const char *folder, const cn_fit_options *o, const cn_loader *loader,
                        const cn_run_state *s)
{
    char path[1024];
    file_name(folder, path);
    char *text = state_text(o, loader, s);
    cn_dict *d = text ? cn_dict_new() : NULL;
    bool ok = d && cn_state_into(o->net, "model.", d) && cn_optim_into(o->optim, d) &&
              set_metadata(d, text) && cn_save(path, d);
    cn_dict_free(d);
    free(text);
    return ok;
}

static bool restore_generators(json_t *j, const cn_fit_options *o)
{
    cn_rng *rngs[MAX_GENERATORS];
    int n = cn_module_generators(o->net, rngs, MAX_GENERATORS);
    json_t *list = json_object_get(j, "generators");
    if ((int)json_array_size(list) != n) return false;
    for (int i = 0; i < n; i++)
        if (!rng_from_json(json_array_get(list, (size_t)i), rngs[i])) return false;
    return rng_from_json(json_object_get(j, "rng"), cn_default_rng());
}

static bool restore_text(const char *text, const char *path, const cn_fit_options *o,
                         cn_loader *loader, cn_run_state *s)
{
    json_int_t seed, epoch, position, samples, batch, sched;
    int version = 0;
    json_t *j = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL, *run = NULL;
    bool ok =
        j && !json_unpack(j, "{s:i, s:o, s:[I,I,I,I,I], s:I}", "v", &version, "run", &run, "loader",
                          &seed, &epoch, &position, &samples, &batch, "sched", &sched);
    ok = ok && version == VERSION && numbers_from_json(run, s) && restore_generators(j, o);
    json_decref(j);
    if (!ok) return cn_fail(CN_EFORMAT, "%s: this is no checkpoint of this model", path);
    if (o->sched && !(cn_sched_recall(o->sched, &s->sched) && cn_sched_seek(o->sched, sched)))
        return false;
    cn_loader_cursor c = { (uint64_t)seed, epoch, position, samples, batch };
    return cn_loader_restore(loader, &c);
}

bool cn_checkpoint_load(const char *folder, const cn_fit_options *o, cn_loader *loader,
                        cn_run_state *s)
{
    char path[1024];
    file_name(folder, path);
    size_t mark = cn_mark();
    cn_dict *d = cn_load(path);
    const cn_value *meta = d ? cn_dict_find(d, "__metadata__") : NULL;
    const char *text =
        meta && meta->kind == CN_KIND_DICT ? cn_dict_str(meta->u.d, "state", NULL) : NULL;
    bool ok = d && restore_text(text, path, o, loader, s) &&
              cn_state_from(o->net, "model.", d, true) && cn_optim_from(o->optim, d);
    cn_dict_free(d);
    cn_release(mark);
    return ok;
}
