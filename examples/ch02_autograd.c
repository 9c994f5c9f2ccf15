/* ch02_autograd.c - D2L 2.5: gradients of y = 2 x^T x, of a gradient, and of part of a formula. */
#include <cenote/cenote.h>

#include <stdio.h>

static void show(const char *what, const cn_tensor *t)
{
    char text[256];
    cn_to_text(t, text, sizeof text);
    printf("%-22s %s\n", what, text);
}

static cn_tensor *leaf(void)
{
    return cn_requires_grad(cn_arange(0, 4, 1, CN_F32), true);
}

static void first_derivative(void)
{
    cn_tensor *x = leaf();
    cn_backward(cn_mul(cn_num(2), cn_dot(x, x)));
    show("d(2 x^T x)/dx = 4 x", cn_grad(x));
    cn_backward(cn_sum(x));
    show("plus d(sum x)/dx", cn_grad(x)); /* gradients add up until they are cleared */
}

static void second_derivative(void)
{
    cn_tensor *x = leaf(), *y = cn_sum(cn_mul(cn_mul(x, x), x)), *first, *second;
    cn_backward_options keep = { .size = sizeof keep, .create_graph = true };
    cn_grad_of(&y, NULL, 1, &x, 1, &first, &keep);
    show("d(sum x^3)/dx = 3 x^2", first);
    first = cn_sum(first);
    cn_grad_of(&first, NULL, 1, &x, 1, &second, NULL);
    show("and again: 6 x", second);
}

static void detached(void)
{
    cn_tensor *x = leaf(), *u = cn_detach(cn_mul(x, x)); /* a constant from here on */
    cn_backward(cn_sum(cn_mul(u, x)));
    show("u = x^2 held fixed", cn_grad(x));
}

int main(void)
{
    CN_SCOPE first_derivative();
    CN_SCOPE second_derivative();
    CN_SCOPE detached();
    if (!cn_ok()) fprintf(stderr, "%s\n", cn_error());
    return !cn_ok();
}
