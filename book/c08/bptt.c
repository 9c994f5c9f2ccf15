/* bptt.c - gradients through time: by hand, in blocks, and at random (D2L 9.7). */
#include "book/book.h"

#include <math.h>

enum { STEPS = 12, IN = 3, HIDDEN = 4, OUT = 2 };

/* h_t = W_hx x_t + W_hh h_{t-1}, o_t = W_qh h_t, L = 1 / T sum |o_t - y_t|^2 / 2: the book's linear
   network. All in float64. */
typedef struct Net {
    cn_tensor *w_hx, *w_hh, *w_qh; /* parameters */
    cn_tensor *x, *y;              /* (steps, in), (steps, out) */
} Net;

static cn_tensor *parameter(int64_t rows, int64_t columns, double size)
{
    cn_tensor *w = cn_mul(cn_randn(CN_SHAPE(rows, columns), CN_F64), cn_num(size));
    return cn_requires_grad(cn_detach(w), true);
}

static Net make_net(void)
{
    return (Net){ parameter(HIDDEN, IN, 0.5), parameter(HIDDEN, HIDDEN, 0.4),
                  parameter(OUT, HIDDEN, 0.5), cn_randn(CN_SHAPE(STEPS, IN), CN_F64),
                  cn_randn(CN_SHAPE(STEPS, OUT), CN_F64) };
}

static cn_tensor *next_state(const Net *n, int t, cn_tensor *h)
{
    return cn_add(cn_mv(n->w_hx, cn_select(n->x, 0, t)), cn_mv(n->w_hh, h));
}

static cn_tensor *loss_at(const Net *n, int t, cn_tensor *h)
{
    cn_tensor *error = cn_sub(cn_mv(n->w_qh, h), cn_select(n->y, 0, t));
    return cn_mul(cn_sum(cn_square(error)), cn_num(0.5 / STEPS));
}

static cn_tensor *no_state(void)
{
    return cn_zeros(CN_SHAPE(HIDDEN), CN_F64);
}

/* How the state goes from a step to the next: as it is, or with a gradient that is changed. */
typedef cn_tensor *Carry(cn_tensor *h, int t, void *context);

/* dL/dW_hh and, unless NULL, dL/dW_hx. */
static cn_tensor *gradient(const Net *n, Carry *carry, void *context, cn_tensor **by_w_hx)
{
    cn_tensor *h = no_state(), *loss = cn_num(0), *grads[2];
    for (int t = 0; t < STEPS; t++) {
        h = next_state(n, t, carry && t ? carry(h, t, context) : h);
        loss = cn_add(loss, loss_at(n, t, h));
    }
    if (!cn_grad_of(&loss, NULL, 1, (cn_tensor *[]){ n->w_hh, n->w_hx }, 2, grads, NULL))
        return NULL;
    if (by_w_hx) *by_w_hx = grads[1];
    return grads[0];
}

/* ---- BPTT: the book's formulas -------------------------------------------------------------------- */

/* dL/dh_t = W_hh^T dL/dh_{t+1} + W_qh^T dL/do_t; dL/dW_hh = sum dL/dh_t h_{t-1}^T, dL/dW_hx = sum
   dL/dh_t x_t^T. */
static cn_tensor *by_hand(const Net *n, cn_tensor **by_w_hx)
{
    cn_tensor *h[STEPS + 1], *dh = no_state();
    cn_tensor *dw_hh = cn_zeros(CN_SHAPE(HIDDEN, HIDDEN), CN_F64);
    cn_tensor *dw_hx = cn_zeros(CN_SHAPE(HIDDEN, IN), CN_F64);
    h[0] = no_state();
    for (int t = 0; t < STEPS; t++) h[t + 1] = next_state(n, t, h[t]);
    for (int t = STEPS - 1; t >= 0; t--) {
        cn_tensor *error = cn_sub(cn_mv(n->w_qh, h[t + 1]), cn_select(n->y, 0, t));
        cn_tensor *d_o = cn_div(error, cn_num(STEPS));
        dh = cn_add(cn_mv(cn_t(n->w_hh), dh), cn_mv(cn_t(n->w_qh), d_o));
        dw_hh = cn_add(dw_hh, cn_outer(dh, h[t]));
        dw_hx = cn_add(dw_hx, cn_outer(dh, cn_select(n->x, 0, t)));
    }
    *by_w_hx = dw_hx;
    return dw_hh;
}

