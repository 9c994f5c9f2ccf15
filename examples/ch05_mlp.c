/* ch05_mlp.c - D2L 5.2 and 5.6: a perceptron with two hidden layers, with and without dropout. */
#include <cenote/cenote.h>

#include <stdio.h>

static cn_module *perceptron(double dropout)
{
    cn_module *net = cn_sequential(cn_flatten_layer(), cn_linear_layer(256), cn_relu_layer(),
                                   cn_dropout_layer(dropout), cn_linear_layer(256), cn_relu_layer(),
                                   cn_dropout_layer(dropout), cn_linear_layer(10));
    cn_init(net, cn_kaiming_normal, NULL);
    cn_build(net, CN_SHAPE(1, 1, 28, 28));
    return net;
}

static void train_one(double dropout, cn_dataset *train, cn_dataset *test)
{
    cn_manual_seed(1);
    cn_module *net = perceptron(dropout);
    cn_optim *sgd = cn_sgd(net, .lr = 0.1, .weight_decay = 1e-4);
    cn_fit_progress last;
    if (cn_fit(&last, net, train, .optim = sgd, .validate = test, .batch = 64, .epochs = 10))
        printf("dropout %.1f: %d parameters, accuracy %.3f in training, %.3f in test\n", dropout,
               (int)cn_parameter_count(net), last.train_acc, last.test_acc);
    cn_optim_free(sgd);
    cn_module_free(net);
}

int main(void)
{
    /* Few examples, so that there is something to overfit. */
    cn_dataset *train = cn_dataset_open("glyphs", .limit = 1500);
    cn_dataset *test = cn_dataset_open("glyphs", .split = CN_TEST, .limit = 1000);
    train_one(0, train, test);
    train_one(0.5, train, test);
    if (!cn_ok()) fprintf(stderr, "%s\n", cn_error());

    cn_dataset_free(train);
    cn_dataset_free(test);
    return !cn_ok();
}
