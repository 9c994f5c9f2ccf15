/* first.c - trains a small network to read glyphs and says how often it is right. */
#include <cenote/cenote.h>

#include <stdio.h>

int main(void)
{
    cn_manual_seed(1);
    cn_dataset *train = cn_dataset_open("glyphs");
    cn_dataset *test = cn_dataset_open("glyphs", .split = CN_TEST);
    cn_module *net = cn_sequential(cn_flatten_layer(), cn_linear_layer(256), cn_relu_layer(),
                                   cn_linear_layer(10));
    cn_build(net, CN_SHAPE(1, 1, 28, 28));
    cn_optim *sgd = cn_sgd(net, .lr = 0.1);

    cn_fit_progress last;
    if (cn_fit(&last, net, train, .optim = sgd, .validate = test, .batch = 256, .epochs = 5))
        printf("loss %.3f, test accuracy %.3f\n", last.train_loss, last.test_acc);
    else fprintf(stderr, "%s\n", cn_error());

    cn_optim_free(sgd);
    cn_module_free(net);
    cn_dataset_free(train);
    cn_dataset_free(test);
    return !cn_ok();
}
