/* scratch.c - what the book's networks from scratch have in common (D2L 3.3, 3.4, 4.4). */
#include "book/lab.h"

#include <math.h>

/* ---- data ---------------------------------------------------------------------------------- */

LabData lab_linear_data(cn_tensor *w, double b, double noise, int64_t n)
{
    LabData d = { cn_randn(CN_SHAPE(n, cn_size(w, 0)), cn_dtype_of(w)), NULL };
    cn_tensor *y = cn_add(cn_matmul(d.x, w), cn_num(b));
    d.y = cn_add(y, cn_mul(cn_randn(CN_SHAPE(n, 1), cn_dtype_of(w)), cn_num(noise)));
    return d;
}

LabBatches lab_batches(cn_tensor *x, cn_tensor *y, int64_t size)
{
    LabBatches b = { .all_x = x, .all_y = y, .size = size, .order = cn_randperm(cn_size(x, 0)) };
    b.mark = cn_mark();
    return b;
}

bool lab_next(LabBatches *b)
{
    int64_t left = cn_numel(b->order) - b->at;
    cn_release(b->mark);
    if (left <= 0 || !cn_ok()) return false;
    b->mark = cn_mark();
    cn_tensor *index = cn_narrow(b->order, 0, b->at, left < b->size ? left : b->size);
    b->x = cn_index_select(b->all_x, 0, index);
    b->y = cn_index_select(b->all_y, 0, index);
    b->at += b->size;
    return cn_ok();
}

/* ---- parameters ---------------------------------------------------------------------------- */

cn_tensor *lab_parameter(cn_shape shape, double std)
{
    return cn_requires_grad(cn_mul(cn_randn(shape, CN_F32), cn_num(std)), true);
}

void lab_sgd(cn_tensor *const *params, int n, double lr)
{
    CN_SCOPE CN_NO_GRAD
    {
        for (int i = 0; i < n && cn_ok(); i++) {
            cn_sub_(params[i], cn_mul(cn_grad(params[i]), cn_num(lr)));
            cn_set_grad(params[i], NULL);
        }
    }
}

cn_tensor *lab_regress(const LabRegression *r, cn_tensor *w)
{
    cn_tensor *xt = cn_contiguous(cn_t(r->x)), *rate = cn_num(r->lr / (double)cn_size(r->x, 0));
    for (int i = 0; i < r->steps && cn_ok(); i++) CN_SCOPE
        {
            cn_tensor *error = cn_sub(cn_softmax(cn_matmul(r->x, w), 1), r->y);
            if (r->weight) error = cn_mul(r->weight, error);
            cn_sub_(w, cn_mul(cn_matmul(xt, error), rate));
        }
    return w;
}

/* ---- training ------------------------------------------------------------------------------ */

double lab_correct(cn_tensor *output, cn_tensor *labels)
{
    return cn_item(cn_sum(cn_eq(cn_argmax(output, .dim = CN_SHAPE(1)), labels)));
}

/* The book's Accumulator: sums over an epoch. */
typedef struct {
    double loss, correct, samples;
} Sums;

static bool train_batch(const LabScratch *net, const cn_batch *b, double lr, Sums *sums)
{
    cn_tensor *output = net->net(b->x, net->params, true);
    cn_tensor *loss = net->loss ? net->loss(output, b->y) : cn_cross_entropy(output, b->y);
    if (!cn_backward(loss)) return false;
    lab_sgd(net->params, net->n, lr);
    double n = (double)b->size, mean = cn_item(loss);
    sums->loss += mean * n;
    sums->correct += lab_correct(output, b->y);
    sums->samples += n;
    return isfinite(mean) ? cn_ok() : cn_fail(CN_EDIVERGED, "the loss is not a number");
}

static bool test_batch(const LabScratch *net, const cn_batch *b, Sums *sums)
{
    CN_NO_GRAD
    {
        sums->correct += lab_correct(net->net(b->x, net->params, false), b->y);
        sums->samples += (double)b->size;
    }
    return cn_ok();
}

/* An epoch of training with this rate, or of testing with rate 0. */
static Sums epoch(const LabScratch *net, cn_loader *loader, double lr)
{
    Sums sums = { 0 };
    for (bool more = true; more;) CN_SCOPE
        {
            cn_batch b;
            more = cn_loader_next(loader, &b) &&
                   (lr > 0 ? train_batch(net, &b, lr, &sums) : test_batch(net, &b, &sums));
        }
    return sums;
}

LabFit lab_train_scratch(Lab *lab, const LabScratch *net, const LabPlan *plan)
{
    LabSchedule s = lab_schedule(lab, plan);
    LabFit fit = { 0 };
    cn_dataset *train = lab_scheduled_images(lab, CN_TRAIN, &s),
               *test = lab_scheduled_images(lab, CN_TEST, &s);
    if (!train || !test) return fit;
    cn_loader *train_iter = cn_loader_new(train, .batch = s.batch, .shuffle = true,
                                          .seed = lab->options.seed, .workers = 1);
    cn_loader *test_iter = cn_loader_new(test, .batch = s.batch, .workers = 1);
    double start = cn_seconds();
    for (int i = 0; i < s.epochs && i < LAB_EPOCHS && cn_ok(); i++) {
        Sums a = epoch(net, train_iter, s.lr), b = epoch(net, test_iter, 0);
        fit.train_loss[i] = a.loss / a.samples;
        fit.train_acc[i] = a.correct / a.samples;
        fit.test_acc[i] = b.correct / b.samples;
        fit.best_test_acc = fmax(fit.best_test_acc, fit.test_acc[i]);
        fit.epochs = i + 1;
        lab_say(lab, "epoch %d, loss %.3f, train acc %.3f, test acc %.3f", i + 1, fit.train_loss[i],
                fit.train_acc[i], fit.test_acc[i]);
    }
    fit.seconds = cn_seconds() - start;
    fit.ok = cn_ok();
    cn_loader_free(train_iter);
    cn_loader_free(test_iter);
    lab_figure(lab, lab_curves(&fit, lab->experiment->title));
    return fit;
}
