/* clock.c - time, for measuring. */
#include <cenote/base.h>
#include <time.h>

double cn_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
