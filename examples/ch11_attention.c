/* ch11_attention.c - D2L 11.1, 11.3 and 11.5: attention as a soft table, its masks, its heads. */
#include <cenote/cenote.h>

#include <math.h>
#include <stdio.h>

static void show(const char *what, const cn_tensor *t)
{
    char text[512];
    cn_to_text(t, text, sizeof text);
    printf("%s\n%s\n", what, text);
}

/* softmax(q k^T / sqrt(d)) v, written out, and by the op. */
static void by_hand(void)
{
    cn_tensor *k = cn_mul(cn_eye(3, CN_F32), cn_num(6)); /* three keys, well apart */
    cn_tensor *v = cn_from((const float[]){ 10, 20, 30 }, CN_SHAPE(3, 1), CN_F32);
    cn_tensor *q = cn_from((const float[]){ 0, 1, 0, 0.5F, 0.5F, 0 }, CN_SHAPE(2, 3), CN_F32);
    cn_tensor *weights = cn_softmax(cn_div(cn_matmul(q, cn_t(k)), cn_num(sqrt(3))), 1);
    show("weights of two queries", weights);
    show("what they get", cn_matmul(weights, v));
    cn_tensor *same = cn_scaled_dot_product_attention(q, k, v, NULL, false);
    cn_tensor *error = cn_amax(cn_abs(cn_sub(same, cn_matmul(weights, v))));
    printf("the op agrees: %s\n", cn_item(error) < 1e-4 ? "yes" : "no");
}

static void masked(cn_module *layer, cn_tensor *x)
{
    cn_tensor *weights;
    cn_tensor *y =
        cn_attention(layer, x, x, x, .attn_mask = cn_causal_mask(4), .weights = &weights);
    printf("4 heads on (batch, steps, features): %d x %d x %d\n", (int)cn_size(y, 0),
           (int)cn_size(y, 1), (int)cn_size(y, 2));
    show("nobody looks ahead", cn_select(weights, 0, 0));
}

int main(void)
{
    cn_manual_seed(1);
    cn_module *layer = cn_attention_layer(16, 4, .batch_first = true);
    CN_SCOPE by_hand();
    CN_SCOPE masked(layer, cn_randn(CN_SHAPE(2, 4, 16), CN_F32));
    if (!cn_ok()) fprintf(stderr, "%s\n", cn_error());
    cn_module_free(layer);
    return !cn_ok();
}
