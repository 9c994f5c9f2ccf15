/* plot.c - cenote plot */
#include "app/draw.h"
#include "app/run.h"

#include <stdio.h>
#include <string.h>

static const Option options[] = {
    { "out", "FILE", OPT_TEXT, NULL, 0, 0,
      "write .svg, .png or .pdf instead of drawing on the terminal" },
    { "title", "TEXT", OPT_TEXT, NULL, 0, 0, "title of the figure" },
    { "filters", "NAME", OPT_TEXT, NULL, 0, 0,
      "draw a parameter of the network as images: 0.weight" },
    { "features", "LAYER", OPT_TEXT, NULL, 0, 0, "draw what a layer makes of a test image: 2" },
    { "image", "N", OPT_INT, "0", 0, 1e12, "which test image" },
    { NULL, NULL, OPT_FLAG, NULL, 0, 0, NULL },
};

/* ---- pictures of what a network has inside ------------------------------------------------- */

typedef struct {
    const char *name;
    cn_tensor *found;
} Search;

static bool same_name(const cn_entry *e, void *context)
{
    Search *s = context;
    if (strcmp(e->name, s->name) == 0) s->found = e->tensor;
    return !s->found;
}

static cn_tensor *filters(cn_module *net, const char *name)
{
    Search s = { .name = name };
    cn_visit(net, same_name, &s);
    if (!s.found) cn_fail(CN_ENOTFOUND, "--filters: the network has no parameter '%s'", name);
    return s.found;
}

static cn_tensor *features(const Config *c, cn_module *net, const char *layer, int64_t image)
{
    cn_batch b;
    cn_tensor *y = NULL;
    cn_dataset *test = config_data(c, CN_TEST);
    cn_train_mode(net, false);
    if (test && image >= cn_dataset_samples(test))
        cn_fail(CN_EINVALID, "--image: there are %lld", (long long)cn_dataset_samples(test));
    else if (test && cn_dataset_get(test, &image, 1, &b))
        CN_NO_GRAD y = cn_layer_output(net, layer, b.x);
    cn_dataset_free(test);
    return y;
}

static cn_figure *draw_inside(const Args *args)
{
    Config c;
    char title[160];
    const char *folder = operand(args, 0), *layer = text_of(args, "features");
    const char *name = layer ? layer : text_of(args, "filters");
    cn_module *net = config_load(&c, folder) ? run_network(&c, folder) : NULL;
    if (!net) return NULL;
    size_t mark = cn_mark();
    cn_tensor *t = layer ? features(&c, net, layer, int_of(args, "image")) : filters(net, name);
    snprintf(title, sizeof title, "%s: %s", c.model->title, name);
    cn_figure *f = t ? cn_figure_new(given(args, "title") ? text_of(args, "title") : title) : NULL;
    if (f && !cn_figure_tensor(f, t, 0)) {
        cn_figure_free(f);
        f = NULL;
    }
    cn_release(mark);
    cn_module_free(net);
    return f;
}

static int run(const Args *args)
{
    bool inside = given(args, "filters") || given(args, "features");
    cn_figure *f =
        inside ? draw_inside(args) : cn_learning_curves(operand(args, 0), text_of(args, "title"));
    bool ok =
        f && (given(args, "out") ? cn_figure_save(f, text_of(args, "out")) : draw_on_terminal(f));
    cn_figure_free(f);
    return ok ? EXIT_OK : failed(args);
}

const Command command_plot = {
    .name = "plot",
    .operands = "DIR",
    .least = 1,
    .most = 1,
    .about = "draw the learning curves of a run, its filters or its feature maps",
    .examples = "cenote plot runs/lenet\ncenote plot runs/lenet --out curves.pdf\n"
                "cenote plot runs/lenet --filters 0.weight --out filters.png\n"
                "cenote plot runs/lenet --features 2 --image 7",
    .options = options,
    .run = run,
};
