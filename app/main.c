/* main.c - the program: finds the command, runs it, and makes sure that the output arrived. */
#include "app/commands.h"
#include "app/options.h"

#include <cenote/base.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A standard file that is closed would otherwise be the next file opened, and take our output into
   it. In the wrong direction, so that using it is still an error. */
static void occupy_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* Threads that wait by spinning for long take the core from whoever else runs. libgomp reads its
   variable before main(), hence a second start; that the variable is then set ends it there. */
static void bound_spinning(char **argv)
{
    char path[PATH_MAX];
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY")) return;
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0 || setenv("GOMP_SPINCOUNT", "2000", 1) != 0) return;
    path[n] = 0;
    execv(path, argv);
}

static int run_command(const Command *command, int argc, char **argv)
{
    Args args;
    if (!parse_args(command, argc, argv, &args)) return EXIT_USAGE;
    if (given(&args, "threads")) cn_set_threads((int)int_of(&args, "threads"));
    return command->run(&args);
}

static int run(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (!*word) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(word, "--version") == 0) {
        printf("cenote %s\n", cn_version());
        return EXIT_OK;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        print_overview(stdout);
        return EXIT_OK;
    }
    const Command *command = command_named(word);
    if (!command) return unknown_command(word);
    if (help_asked(argc - 2, argv + 2)) {
        print_help(command);
        return EXIT_OK;
    }
    if (!command->instant) bound_spinning(argv);
    return run_command(command, argc - 2, argv + 2);
}

static bool reader_left(void)
{
    struct pollfd p = { STDOUT_FILENO, POLLOUT, 0 };
    return poll(&p, 1, 0) > 0 && (p.revents & POLLERR);
}

/* Output that did not arrive is a failure; that nobody reads it (| head) is no news. What errno was
   when an earlier write failed is lost, so that the pipe is asked. */
static int finish(int exit_code)
{
    bool bad = ferror(stdout), quiet = reader_left();
    errno = 0;
    bad = fclose(stdout) != 0 || bad;
    if (!bad) return exit_code;
    if (!quiet && errno != EPIPE)
        failed_with(NULL, EXIT_IO, "cannot write to standard output%s%s", errno ? ": " : "",
                    errno ? strerror(errno) : "");
    return exit_code == EXIT_OK ? EXIT_IO : exit_code;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a write beyond a limit is an error like any other */
    occupy_standard_files();
    return finish(run(argc, argv));
}
