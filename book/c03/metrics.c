/* metrics.c - accuracy, sums over batches, and curves that grow while it trains (D2L 4.3, 4.4). */
#include "book/book.h"

#include <stdlib.h>
#include <string.h>

/* The book's evaluate_accuracy(), which adds up over batches, of which the last is smaller. */
static double evaluate_accuracy(cn_module *net, cn_dataset *data)
{
    cn_loader *loader = cn_loader_new(data, .batch = 256);
    double correct = 0, seen = 0;
    for (bool more = true; more;) CN_SCOPE CN_NO_GRAD
        {
            cn_batch b;
            more = cn_loader_next(loader, &b);
            if (more) {
                correct += lab_correct(cn_forward(net, b.x), b.y);
                seen += (double)b.size;
            }
        }
    cn_loader_free(loader);
    return correct / seen;
}

static void curves(Lab *lab, const LabFit *fit)
{
    cn_figure *f = lab_curves(fit, "Softmax regression");
    size_t size = cn_figure_text(f, NULL, NULL, 0) + 1;
    char *text = calloc(size, 1);
    if (text && cn_figure_text(f, NULL, text, size))
        lab_true(lab, "the curves on a terminal name all three",
                 strstr(text, "train loss") && strstr(text, "train accuracy") &&
                     strstr(text, "test accuracy"));
    free(text);
    char *picture = cn_figure_svg(f);
    if (picture || cn_error_code() != CN_EUNSUPPORTED)
        lab_true(lab, "and are a picture", picture && strlen(picture) > 1000);
    else cn_error_clear(); /* a build without pictures */
    cn_text_free(picture);
    lab_figure(lab, f);
}

static void run(Lab *lab)
{
    cn_tensor *y = cn_from((const int64_t[]){ 0, 2 }, CN_SHAPE(2), CN_I64);
    cn_tensor *y_hat =
        cn_from((const float[]){ 0.1f, 0.3f, 0.6f, 0.3f, 0.2f, 0.5f }, CN_SHAPE(2, 3), CN_F32);
    lab_number(lab, "accuracy(y_hat, y) / len(y)", lab_correct(y_hat, y) / 2, 0.5, 0);

    cn_dataset *train = lab_images(lab, CN_TRAIN, 1000, 1000),
               *test = lab_images(lab, CN_TEST, 600, 600);
    if (!train || !test) return;
    cn_module *net = cn_sequential(cn_flatten_layer(), cn_linear_layer(10, .in = 784));
    cn_init(net, cn_normal_init, NULL);
    double before = evaluate_accuracy(net, test);
    lab_number(lab, "accuracy of a network that was not trained: as if it guessed", before, 0.1,
               0.1);
    cn_optim *sgd = cn_sgd(net, .lr = 0.1);
    LabFit fit = lab_fit(lab, net, train, .optim = sgd, .validate = test, .batch = 64, .epochs = 3);
    double after = evaluate_accuracy(net, test);
    lab_at_least(lab, "accuracy after training", after, before + 0.2);
    lab_number(lab, "accuracy that the trainer reports", lab_last(&fit, fit.test_acc), after, 1e-9);
    cn_score score = { 0 };
    if (cn_evaluate(net, test, 256, NULL, NULL, &score))
        lab_number(lab, "and that of the library's evaluation", score.accuracy, after, 1e-9);
    lab_number(lab, "points of the curves", fit.epochs, 3, 0);
    curves(lab, &fit);
    cn_optim_free(sgd);
    cn_module_free(net);
}

const Experiment experiment_c03_metrics = {
    .id = "C03-METRICS",
    .title = "Accuracy and learning curves",
    .title_zh = "分类精度",
    .section = "4.3",
    .published = "accuracy of the example 0.5; of an untrained network 0.0625",
    .data = "fashion-mnist",
    .run = run,
};
