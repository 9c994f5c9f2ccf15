/* ch12_optimisers.c - D2L 12.6, 12.10 and 12.11: one valley, four ways down; then a schedule. */
#include <cenote/cenote.h>

#include <stdio.h>

/* f(x) = 0.1 x_1^2 + 2 x_2^2: steep in one direction, flat in the other (D2L 12.6.1). */
static cn_tensor *valley(cn_tensor *x)
{
    cn_tensor *slopes = cn_from((const float[]){ 0.1F, 2 }, CN_SHAPE(2), CN_F32);
    return cn_dot(slopes, cn_mul(x, x));
}

static void descend(const char *cls, double lr, const char *option, double value)
{
    cn_tensor *x = cn_requires_grad(cn_from((const float[]){ -5, -2 }, CN_SHAPE(2), CN_F32), true);
    cn_optim *o = cn_optim_new(cls, lr);
    if (cn_optim_add_group(o, &x, 1) >= 0 && option) cn_optim_set(o, -1, option, value);
    double last = 0;
    for (int i = 0; i < 20 && cn_ok(); i++) CN_SCOPE
        {
            cn_optim_zero_grad(o);
            cn_tensor *f = valley(x);
            last = cn_item(f);
            cn_backward(f);
            cn_step(o);
        }
    printf("%-8s lr %.2f %-8s: f = %.4f at (%.3f, %.3f)\n", cls, lr, option ? option : "", last,
           cn_at(x, CN_SHAPE(0)), cn_at(x, CN_SHAPE(1)));
    cn_optim_free(o);
}

static void schedule(void)
{
    cn_module *net = cn_linear_layer(1, .in = 1);
    cn_optim *sgd = cn_sgd(net, .lr = 0.3);
    cn_sched *s = cn_warmup_lr(sgd, 5, 0.1, cn_cosine_lr(sgd, 15, 0.01));
    printf("warm-up and cosine:");
    for (int epoch = 0; epoch < 20 && cn_sched_step(s); epoch++)
        if (epoch % 3 == 0) printf(" %.3f", cn_lr(sgd, 0));
    printf("\n");
    cn_sched_free(s);
    cn_optim_free(sgd);
    cn_module_free(net);
}

int main(void)
{
    CN_SCOPE
    {
        descend("SGD", 0.4, NULL, 0);
        descend("SGD", 0.4, "momentum", 0.5);
        descend("RMSprop", 0.4, "alpha", 0.9);
        descend("Adam", 0.4, NULL, 0);
    }
    schedule();
    if (!cn_ok()) fprintf(stderr, "%s\n", cn_error());
    return !cn_ok();
}
