/* cust1.c - MyLinear: a weight, a bias and ReLU (D2L 6.5.2). */
#include "book/book.h"

typedef struct {
    int64_t in, units;
} MyLinear;

static bool my_build(cn_module *m, const cn_shape *input)
{
    const MyLinear *o = cn_module_options(m);
    (void)input;
    return cn_module_parameter(m, "weight", &CN_SHAPE(o->in, o->units)) &&
           cn_module_parameter(m, "bias", &CN_SHAPE(o->units)) &&
           cn_copy_(cn_detach(cn_module_slot(m, "weight")),
                    cn_randn(CN_SHAPE(o->in, o->units), CN_F32)) &&
           cn_copy_(cn_detach(cn_module_slot(m, "bias")), cn_randn(CN_SHAPE(o->units), CN_F32));
}

static bool my_forward(cn_module *m, cn_io *io)
{
    cn_tensor *linear = cn_matmul(io->in[0], cn_module_slot(m, "weight"));
    io->out[0] = cn_relu(cn_add(linear, cn_module_slot(m, "bias")));
    return io->out[0] != NULL;
}

static const cn_module_class my_class = {
    .size = sizeof(cn_module_class),
    .name = "MyLinear",
    .options_size = sizeof(MyLinear),
    .build = my_build,
    .forward = my_forward,
};

static cn_module *my_linear(int64_t in, int64_t units)
{
    return cn_module_of(&my_class, &(MyLinear){ in, units });
}

static cn_tensor *differences(cn_module *layer, cn_tensor *x, cn_tensor *probe)
{
    const float h = 1e-2f;
    cn_tensor *grad = cn_zeros(CN_SHAPE(5, 3), CN_F32),
              *weight = cn_detach(cn_module_slot(layer, "weight"));
    float *out = cn_data_mut(grad), *w = cn_data_mut(weight);
    for (int i = 0; out && w && i < 15; i++) {
        double value[2];
        for (int side = 0; side < 2; side++) {
            w[i] += side ? -2 * h : h;
            value[side] = cn_item(cn_sum(cn_mul(cn_forward(layer, x), probe)));
        }
        w[i] += h;
        out[i] = (float)((value[0] - value[1]) / (2 * (double)h));
    }
    return grad;
}

static void run(Lab *lab)
{
    cn_module *layer = my_linear(5, 3);
    cn_tensor *weight = cn_module_slot(layer, "weight"), *bias = cn_module_slot(layer, "bias");
    lab_shape(lab, "its weight", weight, CN_SHAPE(5, 3));
    cn_tensor *x = cn_rand(CN_SHAPE(2, 5), CN_F32);
    lab_same(lab, "MyLinear(5, 3), and relu(X W + b) by the library's linear", cn_forward(layer, x),
             cn_relu(cn_linear(x, cn_t(weight), bias)), 1e-6);

    /* Its gradient, by central differences. */
    cn_tensor *probe = cn_randn(CN_SHAPE(2, 3), CN_F32);
    cn_backward(cn_sum(cn_mul(cn_forward(layer, x), probe)));
    lab_same(lab, "the gradient of the weight, and central differences", cn_grad(weight),
             differences(layer, x, probe), 2e-3);

    cn_module *net = cn_sequential(my_linear(64, 8), my_linear(8, 1));
    lab_shape(lab, "MyLinear(64, 8), MyLinear(8, 1)",
              cn_forward(net, cn_rand(CN_SHAPE(2, 64), CN_F32)), CN_SHAPE(2, 1));
    lab_number(lab, "parameters of both", (double)cn_parameter_count(net), 64 * 8 + 8 + 8 + 1, 0);
    cn_module_free(net);
    cn_module_free(layer);
}

const Experiment experiment_c05_cust1 = {
    .id = "C05-CUST1",
    .title = "A layer with parameters",
    .title_zh = "带参数的层",
    .section = "6.5.2",
    .published = "shapes",
    .run = run,
};
