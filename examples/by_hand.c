/* by_hand.c - softmax regression without modules and optimisers: parameters, step and update are
   written out, as in D2L 4.4. */
#include <cenote/cenote.h>

#include <stdio.h>

enum { FEATURES = 784, CLASSES = 10, EPOCHS = 5 };

/* w -= lr * gradient, in place and outside the graph. */
static void update(cn_tensor *w, double lr)
{
    CN_NO_GRAD
    {
        cn_sub_(w, cn_mul(cn_grad(w), cn_num(lr)));
        cn_set_grad(w, NULL);
    }
}

/* The mean loss of one pass over the data. */
static double train(cn_loader *loader, cn_tensor *w, cn_tensor *b)
{
    cn_batch batch;
    double total = 0;
    int64_t steps = 0;
    size_t mark = cn_mark();
    while (cn_loader_next(loader, &batch)) {
        cn_tensor *scores = cn_add(cn_matmul(cn_flatten(batch.x, 1), w), b);
        cn_tensor *loss = cn_cross_entropy(scores, batch.y);
        cn_backward(loss);
        update(w, 0.1);
        update(b, 0.1);
        total += cn_item(loss);
        steps++;
        cn_release(mark); /* a step is one scope */
    }
    return total / (double)steps;
}

int main(void)
{
    cn_dataset *data = cn_dataset_open("glyphs");
    cn_loader *loader = cn_loader_new(data, .batch = 256, .shuffle = true);
    cn_tensor *w = cn_requires_grad(cn_zeros(CN_SHAPE(FEATURES, CLASSES), CN_F32), true);
    cn_tensor *b = cn_requires_grad(cn_zeros(CN_SHAPE(CLASSES), CN_F32), true);

    for (int epoch = 1; epoch <= EPOCHS && cn_ok(); epoch++)
        printf("epoch %d: loss %.4f\n", epoch, train(loader, w, b));
    if (!cn_ok()) fprintf(stderr, "%s\n", cn_error());

    cn_loader_free(loader);
    cn_dataset_free(data);
    return !cn_ok();
}
