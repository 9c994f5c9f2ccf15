/* pid.c - control by feedback, also of a learning rate (D2L 4.7.4.4). */
#include "book/book.h"

#include <math.h>

enum { STEPS = 400 };

typedef struct {
    double kp, ki, kd; /* proportional, integral, differential */
    double sum, last;
} Controller;

static double control(Controller *c, double error, double dt)
{
    double slope = (error - c->last) / dt;
    c->sum += error * dt;
    c->last = error;
    return c->kp * error + c->ki * c->sum + c->kd * slope;
}

/* ---- a plant of first order: tau x' = u - x, to be brought from 0 to 1 ---------------------- */

typedef struct {
    double x[STEPS], overshoot, end;
    int settled; /* the step from which on it stays within 2 percent */
} Response;

static Response drive(Controller c)
{
    const double dt = 0.05, tau = 1, target = 1;
    Response r = { .settled = 0 };
    double x = 0;
    c.last = target; /* no kick by the first difference */
    for (int i = 0; i < STEPS; i++) {
        double u = control(&c, target - x, dt);
        x += dt * (u - x) / tau;
        r.x[i] = x;
        r.overshoot = fmax(r.overshoot, x - target);
        if (fabs(x - target) > 0.02) r.settled = i + 1;
    }
    r.end = x;
    return r;
}

static void plant(Lab *lab)
{
    Response p = drive((Controller){ .kp = 4 }), pi = drive((Controller){ .kp = 1, .ki = 6 }),
             pid = drive((Controller){ .kp = 4, .ki = 4, .kd = 0.02 });
    lab_number(lab, "P alone: where it ends, kp / (1 + kp)", p.end, 4. / 5, 1e-6);
    lab_number(lab, "P alone never settles", p.settled, STEPS, 0);
    lab_at_least(lab, "little P, much I: overshoot", pi.overshoot, 0.1);
    lab_number(lab, "PID: where it ends", pid.end, 1, 1e-4);
    lab_at_most(lab, "PID: overshoot", pid.overshoot, 0.02);
    lab_at_most(lab, "PID: settled after so many steps of 0.05", pid.settled, 100);
    cn_figure *f = cn_figure_new("A plant of first order");
    cn_figure_line(f, "P", NULL, p.x, STEPS / 2);
    cn_figure_line(f, "PI", NULL, pi.x, STEPS / 2);
    cn_figure_line(f, "PID", NULL, pid.x, STEPS / 2);
    cn_figure_axes(f, .xlabel = "step");
    lab_figure(lab, f);
}

/* ---- a learning rate, such that the loss falls by 5 percent in each step -------------------- */

static const double wanted = 0.05;

/* Gradient descent on 1/2 a w^2; in the middle the curvature a falls to a fifth. The mean fall of
   the loss per step in the last quarter. */
static double descend(Controller *c, double lr, double fall[STEPS])
{
    double w = 1, mean = 0;
    for (int i = 0; i < STEPS; i++) {
        double a = i < STEPS / 2 ? 1 : 0.2, before = w * w;
        w -= lr * a * w;
        fall[i] = 1 - w * w / before;
        if (c) lr = 0.02 * exp(control(c, wanted - fall[i], 1));
        if (i >= 3 * STEPS / 4) mean += fall[i] / (STEPS - 3 * STEPS / 4);
    }
    return mean;
}

static void learning_rate(Lab *lab)
{
    double fixed[STEPS], steered[STEPS];
    double without = descend(NULL, 0.0253, fixed);
    double with = descend(&(Controller){ .kp = 4, .ki = 2, .kd = 1 }, 0.02, steered);
    lab_number(lab, "fixed rate: fall of the loss, before the change", fixed[STEPS / 2 - 1], wanted,
               1e-3);
    lab_number(lab, "fixed rate: after it", without, 0.0101, 1e-3);
    lab_number(lab, "controlled: before the change", steered[STEPS / 2 - 1], wanted, 1e-3);
    lab_number(lab, "controlled: after it", with, wanted, 1e-3);
    cn_figure *f = cn_figure_new("Fall of the loss per step");
    cn_figure_line(f, "fixed rate", NULL, fixed, STEPS);
    cn_figure_line(f, "controlled rate", NULL, steered, STEPS);
    cn_figure_axes(f, .xlabel = "step");
    lab_figure(lab, f);
}

static void run(Lab *lab)
{
    plant(lab);
    learning_rate(lab);
}

const Experiment experiment_c04_pid = {
    .id = "C04-PID",
    .title = "Control, and hyper-parameters by feedback",
    .title_zh = "控制",
    .section = "4.7.4",
    .run = run,
};
