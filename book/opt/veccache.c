/* veccache.c - one product of matrices by elements, columns, blocks and at once (D2L 12.5.1). */
#include "book/book.h"

enum { N = 256, BLOCK = 64, FEW = 16 };

typedef void Way(cn_tensor *a, cn_tensor *b, cn_tensor *c); /* a = b c */

/* Its first rows will do to see how long it takes. */
static void elements(cn_tensor *a, cn_tensor *b, cn_tensor *c)
{
    float *out = cn_data_mut(a);
    for (int i = 0; out && i < FEW; i++) CN_SCOPE
        {
            cn_tensor *row = cn_select(b, 0, i);
            for (int j = 0; j < N; j++)
                out[i * N + j] = (float)cn_item(cn_dot(row, cn_select(c, 1, j)));
        }
}

static void columns(cn_tensor *a, cn_tensor *b, cn_tensor *c)
{
    for (int j = 0; j < N; j++) cn_copy_(cn_select(a, 1, j), cn_mv(b, cn_select(c, 1, j)));
}

static void blocks(cn_tensor *a, cn_tensor *b, cn_tensor *c)
{
    for (int j = 0; j < N; j += BLOCK)
        cn_copy_(cn_narrow(a, 1, j, BLOCK), cn_mm(b, cn_narrow(c, 1, j, BLOCK)));
}

static void whole(cn_tensor *a, cn_tensor *b, cn_tensor *c)
{
    cn_copy_(a, cn_mm(b, c));
}

/* In 10^9 operations a second: the best of `times`. */
static double speed(Way *way, int times, int rows, cn_tensor *a, cn_tensor *b, cn_tensor *c)
{
    double best = 0;
    for (int i = 0; i < times; i++) {
        CN_SCOPE
        {
            double start = cn_seconds();
            way(a, b, c);
            double rate = 2e-9 * rows * N * N / (cn_seconds() - start);
            best = rate > best ? rate : best;
        }
    }
    return best;
}

static void run(Lab *lab)
{
    static const struct {
        const char *name;
        Way *way;
        int times, rows;
    } ways[] = { { "element", elements, 1, FEW },
                 { "column", columns, 3, N },
                 { "full", whole, 5, N },
                 { "block", blocks, 5, N } };
    cn_tensor *b = cn_randn(CN_SHAPE(N, N), CN_F32), *c = cn_randn(CN_SHAPE(N, N), CN_F32);
    cn_tensor *result[4];
    double rate[4];
    const char *names[4];
    for (int i = 0; i < 4; i++) {
        result[i] = cn_zeros(CN_SHAPE(N, N), CN_F32);
        names[i] = ways[i].name;
        rate[i] = speed(ways[i].way, ways[i].times, ways[i].rows, result[i], b, c);
        if (i)
            lab_same(lab, names[i], cn_narrow(result[i], 0, 0, FEW),
                     cn_narrow(result[0], 0, 0, FEW), 1e-4);
    }
    lab_same(lab, "blocks and full", result[3], result[2], 1e-4);
    lab_same(lab, "columns and full", result[1], result[2], 1e-4);
    lab_at_least(lab, "the largest element", cn_item(cn_amax(result[0])), 30);
    lab_say(lab, "Gigaflops: element %.3f, column %.3f, full %.3f, block %.3f", rate[0], rate[1],
            rate[2], rate[3]);
    lab_at_least(lab, "columns, against elements", rate[1] / rate[0], 1);
    lab_at_least(lab, "all at once, against columns", rate[2] / rate[1], 1);
    lab_at_least(lab, "blocks, against columns", rate[3] / rate[1], 1);
    cn_figure *figure = cn_figure_new("A product of 256 x 256 matrices");
    cn_figure_bars(figure, NULL, names, rate, 4);
    cn_figure_axes(figure, .ylabel = "Gflop/s", .ylog = true);
    lab_figure(lab, figure);
}

const Experiment experiment_opt_veccache = {
    .id = "OPT-VECCACHE",
    .title = "Vectorisation and caches",
    .title_zh = "向量化和缓存",
    .section = "12.5.1",
    .settings = "256 x 256, blocks of 64 columns",
    .published = "Gigaflops: element 0.017, column 0.459, full 51.633, block 37.640",
    .run = run,
};
