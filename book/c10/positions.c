/* positions.c - sines and cosines for positions, and what they say of distances (D2L 11.6.3). */
#include "book/c10/attention.h"
#include "models/transformer.h"

#include <math.h>

enum { STEPS = 60, WIDTH = 32, SHIFT = 7 };

static void draw_columns(Lab *lab, cn_tensor *table)
{
    double x[STEPS], y[STEPS];
    cn_figure *f = cn_figure_new("positional encoding");
    const float *p = cn_data(table);
    bool ok = f && p;
    for (int column = 6; ok && column < 10; column++) {
        char label[16] = { 'c', 'o', 'l', ' ', (char)('0' + column) };
        for (int i = 0; i < STEPS; i++) x[i] = i, y[i] = (double)p[i * WIDTH + column];
        ok = cn_figure_line(f, label, x, y, STEPS);
    }
    lab_figure(lab, f);
}

static void run_sinusoids(Lab *lab)
{
    cn_tensor *table = cn_select(cn_sinusoids(0, STEPS, WIDTH), 0, 0);
    const float *p = cn_data(table);
    if (!p) return;
    lab_number(lab, "P[0, 0] = sin 0", (double)p[0], 0, 0);
    lab_number(lab, "P[0, 1] = cos 0", (double)p[1], 1, 0);
    lab_number(lab, "P[5, 0] = sin 5", (double)p[5 * WIDTH], sin(5.0), 1e-6);
    lab_number(lab, "P[9, 7] = cos(9 / 10000^(6 / 32))", (double)p[9 * WIDTH + 7],
               cos(9 / pow(10000, 6.0 / 32)), 1e-6);
    draw_columns(lab, table);
    lab_figure(lab, attention_map("positional encoding", table));
    for (int i = 0; i < 8; i++)
        lab_say(lab, "%d in binary is %d%d%d", i, i >> 2, i >> 1 & 1, i & 1);
    int changes[2] = { 0, 0 }; /* of sign, in the fastest and in a slower column */
    for (int i = 1; i < STEPS; i++)
        for (int c = 0; c < 2; c++)
            changes[c] += (p[i * WIDTH + 8 * c] > 0) != (p[(i - 1) * WIDTH + 8 * c] > 0);
    lab_at_least(lab, "frequencies fall along the dimension", changes[0], 3.0 * changes[1]);
    cn_tensor *later = cn_select(cn_sinusoids(SHIFT, STEPS - SHIFT, WIDTH), 0, 0);
    lab_same(lab, "a table that begins later", later, cn_narrow(table, 0, SHIFT, STEPS - SHIFT), 0);
}

const Experiment experiment_c10_pesin = {
    .id = "C10-PESIN C10-PEABS",
    .title = "Positional encoding by sines and cosines",
    .title_zh = "固定位置编码",
    .section = "11.6.3",
    .settings = "width 32, 60 steps",
    .run = run_sinusoids,
};

/* One rotation for each frequency takes position i to i + SHIFT, whatever i is. */
static cn_tensor *rotations(void)
{
    cn_tensor *r = cn_zeros(CN_SHAPE(WIDTH, WIDTH), CN_F32);
    float *p = r ? cn_data_mut(r) : NULL;
    for (int j = 0; p && j < WIDTH; j += 2) {
        double angle = SHIFT / pow(10000, (double)j / WIDTH);
        p[j * WIDTH + j] = p[(j + 1) * WIDTH + j + 1] = (float)cos(angle);
        p[j * WIDTH + j + 1] = (float)sin(angle);
        p[(j + 1) * WIDTH + j] = -(float)sin(angle);
    }
    return r;
}

static void run_relative(Lab *lab)
{
    cn_tensor *table = cn_select(cn_sinusoids(0, STEPS, WIDTH), 0, 0), *r = rotations();
    cn_tensor *moved = cn_matmul(cn_narrow(table, 0, 0, STEPS - SHIFT), cn_t(r));
    lab_same(lab, "P(i + 7) = R P(i) for all i", moved, cn_narrow(table, 0, SHIFT, STEPS - SHIFT),
             1e-5);
    lab_same(lab, "R keeps lengths", cn_matmul(r, cn_t(r)), cn_eye(WIDTH, CN_F32), 1e-6);
}

const Experiment experiment_c10_perel = {
    .id = "C10-PEREL",
    .title = "Relative positions as a rotation",
    .title_zh = "相对位置信息",
    .section = "11.6.3.2",
    .run = run_relative,
};
