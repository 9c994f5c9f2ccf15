/* yogi.c - Yogi: Adam whose second moment grows and shrinks by bounded amounts (D2L 12.10.3). */
#include "book/opt/airfoil.h"
#include "book/opt/traces.h"

#include <math.h>

/* hyper: lr, beta1, beta2, eps; the moments start from 0, as the book's do */
static void yogi(const Update *u)
{
    const double lr = u->hyper[0], beta1 = u->hyper[1], beta2 = u->hyper[2], eps = u->hyper[3];
    for (int i = 0; i < u->n; i++) {
        const double square = u->g[i] * u->g[i], sign = (square > u->r[i]) - (square < u->r[i]);
        u->s[i] = beta1 * u->s[i] + (1 - beta1) * u->g[i];
        u->r[i] += (1 - beta2) * sign * square;
        double mean = u->s[i] / (1 - pow(beta1, u->t)), second = u->r[i] / (1 - pow(beta2, u->t));
        u->w[i] -= lr * mean / (sqrt(second) + eps);
    }
}

/* A large gradient, then small ones: Adam's second moment forgets it at once, Yogi's by 0.001 of
   the small squares only. */
static void forgetting(Lab *lab)
{
    double w = 0, s = 0, r = 0, adam = 0;
    for (int t = 1; t <= 100; t++) {
        const double g = t == 1 ? 10 : 0.1;
        yogi(&(Update){ .w = &w,
                        .s = &s,
                        .r = &r,
                        .g = &g,
                        .n = 1,
                        .t = t,
                        .hyper = AT(0.01, 0.9, 0.999, 1e-3) });
        adam = 0.999 * adam + 0.001 * g * g;
    }
    lab_number(lab, "a square 100, then 99 of 0.01: Yogi's second moment", r,
               0.001 * 100 - 99 * 0.001 * 0.01, 1e-12);
    lab_number(lab, "Adam's", adam, 0.1 * pow(0.999, 99) + 0.01 * (1 - pow(0.999, 99)), 1e-12);
}

#define YOGI "Yogi lr=0.01 eps=1e-3"

static void run(Lab *lab)
{
    Trace t = trace(canyon, 2, bowl_start, 200, yogi, AT(0.01, 0.9, 0.999, 1e-3)),
          library = trace_optim(canyon, 2, bowl_start, 200, YOGI);
    lab_traces(lab, "the library's 200 steps differ by", &t, &library, 1e-11);
    forgetting(lab);
    static const AirfoilCase cases[] = {
        { "rate 0.01", yogi, { 0.01, 0.9, 0.999, 1e-3 }, YOGI, 0.243, 0 }
    };
    airfoil_cases(lab, "Yogi", cases, 1);
}

const Experiment experiment_opt_yogi = {
    .id = "OPT-YOGI",
    .title = "Yogi",
    .title_zh = "Yogi",
    .section = "12.10.3",
    .settings = "rate 0.01, beta 0.9 and 0.999, eps 1e-3, batch 10",
    .published = "loss 0.243",
    .data = "airfoil",
    .run = run,
};
