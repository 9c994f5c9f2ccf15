/* classify.c - cenote predict --model: the likeliest classes of pictures. */
#include "app/classify.h"

#include "app/json.h"
#include "app/pretrained.h"

#include <cenote/autograd.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIKELIEST = 5, NAME = 160 };

typedef struct {
    int64_t n; /* names that there are */
    char (*name)[NAME];
} Names;

/* One a line; a long one is cut. */
static bool read_names(const char *path, int64_t classes, Names *out)
{
    char line[512];
    FILE *f = fopen(path, "r");
    out->name = f ? calloc((size_t)classes, sizeof *out->name) : NULL;
    while (out->name && out->n < classes && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\r\n")] = 0;
        snprintf(out->name[out->n++], NAME, "%.*s", NAME - 1, line);
    }
    if (f) fclose(f);
    return out->name || cn_fail(CN_ENOTFOUND, "%s: cannot read the names of classes", path);
}

typedef struct {
    int64_t class[LIKELIEST];
    double confidence[LIKELIEST];
    int n;
} Guesses;

static void insert(Guesses *g, int64_t class, double confidence)
{
    int at = g->n < LIKELIEST ? g->n++ : LIKELIEST;
    while (at > 0 && g->confidence[at - 1] < confidence) {
        if (at < LIKELIEST)
            g->class[at] = g->class[at - 1], g->confidence[at] = g->confidence[at - 1];
        at--;
    }
    if (at < LIKELIEST) g->class[at] = class, g->confidence[at] = confidence;
}

static bool guess(cn_module *net, cn_tensor *x, Guesses *g)
{
    cn_tensor *scores = NULL;
    CN_NO_GRAD scores = cn_softmax(cn_forward(net, x), 1);
    const float *s = cn_data(scores);
    for (int64_t i = 0; s && i < cn_size(scores, 1); i++) insert(g, i, (double)s[i]);
    return s != NULL;
}

static const char *name_of(const Names *names, int64_t class, char room[NAME])
{
    if (class < names->n) return names->name[class];
    snprintf(room, NAME, "%lld", (long long)class);
    return room;
}

static void print_guesses(const char *path, const Guesses *g, const Names *names)
{
    char room[NAME];
    for (int i = 0; i < g->n; i++)
        printf("%s%s%7.4f  %s\n", i ? "" : path, i ? "" : ":\n", g->confidence[i],
               name_of(names, g->class[i], room));
}

static json_t *guesses_as_json(const char *path, const Guesses *g, const Names *names)
{
    char room[NAME];
    json_t *rows = json_array();
    for (int i = 0; i < g->n; i++)
        json_array_append_new(rows, json_pack("{s:I, s:s, s:f}", "class", (json_int_t)g->class[i],
                                              "name", name_of(names, g->class[i], room),
                                              "confidence", g->confidence[i]));
    return json_pack("{s:s, s:o}", "picture", path, "guesses", rows);
}

static bool classify_all(const Args *args, const Config *c, cn_module *net, const Names *names)
{
    Scaling scaling = scaling_named(text_of(args, "scaling"));
    json_t *all = json_array();
    bool ok = scaling != SCALING_UNKNOWN;
    cn_train_mode(net, false);
    for (int i = 0; ok && i < operand_count(args); i++) {
        Guesses g = { .n = 0 };
        size_t mark = cn_mark();
        ok = guess(net, picture_for(c->model, operand(args, i), scaling, int_of(args, "side")), &g);
        cn_release(mark);
        if (!ok) break;
        if (json_wanted(args))
            json_array_append_new(all, guesses_as_json(operand(args, i), &g, names));
        else print_guesses(operand(args, i), &g, names);
    }
    if (ok && json_wanted(args))
        print_json(args, json_pack("{s:s, s:O}", "model", c->model->name, "pictures", all));
    json_decref(all);
    return ok;
}

int classify(const Args *args)
{
    Config c;
    Names names = { 0 };
    bool ok = given(args, "weights") ||
              cn_fail(CN_EINVALID, "predict: --model also wants --weights FILE");
    ok = ok && config_of_model(&c, text_of(args, "model")) && takes_pictures(&c, "predict");
    if (ok && given(args, "classes"))
        ok = read_names(text_of(args, "classes"), cn_model_outputs(c.model), &names);
    cn_module *net = ok ? pretrained_network(c.model, text_of(args, "weights")) : NULL;
    ok = net && classify_all(args, &c, net, &names);
    cn_module_free(net);
    free(names.name);
    return ok ? EXIT_OK : failed(args);
}
