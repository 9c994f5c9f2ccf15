/* lab.h - running experiments, for the program: what is inside a lab. */
#ifndef LAB_H
#define LAB_H

#include "book/book.h"

typedef struct Finding {
    char *what, *ours, *book; /* book: "" where nothing was published */
    bool holds;
} Finding;

typedef enum LabStatus { LAB_PASS, LAB_FAIL, LAB_SKIP, LAB_INTERRUPTED } LabStatus;

enum { LAB_DATASETS = 16 };

struct Lab {
    const Experiment *experiment;
    LabOptions options;
    LabStatus status; /* after the run */
    char *why;        /* it was skipped; NULL: it was not */
    Finding *findings;
    size_t n_findings;
    cn_figure **figures;
    size_t n_figures;
    cn_dataset *datasets[LAB_DATASETS];
    int n_datasets;
    double seconds;
    bool broken; /* memory ran out: nothing may pass */
};

const char *lab_status_name(LabStatus status); /* "PASS" */

/* Runs it in a lab that the caller ends with lab_end(). An experiment without findings fails. */
Lab lab_run(const Experiment *experiment, const LabOptions *options);
void lab_end(Lab *lab);

/* Hands a data set to the lab, which frees it; NULL when it is NULL or there is no room. */
cn_dataset *lab_hold(Lab *lab, cn_dataset *d);

#endif
