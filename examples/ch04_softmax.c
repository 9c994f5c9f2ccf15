/* ch04_softmax.c - D2L 4.5: softmax regression on small pictures, and what it says of ten of them. */
#include <cenote/cenote.h>

#include <stdio.h>

static void watch(const cn_fit_progress *p, void *context)
{
    (void)context;
    if (p->event == CN_FIT_EPOCH)
        printf("epoch %d: loss %.3f, accuracy %.3f in training, %.3f in test\n", (int)p->epoch,
               p->train_loss, p->train_acc, p->test_acc);
}

static void predict(cn_module *net, const cn_dataset *test)
{
    const int64_t first_ten[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    cn_batch b;
    if (!cn_dataset_get(test, first_ten, 10, &b)) return;
    cn_train_mode(net, false);
    CN_NO_GRAD
    {
        cn_tensor *chance = cn_softmax(cn_forward(net, b.x), 1);
        cn_indexed best = cn_max_along(chance, 1);
        for (int i = 0; i < 10; i++)
            printf("%-10s taken for %-10s with probability %.2f\n",
                   cn_dataset_class_name(test, (int)cn_at(b.y, CN_SHAPE(i))),
                   cn_dataset_class_name(test, (int)cn_at(best.indices, CN_SHAPE(i))),
                   cn_at(best.values, CN_SHAPE(i)));
    }
}

int main(void)
{
    cn_manual_seed(1);
    cn_dataset *train = cn_dataset_open("glyphs", .limit = 5000);
    cn_dataset *test = cn_dataset_open("glyphs", .split = CN_TEST, .limit = 1000);
    cn_module *net = cn_sequential(cn_flatten_layer(), cn_linear_layer(10));
    cn_build(net, CN_SHAPE(1, 1, 28, 28));
    cn_optim *sgd = cn_sgd(net, .lr = 0.1);

    cn_fit_progress last;
    if (cn_fit(&last, net, train, .optim = sgd, .validate = test, .batch = 256, .epochs = 5,
               .watch = watch))
        CN_SCOPE predict(net, test);
    if (!cn_ok()) fprintf(stderr, "%s\n", cn_error());

    cn_optim_free(sgd);
    cn_module_free(net);
    cn_dataset_free(train);
    cn_dataset_free(test);
    return !cn_ok();
}
