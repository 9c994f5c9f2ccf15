/* file.c - mapping files, and replacing them in one step. */
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"

#define BUFFER_SIZE ((size_t)1 << 16)

struct cn_file {
    int fd;
    bool failed;
    char *path, *folder, *temporary;
    uint64_t size;
    size_t used; /* bytes in `buffer` */
    uint8_t buffer[BUFFER_SIZE];
};

bool cn_fail_errno(const char *path, const char *doing)
{
    cn_code code = errno == ENOENT ? CN_ENOTFOUND : CN_EIO;
    return cn_fail(code, "%s: cannot %s: %s", path, doing, strerror(errno));
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool map_descriptor(int fd, const char *path, cn_mapping *m)
{
    struct stat st;
    if (fstat(fd, &st) != 0) return cn_fail_errno(path, "read");
    if (!S_ISREG(st.st_mode)) return cn_fail(CN_EIO, "%s: not a regular file", path);
    *m = (cn_mapping){ "", 0 };
    if (st.st_size == 0) return true;
    if ((uintmax_t)st.st_size > SIZE_MAX) return cn_fail(CN_ENOMEM, "%s: too large", path);
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) return cn_fail_errno(path, "map");
    *m = (cn_mapping){ bytes, (size_t)st.st_size };
    return true;
}

bool cn_map_file(const char *path, cn_mapping *m)
{
    *m = (cn_mapping){ 0 };
    if (!path) return cn_fail(CN_EINVALID, "load: the path is NULL");
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return cn_fail_errno(path, "open");
    bool ok = map_descriptor(fd, path, m);
    close(fd);
    return ok;
}

void cn_unmap_file(cn_mapping *m)
{
    if (m->size) munmap((void *)m->bytes, m->size);
    *m = (cn_mapping){ 0 };
}

cn_shared_mapping *cn_map_shared(const char *path)
{
    cn_shared_mapping *m = cn_alloc(sizeof *m);
    if (!m || !cn_map_file(path, &m->of)) return cn_free(m), NULL;
    atomic_init(&m->refs, 1);
    if (m->of.size && mprotect((void *)m->of.bytes, m->of.size, PROT_READ | PROT_WRITE) != 0) {
        cn_fail_errno(path, "map");
        return cn_mapping_drop(m), NULL;
    }
    return m;
}

cn_shared_mapping *cn_mapping_keep(cn_shared_mapping *m)
{
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return m;
}

void cn_mapping_drop(void *mapping)
{
    cn_shared_mapping *m = mapping;
    if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1) return;
    cn_unmap_file(&m->of);
    cn_free(m);
}

/* ---- writing ------------------------------------------------------------------------------ */

/* Where the contents belong: links resolved, and nothing there that is not a regular file. */
static char *real_target(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return errno == ENOENT ? cn_strdup(path) : (cn_fail_errno(path, "write"), NULL);
    if (!S_ISREG(st.st_mode)) return cn_fail(CN_EIO, "%s: not a regular file", path), NULL;
    char resolved[PATH_MAX];
    if (!realpath(path, resolved)) return cn_fail_errno(path, "write"), NULL;
    return cn_strdup(resolved);
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = cn_strdup(slash ? path : ".");
    if (folder && slash) folder[slash == path ? 1 : slash - path] = '\0';
    return folder;
}

/* Names no other process uses, and no other thread holds. */
static bool open_temporary(cn_file *f)
{
    size_t room = strlen(f->folder) + 64;
    if (!(f->temporary = cn_alloc(room))) return false;
    for (int i = 0; i < 1000; i++) {
        snprintf(f->temporary, room, "%s/.cenote-%ld-%d.tmp", f->folder, (long)getpid(), i);
        f->fd = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (f->fd >= 0) return true;
        if (errno != EEXIST) break;
    }
    return cn_fail_errno(f->path, "write");
}

/* A file that is replaced passes its permissions on. */
static void inherit_mode(const cn_file *f)
{
    struct stat st;
    if (stat(f->path, &st) == 0) (void)fchmod(f->fd, st.st_mode & 07777);
}

static void destroy(cn_file *f)
{
    if (f->fd >= 0) close(f->fd);
    cn_free(f->path);
    cn_free(f->folder);
    cn_free(f->temporary);
    cn_free(f);
}

cn_file *cn_file_create(const char *path)
{
    if (!path) return cn_fail(CN_EINVALID, "save: the path is NULL"), NULL;
    cn_file *f = cn_alloc(sizeof *f);
    if (!f) return NULL;
    f->fd = -1, f->failed = false, f->size = 0, f->used = 0;
    f->folder = f->temporary = NULL;
    f->path = real_target(path);
    f->folder = f->path ? folder_of(f->path) : NULL;
    if (!f->folder || !open_temporary(f)) return destroy(f), NULL;
    inherit_mode(f);
    return f;
}

static void write_all(cn_file *f, const uint8_t *data, size_t size)
{
    while (size && !f->failed) {
        ssize_t n = write(f->fd, data, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            f->failed = true;
            cn_fail_errno(f->path, "write");
            return;
        }
        data += n, size -= (size_t)n;
    }
}

static void flush(cn_file *f)
{
    write_all(f, f->buffer, f->used);
    f->used = 0;
}

void cn_file_put(cn_file *f, const void *data, size_t size)
{
    if (!f || !size) return;
    f->size += size;
    if (size > BUFFER_SIZE - f->used) flush(f);
    if (size > BUFFER_SIZE) {
        write_all(f, data, size);
    } else {
        memcpy(f->buffer + f->used, data, size);
        f->used += size;
    }
}

uint64_t cn_file_size(const cn_file *f)
{
    return f ? f->size : 0;
}

/* The new name itself must survive a power failure, too. Folders that cannot be opened or synced
   (some file systems refuse) have done what they can. */
static bool sync_folder(const cn_file *f)
{
    int fd = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return true;
    bool ok = fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS;
    if (!ok) cn_fail_errno(f->path, "sync the folder");
    close(fd);
    return ok;
}

static bool commit(cn_file *f)
{
    flush(f);
    if (f->failed) return false;
    if (fsync(f->fd) != 0) return cn_fail_errno(f->path, "sync");
    int fd = f->fd;
    f->fd = -1;
    if (close(fd) != 0) return cn_fail_errno(f->path, "close");
    if (rename(f->temporary, f->path) != 0) return cn_fail_errno(f->path, "replace");
    return true;
}

bool cn_file_finish(cn_file *f, bool ok)
{
    if (!f) return false;
    bool committed = ok && commit(f);
    if (!committed) unlink(f->temporary);
    ok = committed && sync_folder(f);
    destroy(f);
    return ok;
}

bool cn_write_file_atomic(const char *path, const void *data, size_t size)
{
    cn_file *f = cn_file_create(path);
    cn_file_put(f, data, size);
    return cn_file_finish(f, true);
}
