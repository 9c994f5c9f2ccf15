/* ch03_linear_regression.c - D2L 3.5: y = x w + b + noise, and what training finds of w and b. */
#include <cenote/cenote.h>

#include <stdio.h>

enum { SAMPLES = 1000 };

static cn_dataset *synthetic(void)
{
    cn_tensor *w = cn_from((const float[]){ 2, -3.4F }, CN_SHAPE(2, 1), CN_F32);
    cn_tensor *x = cn_randn(CN_SHAPE(SAMPLES, 2), CN_F32);
    cn_tensor *noise = cn_mul(cn_randn(CN_SHAPE(SAMPLES, 1), CN_F32), cn_num(0.01));
    cn_tensor *y = cn_add(cn_add(cn_matmul(x, w), cn_num(4.2)), noise);
    return cn_dataset_from_tensors(x, y);
}

static cn_tensor *squares(cn_tensor *output, const cn_batch *batch, void *context)
{
    (void)context;
    return cn_mse_loss(output, batch->y);
}

static void watch(const cn_fit_progress *p, void *context)
{
    (void)context;
    if (p->event == CN_FIT_EPOCH) printf("epoch %d: loss %.5f\n", (int)p->epoch, p->train_loss);
}

int main(void)
{
    cn_manual_seed(1);
    cn_dataset *data = synthetic();
    cn_module *net = cn_linear_layer(1, .in = 2);
    cn_optim *sgd = cn_sgd(net, .lr = 0.03);

    cn_fit_progress last;
    if (cn_fit(&last, net, data, .optim = sgd, .loss = squares, .batch = 10, .epochs = 3,
               .watch = watch)) {
        cn_tensor *w = cn_module_slot(net, "weight"), *b = cn_module_slot(net, "bias");
        printf("w = (%.2f, %.2f), b = %.2f\n", cn_at(w, CN_SHAPE(0, 0)), cn_at(w, CN_SHAPE(0, 1)),
               cn_item(b));
    } else fprintf(stderr, "%s\n", cn_error());

    cn_optim_free(sgd);
    cn_module_free(net);
    cn_dataset_free(data);
    return !cn_ok();
}
