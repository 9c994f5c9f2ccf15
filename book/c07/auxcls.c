/* auxcls.c - GoogLeNet's auxiliary classifiers (D2L 8.4; Szegedy et al., 2015, section 5). */
#include "book/book.h"

enum { SIDE = 32, SHRINK = 8, N = 16, OUTPUTS = 3 };

/* Main output, and in training those of the two heads. */
static int outputs(cn_module *net, cn_tensor *x, cn_tensor *out[OUTPUTS])
{
    int n = OUTPUTS;
    return cn_forward_all(net, &x, 1, out, &n) ? n : 0;
}

/* loss + weight (loss of head 1 + loss of head 2) */
static cn_tensor *loss(cn_module *net, const cn_batch *b, double weight)
{
    cn_tensor *y[OUTPUTS] = { 0 };
    int n = outputs(net, b->x, y);
    cn_tensor *sum = cn_cross_entropy(y[0], b->y);
    for (int i = 1; i < n && weight > 0; i++)
        sum = cn_add(sum, cn_mul(cn_cross_entropy(y[i], b->y), cn_num(weight)));
    return sum;
}

/* Of the first convolution, when the heads count so much. */
static double first_gradient(cn_module *net, const cn_batch *b, double weight)
{
    double norm = 0;
    cn_train_mode(net, true);
    CN_SCOPE
    {
        cn_zero_grad(net);
        if (cn_backward(loss(net, b, weight)))
            norm = cn_item(
                cn_norm(cn_grad(cn_module_slot(cn_module_at(net, "conv1.conv"), "weight"))));
        cn_zero_grad(net);
    }
    return norm;
}

/* The mean loss of each epoch. */
static void train(Lab *lab, cn_module *net, cn_dataset *data, double *curve, int64_t epochs)
{
    cn_loader *loader = cn_loader_new(data, .batch = N, .shuffle = true, .drop_last = true,
                                      .seed = lab_options(lab)->seed, .workers = 1);
    cn_optim *adam = cn_adam(net, .lr = 2e-3);
    cn_train_mode(net, true);
    for (int64_t e = 0; e < epochs && cn_ok(); e++) {
        cn_batch b;
        size_t mark = cn_mark();
        for (curve[e] = 0; cn_loader_next(loader, &b); cn_release(mark), mark = cn_mark()) {
            cn_zero_grad(net);
            cn_tensor *l = loss(net, &b, 0.3);
            if (!cn_backward(l) || !cn_step(adam)) break;
            curve[e] += cn_item(l) / (double)cn_loader_batches(loader);
        }
        cn_release(mark);
        lab_say(lab, "epoch %lld, loss with heads %.3f", (long long)e + 1, curve[e]);
    }
    cn_optim_free(adam);
    cn_loader_free(loader);
}

static void run(Lab *lab)
{
    static const LabPlan plan = {
        .built_in = { 2000, .side = SIDE, .epochs = 6 },
        .quick = { 1200, .side = SIDE, .epochs = 5 },
        .real = { 6000, .side = SIDE, .epochs = 6 },
        .real_quick = { 1600, .side = SIDE, .epochs = 4 },
    };
    LabSchedule s = lab_schedule(lab, &plan);
    enum { MOST = 8 };
    double curve[MOST] = { 0 };
    int64_t index[N];
    cn_batch b = { 0 };
    cn_tensor *y[OUTPUTS] = { 0 };
    for (int i = 0; i < N; i++) index[i] = i;
    cn_dataset *data = lab_scheduled_images(lab, CN_TRAIN, &s);
    if (!data || !cn_dataset_get(data, index, N, &b)) return;
    cn_manual_seed(lab_options(lab)->seed);
    cn_module *net = lab_network("googlenet-aux", SIDE, SHRINK);

    lab_number(lab, "outputs in training", outputs(net, b.x, y), OUTPUTS, 0);
    for (int i = 1; i < OUTPUTS; i++) lab_shape(lab, "of a head", y[i], CN_SHAPE(N, 10));
    double alone = first_gradient(net, &b, 0), helped = first_gradient(net, &b, 0.3);
    lab_say(lab, "gradient of the first layer: %.3g, with heads %.3g", alone, helped);
    lab_at_least(lab, "heads raise the gradient of the first layer by the factor", helped / alone,
                 1.2);

    /* So narrow a network does not leave Xavier's plateau soon. */
    cn_init(net, cn_kaiming_uniform, NULL);
    train(lab, net, data, curve, s.epochs);
    lab_at_most(lab, "loss, last epoch against the first", curve[s.epochs - 1] / curve[0], 0.9);
    cn_train_mode(net, false);
    lab_number(lab, "outputs in evaluation", outputs(net, b.x, y), 1, 0);
    lab_same(lab, "the heads are gone: cn_forward() gives it", cn_forward(net, b.x), y[0], 0);
    cn_figure *f = cn_figure_new("GoogLeNet with auxiliary classifiers");
    cn_figure_line(f, "loss", NULL, curve, (size_t)s.epochs);
    cn_figure_axes(f, .xlabel = "epoch");
    lab_figure(lab, f);
    cn_module_free(net);
}

const Experiment experiment_c07_auxcls = {
    .id = "C07-AUXCLS",
    .title = "GoogLeNet's auxiliary classifiers",
    .title_zh = "GoogLeNet 的辅助分类器",
    .section = "8.4",
    .settings = "two heads, weight 0.3, in training only",
    .data = "fashion-mnist",
    .trains = true,
    .run = run,
};
