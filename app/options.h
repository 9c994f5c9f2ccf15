/* options.h - what a command line becomes by the table of its command. */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include "app/app.h"

#include <stddef.h>

enum { MAX_OPTIONS = 40 }; /* of a command, the common ones included */

struct Args {
    const Command *command;
    bool json;
    int n_operands;
    char **operands;
    const char *value[MAX_OPTIONS]; /* as given, by number of the option; NULL: not given */
};

/* The options of a command and then the common ones, counted from 0; NULL after the last. */
const Option *option_at(const Command *command, int i);
const Option *common_option(int i); /* the same of those that every command has */

/* Is there --help or -h before any "--"? argv is what follows the name of the command. */
bool help_asked(int argc, char *const *argv);

/* Reads and checks everything; operands move to the front of argv. False: the error is printed. */
bool parse_args(const Command *command, int argc, char **argv, Args *out);

/* "a whole number from 1 to 100", "a number of at least 0"; for text "a text". */
void describe_value(const Option *option, char *buf, size_t room);

#endif
