/* backprop.c - forward, backward, and what is kept between them (D2L 5.3). */
#include "book/book.h"

#include <stdlib.h>
#include <string.h>

enum { IN = 6, HIDDEN = 5, OUT = 4 };

static const double lambda = 0.3;

typedef struct {
    cn_tensor *x, *y, *w1, *w2;
} Net;

/* J = L + s: squared loss of W2 tanh(W1 x), and lambda/2 (|W1|^2 + |W2|^2). */
static cn_tensor *objective(const Net *n)
{
    cn_tensor *z = cn_mv(n->w1, n->x), *h = cn_tanh(z), *o = cn_mv(n->w2, h);
    cn_tensor *loss = cn_div(cn_sum(cn_square(cn_sub(o, n->y))), cn_num(2));
    cn_tensor *norms = cn_add(cn_sum(cn_square(n->w1)), cn_sum(cn_square(n->w2)));
    return cn_add(loss, cn_mul(norms, cn_num(lambda / 2)));
}

/* The chain rule by hand, from the objective to W1. */
static void by_hand(const Net *n, cn_tensor **dw1, cn_tensor **dw2)
{
    CN_NO_GRAD
    {
        cn_tensor *z = cn_mv(n->w1, n->x), *h = cn_tanh(z), *o = cn_mv(n->w2, h);
        cn_tensor *d_o = cn_sub(o, n->y);
        *dw2 = cn_add(cn_outer(d_o, h), cn_mul(n->w2, cn_num(lambda)));
        cn_tensor *d_h = cn_mv(cn_t(n->w2), d_o);
        cn_tensor *d_z = cn_mul(d_h, cn_sub(cn_num(1), cn_square(h)));
        *dw1 = cn_add(cn_outer(d_z, n->x), cn_mul(n->w1, cn_num(lambda)));
    }
}

static void has_graph(Lab *lab, cn_tensor *j)
{
    size_t size = cn_graph_dot(j, NULL, 0) + 1;
    char *dot = calloc(size, 1);
    if (dot && cn_graph_dot(j, dot, size))
        lab_true(lab, "the computational graph has tanh, products and squares",
                 strstr(dot, "tanh") && strstr(dot, "mm") && strstr(dot, "square"));
    free(dot);
}

/* Hidden values of a batch of so many examples live until backward has used them. */
static void what_is_kept(Lab *lab)
{
    enum { BATCH = 512, WIDE = 256 };
    cn_tensor *x = cn_randn(CN_SHAPE(BATCH, 8), CN_F32),
              *w1 = lab_parameter(CN_SHAPE(8, WIDE), 0.1),
              *w2 = lab_parameter(CN_SHAPE(WIDE, 1), 0.1);
    double before = (double)cn_memory().live_bytes;
    size_t mark = cn_mark();
    cn_tensor *loss = cn_sum(cn_matmul(cn_tanh(cn_matmul(x, w1)), w2));
    loss = cn_return(mark, loss);
    double between = (double)cn_memory().live_bytes;
    bool ok = cn_backward(loss);
    double after = (double)cn_memory().live_bytes;
    double hidden = BATCH * WIDE * sizeof(float);
    lab_at_least(lab, "kept between forward and backward, in hidden layers",
                 (between - before) / hidden, 1);
    lab_at_most(lab, "kept after backward, which leaves two gradients", (after - before) / hidden,
                0.2);
    lab_true(lab, "backward worked", ok);
    cn_backward(loss);
    lab_refused(lab, "a second backward", "was freed by an earlier backward");
}

static void run(Lab *lab)
{
    Net n = { cn_randn(CN_SHAPE(IN), CN_F64), cn_randn(CN_SHAPE(OUT), CN_F64),
              cn_requires_grad(cn_randn(CN_SHAPE(HIDDEN, IN), CN_F64), true),
              cn_requires_grad(cn_randn(CN_SHAPE(OUT, HIDDEN), CN_F64), true) };
    cn_tensor *dw1 = NULL, *dw2 = NULL, *j = objective(&n);
    by_hand(&n, &dw1, &dw2);
    has_graph(lab, j);
    if (!cn_backward(j)) return;
    lab_same(lab, "dJ/dW1, by hand and by the library", dw1, cn_grad(n.w1), 1e-12);
    lab_same(lab, "dJ/dW2", dw2, cn_grad(n.w2), 1e-12);
    what_is_kept(lab);
}

const Experiment experiment_c04_backprop = {
    .id = "C04-BACKPROP",
    .title = "Forward propagation, backpropagation, computational graphs",
    .title_zh = "前向传播、反向传播和计算图",
    .section = "5.3",
    .run = run,
};
