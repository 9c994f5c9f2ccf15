/* book.h - the book's experiments as programs that check themselves.

   An experiment is a constant in a file of its own, listed in experiments.def. Its run() does what
   the book does and tells the lab what came out beside what must hold:

       static void run(Lab *lab)
       {
           cn_tensor *y = cn_conv2d(x, k);
           lab_values(lab, "corr2d(X, K)", y, 0, 19, 25, 37, 43);
       }

   Every expectation is a finding: what, ours, the book's, whether it holds. A tensor that could not
   be made is a finding that does not hold, with the library's message. Results live in a scope that
   ends with run(). The default generator is seeded before it. */
#ifndef BOOK_H
#define BOOK_H

#include <cenote/cenote.h>

typedef struct Lab Lab;

typedef struct Experiment {
    const char *id;    /* rows of the curriculum, separated by blanks: "C06-MAXP C06-AVGP" */
    const char *title; /* in English and Chinese */
    const char *title_zh;
    const char *section;   /* of D2L's English edition: "7.2" */
    const char *settings;  /* the book's hyper-parameters; NULL: none */
    const char *published; /* the book's result; NULL: none */
    const char *data;      /* the real data set; NULL: none is needed */
    bool trains;           /* takes longer than a moment */
    void (*run)(Lab *lab);
} Experiment;

extern const Experiment *const experiments[]; /* in the book's order, ended by NULL */

/* ---- what is asked of a run ---------------------------------------------------------------- */

typedef struct LabOptions {
    bool quick; /* fewer epochs and examples, where the experiment has a choice */
    bool real;  /* on the book's data instead of what is built in */
    uint64_t seed;
    const char *folder; /* for files that are results; NULL: none are kept */
    void (*say)(const char *line, void *context);           /* NULL: nobody listens */
    void (*watch)(const cn_fit_progress *p, void *context); /* of every fit; NULL: nobody */
    void *context;
} LabOptions;

const LabOptions *lab_options(const Lab *lab);

/* Images with labels: the experiment's data set, or the built-in glyphs, of either not more than so
   many (0: all). NULL when it is not to be had: the lab then skips the row, run() may return. The
   lab frees it. */
cn_dataset *lab_images(Lab *lab, cn_part part, int64_t glyphs, int64_t real);

enum { LAB_PATH = 256 };
/* New and empty, in $TMPDIR or /tmp; the experiment removes them. False: an error is set. */
bool lab_new_file(char path[LAB_PATH], const char *ending);
bool lab_new_folder(char path[LAB_PATH]);

/* ---- what must hold ------------------------------------------------------------------------ */

/* Elements in row-major order, each within `tolerance`; so many as the tensor has. */
#define lab_values(lab, what, ours, tolerance, ...)                                                \
    lab_values_n(lab, what, ours, tolerance, (const double[]){ __VA_ARGS__ },                      \
                 sizeof((double[]){ __VA_ARGS__ }) / sizeof(double))
void lab_values_n(Lab *lab, const char *what, const cn_tensor *ours, double tolerance,
                  const double *book, size_t n);
void lab_shape(Lab *lab, const char *what, const cn_tensor *ours, cn_shape book);
/* All elements of two tensors of ours within `tolerance` of each other. */
void lab_same(Lab *lab, const char *what, const cn_tensor *one, const cn_tensor *other,
              double tolerance);
void lab_number(Lab *lab, const char *what, double ours, double book, double tolerance);
void lab_at_least(Lab *lab, const char *what, double ours, double bound);
void lab_at_most(Lab *lab, const char *what, double ours, double bound);
void lab_text(Lab *lab, const char *what, const char *ours, const char *book);
void lab_true(Lab *lab, const char *what, bool holds);
/* The library must have refused what was tried, with `part` in its message; clears the error. */
void lab_refused(Lab *lab, const char *what, const char *part);

/* ---- what is shown ------------------------------------------------------------------------- */

