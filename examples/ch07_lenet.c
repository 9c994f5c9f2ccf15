/* ch07_lenet.c - D2L 7.2 and 7.6: an edge that a kernel finds, then LeNet, with ReLU and maxima. */
#include <cenote/cenote.h>

#include <stdio.h>
#include <stdlib.h>

static void edges(void)
{
    cn_tensor *x = cn_ones(CN_SHAPE(1, 1, 4, 8), CN_F32);
    cn_mul_(cn_narrow(x, 3, 2, 4), cn_num(0)); /* white, black, white */
    cn_tensor *k = cn_from((const float[]){ 1, -1 }, CN_SHAPE(1, 1, 1, 2), CN_F32);
    char text[512];
    cn_to_text(cn_select(cn_select(cn_conv2d(x, k), 0, 0), 0, 0), text, sizeof text);
    printf("the kernel (1, -1) on white, black, white:\n%s\n", text);
}

static cn_module *lenet(void)
{
    cn_module *net =
        cn_sequential(cn_conv2d_layer(6, .kernel = 5, .padding = 2), cn_relu_layer(),
                      cn_max_pool2d_layer(2), cn_conv2d_layer(16, .kernel = 5), cn_relu_layer(),
                      cn_max_pool2d_layer(2), cn_flatten_layer(), cn_linear_layer(120),
                      cn_relu_layer(), cn_linear_layer(84), cn_relu_layer(), cn_linear_layer(10));
    cn_init(net, cn_xavier_uniform, NULL);
    return net;
}

static void print_summary(cn_module *net, cn_shape input)
{
    size_t n = cn_summary(net, input, NULL, 0);
    char *text = malloc(n + 1);
    if (text && cn_summary(net, input, text, n + 1)) printf("\n%s\n", text);
    free(text);
}

int main(void)
{
    CN_SCOPE edges();
    cn_manual_seed(3);
    cn_dataset *train = cn_dataset_open("glyphs", .limit = 4000);
    cn_dataset *test = cn_dataset_open("glyphs", .split = CN_TEST, .limit = 1000);
    cn_module *net = lenet();
    print_summary(net, CN_SHAPE(1, 1, 28, 28));
    cn_optim *sgd = cn_sgd(net, .lr = 0.1);

    cn_fit_progress last;
    if (cn_fit(&last, net, train, .optim = sgd, .validate = test, .batch = 64, .epochs = 3))
        printf("loss %.3f, test accuracy %.3f\n", last.train_loss, last.test_acc);
    else fprintf(stderr, "%s\n", cn_error());

    cn_optim_free(sgd);
    cn_module_free(net);
    cn_dataset_free(train);
    cn_dataset_free(test);
    return !cn_ok();
}
