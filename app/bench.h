/* bench.h - what the parts of cenote bench share. */
#ifndef APP_BENCH_H
#define APP_BENCH_H

#include "app/app.h"

typedef struct {
    double median, least, p90; /* seconds */
    int64_t steps;
} Times;

/* Calls step() until `seconds` have passed, after a warm-up. */
bool measure(bool (*step)(void *context), void *context, double seconds, Times *out);

/* What the processor can do in practice. */
double peak_flops(void);     /* the best of a dozen large products */
double peak_bandwidth(void); /* bytes per second of z = x + 3 y, far larger than the caches */

/* ---- single ops ---------------------------------------------------------------------------- */

typedef enum {
    BENCH_FORWARD,
    BENCH_TRAIN, /* and backward, to all float32 inputs */
    BENCH_STEP   /* of an optimiser: the call has its options and the number of parameters */
} BenchMode;

/* A call is written as the name of an op and its arguments, separated by blanks; [2,3] is a tensor
   of normal numbers, <9>[4] one of integers below 9, [2]+[3] a list of tensors. After a '|' comes
   another op, which gets the result as its first argument. PyTorch's side reads the same text. */
typedef struct {
    const char *name, *call;
    BenchMode mode;
    /* How often the numbers of the first tensor must pass between processor and memory at least;
       0: the arithmetic of a product counts, not the memory. */
    double passes;
} BenchCase;

extern const BenchCase bench_cases[]; /* ended by a NULL name */

/* Those whose names begin with one of the words from operand 1 on; without any all. */
bool bench_ops(const Args *args);

#endif
