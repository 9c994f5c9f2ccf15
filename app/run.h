/* run.h - what train, eval, predict and the others share: a model with its data, and run folders.
   */
#ifndef APP_RUN_H
#define APP_RUN_H

#include "app/app.h"
#include "models/models.h"

/* Everything that decides what a run does; config.json of a run folder holds it. */
typedef struct {
    const cn_model *model;
    char data[256]; /* a data set; of a language model the name or the path of a text */
    char vocab
        [1040]; /* of a language model: the file with its vocabulary; "": it has the model's size */
    char targets[1040]; /* of a network that translates: that of the language it writes */
    int64_t epochs, batch, limit;
    uint64_t seed;
    char optim[192], schedule[192];
    double lr, momentum, weight_decay, clip;
    int64_t workers, patience, checkpoint_steps;
    int64_t accumulate, log_steps;
    int64_t resize; /* height and width of images; 0: those of the model */
    bool recompute;
    char amp[8]; /* "": no mixed precision */
} Config;

bool config_from_args(const Args *args, const char *model,
                      Config *c); /* the book's values where nothing is given */
/* The same without a command's options, to test a network with. */
bool config_of_model(Config *c, const char *model);
bool config_save(const Config *c, const char *folder);
bool config_load(Config *c, const char *folder);
/* Where a run's own files are. */
bool config_in_folder(Config *c, const char *folder);

/* A network with known shapes, its parameters drawn from the seed. */
cn_module *config_network(const Config *c);
cn_optim *config_optimiser(const Config *c, cn_module *net);
cn_sched *config_schedule(const Config *c, cn_optim *o); /* NULL: none, or an error */
cn_dataset *config_data(const Config *c, cn_part split);
/* How the network is run, and its loss; NULL: as cn_fit() does by itself. */
cn_run_fn *config_run(const Config *c);
cn_loss_fn *config_loss(const Config *c);

/* What the network takes: one example, and so many. */
cn_shape config_example(const Config *c);
cn_shape config_input(const Config *c, int64_t examples);
/* Images made as large as `example`, grey ones coloured for a model that wants RGB, and scaled as the model
   wants them. Takes the data set over; NULL stays NULL. */
cn_dataset *fitted_to(const cn_model *model, const cn_shape *example, cn_dataset *data);
/* Says on standard error what fitted_to() changes of a run's images; nothing where it changes nothing. */
void say_fitted(const Config *c);

/* Into how many segments --recompute divides it; 0: not wanted. */
int config_segments(const Config *c, const cn_module *net);
cn_dtype amp_named(const char *name); /* 0 of ""; another word is an error */

/* --profile FILE of a command: begins when it is given; ends with the file and the table (with
   --json on standard error). */
bool profile_begin(const Args *args);
bool profile_end(const Args *args, bool ok);

/* The network of a finished or unfinished run, with its parameters. */
cn_module *run_network(const Config *c, const char *folder);
/* The same with the parameters of a file. */
cn_module *network_from(const Config *c, const char *path);
/* False for networks that take something else. */
bool takes_pictures(const Config *c, const char *command);

/* Makes a folder and those above it. */
bool make_folder(const char *path);

#endif
