/* temporary.c - files and folders that an experiment removes again. */
#include "book/book.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A name for mkstemps() and mkdtemp(), in $TMPDIR or /tmp. */
static bool name_in(char path[LAB_PATH], const char *ending)
{
    const char *folder = getenv("TMPDIR");
    int n =
        snprintf(path, LAB_PATH, "%s/cenote-XXXXXX%s", folder && *folder ? folder : "/tmp", ending);
    return (n >= 0 && n < LAB_PATH) ||
           cn_fail(CN_EINVALID, "TMPDIR: the path of the folder is too long");
}

static bool made(bool ok, const char *path)
{
    return ok ||
           cn_fail(CN_EIO, "%s: cannot be made: %s; set TMPDIR to a folder that can be written to",
                   path, strerror(errno));
}

bool lab_new_file(char path[LAB_PATH], const char *ending)
{
    if (!name_in(path, ending)) return false;
    int file = mkstemps(path, (int)strlen(ending));
    return made(file >= 0 && close(file) == 0, path);
}

bool lab_new_folder(char path[LAB_PATH])
{
    return name_in(path, "") && made(mkdtemp(path) != NULL, path);
}
