/* ch02_tensors.c - D2L 2.1 to 2.3: making tensors, indexing, broadcasting, products. */
#include <cenote/cenote.h>

#include <stdio.h>

static void show(const char *what, const cn_tensor *t)
{
    char text[512];
    cn_to_text(t, text, sizeof text);
    printf("%s\n%s\n", what, text);
}

int main(void)
{
    CN_SCOPE
    {
        cn_tensor *x = cn_reshape(cn_arange(0, 12, 1, CN_F32), CN_SHAPE(3, 4));
        show("x", x);
        show("x[-1]", cn_select(x, 0, -1));
        show("x[1:3, 1:3]", cn_slice(cn_slice(x, 0, 1, 3, 1), 1, 1, 3, 1));

        cn_tensor *column = cn_from((const float[]){ 10, 20, 30 }, CN_SHAPE(3, 1), CN_F32);
        show("x + column", cn_add(x, column));
        show("2 x", cn_mul(x, cn_num(2)));
        show("x > 5", cn_gt(x, cn_num(5)));
        show("sums of the columns", cn_sum(x, .dim = CN_SHAPE(0)));
        show("x x^T", cn_matmul(x, cn_t(x)));

        cn_mul_(cn_select(x, 0, 0), cn_num(-1)); /* a row is a view: x itself changes */
        show("x after its first row changed sign", x);
    }
    if (!cn_ok()) fprintf(stderr, "%s\n", cn_error());
    return !cn_ok();
}
