/* experiments.c - the list of experiments. */
#include "book/book.h"

#define EXPERIMENT(name) extern const Experiment experiment_##name;
#include "book/experiments.def"
#undef EXPERIMENT

const Experiment *const experiments[] = {
#define EXPERIMENT(name) &experiment_##name,
#include "book/experiments.def"
#undef EXPERIMENT
    NULL,
};
