/* kernel.c - Nadaraya-Watson kernel regression, with and without a learned width (D2L 11.2). */
#include "book/c10/attention.h"

enum { POINTS = 50, EPOCHS = 5 };

typedef struct {
    cn_tensor *x, *y, *test, *truth;
} Points;

/* 2 sin(x) + x^0.8 */
static cn_tensor *curve(cn_tensor *x)
{
    return cn_add(cn_mul(cn_sin(x), cn_num(2)), cn_pow(x, cn_num(0.8)));
}

static Points draw_points(void)
{
    cn_tensor *x = cn_mul(cn_rand(CN_SHAPE(POINTS, 1), CN_F32), cn_num(5));
    cn_tensor *noise = cn_mul(cn_randn(CN_SHAPE(POINTS, 1), CN_F32), cn_num(0.5));
    cn_tensor *test = cn_reshape(cn_arange(0, 5, 0.1, CN_F32), CN_SHAPE(POINTS, 1));
    return (Points){ x, cn_add(curve(x), noise), test, curve(test) };
}

static double error_of(cn_tensor *predicted, const Points *p)
{
    cn_tensor *d = cn_sub(predicted, p->truth);
    return cn_item(cn_mean(cn_mul(d, d)));
}

static void run_kernel(Lab *lab)
{
    Points p = draw_points();
    cn_tensor *average = cn_expand(cn_mean(p.y), CN_SHAPE(POINTS, 1)), *w;
    double baseline = error_of(average, &p);
    lab_say(lab, "the average of all: mean squared error %.3f", baseline);
    cn_tensor *uniform = cn_zeros(CN_SHAPE(POINTS, POINTS), CN_F32);
    lab_same(lab, "equal scores give the average", pool_values(uniform, p.y, NULL, NULL), average,
             1e-4);
    cn_tensor *y = pool_values(gaussian_scores(p.test, p.x, cn_num(1)), p.y, NULL, &w);
    lab_at_most(lab, "the kernel's error, of the average's", error_of(y, &p) / baseline, 0.8);
    cn_tensor *d = cn_sub(p.test, cn_t(p.x));
    cn_tensor *kernel = cn_exp(cn_mul(cn_mul(d, d), cn_num(-0.5)));
    lab_same(lab, "weights: kernels over their sum", w,
             cn_div(kernel, cn_sum(kernel, .dim = CN_SHAPE(1), .keepdim = true)), 1e-5);
    lab_figure(lab, attention_map("weights of the kernel", w));
}

const Experiment experiment_c10_nw = {
    .id = "C10-AVGPOOL C10-NW",
    .title = "Average pooling and Nadaraya-Watson kernel regression",
    .title_zh = "平均汇聚与Nadaraya-Watson核回归",
    .section = "11.2",
    .settings = "50 points of 2 sin(x) + x^0.8, noise 0.5",
    .run = run_kernel,
};

/* Each point from the other ones: the scores of the point itself are -infinity. */
static cn_tensor *loss_of(const Points *p, cn_tensor *width)
{
    cn_tensor *self = cn_to(cn_eye(POINTS, CN_F32), CN_BOOL);
    cn_tensor *scores = cn_masked_fill(gaussian_scores(p->x, p->x, width), self, cn_num(-1e9));
    cn_tensor *d = cn_sub(pool_values(scores, p->y, NULL, NULL), p->y);
    return cn_mul(cn_sum(cn_mul(d, d)), cn_num(0.5));
}

/* The largest weight of each query, on average: how sharp they are. */
static double sharpness(const Points *p, cn_tensor *width)
{
    cn_tensor *w = cn_softmax(gaussian_scores(p->test, p->x, width), -1);
    return cn_item(cn_mean(cn_amax(w, .dim = CN_SHAPE(-1))));
}

static void run_learned(Lab *lab)
{
    Points p = draw_points();
    cn_tensor *width = cn_requires_grad(cn_ones(CN_SHAPE(1), CN_F32), true);
    double first = 0, last = 0;
    for (int epoch = 0; epoch <= EPOCHS; epoch++) {
        cn_tensor *loss = loss_of(&p, width);
        last = cn_item(loss);
        if (epoch == 0) first = last;
        lab_say(lab, "epoch %d: loss %.3f, width %.3f", epoch, last, cn_item(cn_detach(width)));
        cn_set_grad(width, NULL);
        if (epoch == EPOCHS || !cn_backward(loss)) break;
        cn_sub_(cn_detach(width), cn_mul(cn_grad(width), cn_num(0.5)));
    }
    lab_at_most(lab, "the loss falls, to this part of the first", last / first, 0.9);
    lab_at_least(lab, "weights become sharper, so many times",
                 sharpness(&p, width) / sharpness(&p, cn_num(1)), 1.2);
    lab_figure(lab, attention_map("weights of the learned kernel",
                                  cn_softmax(gaussian_scores(p.test, p.x, width), -1)));
}

const Experiment experiment_c10_nwp = {
    .id = "C10-NWP",
    .title = "Kernel regression with a learned width",
    .title_zh = "带参数注意力汇聚",
    .section = "11.2",
    .settings = "SGD lr 0.5, 5 epochs",
    .run = run_learned,
};
