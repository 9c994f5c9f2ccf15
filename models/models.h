/* models.h - the networks of the book, by name. */
#ifndef MODELS_H
#define MODELS_H

#include <cenote/cenote.h>

/* What a network is to be made with. */
typedef struct cn_model_request {
    int64_t classes; /* outputs; of a network that translates the source's vocabulary */
    int64_t targets; /* the target's; 0: as many */
    int64_t shrink;  /* all other widths are divided by it, to try things out; 0: they are not */
    const void *settings; /* of the catalogue's entry: which network of its family */
} cn_model_request;

/* (x - mean) / std of each channel of a picture in [0, 1], for which a network is trained. */
typedef struct cn_scaling {
    float mean[3], std[3];
} cn_scaling;
extern const cn_scaling cn_scaling_imagenet, cn_scaling_inception;

typedef struct cn_model {
    const char *name;    /* as in the book: "lenet"; torchvision's: "torchvision/resnet18" */
    const char *title;   /* "LeNet" */
    const char *section; /* of D2L */
    const char *about;
    cn_shape input;  /* of one example */
    bool regression; /* mean squared error of one number; otherwise classes */
    bool tokens;     /* a language model: `input` is so many steps, classes are a vocabulary */
    bool translates; /* pairs of sentences, of so many steps each */
    int64_t classes; /* 0: 10, as most data sets of the book have */
    int64_t batch, epochs; /* the book's hyper-parameters */
    double lr;
    const char *optim;         /* NULL: SGD */
    double clip;               /* largest norm of the gradient; 0: it is not clipped */
    int64_t limit;             /* characters that the book uses; 0: all of the data */
    const char *data;          /* the book's data set, or text */
    const cn_scaling *scaling; /* NULL: pictures as they are */
    /* Initialised as in the book, from the default generator. */
    cn_module *(*make)(const cn_model_request *request);
    const void *settings;
} cn_model;

extern const cn_model *const cn_models[];        /* ended by NULL */
const cn_model *cn_model_find(const char *name); /* NULL, without an error, when there is none */

/* Does it take tokens, which a vocabulary numbers? */
bool cn_model_reads(const cn_model *model);

/* The network as the catalogue describes it. */
cn_module *cn_model_make(const cn_model *model);
int64_t cn_model_outputs(const cn_model *model);
/* The shape of so many examples. */
cn_shape cn_model_batch(const cn_model *model, int64_t examples);

#endif
