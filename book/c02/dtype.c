/* dtype.c - float32 is the default; what float64 adds, and what it costs (D2L 2.1.1). */
#include "book/book.h"

#include <math.h>

enum { SIDE = 256, TIMES = 5 };

/* (1 + 2^-bits) - 1 in units of 2^-bits. */
static double spacing(cn_dtype dtype, int bits)
{
    double step = ldexp(1, -bits);
    cn_tensor *one = cn_ones(CN_SHAPE(1), dtype), *small = cn_full(CN_SHAPE(1), step, dtype);
    return cn_item(cn_sub(cn_add(one, small), one)) / step;
}

/* The shortest of a few products. */
static double matmul_seconds(cn_dtype dtype)
{
    cn_tensor *a = cn_randn(CN_SHAPE(SIDE, SIDE), dtype),
              *b = cn_randn(CN_SHAPE(SIDE, SIDE), dtype);
    double best = HUGE_VAL;
    for (int i = 0; i < TIMES; i++) {
        double start = cn_seconds();
        CN_SCOPE
        {
            cn_matmul(a, b);
        }
        best = fmin(best, cn_seconds() - start);
    }
    return best;
}

static void run(Lab *lab)
{
    cn_tensor *scalar = cn_scalar(1), *one = cn_from((const double[]){ 1 }, CN_SHAPE(1), CN_F64);
    lab_text(lab, "a plain number", cn_dtype_name(cn_dtype_of(scalar)), "float32");
    lab_text(lab, "float32 * 2", cn_dtype_name(cn_dtype_of(cn_mul(scalar, cn_num(2)))), "float32");
    lab_text(lab, "randint", cn_dtype_name(cn_dtype_of(cn_randint(0, 9, CN_SHAPE(2)))), "int64");
    lab_text(lab, "float32 vector + float64 vector",
             cn_dtype_name(cn_dtype_of(cn_add(cn_to(one, CN_F32), one))), "float64");
    lab_text(lab, "int64 / int64",
             cn_dtype_name(cn_dtype_of(cn_div(cn_to(one, CN_I64), cn_to(one, CN_I64)))), "float32");

    /* How finely each type divides the numbers from 1 to 2. */
    lab_number(lab, "digits of float32: 1 + 2^-24 - 1", spacing(CN_F32, 24), 0, 0);
    lab_number(lab, "1 + 2^-23 - 1, in units of 2^-23", spacing(CN_F32, 23), 1, 0);
    lab_number(lab, "digits of float64: 1 + 2^-53 - 1", spacing(CN_F64, 53), 0, 0);
    lab_number(lab, "1 + 2^-52 - 1, in units of 2^-52", spacing(CN_F64, 52), 1, 0);

    /* What double precision costs; machines differ, so that nothing is demanded. */
    double fast = matmul_seconds(CN_F32), slow = matmul_seconds(CN_F64);
    lab_say(lab, "%d x %d matrices: float32 %.1f GFLOP/s, float64 %.1f GFLOP/s, %.1f times as long",
            SIDE, SIDE, 2e-9 * SIDE * SIDE * SIDE / fast, 2e-9 * SIDE * SIDE * SIDE / slow,
            slow / fast);
}

const Experiment experiment_c02_dtype = {
    .id = "C02-DTYPE",
    .title = "Element types",
    .title_zh = "数据类型",
    .section = "2.1.1",
    .run = run,
};
