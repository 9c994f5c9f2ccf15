/* book.h - cenote book: what its four parts share. */
#ifndef APP_BOOK_H
#define APP_BOOK_H

#include "app/app.h"
#include "app/json.h"
#include "book/lab.h"

/* ---- choosing: operands are ids, or the beginning of ids; none: all -------------------------- */

/* True when no operand, or one of those from the second on, is the beginning of one of its rows. */
bool book_chosen(const Args *args, const Experiment *e);
/* EXIT_OK, or the exit code of an error that names the operand no experiment fits. */
int book_check_operands(const Args *args);

/* ---- running --------------------------------------------------------------------------------- */

/* What the options of the command ask for, without anybody who listens. */
LabOptions book_options(const Args *args);
/* Ctrl-C ends the running fit and book_stopped() says so; a second one ends the program. */
void book_catch_signals(void);
bool book_stopped(void);

/* One line of ours, and one of the book's: the published result, or what was expected. */
void book_ours(const Lab *lab, char *text, size_t room);
json_t *book_as_json(const Lab *lab, const char *id);

/* Calls f with each row of an experiment: "C06-MAXP" and "C06-AVGP". */
void book_each_row(const Experiment *e, void (*f)(const char *id, void *context), void *context);

/* ---- what the last checks said: a file of the user's state folder ----------------------------- */

json_t *book_past(
    void); /* {"C06-XCORR": {"status": "PASS", "seconds": 0.01, ..}, ..}; never NULL but for memory */
void book_remember(json_t *past, const Lab *lab);
/* A state folder that cannot be written to is no failure of a check. */
void book_save_past(const json_t *past);

/* ---- the parts: each returns an exit code ----------------------------------------------------- */

int book_list(const Args *args);
int book_run(const Args *args);
int book_check(const Args *args);
int book_report(const Args *args);

#endif
