/* d2l.c - the helpers that the book saves in its package, used as theirs would be (D2L 23.8). */
#include "book/book.h"

/* d2l.synthetic_data(): y = X w + b, with a little noise. */
static cn_dataset *synthetic_data(cn_tensor *w, double b, int64_t n)
{
    cn_tensor *x = cn_randn(CN_SHAPE(n, cn_numel(w)), CN_F32);
    cn_tensor *noise = cn_mul(cn_randn(CN_SHAPE(n), CN_F32), cn_num(0.01));
    cn_tensor *y = cn_add(cn_add(cn_mv(x, w), cn_num(b)), noise);
    return cn_dataset_from_tensors(x, y);
}

static cn_tensor *squared_loss(cn_tensor *output, const cn_batch *batch, void *unused)
{
    (void)unused;
    return cn_mean(cn_square(cn_sub(cn_flatten(output, 0), batch->y)));
}

static void run(Lab *lab)
{
    /* synthetic_data, load_array, linreg, squared_loss, sgd, Animator: a whole experiment. */
    cn_tensor *w = cn_from((const float[]){ 2, -3.4f }, CN_SHAPE(2), CN_F32);
    cn_dataset *data = synthetic_data(w, 4.2, 1000);
    cn_module *net = cn_linear_layer(1, .in = 2);
    cn_optim *sgd = cn_sgd(net, .lr = 0.03);
    LabFit fit =
        lab_fit(lab, net, data, .optim = sgd, .loss = squared_loss, .batch = 10, .epochs = 3);
    lab_values(lab, "w", cn_flatten(cn_module_slot(net, "weight"), 0), 0.01, 2, -3.4);
    lab_values(lab, "b", cn_module_slot(net, "bias"), 0.01, 4.2);
    lab_figure(lab, lab_curves(&fit, "linear regression"));

    /* evaluate_loss */
    cn_score score;
    if (cn_evaluate(net, data, 100, squared_loss, NULL, &score))
        lab_number(lab, "the loss is that of the noise", score.loss, 1e-4, 5e-5);

    /* grad_clipping */
    cn_tensor *x = cn_ones(CN_SHAPE(4, 2), CN_F32);
    cn_zero_grad(net);
    cn_backward(cn_mul(cn_sum(cn_forward(net, x)), cn_num(100)));
    double norm = cn_clip_grad_norm_of(sgd, 1);
    lab_at_least(lab, "the norm of the gradients before clipping", norm, 100);
    cn_tensor *both[] = { cn_flatten(cn_grad(cn_module_slot(net, "weight")), 0),
                          cn_grad(cn_module_slot(net, "bias")) };
    lab_number(lab, "and after it", cn_item(cn_norm(cn_cat(both, 2, 0))), 1, 1e-5);
    cn_optim_free(sgd);
    cn_module_free(net);
    cn_dataset_free(data);
    lab_say(lab, "docs/d2l-api.md says which of ours is which of theirs");
}

const Experiment experiment_tool_d2l = {
    .id = "TOOL-D2L",
    .title = "The d2l package and its counterparts",
    .title_zh = "d2l API文档",
    .section = "23.8",
    .published = "w = [2, -3.4], b = 4.2",
    .run = run,
};
