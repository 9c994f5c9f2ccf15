/* app.h - what the commands of the program share. */
#ifndef APP_H
#define APP_H

#include <stdbool.h>
#include <stdint.h>

/* ---- commands and their options: one table for parsing, help, man page and completion ------ */

typedef enum { OPT_FLAG, OPT_INT, OPT_FLOAT, OPT_TEXT } OptionType;

typedef struct {
    const char *name;     /* "epochs": --epochs N, --epochs=N */
    const char *argument; /* "N"; NULL for a flag */
    OptionType type;
    const char *preset; /* the default as text; NULL: none */
    double least, most; /* of numbers, checked; both 0: any; most INFINITY: no upper end */
    const char *help;   /* one line */
} Option;

typedef struct Args Args;

typedef struct {
    const char *name;      /* "train" */
    const char *operands;  /* "MODEL", "[NAME]", "FILE..."; "" when there are none */
    int least, most;       /* how many operands; most -1: any number */
    const char *about;     /* one line */
    const char *details;   /* paragraphs for --help and the man page, a line each; NULL: none */
    const char *examples;  /* lines; NULL: none */
    const Option *options; /* ended by a NULL name; those common to all are in options.c */
    int (*run)(const Args *args); /* an exit code */
    bool instant;                 /* runs no kernels: no time is spent on setting up threads */
} Command;

extern const Command *const commands[]; /* ended by NULL: commands.c */

/* ---- parsed arguments; to ask for an option that the table lacks is a mistake (assert)  */

int operand_count(const Args *args);
const char *operand(const Args *args, int i); /* NULL when there are fewer */
bool given(const Args *args, const char *option);
bool flag(const Args *args, const char *option);
/* The default when not given; 0 when there is none. */
int64_t int_of(const Args *args, const char *option);
double float_of(const Args *args, const char *option);
const char *text_of(const Args *args, const char *option); /* NULL when there is none */
bool json_wanted(const Args *args);

/* ---- exit codes ---------------------------------------------------------------------------- */

enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,       /* diverged, out of memory, a check that failed */
    EXIT_USAGE = 2,        /* unknown command, option, or value */
    EXIT_DATA = 65,        /* a damaged file */
    EXIT_NO_INPUT = 66,    /* no such file, model or data set */
    EXIT_UNAVAILABLE = 69, /* not in this build */
    EXIT_IO = 74,          /* cannot read or write */
    EXIT_INTERRUPTED = 130 /* Ctrl-C; what could be saved was saved */
};

/* Prints the library's error (or the given message) as "cenote: ..." on stderr, one line; returns
   the exit code that fits it. With --json also {"error": ..., "code": ...} as the last line of
   stdout. args may be NULL. */
int failed(const Args *args);
int exit_code_for(int library_code); /* of a cn_code */
int failed_with(const Args *args, int exit_code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The name in `known` (ended by NULL) that is most like `word`, or NULL when none is close. */
const char *nearest(const char *word, const char *const *known);

/* ---- the terminal -------------------------------------------------------------------------- */

bool colour_wanted(void); /* on stderr: a terminal, and neither NO_COLOR nor TERM=dumb */
int terminal_width(void); /* COLUMNS, the terminal's, or 80 */

#endif
