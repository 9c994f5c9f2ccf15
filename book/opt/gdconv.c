/* gdconv.c - how fast: Newton's errors are squared, descent's are scaled (D2L 12.3.3.2).

   On exp(x) - 2 x, with its minimum at log 2: there f'' = f''' = 2, so that Newton's next error is
   0.5 e^2, and that of descent with rate 0.1 is 0.8 e. */
#include "book/opt/traces.h"

#include <math.h>

static cn_tensor *f(cn_tensor *x)
{
    return cn_sub(cn_exp(x), cn_mul(x, cn_num(2)));
}

static void run(Lab *lab)
{
    enum { NEWTON = 5, DESCENT = 60 };
    double newton[NEWTON], slow[DESCENT + 1], x = 1.7;
    for (int i = 0; i < NEWTON; i++) {
        double slope;
        newton[i] = fabs(x - log(2));
        slope_at(f, &x, 1, &slope);
        x -= slope / cn_item(hessian_at(f, &x, 1));
    }
    Trace t = trace_optim(f, 1, AT(1.7), DESCENT, "SGD lr=0.1");
    for (int i = 0; i <= DESCENT; i++) slow[i] = fabs(t.x[0][i] - log(2));

    lab_number(lab, "Newton: the fourth error against the square of the third",
               newton[3] / (newton[2] * newton[2]), 0.5, 0.02);
    lab_number(lab, "the fifth against the fourth's", newton[4] / (newton[3] * newton[3]), 0.5,
               0.01);
    lab_number(lab, "logarithm of the fifth against the fourth's", log(newton[4]) / log(newton[3]),
               2, 0.15);
    lab_number(lab, "descent: the 60th error against the one before", slow[60] / slow[59], 0.8,
               1e-4);
    lab_number(lab, "the 40th", slow[40] / slow[39], 0.8, 1e-3);
    cn_figure *figure = cn_figure_new("Errors of Newton's method and of descent");
    cn_figure_line(figure, "Newton", NULL, newton, NEWTON);
    cn_figure_line(figure, "descent", NULL, slow, DESCENT + 1);
    cn_figure_axes(figure, .xlabel = "step", .ylog = true);
    lab_figure(lab, figure);
}

const Experiment experiment_opt_gdconv = {
    .id = "OPT-GDCONV",
    .title = "Convergence of Newton's method and of descent",
    .title_zh = "收敛性分析",
    .section = "12.3.3.2",
    .run = run,
};
