/* models.h - the networks of the book, by name. */
#ifndef MODELS_H
#define MODELS_H

#include <cenote/cenote.h>

typedef struct cn_model {
    const char *name;    /* as in the book: "lenet" */
    const char *title;   /* "LeNet" */
    const char *section; /* of D2L */
    const char *about;
    cn_shape input;        /* of one example */
    bool regression;       /* mean squared error of one number; otherwise classes */
    int64_t batch, epochs; /* the book's hyper-parameters */
    double lr;
    const char *data;                    /* the book's data set */
    cn_module *(*make)(int64_t classes); /* initialised as in the book from the default generator */
} cn_model;

extern const cn_model *const cn_models[];        /* ended by NULL */
const cn_model *cn_model_find(const char *name); /* NULL, without an error, when there is none */

/* The network with all its parameters drawn, for `make`; NULL, and nothing left of it, on failure. */
cn_module *cn_model_drawn(cn_module *net, cn_initialiser *init);

#endif
