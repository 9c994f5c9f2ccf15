/* tensors.c - a tour: shapes, broadcasting, views, gradients, scopes, errors. */
#include <cenote/cenote.h>

#include <stdio.h>

static void show(const char *what, const cn_tensor *t)
{
    char text[512];
    cn_to_text(t, text, sizeof text);
    printf("%s\n%s\n\n", what, text);
}

static void shapes(void)
{
    const float numbers[] = { 1, 2, 3, 4, 5, 6 };
    cn_tensor *x = cn_from(numbers, CN_SHAPE(2, 3), CN_F32);
    cn_tensor *row = cn_from((const float[]){ 10, 20, 30 }, CN_SHAPE(3), CN_F32);
    show("x, of shape (2, 3)", x);
    show("x + (10, 20, 30), broadcast over the rows", cn_add(x, row));
    show("the sum of each row", cn_sum(x, .dim = CN_SHAPE(1)));
    show("x x^T", cn_matmul(x, cn_t(x)));
    cn_add_(cn_select(x, 0, 1), cn_num(100)); /* a row is a view: x changes */
    show("x after adding 100 to its second row", x);
}

static void gradients(void)
{
    cn_tensor *w = cn_requires_grad(cn_from((const float[]){ 1, -2 }, CN_SHAPE(2), CN_F32), true);
    cn_backward(cn_sum(cn_mul(cn_mul(w, w), w)));
    show("the gradient of the sum of w^3 at w = (1, -2)", cn_grad(w));
}

static void errors(void)
{
    cn_tensor *a = cn_ones(CN_SHAPE(2, 3), CN_F32), *b = cn_ones(CN_SHAPE(4, 5), CN_F32);
    cn_tensor *c = cn_relu(cn_matmul(a, b)); /* NULL goes through: one check at the end */
    if (!c) printf("no result: %s\n", cn_error());
    cn_error_clear();
}

int main(void)
{
    CN_SCOPE shapes(); /* every tensor made inside ends with the scope */
    CN_SCOPE gradients();
    CN_SCOPE errors();
    printf("tensors alive at the end: %lld\n", (long long)cn_memory().live_tensors);
    return !cn_ok();
}
