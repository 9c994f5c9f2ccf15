/* commands.h - the list of commands, and the pages that are made of it. */
#ifndef APP_COMMANDS_H
#define APP_COMMANDS_H

#include "app/app.h"

#include <stddef.h>
#include <stdio.h>

const Command *command_named(const char *name); /* NULL when there is none */
int unknown_command(const char *name);          /* says so, and what was perhaps meant */
int unknown_op(const Args *args, const char *name);

void print_overview(FILE *out);
void print_help(const Command *command);

/* "Train a network of the book." */
void describe_command(const Command *command, char *buf, size_t room);
/* "passes over the data (1 to 100; default: 10)" */
void describe_option(const Option *option, char *buf, size_t room);

#endif
