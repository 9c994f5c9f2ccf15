/* cvxset.c - convex sets; intersections are convex, unions need not be (D2L 12.2.1.1). */
#include "book/opt/chords.h"

static bool disc(double x, double y, double centre)
{
    return (x - centre) * (x - centre) + y * y <= 1;
}

static bool left(double x, double y)
{
    return disc(x, y, -0.8);
}

static bool right(double x, double y)
{
    return disc(x, y, 0.8);
}

static bool square(double x, double y)
{
    return x >= -1 && x <= 1 && y >= -1 && y <= 1;
}

static bool half(double x, double y)
{
    return x + 2 * y <= 0.5;
}

static bool both(double x, double y)
{
    return left(x, y) && right(x, y);
}

static bool all(double x, double y)
{
    return both(x, y) && square(x, y) && half(x, y);
}

static bool either(double x, double y)
{
    return left(x, y) || right(x, y);
}

static bool ring(double x, double y)
{
    double r = x * x + y * y;
    return r >= 0.5 && r <= 2;
}

static void run(Lab *lab)
{
    lab_number(lab, "chords that leave a disc", chords_outside(left), 0, 0);
    lab_number(lab, "a square", chords_outside(square), 0, 0);
    lab_number(lab, "a half plane", chords_outside(half), 0, 0);
    lab_number(lab, "the intersection of two discs", chords_outside(both), 0, 0);
    lab_number(lab, "that of all of these", chords_outside(all), 0, 0);
    lab_at_least(lab, "the union of the discs", chords_outside(either), 0.005);
    lab_at_least(lab, "a ring", chords_outside(ring), 0.1);
    lab_true(lab, "a chord that leaves the union: from (-0.8, 1) to (0.8, 1)",
             either(-0.8, 1) && either(0.8, 1) && !either(0, 1));
}

const Experiment experiment_opt_cvxset = {
    .id = "OPT-CVXSET",
    .title = "Convex sets, their intersections and unions",
    .title_zh = "凸集",
    .section = "12.2.1.1",
    .run = run,
};