static void run_bptt(Lab *lab)
{
    Net n = make_net();
    cn_tensor *hx = NULL, *hand_hx = NULL, *hh = gradient(&n, NULL, NULL, &hx), *hand_hh = NULL;
    CN_NO_GRAD hand_hh = by_hand(&n, &hand_hx);
    lab_same(lab, "dL/dW_hh by hand and by autograd", hand_hh, hh, 1e-12);
    lab_same(lab, "dL/dW_hx by hand and by autograd", hand_hx, hx, 1e-12);
    lab_at_least(lab, "their size", cn_item(cn_norm(hh)), 1e-3);
}

const Experiment experiment_c08_bptt = {
    .id = "C08-BPTT",
    .title = "Backpropagation through time",
    .title_zh = "通过时间反向传播",
    .section = "9.7.2",
    .settings = "linear network, 12 steps, 4 hidden units",
    .run = run_bptt,
};

/* ---- TBPTT: gradients stay within blocks ------------------------------------------------------------ */

static cn_tensor *cut_each(cn_tensor *h, int t, void *context)
{
    return t % *(int *)context ? h : cn_detach(h);
}

/* Block by block with a backward pass after each; *most: tensors alive at most. */
static cn_tensor *in_blocks(const Net *n, int k, int64_t *most)
{
    cn_tensor *sum = cn_zeros(CN_SHAPE(HIDDEN, HIDDEN), CN_F64), *h = cn_keep(no_state());
    int64_t before = cn_memory().live_tensors;
    *most = 0;
    for (int begin = 0; begin < STEPS; begin += k) CN_SCOPE
        {
            cn_tensor *state = h, *loss = cn_num(0), *grad;
            for (int t = begin; t < begin + k && t < STEPS; t++) {
                state = next_state(n, t, state);
                loss = cn_add(loss, loss_at(n, t, state));
            }
            int64_t alive = cn_memory().live_tensors - before;
            *most = alive > *most ? alive : *most;
            if (cn_grad_of(&loss, NULL, 1, &n->w_hh, 1, &grad, NULL)) cn_add_(sum, grad);
            cn_drop(h);
            h = cn_keep(cn_detach(state));
        }
    cn_drop(h);
    return sum;
}

static void run_tbptt(Lab *lab)
{
    Net n = make_net();
    int64_t alive[4];
    double block[] = { 1, 3, 6, STEPS }, error[4], live[4];
    cn_tensor *full = gradient(&n, NULL, NULL, NULL);
    for (int i = 0; i < 4; i++) {
        int k = (int)block[i];
        cn_tensor *blocks = in_blocks(&n, k, &alive[i]);
        live[i] = (double)alive[i];
        error[i] = cn_item(cn_norm(cn_sub(blocks, full))) / cn_item(cn_norm(full));
        lab_say(lab, "blocks of %d: relative error %.4f, %.0f tensors alive", k, error[i], live[i]);
        lab_same(lab, "block by block, and one pass with the state detached", blocks,
                 gradient(&n, cut_each, &k, NULL), 1e-12);
    }
    lab_at_most(lab, "the error where a block holds all steps", error[3], 1e-12);
    lab_at_least(lab, "the error in blocks of 3", error[1], 1e-3);
    lab_at_most(lab, "tensors alive, blocks of 3 against 12", live[1] / live[3], 0.4);
    cn_figure *f = cn_figure_new("Truncation");
    cn_figure_line(f, "relative error", block, error, 4);
    cn_figure_axes(f, .xlabel = "steps in a block", .ylabel = "relative error of dL/dW");
    lab_figure(lab, f);
}

const Experiment experiment_c08_tbptt = {
    .id = "C08-TBPTT",
    .title = "Truncated backpropagation through time",
    .title_zh = "截断时间步",
    .section = "9.7.1",
    .settings = "blocks of 1, 3, 6 and 12 of 12 steps",
    .run = run_tbptt,
};

/* ---- RTBPTT: gradients that end at random, and are right in the mean ---------------------------------- */

/* The gradient of h times xi: 0, or 1 / p with probability p. The value of h stays. */
static cn_tensor *cut_at_random(cn_tensor *h, int t, void *context)
{
    double p = *(const double *)context;
    double xi = cn_rng_uniform(cn_default_rng()) < p ? 1 / p : 0;
    (void)t;
    return cn_add(cn_mul(cn_detach(h), cn_num(1 - xi)), cn_mul(h, cn_num(xi)));
}

