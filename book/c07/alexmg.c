/* alexmg.c - AlexNet on two devices: halves of the channels, which meet in few layers (D2L 8.1.2;
   Krizhevsky, Sutskever and Hinton, 2012, figure 2). Widths are an eighth of theirs. */
#include "book/book.h"

enum { LAYERS = 5, DEVICES = 2, SIDE = 67, N = 2 };

/* `meet`: each device takes the channels of both, as in the third layer. */
static const struct {
    int64_t in, out, kernel, stride, padding;
    bool meet, pool;
} layers[LAYERS] = {
    { 3, 12, 11, 4, 0, true, true },  { 12, 32, 5, 1, 2, false, true },
    { 32, 48, 3, 1, 1, true, false }, { 48, 48, 3, 1, 1, false, false },
    { 48, 32, 3, 1, 1, false, true },
};

static cn_tensor *after(cn_tensor *y, int i)
{
    y = cn_relu(y);
    return layers[i].pool ? cn_max_pool2d(y, { 3 }, .stride = { 2 }) : y;
}

/* One device, with grouped convolutions. in: x, the kernels. */
static cn_tensor *one_device(cn_tensor *const *in, void *context)
{
    cn_tensor *x = in[0];
    (void)context;
    for (int i = 0; i < LAYERS; i++)
        x = after(cn_conv2d(x, in[i + 1], .stride = { layers[i].stride },
                            .padding = { layers[i].padding, layers[i].padding },
                            .groups = layers[i].meet ? 1 : DEVICES),
                  i);
    return cn_flatten(x, 1);
}

/* A device has half of each layer's kernels, and of the results its own half. */
typedef struct {
    cn_tensor *kernel[LAYERS], *x;
} Device;

static void step(Device *device, int i, cn_tensor *input)
{
    device->x = after(cn_conv2d(input, device->kernel[i], .stride = { layers[i].stride },
                                .padding = { layers[i].padding, layers[i].padding }),
                      i);
}

static cn_tensor *two_devices(cn_tensor *const *in, void *context)
{
    Device device[DEVICES];
    (void)context;
    for (int d = 0; d < DEVICES; d++)
        for (int i = 0; i < LAYERS; i++) {
            int64_t half = layers[i].out / DEVICES;
            device[d].x = in[0];
            device[d].kernel[i] = cn_narrow(in[i + 1], 0, d * half, half);
        }
    for (int i = 0; i < LAYERS; i++) {
        cn_tensor *both = i ? cn_cat((cn_tensor *[]){ device[0].x, device[1].x }, 2, 1) : in[0];
        for (int d = 0; d < DEVICES; d++) step(&device[d], i, layers[i].meet ? both : device[d].x);
    }
    return cn_flatten(cn_cat((cn_tensor *[]){ device[0].x, device[1].x }, 2, 1), 1);
}

static void run(Lab *lab)
{
    cn_tensor *in[LAYERS + 1] = { cn_randn(CN_SHAPE(N, 3, SIDE, SIDE), CN_F32) };
    cn_tensor *one_grads[LAYERS + 1], *two_grads[LAYERS + 1];
    int64_t grouped = 0, joined = 0;
    for (int i = 0; i < LAYERS; i++) {
        int64_t inputs = layers[i].in / (layers[i].meet ? 1 : DEVICES), k = layers[i].kernel;
        in[i + 1] = cn_mul(cn_randn(CN_SHAPE(layers[i].out, inputs, k, k), CN_F32), cn_num(0.1));
        grouped += cn_numel(in[i + 1]);
        joined += layers[i].out * layers[i].in * k * k;
    }
    cn_tensor *one = one_device(in, NULL), *two = two_devices(in, NULL);
    cn_tensor *v = one ? cn_randn(*cn_shape_of(one), CN_F32) : NULL;
    lab_shape(lab, "features", one, CN_SHAPE(N, 32));
    lab_at_least(lab, "which are not all zero: largest", cn_item(cn_amax(one)), 0.1);
    lab_same(lab, "two devices and grouped convolutions", two, one, 1e-4);
    if (cn_vjp(one_device, in, LAYERS + 1, NULL, v, NULL, one_grads, NULL) &&
        cn_vjp(two_devices, in, LAYERS + 1, NULL, v, NULL, two_grads, NULL))
        for (int i = 0; i <= LAYERS; i += LAYERS)
            lab_same(lab, i ? "gradient of the last kernel" : "gradient of the pictures",
                     two_grads[i], one_grads[i], 1e-3);
    lab_at_most(lab, "weights, against one stream", (double)grouped / (double)joined, 0.7);
}

const Experiment experiment_c07_alexmg = {
    .id = "C07-ALEXMG",
    .title = "AlexNet on two devices",
    .title_zh = "AlexNet 的双 GPU 设计",
    .section = "8.1.2",
    .settings = "channels halved; the first and third layer see all of them",
    .run = run,
};
