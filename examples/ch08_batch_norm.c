/* ch08_batch_norm.c - D2L 8.5: LeNet's blocks with and without batch norm, after one epoch. */
#include <cenote/cenote.h>

#include <stdio.h>

/* Convolution, perhaps batch norm, sigmoid, pooling. */
static cn_module *block(int64_t channels, bool norm)
{
    cn_module *conv = cn_conv2d_layer(channels, .kernel = 5);
    cn_module *act = cn_sigmoid_layer(), *pool = cn_avg_pool2d_layer(2);
    return norm ? cn_sequential(conv, cn_batch_norm2d_layer(), act, pool)
                : cn_sequential(conv, act, pool);
}

static void train_one(bool norm, cn_dataset *train, cn_dataset *test)
{
    cn_manual_seed(1);
    cn_module *net = cn_sequential(block(6, norm), block(16, norm), cn_flatten_layer(),
                                   cn_linear_layer(84), cn_sigmoid_layer(), cn_linear_layer(10));
    cn_init(net, cn_xavier_uniform, NULL);
    cn_build(net, CN_SHAPE(1, 1, 28, 28));
    cn_optim *sgd = cn_sgd(net, .lr = 0.3);
    cn_fit_progress last;
    if (cn_fit(&last, net, train, .optim = sgd, .validate = test, .batch = 64, .epochs = 2))
        printf("%s batch norm: loss %.3f, test accuracy %.3f\n", norm ? "with" : "without",
               last.train_loss, last.test_acc);
    if (norm) {
        cn_tensor *mean = cn_module_slot(cn_module_at(net, "0.1"), "running_mean");
        char text[256];
        cn_to_text(mean, text, sizeof text);
        printf("running means of the first block: %s\n", text);
    }
    cn_optim_free(sgd);
    cn_module_free(net);
}

int main(void)
{
    cn_dataset *train = cn_dataset_open("glyphs", .limit = 4000);
    cn_dataset *test = cn_dataset_open("glyphs", .split = CN_TEST, .limit = 1000);
    CN_SCOPE train_one(false, train, test);
    CN_SCOPE train_one(true, train, test);
    if (!cn_ok()) fprintf(stderr, "%s\n", cn_error());

    cn_dataset_free(train);
    cn_dataset_free(test);
    return !cn_ok();
}
