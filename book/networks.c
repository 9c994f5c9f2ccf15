/* networks.c - looking at networks: their layers' shapes, their gradients. */
#include "book/lab.h"
#include "models/models.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cn_module *lab_network(const char *model, int64_t side, int64_t shrink)
{
    const cn_model *m = cn_model_find(model);
    if (!m) cn_fail(CN_ENOTFOUND, "there is no network %s", model);
    cn_module *net =
        m ? m->make(&(cn_model_request){
                .classes = cn_model_outputs(m), .shrink = shrink, .settings = m->settings })
          : NULL;
    if (net && cn_build(net, CN_SHAPE(1, m->input.dim[0], side, side))) return net;
    cn_module_free(net);
    return NULL;
}

/* ---- shapes ---------------------------------------------------------------------------------- */

/* Layers that find out their sizes by themselves are the same layers. */
static void put_layer(FILE *out, const char *name, const cn_tensor *y)
{
    fprintf(out, "%s%s (", ftell(out) ? "; " : "", strncmp(name, "Lazy", 4) == 0 ? name + 4 : name);
    for (int i = 0; i < cn_ndim(y); i++)
        fprintf(out, "%s%lld", i ? ", " : "", (long long)cn_size(y, i));
    fputs(")", out);
}

void lab_layers(Lab *lab, cn_module *net, cn_shape input, const char *book)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    bool was = cn_is_training(net);
    cn_train_mode(net, false);
    CN_SCOPE CN_NO_GRAD
    {
        cn_tensor *x = cn_zeros(input, CN_F32);
        for (int i = 0; out && x && i < cn_module_children(net); i++) {
            cn_module *layer = cn_module_child(net, i);
            x = cn_forward(layer, x);
            put_layer(out, cn_module_name(layer), x);
        }
    }
    cn_train_mode(net, was);
    bool ok = out && fclose(out) == 0;
    lab_text(lab, "layers", ok ? text : "", book);
    free(text);
}

/* ---- feature maps ---------------------------------------------------------------------------- */

static void draw_maps(cn_figure *f, cn_tensor *maps)
{
    enum { MOST = 16, COLUMNS = 8 };
    int64_t n = cn_size(maps, 0) < MOST ? cn_size(maps, 0) : MOST;
    int64_t h = cn_size(maps, 1), w = cn_size(maps, 2);
    float *pixels = cn_ok() ? malloc((size_t)(n * h * w) * sizeof *pixels) : NULL;
    double lo = cn_item(cn_amin(maps)), hi = cn_item(cn_amax(maps));
    if (pixels && cn_read(cn_narrow(maps, 0, 0, n), CN_F32, pixels, n * h * w))
        cn_figure_images(f, (size_t)n, (size_t)h, (size_t)w, .f32 = pixels, .lo = lo, .hi = hi,
                         .columns = COLUMNS);
    free(pixels);
}

cn_figure *lab_feature_maps(cn_module *net, cn_dataset *images)
{
    cn_figure *f = cn_figure_new("Feature maps of the first layer");
    bool was = cn_is_training(net);
    cn_train_mode(net, false);
    CN_SCOPE CN_NO_GRAD
    {
        cn_batch b = { 0 };
        if (f && cn_dataset_get(images, (int64_t[]){ 0 }, 1, &b)) {
            cn_tensor *y = cn_forward(cn_module_child(net, 0), b.x);
            draw_maps(f, cn_select(y, 0, 0));
        }
    }
    cn_train_mode(net, was);
    if (cn_ok()) return f;
    cn_figure_free(f);
    return NULL;
}

/* ---- gradients ------------------------------------------------------------------------------- */

typedef struct {
    double worst, largest; /* of the differences, of the gradients */
} Errors;

static void compare(Errors *e, double ours, double theirs)
{
    e->worst = fmax(e->worst, isnan(ours - theirs) ? HUGE_VAL : fabs(ours - theirs));
    e->largest = fmax(e->largest, fabs(ours));
}

