/* gpu.c - computing on a GPU (D2L 6.7). */
#include "book/book.h"

static void run(Lab *lab)
{
    lab_skip(
        lab,
        "this build computes on the CPU (%s), and has no other device to list, to copy to or to compare with",
        cn_engines());
}

const Experiment experiment_c05_gpu = {
    .id = "C05-GPUDEV C05-GPUT C05-GPUM",
    .title = "Devices",
    .title_zh = "GPU",
    .section = "6.7",
    .published = "try_gpu(10) falls back to the CPU; tensors on cuda:0; the net on cuda:0",
    .run = run,
};
