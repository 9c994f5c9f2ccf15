/* eff.c - how much memory a chain of layers takes (D2L 6.1). */
#include "book/book.h"

#include <math.h>

enum { ELEMENTS = 1 << 18, LAYERS = 32 };

/* Looks at the memory in use when something passes, and hands it on. */
typedef struct {
    size_t *most;
} Meter;

static bool meter_forward(cn_module *m, cn_io *io)
{
    const Meter *meter = cn_module_options(m);
    size_t live = cn_memory().live_bytes;
    if (live > *meter->most) *meter->most = live;
    io->out[0] = io->in[0];
    return true;
}

static const cn_module_class meter_class = {
    .size = sizeof(cn_module_class),
    .name = "Meter",
    .options_size = sizeof(Meter),
    .forward = meter_forward,
};

/* Of results of (Tanh, Meter) so many times. */
static double most_alive(int layers, bool recorded)
{
    cn_module *parts[2 * LAYERS];
    size_t most = 0, before = 0, one = 1;
    for (int i = 0; i < layers; i++) {
        parts[2 * i] = cn_tanh_layer();
        parts[2 * i + 1] = cn_module_of(&meter_class, &(Meter){ &most });
    }
    cn_module *net = cn_sequential_n(parts, 2 * layers);
    CN_SCOPE
    {
        cn_tensor *x = cn_requires_grad(cn_randn(CN_SHAPE(ELEMENTS), CN_F32), recorded);
        cn_tensor *unit = cn_clone(cn_detach(x));
        before = cn_memory().live_bytes;
        cn_tensor *second = cn_clone(unit);
        one = cn_memory().live_bytes - before; /* with what the allocator rounds up to */
        before += one;
        cn_forward(net, second ? x : NULL);
    }
    cn_module_free(net);
    return round(((double)most - (double)before) / (double)one);
}

static void run(Lab *lab)
{
    /* Without gradients a result is dropped when the next is there: at most two are alive. */
    lab_at_most(lab, "results alive at once in a Sequential of 4 layers", most_alive(4, false), 2);
    lab_at_most(lab, "of 32 layers", most_alive(32, false), 2);
    /* What backward needs is kept, once: that of tanh is its result. */
    lab_at_most(lab, "of 32 layers, recorded for backward", most_alive(32, true), 33);
    lab_at_least(lab, "which are kept", most_alive(32, true), 32);

    /* Flatten and Identity hand on the memory they get. */
    cn_module *flat = cn_flatten_layer(), *same = cn_layer("Identity");
    cn_tensor *x = cn_randn(CN_SHAPE(4, 3, 8, 8), CN_F32);
    lab_true(lab, "Flatten gives a view", cn_shares_memory(cn_forward(flat, x), x));
    lab_true(lab, "Identity, too", cn_shares_memory(cn_forward(same, x), x));
    cn_module_free(same);
    cn_module_free(flat);
}

const Experiment experiment_c05_eff = {
    .id = "C05-EFF",
    .title = "What goes from layer to layer is not copied",
    .title_zh = "效率",
    .section = "6.1",
    .run = run,
};
