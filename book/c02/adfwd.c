/* adfwd.c - forward and reverse mode: the same numbers, other costs (D2L 2.5). */
#include "book/book.h"

#include <math.h>

/* y = a chain of products and sines of its inputs, as a list of calls on earlier results. */
enum { INPUTS = 6, STEPS = 2 * INPUTS - 1, NODES = INPUTS + STEPS };

typedef struct {
    int a, b; /* b < 0: the sine of a; else a times b */
    double value;
} Node;

typedef struct {
    Node node[NODES]; /* inputs first */
} Walk;

/* s = sin(x0), s = sin(s x1), s = sin(s x2), .. */
static void walk(Walk *w)
{
    int n = INPUTS;
    w->node[n++] = (Node){ 0, -1, sin(w->node[0].value) };
    for (int i = 1; i < INPUTS; i++, n += 2) {
        w->node[n] = (Node){ n - 1, i, w->node[n - 1].value * w->node[i].value };
        w->node[n + 1] = (Node){ n, -1, sin(w->node[n].value) };
    }
}

/* Derivatives go along with values, for one input at a time. Returns the calls visited. */
static int64_t forward_mode(const Walk *w, double grad[INPUTS])
{
    int64_t calls = 0;
    for (int input = 0; input < INPUTS; input++) {
        double dot[NODES] = { 0 };
        dot[input] = 1;
        for (int n = INPUTS; n < NODES; n++, calls++) {
            const Node *c = &w->node[n], *a = &w->node[c->a];
            dot[n] = c->b < 0 ? cos(a->value) * dot[c->a]
                              : dot[c->a] * w->node[c->b].value + a->value * dot[c->b];
        }
        grad[input] = dot[NODES - 1];
    }
    return calls;
}

/* Derivatives of the one output with respect to everything, from the end. */
static int64_t reverse_mode(const Walk *w, double grad[INPUTS])
{
    int64_t calls = 0;
    double bar[NODES] = { 0 };
    bar[NODES - 1] = 1;
    for (int n = NODES - 1; n >= INPUTS; n--, calls++) {
        const Node *c = &w->node[n], *a = &w->node[c->a];
        if (c->b < 0) {
            bar[c->a] += cos(a->value) * bar[n];
            continue;
        }
        bar[c->a] += w->node[c->b].value * bar[n];
        bar[c->b] += a->value * bar[n];
    }
    for (int i = 0; i < INPUTS; i++) grad[i] = bar[i];
    return calls;
}

static cn_tensor *chain(cn_tensor *const *in, void *unused)
{
    (void)unused;
    cn_tensor *s = cn_sin(cn_select(in[0], 0, 0));
    for (int i = 1; i < INPUTS; i++) s = cn_sin(cn_mul(s, cn_select(in[0], 0, i)));
    return s;
}

static cn_tensor *several(cn_tensor *const *in, void *unused)
{
    cn_tensor *y[] = { chain(in, unused), cn_sum(cn_square(in[0])), cn_prod(in[0]) };
    return cn_stack(y, 3, 0);
}

/* What a chain of that many sines keeps. */
static double bytes_held(int depth, bool recorded)
{
    cn_tensor *x = cn_requires_grad(cn_ones(CN_SHAPE(4096), CN_F32), recorded), *y = x;
    size_t mark = cn_mark(), before = cn_memory().live_bytes;
    for (int i = 0; i < depth; i++) {
        size_t step = cn_mark();
        y = cn_return(step, cn_sin(y));
        if (!recorded) y = cn_return(mark, y);
    }
    double held = (double)(cn_memory().live_bytes - before);
    cn_release(mark);
    return held;
}

static void run(Lab *lab)
{
    Walk w = { 0 };
    for (int i = 0; i < INPUTS; i++) w.node[i].value = 0.3 + 0.2 * i;
    walk(&w);
    double forward[INPUTS], reverse[INPUTS];
    int64_t forward_cost = forward_mode(&w, forward), reverse_cost = reverse_mode(&w, reverse);
    cn_tensor *one = cn_from(forward, CN_SHAPE(INPUTS), CN_F64);
    lab_same(lab, "the gradient by both modes, by hand", one,
             cn_from(reverse, CN_SHAPE(INPUTS), CN_F64), 1e-12);

    double at[INPUTS];
    for (int i = 0; i < INPUTS; i++) at[i] = w.node[i].value;
    cn_tensor *x = cn_from(at, CN_SHAPE(INPUTS), CN_F64), *grad = NULL;
    cn_vjp(chain, &x, 1, NULL, NULL, NULL, &grad, NULL);
    lab_same(lab, "and by the library", grad, one, 1e-12);
    lab_number(lab, "forward: passes over the graph for one output", (double)forward_cost / STEPS,
               INPUTS, 0);
    lab_number(lab, "reverse: passes over the graph", (double)reverse_cost / STEPS, 1, 0);

    /* The library's two modes, on a function with several outputs: J by columns, and by rows. */
    cn_tensor *rows = NULL, *columns[INPUTS];
    cn_jacobian(several, &x, 1, NULL, &rows, NULL);
    for (int i = 0; i < INPUTS; i++) {
        cn_tensor *direction = cn_select(cn_eye(INPUTS, CN_F64), 0, i);
        cn_jvp(several, &x, 1, NULL, &direction, NULL, &columns[i], NULL);
    }
    lab_same(lab, "J column by column (jvp), and row by row (vjp)", cn_stack(columns, INPUTS, 1),
             rows, 1e-12);

    /* Reverse mode keeps what it has computed: memory grows with depth, and without recording it does not. */
    double shallow = bytes_held(50, true), deep = bytes_held(100, true);
    lab_number(lab, "memory of a graph twice as deep, in that of one", deep / shallow, 2, 0.05);
    lab_number(lab, "the same without recording", bytes_held(100, false) / bytes_held(50, false), 1,
               0.05);
}

const Experiment experiment_c02_adfwd = {
    .id = "C02-AD-FWD",
    .title = "Forward mode and what both modes cost",
    .title_zh = "正向累积与反向累积",
    .section = "2.5",
    .run = run,
};