/* The sum of f's output with weights v: a number to differentiate. */
static double weighted(cn_function *f, cn_tensor *const *in, void *context, cn_tensor *v)
{
    double y = 0;
    CN_SCOPE CN_NO_GRAD
    {
        y = cn_item(cn_sum(cn_mul(f(in, context), v)));
    }
    return y;
}

static void try_elements(Errors *e, cn_function *f, cn_tensor *const *in, int i, void *context,
                         cn_tensor *v, const cn_tensor *grad)
{
    const double h = 1e-6;
    double *x = cn_data_mut(in[i]);
    const double *g = cn_data(grad);
    for (int64_t k = 0; x && g && k < cn_numel(in[i]); k++) {
        double at = x[k];
        x[k] = at + h;
        double above = weighted(f, in, context, v);
        x[k] = at - h;
        double below = weighted(f, in, context, v);
        x[k] = at;
        compare(e, g[k], (above - below) / (2 * h));
    }
}

void lab_gradients(Lab *lab, const char *what, cn_function *f, cn_tensor *const *in, int n,
                   void *context)
{
    enum { MOST = 8 };
    cn_tensor *grads[MOST] = { 0 };
    Errors e = { 0 };
    CN_SCOPE
    {
        cn_tensor *y = f(in, context), *v = y ? cn_randn(*cn_shape_of(y), CN_F64) : NULL;
        if (n <= MOST && v && cn_vjp(f, in, n, context, v, NULL, grads, NULL))
            for (int i = 0; i < n; i++)
                try_elements(&e, f, in, i, context, v, cn_contiguous(grads[i]));
    }
    lab_at_most(lab, what, e.largest > 0 ? e.worst / e.largest : HUGE_VAL, 1e-6);
}

/* ---- gradients of modules -------------------------------------------------------------------- */

enum { PARAMETERS = 64, DIRECTIONS = 3 };

/* Moves all parameters along their directions. */
static void move(cn_tensor *const *p, cn_tensor *const *d, int n, double by)
{
    CN_SCOPE CN_NO_GRAD
    {
        for (int i = 0; i < n; i++) cn_add_(p[i], cn_mul(d[i], cn_num(by)));
    }
}

static double energy(cn_module *m, cn_tensor *x)
{
    double y = 0;
    CN_SCOPE CN_NO_GRAD
    {
        y = cn_item(cn_mean(cn_square(cn_forward(m, x))));
    }
    return y;
}

static void try_direction(Errors *e, cn_module *m, cn_tensor *x, cn_tensor *const *p, int n)
{
    const double h = 1e-3;
    cn_tensor *d[PARAMETERS];
    double along = 0;
    for (int i = 0; i < n; i++) {
        d[i] = cn_randn(*cn_shape_of(p[i]), CN_F32);
        along += cn_item(cn_sum(cn_mul(cn_grad(p[i]), d[i])));
    }
    move(p, d, n, h);
    double above = energy(m, x);
    move(p, d, n, -2 * h);
    double below = energy(m, x);
    move(p, d, n, h);
    compare(e, along, (above - below) / (2 * h));
}

void lab_module_gradients(Lab *lab, const char *what, cn_module *m, cn_tensor *x)
{
    cn_tensor *p[PARAMETERS];
    Errors e = { 0 };
    CN_SCOPE
    {
        cn_zero_grad(m);
        cn_tensor *loss = cn_mean(cn_square(cn_forward(m, x)));
        int n = cn_parameters(m, p, PARAMETERS);
        if (n > PARAMETERS) cn_fail(CN_EINVALID, "%s: %d parameters are too many", what, n);
        if (cn_backward(loss))
            for (int i = 0; i < DIRECTIONS && cn_ok(); i++) try_direction(&e, m, x, p, n);
        cn_zero_grad(m);
    }
    lab_at_most(lab, what, e.largest > 0 ? e.worst / e.largest : HUGE_VAL, 0.02);
}