void lab_say(Lab *lab, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void lab_figure(Lab *lab, cn_figure *figure); /* takes it over; NULL is a finding that fails */
/* The row cannot be proven here, and why. What was found so far does not count. */
void lab_skip(Lab *lab, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- networks ------------------------------------------------------------------------------ */

/* A network of models/ for grey images of so many pixels on each side, all its parameters drawn;
   widths are divided by `shrink` (0: they are not). The caller frees it. */
cn_module *lab_network(const char *model, int64_t side, int64_t shrink);
/* What each child of `net` makes of `input`, one after another: "Conv2d (1, 6, 28, 28); ...", beside
   what the book prints. */
void lab_layers(Lab *lab, cn_module *net, cn_shape input, const char *book);
/* What the first child of `net` makes of the first picture of a data set, channel by channel; for
   lab_figure(). */
cn_figure *lab_feature_maps(cn_module *net, cn_dataset *images);
/* Gradients of f by its float64 inputs, beside quotients of differences. What differs relative to
   the largest gradient is the finding. */
void lab_gradients(Lab *lab, const char *what, cn_function *f, cn_tensor *const *in, int n,
                   void *context);
/* The same for a module: a step along random directions of all parameters. float32 limits what can be
   seen. */
void lab_module_gradients(Lab *lab, const char *what, cn_module *m, cn_tensor *x);

/* ---- training ------------------------------------------------------------------------------ */

enum { LAB_EPOCHS = 400 }; /* as many points a learning curve has at most */

typedef struct LabFit {
    bool ok;
    int epochs;
    double train_loss[LAB_EPOCHS], train_acc[LAB_EPOCHS], test_acc[LAB_EPOCHS]; /* by epoch */
    double best_test_acc, examples_per_second, seconds;
} LabFit;

/* lab_fit(lab, net, train, .optim = o, .epochs = 10): cn_fit() whose progress is shown. What the
   lab knows is set where it was not: seed. A fit that fails is a finding. */
#define lab_fit(lab, ...)                                                                          \
    lab_fit_with(lab, &(cn_fit_options){ .size = sizeof(cn_fit_options), __VA_ARGS__ })
LabFit lab_fit_with(Lab *lab, const cn_fit_options *options);
/* How a network is trained and what it must reach. */
typedef struct LabSchedule {
    int64_t train, test; /* so many images; 0: all */
    int64_t side;        /* scaled to so many pixels; 0: as they are */
    int64_t shrink;      /* of the network's widths; 0: none */
    int64_t batch, epochs;
    double lr;
    bool adam;       /* instead of SGD, where the reduced network would sit on a plateau */
    double accuracy; /* of the test images, in the best epoch */
} LabSchedule;

/* For each way to run an experiment; where `train` and `epochs` are 0, the one before it. */
typedef struct LabPlan {
    LabSchedule built_in, quick, real, real_quick;
} LabPlan;

LabSchedule lab_schedule(const Lab *lab, const LabPlan *plan);
/* lab_images(), so many and so large as the schedule says. */
cn_dataset *lab_scheduled_images(Lab *lab, cn_part part, const LabSchedule *s);
/* Fits as it says, with minibatch SGD as in the book, or Adam. */
LabFit lab_train(Lab *lab, cn_module *net, cn_dataset *train, cn_dataset *test,
                 const LabSchedule *s);
/* All of it for a network of models/: it must reach the accuracy. Says what was done and draws the
   curves. */
LabFit lab_train_network(Lab *lab, const char *model, const LabPlan *plan);

/* The last epoch is within 0.03 of the loss and 0.015 of the accuracy that the book prints; held
   against only on its data and at its length. */
void lab_as_printed(Lab *lab, const LabFit *fit, double train_loss, double train_acc);

/* The last epoch's figures. */
double lab_last(const LabFit *fit, const double *curve);
/* The learning curves as the book draws them; for lab_figure(). */
cn_figure *lab_curves(const LabFit *fit, const char *title);

/* ---- from scratch -------------------------------------------------------------------------- */

/* The book's synthetic_data(): X (n, d) normal, y = X w + b and normal noise, (n, 1). w is (d, 1) and
   says the type. */
typedef struct LabData {
    cn_tensor *x, *y;
} LabData;
LabData lab_linear_data(cn_tensor *w, double b, double noise, int64_t n);

/* The book's data_iter(), a random minibatch after another, each in a scope of its own:

       for (LabBatches b = lab_batches(x, y, 10); lab_next(&b);) ... b.x, b.y */
typedef struct LabBatches {
    cn_tensor *x, *y;
    cn_tensor *all_x, *all_y, *order;
    int64_t size, at;
    size_t mark;
} LabBatches;
LabBatches lab_batches(cn_tensor *x, cn_tensor *y, int64_t size);
bool lab_next(LabBatches *b);

cn_tensor *lab_parameter(cn_shape shape, double std); /* N(0, std), whose gradient is wanted */
/* The book's sgd(): p -= lr grad(p), then no gradient. The loss is a mean. */
void lab_sgd(cn_tensor *const *params, int n, double lr);

/* Softmax regression by its formula: so many times w -= lr X^T (weight (softmax(X w) - y)) / n. X is
   (n, d), y (n, classes) has ones and zeros, weight (n, 1) or NULL says how much an example counts.
   Changes w (d, classes), and returns it. */
typedef struct LabRegression {
    cn_tensor *x, *y, *weight;
    double lr;
    int steps;
} LabRegression;
cn_tensor *lab_regress(const LabRegression *r, cn_tensor *w);

/* A classifier of images without modules, and the book's train_ch3() for it. */
typedef struct LabScratch {
    cn_tensor *(*net)(cn_tensor *images, cn_tensor *const *params, bool training);
    cn_tensor *(*loss)(cn_tensor *output, cn_tensor *labels); /* NULL: cross-entropy of scores */
    cn_tensor *params[8];
    int n;
} LabScratch;
double lab_correct(cn_tensor *output, cn_tensor *labels); /* how many */
LabFit lab_train_scratch(Lab *lab, const LabScratch *net, const LabPlan *plan);

/* The first images of a data set under what they are and, where `net` is given, what it takes them
   for. */
cn_figure *lab_pictures(cn_dataset *images, int64_t n, cn_module *net);

#endif
