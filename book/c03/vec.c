/* vec.c - vectors at once instead of number by number; the normal distribution (D2L 3.1.2, 3.1.3). */
#include "book/book.h"

#include <math.h>

enum { N = 10000, POINTS = 1401 };

/* Element by element through the library, as the book's loop does. */
static double in_a_loop(cn_tensor *c, cn_tensor *a, cn_tensor *b)
{
    double start = cn_seconds();
    for (int64_t i = 0; i < N && cn_ok(); i++) CN_SCOPE
        {
            cn_copy_(cn_select(c, 0, i), cn_add(cn_select(a, 0, i), cn_select(b, 0, i)));
        }
    return cn_seconds() - start;
}

static double normal(double x, double mu, double sigma)
{
    const double pi = 3.14159265358979323846;
    double z = (x - mu) / sigma;
    return exp(-z * z / 2) / (sigma * sqrt(2 * pi));
}

/* Squared loss is what normal noise makes likely: -log p grows like (y - mu)^2 / 2. */
static void normal_distributions(Lab *lab)
{
    static const struct {
        double mu, sigma;
        const char *name;
    } params[] = { { 0, 1, "mean 0, std 1" },
                   { 0, 2, "mean 0, std 2" },
                   { 3, 1, "mean 3, std 1" } };
    double x[POINTS], p[POINTS], worst = 0;
    cn_figure *f = cn_figure_new(NULL);
    for (int k = 0; k < 3; k++) {
        double sum = 0;
        for (int i = 0; i < POINTS; i++) {
            x[i] = -14 + 0.02 * i;
            p[i] = normal(x[i], params[k].mu, params[k].sigma);
            sum += 0.02 * p[i];
        }
        worst = fmax(worst, fabs(sum - 1));
        cn_figure_line(f, params[k].name, x, p, POINTS);
    }
    cn_figure_axes(f, .xlabel = "x", .ylabel = "p(x)", .xmin = -7, .xmax = 7);
    lab_figure(lab, f);
    lab_at_most(lab, "the densities add up to 1, but for", worst, 1e-6);
    cn_tensor *drawn = cn_randn(CN_SHAPE(100000), CN_F64);
    cn_tensor *near_zero = cn_lt(cn_abs(drawn), cn_num(0.5));
    double share = 0;
    for (int i = 0; i < 1000; i++) share += 0.001 * normal(-0.4995 + 0.001 * i, 0, 1);
    lab_number(lab, "drawn numbers within 0.5 of 0, and the density's share",
               cn_item(cn_mean(cn_to(near_zero, CN_F64))), share, 0.008);
}

static void run(Lab *lab)
{
    cn_tensor *a = cn_ones(CN_SHAPE(N), CN_F32), *b = cn_ones(CN_SHAPE(N), CN_F32);
    cn_tensor *c = cn_zeros(CN_SHAPE(N), CN_F32), *d = NULL;
    double loop = in_a_loop(c, a, b), once = HUGE_VAL;
    for (int i = 0; i < 5; i++) {
        double start = cn_seconds();
        d = cn_add(a, b);
        once = fmin(once, cn_seconds() - start);
    }
    lab_say(lab, "one by one: %.5f sec; at once: %.5f sec", loop, once);
    lab_same(lab, "both sums", c, d, 0);
    lab_at_least(lab, "at once is faster by a factor of", loop / once, 10);
    normal_distributions(lab);
}

const Experiment experiment_c03_vec = {
    .id = "C03-VEC",
    .title = "Vectorization for speed",
    .title_zh = "矢量化加速",
    .section = "3.1.2",
    .settings = "n = 10,000",
    .published = "0.16749 sec one by one, 0.00042 sec at once",
    .run = run,
};
