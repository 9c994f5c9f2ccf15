/* hess.c - convex is what has a positive semidefinite Hessian everywhere (D2L 12.2.2.3). */
#include "book/opt/chords.h"

#include <math.h>
#include <stdio.h>

enum { POINTS = 60 };

static cn_tensor *first(cn_tensor *x)
{
    return cn_select(x, 0, 0);
}

static cn_tensor *second(cn_tensor *x)
{
    return cn_select(x, 0, 1);
}

static cn_tensor *product(cn_tensor *x)
{
    return cn_mul(first(x), second(x));
}

static cn_tensor *leaning(cn_tensor *x)
{
    return cn_add(bowl(x), product(x));
}

static cn_tensor *steep(cn_tensor *x)
{
    return cn_add(bowl(x), cn_mul(product(x), cn_num(3)));
}

static cn_tensor *soft_maximum(cn_tensor *x)
{
    return cn_logaddexp(first(x), second(x));
}

static cn_tensor *waves(cn_tensor *x)
{
    return cn_add(cn_cos(first(x)), cn_square(second(x)));
}

static cn_tensor *fourth(cn_tensor *x)
{
    return cn_add(cn_square(cn_square(first(x))), cn_exp(second(x)));
}

/* The least eigenvalue of the Hessian at random points of [-2, 2]^2. */
static double least_curvature(Function *f)
{
    double least = (double)INFINITY;
    for (int i = 0; i < POINTS && cn_ok(); i++) {
        CN_SCOPE
        {
            double x[] = { 4 * cn_rng_uniform(cn_default_rng()) - 2,
                           4 * cn_rng_uniform(cn_default_rng()) - 2 };
            least = fmin(least, cn_item(cn_amin(cn_linalg_eigh(hessian_at(f, x, 2)).values)));
        }
    }
    return least;
}

static void run(Lab *lab)
{
    static const struct {
        const char *name;
        Function *f;
        bool convex;
    } cases[] = {
        { "x^2 + 2 y^2", bowl, true },
        { "x^2 + 2 y^2 + x y", leaning, true },
        { "log(e^x + e^y)", soft_maximum, true },
        { "x^4 + e^y", fourth, true },
        { "x y", product, false },
        { "x^2 + 2 y^2 + 3 x y", steep, false },
        { "cos x + y^2", waves, false },
    };
    char what[96];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double least = least_curvature(cases[i].f), chord = chords_above(cases[i].f, 2, -2, 2);
        bool curved = least >= -1e-9, above = chord >= -1e-9;
        snprintf(what, sizeof what, "%s: least eigenvalue %.3g, chords %.3g; %s", cases[i].name,
                 least, chord, cases[i].convex ? "convex by both" : "by neither");
        lab_true(lab, what, curved == cases[i].convex && above == cases[i].convex);
    }
    /* [[2, 3], [3, 4]] has the eigenvalues 3 -+ sqrt(10) everywhere. */
    lab_number(lab, "of x^2 + 2 y^2 + 3 x y it is", least_curvature(steep), 3 - sqrt(10), 1e-12);
}

const Experiment experiment_opt_hess = {
    .id = "OPT-HESS",
    .title = "Convexity and second derivatives",
    .title_zh = "凸性和二阶导数",
    .section = "12.2.2.3",
    .run = run,
};
