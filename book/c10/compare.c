/* compare.c - convolution, recurrence and self-attention on sequences: cost, and how far a gradient has to go
   (D2L 11.6.2). */
#include "book/book.h"

#include <math.h>
#include <time.h>

/* ---- three ways to make (n, d) of (n, d) ---------------------------------------------------------- */

typedef cn_tensor *Layer(cn_tensor *x, cn_tensor *w);

static cn_tensor *convolve(cn_tensor *x, cn_tensor *w)
{
    cn_tensor *kernel = cn_expand(cn_unsqueeze(w, -1), CN_SHAPE(cn_size(w, 0), cn_size(w, 1), 3));
    cn_tensor *y = cn_conv1d(cn_unsqueeze(cn_t(x), 0), kernel, .padding = 1);
    return cn_t(cn_select(y, 0, 0));
}

/* Where `cut` is a step, no gradient goes on from the state before it. */
static cn_tensor *recur_cut(cn_tensor *x, cn_tensor *w, int64_t cut)
{
    cn_tensor *h = cn_zeros(CN_SHAPE(1, cn_size(w, 0)), CN_F32);
    for (int64_t i = 0; i < cn_size(x, 0); i++) {
        if (i == cut) h = cn_detach(h);
        h = cn_tanh(cn_add(cn_matmul(h, w), cn_narrow(x, 0, i, 1)));
    }
    return h;
}

static cn_tensor *recur(cn_tensor *x, cn_tensor *w)
{
    return recur_cut(x, w, -1);
}

static cn_tensor *attend(cn_tensor *x, cn_tensor *w)
{
    (void)w;
    return cn_scaled_dot_product_attention(x, x, x, NULL, false);
}

/* ---- time ----------------------------------------------------------------------------------------- */

/* Least processor time of a few runs. */
static double seconds(Layer *layer, int64_t n, int64_t d)
{
    cn_tensor *x = cn_randn(CN_SHAPE(n, d), CN_F32),
              *w = cn_mul(cn_randn(CN_SHAPE(d, d), CN_F32), cn_num(0.5 / sqrt((double)d)));
    double least = HUGE_VAL;
    for (int i = 0; i < 7; i++) CN_SCOPE CN_NO_GRAD
        {
            clock_t begin = clock();
            cn_tensor *y = layer(x, w);
            double t = (double)(clock() - begin) / CLOCKS_PER_SEC;
            if (y && t < least) least = t;
        }
    return least;
}

/* The exponent of time as a power of what grows sixteenfold. */
static double exponent(double small, double large)
{
    return log(large / small) / log(16);
}

static void compare_times(Lab *lab)
{
    const double attention = exponent(seconds(attend, 256, 16), seconds(attend, 4096, 16)),
                 recurrence = exponent(seconds(recur, 128, 64), seconds(recur, 2048, 64)),
                 wide = exponent(seconds(recur, 32, 64), seconds(recur, 32, 1024)),
                 convolution = exponent(seconds(convolve, 1024, 64), seconds(convolve, 16384, 64));
    lab_say(lab,
            "time grows as n^%.2f with attention, n^%.2f with recurrence (d^%.2f), n^%.2f with "
            "convolution",
            attention, recurrence, wide, convolution);
    lab_at_least(lab, "self-attention, exponent of n: near 2", attention, 1.6);
    lab_at_most(lab, "recurrence, exponent of n: near 1", recurrence, 1.4);
    lab_at_least(lab, "recurrence, exponent of d: near 2", wide, 1.4);
    lab_at_most(lab, "convolution, exponent of n: near 1", convolution, 1.4);
}

/* ---- paths ---------------------------------------------------------------------------------------- */

enum { STEPS = 9, WIDTH = 4 };

/* Does the first step of x reach the last of the result? */
static bool reaches(cn_tensor *x, cn_tensor *y)
{
    cn_tensor *last = cn_sum(cn_narrow(y, 0, cn_size(y, 0) - 1, 1)), *g = NULL;
    if (!last || !cn_grad_of(&last, NULL, 1, &x, 1, &g, NULL)) return false;
    return cn_item(cn_amax(cn_abs(cn_select(g, 0, 0)))) > 0;
}

/* After how many layers the first step reaches the last one. */
static int layers_needed(Layer *layer, cn_tensor *x, cn_tensor *w)
{
    for (int n = 1; n <= STEPS; n++) {
        cn_tensor *y = x;
        for (int i = 0; i < n; i++) y = layer(y, w);
        if (reaches(x, y)) return n;
    }
    return 0;
}

static void compare_paths(Lab *lab)
{
    cn_tensor *x = cn_requires_grad(cn_randn(CN_SHAPE(STEPS, WIDTH), CN_F32), true),
              *w = cn_randn(CN_SHAPE(WIDTH, WIDTH), CN_F32);
    lab_number(lab, "9 steps: layers of convolution with 3 taps", layers_needed(convolve, x, w),
               STEPS - 1, 0);
    lab_number(lab, "layers of self-attention", layers_needed(attend, x, w), 1, 0);
    lab_true(lab, "one recurrent layer reaches, too", reaches(x, recur(x, w)));
    for (int64_t cut = 1; cut < STEPS; cut++)
        lab_true(lab, "but on a path through each of its steps", !reaches(x, recur_cut(x, w, cut)));
}

static void run(Lab *lab)
{
    compare_paths(lab);
    compare_times(lab);
}

const Experiment experiment_c10_cmp = {
    .id = "C10-CMP",
    .title = "Convolution, recurrence and self-attention compared",
    .title_zh = "比较卷积神经网络、循环神经网络和自注意力",
    .section = "11.6.2",
    .published = "O(k n d^2), O(n d^2), O(n^2 d); paths O(n / k), O(n), O(1)",
    .trains = true, /* it takes times, which a busy machine disturbs */
    .run = run,
};