static void run_rtbptt(Lab *lab)
{
    enum { ELEMENTS = HIDDEN * HIDDEN };
    int draws = lab_options(lab)->quick ? 1500 : 6000;
    double p = 0.8, sum[ELEMENTS] = { 0 }, squares[ELEMENTS] = { 0 }, truth[ELEMENTS], worst = 0;
    Net n = make_net();
    bool ok = cn_read(gradient(&n, NULL, NULL, NULL), CN_F64, truth, ELEMENTS);
    for (int i = 0; ok && i < draws; i++) CN_SCOPE
        {
            double g[ELEMENTS];
            ok = cn_read(gradient(&n, cut_at_random, &p, NULL), CN_F64, g, ELEMENTS);
            for (int e = 0; ok && e < ELEMENTS; e++) {
                sum[e] += g[e];
                squares[e] += g[e] * g[e];
            }
        }
    double distance = 0, size = 0;
    for (int e = 0; e < ELEMENTS; e++) {
        double mean = sum[e] / draws, spread = sqrt((squares[e] / draws - mean * mean) / draws);
        worst = fmax(worst, fabs(mean - truth[e]) / spread);
        distance += (mean - truth[e]) * (mean - truth[e]);
        size += truth[e] * truth[e];
    }
    int k = 3;
    cn_tensor *full = gradient(&n, NULL, NULL, NULL), *cut = gradient(&n, cut_each, &k, NULL);
    double fixed = cn_item(cn_norm(cn_sub(cut, full))) / sqrt(size);
    lab_at_most(lab, "the mean's distance from the gradient, in standard errors", worst, 4.5);
    lab_at_most(lab, "relative error of the mean, against blocks of 3",
                sqrt(distance / size) / fixed, 0.7);
}

const Experiment experiment_c08_rtbptt = {
    .id = "C08-RTBPTT",
    .title = "Randomised truncation",
    .title_zh = "随机截断",
    .section = "9.7.1",
    .settings = "12 steps, each kept with probability 0.8",
    .run = run_rtbptt,
};

/* ---- EIGGROW: what a long product of Jacobians does ----------------------------------------------------- */

/* A symmetric matrix with the largest eigenvalue rho, and its eigenvector. */
static cn_tensor *jacobian(double rho, cn_tensor **leading)
{
    cn_qr_parts q = cn_linalg_qr(cn_randn(CN_SHAPE(4, 4), CN_F64));
    const double values[] = { rho, 0.7 * rho, -0.5 * rho, 0.2 * rho };
    *leading = cn_select(q.q, 1, 0);
    cn_tensor *scaled = cn_mul(q.q, cn_from(values, CN_SHAPE(4), CN_F64));
    return cn_matmul(scaled, cn_t(q.q));
}

static void run_eiggrow(Lab *lab)
{
    enum { POWERS = 40 };
    static const char *const names[] = { "0.9", "1.0", "1.1" };
    const double rho[] = { 0.9, 1, 1.1 }, printed[] = { 0.0148, 1, 45.3 };
    cn_figure *f = cn_figure_new("Powers of the Jacobian");
    for (int i = 0; i < 3; i++) {
        double norm[POWERS];
        cn_tensor *v, *j = jacobian(rho[i], &v), *x = cn_randn(CN_SHAPE(4), CN_F64);
        cn_tensor *power = cn_eye(4, CN_F64);
        for (int k = 0; k < POWERS; k++) {
            x = cn_mv(j, x);
            power = cn_matmul(j, power);
            norm[k] = cn_item(cn_linalg_matrix_norm(power, "2"));
        }
        double cosine = fabs(cn_item(cn_cosine_similarity(x, v, 0)));
        lab_number(lab, names[i], norm[POWERS - 1], printed[i], 0.005 * printed[i]);
        lab_at_least(lab, "cosine of J^40 x and the leading eigenvector", cosine, 1 - 1e-6);
        cn_figure_line(f, names[i], NULL, norm, POWERS);
    }
    cn_figure_axes(f, .xlabel = "k", .ylabel = "norm of J^k", .ylog = true);
    lab_figure(lab, f);
}

const Experiment experiment_c08_eiggrow = {
    .id = "C08-EIGGROW",
    .title = "Powers of the Jacobian",
    .title_zh = "雅可比矩阵的幂与主特征向量",
    .section = "9.7.1",
    .settings = "4 x 4, largest eigenvalue 0.9, 1.0, 1.1; 40 steps",
    .published = "norms 0.0148 / 1 / 45.3",
    .run = run_eiggrow,
};
