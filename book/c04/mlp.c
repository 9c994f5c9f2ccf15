/* mlp.c - hidden layers, and why something must bend between them (D2L 5.1.1). */
#include "book/book.h"

enum { N = 400, STEPS = 400 };

/* W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2): no more than one layer. */
static void linear_layers_collapse(Lab *lab)
{
    cn_module *one = cn_linear_layer(8, .in = 5), *two = cn_linear_layer(3, .in = 8);
    cn_tensor *x = cn_randn(CN_SHAPE(20, 5), CN_F32);
    cn_tensor *w1 = cn_module_slot(one, "weight"), *w2 = cn_module_slot(two, "weight");
    cn_tensor *w = cn_matmul(w2, w1);
    cn_tensor *b = cn_add(cn_mv(w2, cn_module_slot(one, "bias")), cn_module_slot(two, "bias"));
    cn_tensor *affine = cn_detach(cn_linear(x, w, b));
    lab_same(lab, "two linear layers and one affine map",
             cn_detach(cn_forward(two, cn_forward(one, x))), affine, 1e-5);
    cn_tensor *bent = cn_forward(two, cn_relu(cn_forward(one, x)));
    lab_at_least(lab, "with ReLU between them they differ by",
                 cn_item(cn_amax(cn_abs(cn_sub(cn_detach(bent), affine)))), 0.05);
    cn_module_free(one);
    cn_module_free(two);
}

/* Points in a square; their class is whether the signs of their coordinates differ. A margin is
   left free. */
static LabData exclusive_or(void)
{
    cn_tensor *side = cn_to(cn_randint(0, 2, CN_SHAPE(N, 2)), CN_F32); /* 0 or 1 */
    cn_tensor *size = cn_add(cn_mul(cn_rand(CN_SHAPE(N, 2), CN_F32), cn_num(0.9)), cn_num(0.1));
    cn_tensor *x = cn_mul(size, cn_sub(cn_mul(side, cn_num(2)), cn_num(1)));
    cn_tensor *y = cn_ne(cn_select(side, 1, 0), cn_select(side, 1, 1));
    return (LabData){ x, cn_to(y, CN_I64) };
}

/* Accuracy on what it was trained on. */
static double fitted(cn_module *net, const LabData *d)
{
    cn_optim *adam = cn_adam(net, .lr = 0.03);
    for (int i = 0; i < STEPS && cn_ok(); i++) CN_SCOPE
        {
            cn_zero_grad(net);
            if (cn_backward(cn_cross_entropy(cn_forward(net, d->x), d->y))) cn_step(adam);
        }
    double accuracy = lab_correct(cn_forward(net, d->x), d->y) / N;
    cn_optim_free(adam);
    return accuracy;
}

/* The examples of a class. */
static void scatter(cn_figure *f, const char *name, const LabData *d, bool class)
{
    double x[2][N];
    cn_tensor *of = cn_nonzero(cn_eq(d->y, cn_num(class)));
    cn_tensor *points = cn_t(cn_index_select(d->x, 0, cn_squeeze(of, CN_SHAPE(1))));
    int64_t n = cn_size(of, 0);
    for (int i = 0; i < 2; i++)
        if (!cn_read(cn_select(points, 0, i), CN_F64, x[i], n)) return;
    cn_figure_scatter(f, name, x[0], x[1], (size_t)n);
}

/* The examples, and how sure the network is of their classes. */
static void draw(Lab *lab, const LabData *d, cn_module *net)
{
    enum { GRID = 33 };
    static const double levels[] = { 0.1, 0.3, 0.5, 0.7, 0.9 };
    double at[GRID], classes[GRID * GRID];
    cn_tensor *line = cn_linspace(-1, 1, GRID, CN_F32), *x[2];
    x[0] = cn_expand(cn_unsqueeze(line, 0), CN_SHAPE(GRID, GRID));
    x[1] = cn_expand(cn_unsqueeze(line, 1), CN_SHAPE(GRID, GRID));
    cn_tensor *points = cn_reshape(cn_stack(x, 2, 2), CN_SHAPE(GRID * GRID, 2));
    cn_tensor *p = cn_select(cn_softmax(cn_detach(cn_forward(net, points)), 1), 1, 1);
    cn_figure *f = cn_figure_new("P(class 1) by a network with one hidden layer");
    if (cn_read(line, CN_F64, at, GRID) && cn_read(p, CN_F64, classes, GRID * GRID))
        cn_figure_contour(f, classes, GRID, GRID, .x = at, .y = at, .levels = levels,
                          .n_levels = sizeof levels / sizeof *levels);
    scatter(f, "class 0", d, false);
    scatter(f, "class 1", d, true);
    cn_figure_axes(f, .xlabel = "x1", .ylabel = "x2", .ymin = -1, .ymax = 1.5);
    lab_figure(lab, f);
}

static void run(Lab *lab)
{
    linear_layers_collapse(lab);
    LabData d = exclusive_or();
    cn_module *flat = cn_sequential(cn_linear_layer(32, .in = 2), cn_linear_layer(2, .in = 32));
    cn_module *bent =
        cn_sequential(cn_linear_layer(32, .in = 2), cn_relu_layer(), cn_linear_layer(2, .in = 32));
    lab_at_most(lab, "exclusive or, linear layers only: accuracy", fitted(flat, &d), 0.75);
    lab_number(lab, "with ReLU between them", fitted(bent, &d), 1, 0);
    draw(lab, &d, bent);
    cn_module_free(flat);
    cn_module_free(bent);
}

const Experiment experiment_c04_mlp = {
    .id = "C04-MLP",
    .title = "Hidden layers and nonlinearity",
    .title_zh = "隐藏层",
    .section = "5.1.1",
    .run = run,
};
